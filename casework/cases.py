"""Cases: the list, a pupil's page, and the two things a person saves: their own view, and what is decided."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from casework import states
from casework.audit_log import look
from casework.caseload import CaseLine, Caseload, Filters, LastReview, Reading, caseload
from casework.explanation import Change, Explanation, Reason, latest_flag, reasons_of
from casework.permissions import Person
from casework.pupils import CaseCard, Event, OwnView, PupilPage, Review, own_view, pupil_page, week_of
from casework.rules import (
    RuleBroken,
    StaleCase,
    check_decision,
    check_record_decision,
    check_record_view,
    check_trained,
    check_view,
)
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.tables_people import PersonRow

__all__ = [
    "CaseCard",
    "CaseLine",
    "Caseload",
    "Change",
    "Event",
    "Explanation",
    "Filters",
    "LastReview",
    "NewDecision",
    "NewView",
    "NoSuchCase",
    "OwnView",
    "PupilPage",
    "Reading",
    "Reason",
    "Review",
    "Saved",
    "caseload",
    "pupil_page",
    "record_decision",
    "record_view",
]

_KEY_LONGEST: Final = 100


class NoSuchCase(Exception):
    """There is no such case in this person's schools: answer 404."""


@dataclass(frozen=True, kw_only=True)
class NewView:
    """A person's own view as the form gives it. `version` is that of the case when the form was shown."""

    case_id: uuid.UUID
    opinion: str
    why: str
    version: int
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class NewDecision:
    """What is decided after the reasons were shown. Reasons are named by their position."""

    case_id: uuid.UUID
    reasons_changed_view: bool
    action: str
    version: int
    idempotency_key: str
    reasons_that_do_not_fit: tuple[int, ...] = ()
    note: str = ""
    review_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What was saved. `repeated`: the same form was sent twice, and one entry was made."""

    case_id: uuid.UUID
    pupil_id: uuid.UUID
    repeated: bool


def record_view(session: Session, person: Person, new: NewView, today: date) -> Saved:
    """Save a person's own view of the current week. A correction is a new entry.

    Raises
    ------
    NoSuchCase
        No case of this id in the person's schools.
    StaleCase
        Someone saved since the form was shown.
    RuleBroken, NotAllowed
        The view is not one of ours, says too little, or this person may not record it.
    """
    check_trained(person, today)
    case = _case(session, person, new.case_id)
    if _already(session, ViewRow, person, new.case_id, new.idempotency_key):
        return Saved(case_id=case.id, pupil_id=case.pupil_id, repeated=True)
    check_view(new.opinion, new.why)
    check_record_view(person, case.state, case.school_urn)
    state = "viewed" if case.state in states.UNDECIDED else case.state
    if not _advance(session, case.id, new.version, {"state": state}):
        return _repeated_or_stale(session, ViewRow, person, case, new.idempotency_key)
    session.execute(
        insert(ViewRow).values(
            case_id=case.id,
            person_id=person.id,
            week=week_of(today),
            opinion=new.opinion,
            why=new.why.strip(),
            recorded_on=today,
            recorded_at=datetime.now(UTC),
            idempotency_key=new.idempotency_key,
        )
    )
    look(session, person, "record_view", pupil_id=case.pupil_id, school=case.school_urn, detail=new.opinion)
    return Saved(case_id=case.id, pupil_id=case.pupil_id, repeated=False)


def record_decision(session: Session, person: Person, new: NewDecision, today: date) -> Saved:
    """Save what is decided; the person becomes the case's owner. Raises as `record_view` does."""
    check_trained(person, today)
    case = _case(session, person, new.case_id)
    if _already(session, DecisionRow, person, new.case_id, new.idempotency_key):
        return Saved(case_id=case.id, pupil_id=case.pupil_id, repeated=True)
    view = own_view(session, person, case.id, today)
    check_record_decision(person, case.state, case.school_urn, own_view=view is not None)
    check_decision(new.action, new.note, new.review_on, today)
    _check_reasons(session, case.pupil_id, new.reasons_that_do_not_fit)
    state = states.STATE_OF_ACTION[new.action]
    if new.action == "none_now" and view is not None and view.opinion == "records_wrong":
        state = "records_wrong"
    if not states.leads(case.state, state):
        raise RuleBroken("This case changed since you opened it. Go back to the pupil's page and try again.")
    # Who decides on a case that was set aside has taken it up again.
    changes = {"state": state, "owner_id": person.id, "review_on": new.review_on, "snoozed_until": None}
    if not _advance(session, case.id, new.version, changes):
        return _repeated_or_stale(session, DecisionRow, person, case, new.idempotency_key)
    session.execute(
        insert(DecisionRow).values(
            case_id=case.id,
            person_id=person.id,
            reasons_changed_view=new.reasons_changed_view,
            reasons_that_do_not_fit=sorted(set(new.reasons_that_do_not_fit)),
            action=new.action,
            note=new.note.strip(),
            review_on=new.review_on,
            recorded_on=today,
            recorded_at=datetime.now(UTC),
            idempotency_key=new.idempotency_key,
        )
    )
    look(session, person, "record_decision", pupil_id=case.pupil_id, school=case.school_urn, detail=new.action)
    return Saved(case_id=case.id, pupil_id=case.pupil_id, repeated=False)


