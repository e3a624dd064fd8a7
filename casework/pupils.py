"""A pupil's page: their weeks, what changed, what goes well, what is not known, and then what Belong found."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import facts, rules, states
from casework.audit_log import look
from casework.caseload import NAME_WITHHELD, is_overdue
from casework.explanation import VIEW_FIRST, Explanation, explanation_of, latest_flag
from casework.freshness import Withheld, freshness
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may, may
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.tables_flags import IncidentRow
from casework.tables_people import PersonRow, PupilKeyRow, PupilRow, SchoolRow
from casework.voices import Voice, voices_of

STALE_DAYS: Final = 7
FEW_WEEKS: Final = 8
VOICE_UNKNOWN: Final = "What the pupil and their family say: not asked yet"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One recorded incident, achievement or suspension, in words. `sessions` is a suspension's length."""

    happened_on: date
    kind: str
    what: str
    place: str | None
    sessions: int | None


@dataclass(frozen=True, kw_only=True)
class Review:
    """A view or a decision that someone saved.

    `text` is None where the reader has yet to record a view of their own for the week: others' words
    may tell what the score was.
    """

    by: str
    recorded_on: date
    kind: str
    words: str
    text: str | None


@dataclass(frozen=True, kw_only=True)
class OwnView:
    """The reader's own view of the current week."""

    opinion: str
    opinion_words: str
    why: str
    recorded_on: date


@dataclass(frozen=True, kw_only=True)
class CaseCard:
    """The pupil's case that is not closed. `version` goes into the form, and back with it."""

    id: uuid.UUID
    state: str
    state_words: str
    version: int
    on_list_since: date
    review_on: date | None
    overdue: bool
    may_record_view: bool
    may_record_decision: bool


@dataclass(frozen=True, kw_only=True)
class PupilPage:
    """All that a page shows, in its order.

    Attributes
    ----------
    weeks
        Oldest first; weeks without a possible session are holidays: break the line there.
    explanation
        None until this person has recorded a view for the current week; `withheld` then says why, and
        is None where there is no case to explain.
    """

    pupil_id: uuid.UUID
    name: str
    year_group: str
    school: int
    school_name: str
    left_on: date | None
    data_to: date | None
    case: CaseCard | None
    weeks: tuple[facts.Week, ...]
    events: tuple[Event, ...]
    what_changed: tuple[str, ...]
    going_well: tuple[str, ...]
    unknowns: tuple[str, ...]
    voices: tuple[Voice, ...]
    reviews: tuple[Review, ...]
    own_view: OwnView | None
    explanation: Explanation | None
    withheld: str | None


def week_of(today: date) -> date:
    """Return the Monday of the week."""
    return today - timedelta(days=today.weekday())


def pupil_page(
    session: Session, person: Person, pupil_id: uuid.UUID, today: date, refused: Withheld | None = None
) -> PupilPage | None:
    """Return the page of a pupil in the person's schools, and log the look; None where there is no such pupil in scope.

    A look that found nothing is logged too: leave the transaction's block before answering 404, so that
    it is kept. `refused`: why nothing may be scored now, which hides what was found earlier too; None: something may.

    Raises
    ------
    NotAllowed
        The person's roles see no pupil, or (`TrainingNeeded`) their training is not current.
    """
    check_may(person, "see_pupil")
    rules.check_trained(person, today)
    found = session.execute(
        select(PupilRow, SchoolRow, PupilKeyRow.wrapped)
        .join(SchoolRow, SchoolRow.urn == PupilRow.school_urn)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(PupilRow.id == pupil_id)
    ).one_or_none()
    if found is None or (person.schools is not None and found[0].school_urn not in person.schools):
        look(session, person, "pupil_not_in_scope", pupil_id=pupil_id)
        return None
    pupil, school, key = found
    case = active_case(session, pupil_id)
    view = own_view(session, person, case.id, today) if case else None
    explanation, withheld = _explanation(session, case, view, school, (today, refused))
    weeks, voices = facts.weeks_of(session, [pupil_id]).get(pupil_id, ()), voices_of(session, pupil_id)
    page = PupilPage(
        pupil_id=pupil_id,
        name=_name(session, person, pupil, key),
        year_group=pupil.year_group,
        school=school.urn,
        school_name=school.name,
        left_on=pupil.left_on,
        data_to=school.data_to,
        case=_card(case, person, view, today) if case else None,
        weeks=weeks,
        events=_events(session, pupil_id),
        what_changed=facts.what_changed(weeks),
        going_well=facts.going_well(weeks),
        unknowns=(*_unknowns(school, weeks, today), *(() if voices else (VOICE_UNKNOWN,))),
        voices=voices,
        reviews=_reviews(session, pupil_id, person, hidden_case=case.id if case and view is None else None),
        own_view=view,
        explanation=explanation,
        withheld=withheld,
    )
    detail = "with explanation" if explanation else "without explanation"
    look(session, person, "see_pupil", pupil_id=pupil_id, school=school.urn, detail=detail)
    return page


