"""A school's roll: whose timeline there is to look at. In the order of a register, and nothing else is said."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.caseload import NAME_WITHHELD
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may, may
from casework.rules import check_trained
from casework.tables_people import PupilKeyRow, PupilRow
from records.clock import Clock


@dataclass(frozen=True, kw_only=True)
class OnRoll:
    """A pupil on roll."""

    pupil_id: uuid.UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class Roll:
    """One year group of a school by surname, and how many are on roll in each year group."""

    years: tuple[tuple[str, int], ...]
    year: str
    pupils: tuple[OnRoll, ...]


def roll_of(session: Session, person: Person, school: int, year: str, clock: Clock) -> Roll | None:
    """Return a year group on roll at a school of the person's, and log the look; None for another's school.

    `year` that is not there stands for the first year group.

    Raises
    ------
    NotAllowed
        The person's roles see no pupil, or (`TrainingNeeded`) their training is not current.
    """
    check_may(person, "see_pupil")
    check_trained(person, clock.today())
    if not may(person, "see_pupil", school):
        return None
    on_roll = (PupilRow.school_urn == school, PupilRow.left_on.is_(None))
    counted = session.execute(select(PupilRow.year_group, func.count()).where(*on_roll).group_by(PupilRow.year_group))
    years = tuple(sorted(((name, int(count)) for name, count in counted), key=lambda one: _order(one[0])))
    chosen = year if year in dict(years) else next((name for name, _ in years), "")
    rows = session.execute(
        select(PupilRow, PupilKeyRow.wrapped)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(*on_roll, PupilRow.year_group == chosen)
    ).all()
    named = [(row.id, unseal(master_key(session), row.pseudonym, row.identity, key)) for row, key in rows]
    by_surname = sorted(named, key=lambda one: (one[1].surname.casefold(), one[1].forename) if one[1] else ("", ""))
    see_names = may(person, "see_names", school)
    look(session, person, "see_roll", school=school, detail=f"year group {chosen}")
    return Roll(
        years=years,
        year=chosen,
        pupils=tuple(
            OnRoll(pupil_id=pupil, name=shown(who) if see_names else NAME_WITHHELD) for pupil, who in by_surname
        ),
    )


def _order(year: str) -> tuple[int, str]:
    return (int(year), "") if year.isdecimal() else (-1, year)
