"""A school's own records where it has no list: its pupils by year group and name, and what kinds never came."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import facts
from casework.audit_log import Looked, look_at_all
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may, may
from casework.rules import check_trained
from casework.tables_daily import SchoolDoubtRow
from casework.tables_flags import WeeklyFactsRow
from casework.tables_people import PupilKeyRow, PupilRow
from casework.term_dates import NOT_COVERED, NoSuchSchool

LOOK_BACK_DAYS: Final = 28
_KINDS: Final = {
    "sessions_possible": "Attendance",
    "incidents": "Behaviour incidents",
    "removals": "Removals from lessons",
    "positives": "Achievements",
}


@dataclass(frozen=True, kw_only=True)
class RollLine:
    """One pupil on roll, with up to two facts of what became harder lately."""

    pupil_id: uuid.UUID
    name: str
    facts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Roll:
    """A year group by name; `years` are those on roll, of which `year` is shown."""

    years: tuple[str, ...]
    year: str
    lines: tuple[RollLine, ...]


def is_uncovered(session: Session, school: int) -> bool:
    """Whether the approval in force was made before the school joined, so that it has no list."""
    rows = select(SchoolDoubtRow.rule).where(SchoolDoubtRow.school_urn == school, SchoolDoubtRow.rule == NOT_COVERED)
    return session.execute(rows).first() is not None


def school_roll(session: Session, person: Person, school: int, year: str, today: date) -> Roll:
    """Return a year group of a school that has no list, and log a look at it and at each of its pupils.

    By name, as a register is: where nobody is scored, nothing puts one pupil before another. `year` may be
    none of the school's: then the first is shown.

    Raises
    ------
    NoSuchSchool
        It is none of the person's, or it has a list: there only the pupils on it are anybody's to look for.
    NotAllowed
        The person's roles see no pupil, or (`TrainingNeeded`) their training is not current.
    """
    check_may(person, "see_pupil")
    check_trained(person, today)
    if not may(person, "see_pupil", school) or not is_uncovered(session, school):
        raise NoSuchSchool("no school without a list of this person's")
    here = (PupilRow.school_urn == school, PupilRow.left_on.is_(None))
    found = session.scalars(select(PupilRow.year_group).where(*here).distinct()).all()
    years = tuple(sorted(found, key=lambda one: (not one.isdigit(), int(one) if one.isdigit() else 0, one)))
    chosen = year if year in years else next(iter(years), "")
    rows = session.execute(
        select(PupilRow.id, PupilRow.pseudonym, PupilRow.identity, PupilKeyRow.wrapped)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(*here, PupilRow.year_group == chosen)
    ).all()
    weeks = facts.weeks_of(session, [row.id for row in rows], most=2 * facts.WINDOW_WEEKS)
    master = master_key(session)
    lines = [
        RollLine(
            pupil_id=row.id,
            name=shown(unseal(master, row.pseudonym, row.identity, row.wrapped)),
            facts=facts.what_changed(weeks.get(row.id, ()))[:2],
        )
        for row in rows
    ]
    looks = [Looked(action="listed", pupil_id=line.pupil_id, school=school) for line in lines]
    look_at_all(session, person, [Looked(action="see_roll", school=school, detail=f"year {chosen}"), *looks])
    return Roll(years=years, year=chosen, lines=tuple(sorted(lines, key=lambda line: line.name)))


def never_came(session: Session, school: int, today: date) -> tuple[str, ...]:
    """Return what kinds of record no pupil of the school has in the last four weeks, in sentences."""
    sums = [func.coalesce(func.sum(getattr(WeeklyFactsRow, kind)), 0).label(kind) for kind in _KINDS]
    row = session.execute(
        select(*sums)
        .join(PupilRow, PupilRow.id == WeeklyFactsRow.pupil_id)
        .where(PupilRow.school_urn == school, WeeklyFactsRow.week_start >= today - timedelta(days=LOOK_BACK_DAYS))
    ).one()
    return tuple(
        f"{words}: none in the last four weeks. There were none, or nobody writes them down, or they are not sent."
        for kind, words in _KINDS.items()
        if not getattr(row, kind)
    )