def _name(session: Session, person: Person, pupil: PupilRow, key: bytes | None) -> str:
    if not may(person, "see_names"):
        return NAME_WITHHELD
    return shown(unseal(master_key(session), pupil.pseudonym, pupil.identity, key))


def active_case(session: Session, pupil_id: uuid.UUID) -> CaseRow | None:
    """Return the pupil's case that is not closed, or None; there is never more than one."""
    return session.execute(
        select(CaseRow).where(CaseRow.pupil_id == pupil_id, CaseRow.state.not_in(states.FINAL))
    ).scalar_one_or_none()


def own_view(session: Session, person: Person, case_id: uuid.UUID, today: date) -> OwnView | None:
    """Return the last view that this person recorded on the case in the current week, or None."""
    row = session.execute(
        select(ViewRow)
        .where(ViewRow.case_id == case_id, ViewRow.person_id == person.id, ViewRow.week == week_of(today))
        .order_by(ViewRow.recorded_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    if row is None:
        return None
    return OwnView(
        opinion=row.opinion, opinion_words=states.OPINIONS[row.opinion], why=row.why, recorded_on=row.recorded_on
    )


def _explanation(
    session: Session,
    case: CaseRow | None,
    view: OwnView | None,
    school: SchoolRow,
    silent: tuple[date, Withheld | None],
) -> tuple[Explanation | None, str | None]:
    today, refused = silent
    if case is None:
        return None, None
    if view is None:
        return None, VIEW_FIRST
    flag = latest_flag(session, case.pupil_id)
    if flag is None:
        return None, None
    withheld = refused or freshness(session, today).withheld(flag.bundle_digest, up_to_date=school.up_to_date)
    if withheld is not None:
        return None, withheld.sentence
    return explanation_of(session, flag, school.phase), None


def _card(case: CaseRow, person: Person, view: OwnView | None, today: date) -> CaseCard:
    return CaseCard(
        id=case.id,
        state=case.state,
        state_words=states.STATES[case.state],
        version=case.version,
        on_list_since=case.opened_on,
        review_on=case.review_on,
        overdue=is_overdue(case.state, case.opened_on, case.review_on, today),
        may_record_view=rules.may_record_view(person, case.state, case.school_urn),
        may_record_decision=rules.may_record_decision(person, case.state, case.school_urn, own_view=view is not None),
    )


def _events(session: Session, pupil_id: uuid.UUID) -> tuple[Event, ...]:
    names = (IncidentRow.happened_on, IncidentRow.kind, IncidentRow.what, IncidentRow.place, IncidentRow.sessions)
    rows = session.execute(
        select(*names).where(IncidentRow.pupil_id == pupil_id).order_by(IncidentRow.happened_on, IncidentRow.id)
    )
    return tuple(Event(**row) for row in rows.mappings())


def _unknowns(school: SchoolRow, weeks: Sequence[facts.Week], today: date) -> tuple[str, ...]:
    sentences = []
    if school.data_to is None:
        sentences.append("The school's records have not arrived yet")
    elif not school.up_to_date or school.data_to + timedelta(days=STALE_DAYS) < today:
        sentences.append(f"What happened since {school.data_to:%-d %B %Y}: the school's records reach no further")
    if school.note:
        sentences.append(school.note)
    school_weeks = [week for week in weeks if week.sessions_possible > 0]
    if not school_weeks:
        sentences.append("Attendance: nothing is recorded for this pupil")
    elif len(school_weeks) < FEW_WEEKS:
        sentences.append(f"Earlier weeks: only {len(school_weeks)} school weeks are recorded for this pupil")
    if school_weeks and not any(week.positives for week in school_weeks):
        sentences.append("Achievements: none are recorded, which may mean that nobody writes them down")
    return tuple(sentences)


def _reviews(
    session: Session, pupil_id: uuid.UUID, person: Person, hidden_case: uuid.UUID | None
) -> tuple[Review, ...]:
    mine = CaseRow.pupil_id == pupil_id
    views = session.execute(
        select(ViewRow, PersonRow.name)
        .join(CaseRow, CaseRow.id == ViewRow.case_id)
        .join(PersonRow, PersonRow.id == ViewRow.person_id)
        .where(mine)
    )
    decisions = session.execute(
        select(DecisionRow, PersonRow.name)
        .join(CaseRow, CaseRow.id == DecisionRow.case_id)
        .join(PersonRow, PersonRow.id == DecisionRow.person_id)
        .where(mine)
    )

    def review(row: ViewRow | DecisionRow, by: str, kind: str, words: str, text: str) -> tuple[datetime, Review]:
        hidden = row.case_id == hidden_case and row.person_id != person.id
        made = Review(by=by, recorded_on=row.recorded_on, kind=kind, words=words, text=None if hidden else text)
        return row.recorded_at, made

    reviews = [review(row, name, "view", states.OPINIONS[row.opinion], row.why) for row, name in views]
    reviews += [review(row, name, "decision", states.ACTIONS[row.action], row.note) for row, name in decisions]
    return tuple(made for _, made in sorted(reviews, key=lambda saved: saved[0], reverse=True))
