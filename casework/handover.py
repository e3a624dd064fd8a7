"""No case without someone who looks after it: taking one on, handing many over, cover while someone is away."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, insert, literal, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from casework import states
from casework.audit_log import Looked, look, look_at_all
from casework.duties import is_ownerless, works_at
from casework.permissions import SCHOOL_ROLES, Person, check_may, may
from casework.rules import RuleBroken, check_trained
from casework.tables_cases import CaseRow
from casework.tables_daily import CoverRow
from casework.tables_people import PersonRoleRow, PersonRow

COVER_DAYS_MOST: Final = 365
CASES_AT_ONCE: Final = 50


class NotHere(Exception):
    """There is no such case, colleague or cover at the schools of this person: answer 404."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Someone who works with pupils at the school today, and how many open cases there are theirs."""

    id: uuid.UUID
    name: str
    cases: int


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A cover that holds today or will."""

    id: uuid.UUID
    away: str
    covering: str
    from_on: date
    until_on: date


@dataclass(frozen=True, kw_only=True)
class NewCover:
    """A cover as the form gives it."""

    school: int
    away: uuid.UUID
    covering: uuid.UUID
    from_on: date
    until_on: date


def colleagues(session: Session, person: Person, school: int, today: date) -> tuple[Colleague, ...]:
    """Return who works with pupils at the school, by name. Raises NotAllowed, NotHere."""
    _check_school(person, school)
    held = (
        select(func.count())
        .where(CaseRow.owner_id == PersonRow.id, CaseRow.school_urn == school, CaseRow.state.not_in(states.FINAL))
        .correlate(PersonRow)
        .scalar_subquery()
    )
    here = (
        select(PersonRoleRow.person_id)
        .where(
            PersonRoleRow.school_urn == school,
            PersonRoleRow.role.in_(sorted(SCHOOL_ROLES)),
            or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= today),
        )
        .distinct()
    )
    rows = select(PersonRow.id, PersonRow.name, held.label("cases")).where(PersonRow.id.in_(here), PersonRow.active)
    return tuple(Colleague(**row) for row in session.execute(rows.order_by(PersonRow.name, PersonRow.id)).mappings())


def covers(session: Session, person: Person, school: int, today: date) -> tuple[Cover, ...]:
    """Return the school's covers of today and of days to come, the earliest first. Raises NotAllowed, NotHere."""
    _check_school(person, school)
    away, covering = aliased(PersonRow), aliased(PersonRow)
    rows = (
        select(
            CoverRow.id,
            away.name.label("away"),
            covering.name.label("covering"),
            CoverRow.from_on,
            CoverRow.until_on,
        )
        .join(away, away.id == CoverRow.away_id)
        .join(covering, covering.id == CoverRow.covering_id)
        .where(CoverRow.school_urn == school, CoverRow.until_on >= today, CoverRow.ended_on.is_(None))
        .order_by(CoverRow.from_on, away.name)
    )
    return tuple(Cover(**row) for row in session.execute(rows).mappings())


def take_case(session: Session, person: Person, case_id: uuid.UUID, today: date) -> None:
    """Make the person the owner of a case that nobody owns, at a school of theirs.

    Raises
    ------
    NotHere
        No open case of this id at the person's schools.
    RuleBroken
        Somebody looks after it by now.
    NotAllowed
        The person works with no pupils at the case's school, or (`TrainingNeeded`) is not trained.
    """
    check_trained(person, today)
    (case,) = _open_cases(session, person, [case_id])
    check_may(person, "take_case", case.school_urn)
    if not _give(session, [case], person.id, is_ownerless(today)):
        raise RuleBroken("Someone took this case on before you.")
    look(session, person, "take_case", pupil_id=case.pupil_id, school=case.school_urn)