def _case(session: Session, person: Person, case_id: uuid.UUID) -> CaseRow:
    case = session.get(CaseRow, case_id)
    if case is None or (person.schools is not None and case.school_urn not in person.schools):
        raise NoSuchCase("no such case in this person's schools")
    return case


def _already(
    session: Session, table: type[ViewRow] | type[DecisionRow], person: Person, case_id: uuid.UUID, key: str
) -> bool:
    if not 1 <= len(key) <= _KEY_LONGEST or "\x00" in key:
        raise RuleBroken("The form has lost its number. Go back to the pupil's page and try again.")
    row = session.execute(select(table.case_id, table.person_id).where(table.idempotency_key == key)).one_or_none()
    if row is not None and (row.case_id, row.person_id) != (case_id, person.id):
        raise RuleBroken("This form was already used for another case. Go back to the pupil's page and try again.")
    return row is not None


def _advance(session: Session, case_id: uuid.UUID, version: int, changes: dict[str, object]) -> bool:
    """Change the case if it still has this version; whoever comes second waits here, and finds it gone."""
    done = session.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.version == version)
        .values(version=version + 1, **changes)
        .returning(CaseRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(done)


def _repeated_or_stale(
    session: Session, table: type[ViewRow] | type[DecisionRow], person: Person, case: CaseRow, key: str
) -> Saved:
    # A double click: the first of the two was saved while this one waited.
    if _already(session, table, person, case.id, key):
        return Saved(case_id=case.id, pupil_id=case.pupil_id, repeated=True)
    saved = [
        (row.recorded_at, row.name)
        for table_saved in (ViewRow, DecisionRow)
        for row in session.execute(
            select(table_saved.recorded_at, PersonRow.name)
            .join(PersonRow, PersonRow.id == table_saved.person_id)
            .where(table_saved.case_id == case.id)
        )
    ]
    if not saved:
        raise StaleCase("This case changed while you were writing. Your text is kept below: check it, then save again.")
    at, name = max(saved)
    minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
    ago = "just now" if minutes == 0 else f"{minutes} minute{'s' if minutes > 1 else ''} ago"
    raise StaleCase(f"{name} saved a review {ago}. Your text is kept below: read theirs, then save again.")


def _check_reasons(session: Session, pupil_id: uuid.UUID, positions: tuple[int, ...]) -> None:
    if not positions:
        return
    flag = latest_flag(session, pupil_id)
    known = {reason.position for side in reasons_of(session, flag.id) for reason in side} if flag else set()
    if not set(positions) <= known:
        raise RuleBroken("Select only reasons that are shown on the page.", "reasons_that_do_not_fit")