def hand_over(session: Session, person: Person, cases: Sequence[uuid.UUID], to: uuid.UUID | None, today: date) -> int:
    """Give these cases to one colleague, all or none, and return how many there were.

    Raises
    ------
    NotHere
        One of them is no open case at the person's schools.
    RuleBroken
        No case or colleague is chosen, too many are, or the colleague does not work at the school of each.
    NotAllowed
        The person may hand over at none, or not at all, of the schools.
    """
    check_may(person, "hand_over")
    if not cases:
        raise RuleBroken("Select the cases to hand over.", "case")
    if len(set(cases)) > CASES_AT_ONCE:
        raise RuleBroken(f"Select at most {CASES_AT_ONCE} cases at a time.", "case")
    if to is None:
        raise RuleBroken("Select who will look after them.", "to")
    found = _open_cases(session, person, cases)
    schools = {case.school_urn for case in found}
    for school in schools:
        check_may(person, "hand_over", school)
        if not _works(session, to, school, today):
            raise RuleBroken("Select someone who works with pupils at the school of each case.", "to")
    given = _give(session, found, to, true())
    # Whom it went to, by the id that the log uses for staff: names are no part of it.
    detail = f"to {to}"
    looks = [
        Looked(action="hand_over", pupil_id=case.pupil_id, school=case.school_urn, detail=detail) for case in found
    ]
    look_at_all(session, person, looks)
    return given


def arrange_cover(session: Session, person: Person, new: NewCover, today: date) -> None:
    """Let a colleague look after someone's cases from a day to another, both included.

    Raises
    ------
    RuleBroken
        The days are not in order, past or too far apart, or the two do not both work at the school.
    NotAllowed, NotHere
        The person may not arrange cover at this school.
    """
    _check_school(person, new.school)
    if new.away == new.covering:
        raise RuleBroken("Select a colleague to cover, not the person who is away.", "covering")
    for someone, field in ((new.away, "away"), (new.covering, "covering")):
        if not _works(session, someone, new.school, today):
            raise RuleBroken("Select someone who works with pupils at this school.", field)
    if new.until_on < new.from_on:
        raise RuleBroken("The last day must be the first day or later.", "until")
    if new.until_on < today:
        raise RuleBroken("The last day must be today or later.", "until")
    if new.until_on > new.from_on + timedelta(days=COVER_DAYS_MOST):
        raise RuleBroken(f"Cover is for at most {COVER_DAYS_MOST} days. Hand the cases over instead.", "until")
    session.execute(
        insert(CoverRow).values(
            school_urn=new.school,
            away_id=new.away,
            covering_id=new.covering,
            from_on=new.from_on,
            until_on=new.until_on,
            arranged_by=person.id,
            arranged_at=datetime.now(UTC),
        )
    )
    detail = f"{new.covering} for {new.away}, {new.from_on.isoformat()} to {new.until_on.isoformat()}"
    look(session, person, "arrange_cover", school=new.school, detail=detail)


def end_cover(session: Session, person: Person, cover_id: uuid.UUID, today: date) -> int:
    """End a cover from today on, and return its school. Raises NotAllowed; NotHere where there is no such cover."""
    check_may(person, "hand_over")
    cover = session.get(CoverRow, cover_id)
    if cover is None or not may(person, "hand_over", cover.school_urn):
        raise NotHere("no such cover at this person's schools")
    ended = update(CoverRow).where(CoverRow.id == cover_id, CoverRow.ended_on.is_(None)).values(ended_on=today)
    session.execute(ended)
    look(session, person, "end_cover", school=cover.school_urn, detail=str(cover.away_id))
    return cover.school_urn


def _check_school(person: Person, school: int) -> None:
    check_may(person, "hand_over")
    if not may(person, "hand_over", school):
        raise NotHere("not a school of this person")


def _works(session: Session, who: uuid.UUID, school: int, today: date) -> bool:
    here = works_at(PersonRow.id, literal(school), today)
    return session.execute(select(PersonRow.id).where(PersonRow.id == who, here)).first() is not None


def _open_cases(session: Session, person: Person, cases: Sequence[uuid.UUID]) -> Sequence[Any]:
    rows = select(CaseRow.id, CaseRow.pupil_id, CaseRow.school_urn).where(
        CaseRow.id.in_(cases), CaseRow.state.not_in(states.FINAL)
    )
    if person.schools is not None:
        rows = rows.where(CaseRow.school_urn.in_(person.schools))
    found = session.execute(rows.order_by(CaseRow.opened_on, CaseRow.id)).all()
    if len(found) != len(set(cases)):
        raise NotHere("no such case at this person's schools")
    return found


def _give(session: Session, cases: Sequence[Any], to: uuid.UUID, only: Any) -> int:
    # The case's version stays: who looks after it is nothing that a colleague who is writing must read first.
    done = session.execute(
        update(CaseRow)
        .where(CaseRow.id.in_([case.id for case in cases]), only)
        .values(owner_id=to)
        .returning(CaseRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all())
