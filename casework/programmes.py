"""Programmes that pay for support: who funds them, from when to when, for which kinds of help, where, at what cost.

Entered by the network lead. A correction is a new version. What a programme reached is counted by the nightly job and
published without a pupil (`casework.programme_figures`).
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.permissions import Person, check_may
from casework.rules import RuleBroken, StaleCase
from casework.support_kinds import KINDS
from casework.tables_people import SchoolRow
from casework.tables_support import ProgrammeRow, ProgrammeVersionRow

NAME_LONGEST: Final = 80
YEARS_MOST: Final = 10
POUNDS_MOST: Final = 100_000_000
HOUR_PENCE_MOST: Final = 1_000_00
# Support that was offered while a programme ran is often written down later.
LATE_DAYS: Final = 120


@dataclass(frozen=True, kw_only=True)
class ProgrammeSaid:
    """A programme as the form gives it; dates and costs are None where nothing was typed."""

    name: str
    funder: str
    start_on: date | None
    end_on: date | None
    kinds: tuple[str, ...]
    schools: tuple[int, ...]
    budget_pounds: int | None = None
    hour_pence: int | None = None


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A programme as its newest version has it.

    Attributes
    ----------
    budget_pounds, hour_pence
        What it costs in all, in pounds, and what an hour of it costs, in pence; one of the two may be None.
    version
        Goes into the form, and back with it.
    """

    id: uuid.UUID
    version: int
    name: str
    funder: str
    start_on: date
    end_on: date
    kinds: tuple[str, ...]
    schools: tuple[int, ...]
    budget_pounds: int | None
    hour_pence: int | None


def check_programme(said: ProgrammeSaid, known_schools: Iterable[int]) -> None:
    """Raise RuleBroken, with the form's field, unless this can be a programme."""
    for field, value, sentence in (
        ("name", said.name, "Enter what the programme is called."),
        ("funder", said.funder, "Enter who pays for the programme."),
    ):
        if not value.strip():
            raise RuleBroken(sentence, field)
        if len(value) > NAME_LONGEST or "\x00" in value:
            raise RuleBroken(f"Use at most {NAME_LONGEST} characters, and plain text.", field)
    _check_dates(said)
    if not said.kinds or set(said.kinds) - KINDS.keys():
        raise RuleBroken("Select at least one kind of support that it pays for.", "kinds")
    if not said.schools or set(said.schools) - set(known_schools):
        raise RuleBroken("Select at least one school of the network.", "schools")
    _check_costs(said)


def _check_dates(said: ProgrammeSaid) -> None:
    if said.start_on is None:
        raise RuleBroken("Enter the day on which the programme starts: without it nothing can be counted.", "start")
    if said.end_on is None:
        raise RuleBroken("Enter the day on which the programme ends, as planned. It can be moved later.", "end")
    if said.end_on < said.start_on:
        raise RuleBroken("The programme ends before it starts. Enter an end on or after the start.", "end")
    if said.end_on > said.start_on + timedelta(days=366 * YEARS_MOST):
        raise RuleBroken(f"Enter an end within {YEARS_MOST} years of the start.", "end")


def _check_costs(said: ProgrammeSaid) -> None:
    for field, value, most in (
        ("budget", said.budget_pounds, POUNDS_MOST),
        ("hour", said.hour_pence, HOUR_PENCE_MOST),
    ):
        if value is not None and value < 0:
            raise RuleBroken("A cost cannot be less than nothing. Enter 0 where it is free.", field)
        if value is not None and value > most:
            raise RuleBroken("That is more than a programme costs. Check the number.", field)
    if said.budget_pounds is None and said.hour_pence is None:
        raise RuleBroken("Enter what the programme costs in all, or an hour of it; 0 where it is free.", "budget")


def add_programme(session: Session, person: Person, said: ProgrammeSaid, today: date) -> uuid.UUID:
    """Enter a programme and return its id. Raises NotAllowed, RuleBroken."""
    check_may(person, "manage_programmes")
    check_programme(said, session.scalars(select(SchoolRow.urn)))
    made = session.execute(
        insert(ProgrammeRow).values(made_by=person.id, made_at=datetime.now(UTC)).returning(ProgrammeRow.id)
    ).scalar_one()
    _save(session, person, said, made, 1, today)
    return made


def change_programme(
    session: Session, person: Person, programme: Programme, version: int, said: ProgrammeSaid, today: date
) -> None:
    """Enter the programme's next version. Raises NotAllowed, RuleBroken, StaleCase where somebody was first."""
    check_may(person, "manage_programmes")
    check_programme(said, session.scalars(select(SchoolRow.urn)))
    if programme.version != version:
        raise StaleCase("Someone changed this programme while you were writing. Read it, then save again.")
    _save(session, person, said, programme.id, version + 1, today)


def programmes(session: Session) -> tuple[Programme, ...]:
    """Return the programmes that row-level security shows, each as it stands now, the newest first."""
    newest = (
        select(ProgrammeVersionRow.programme_id, func.max(ProgrammeVersionRow.version).label("version"))
        .group_by(ProgrammeVersionRow.programme_id)
        .subquery()
    )
    rows = session.scalars(
        select(ProgrammeVersionRow)
        .join(
            newest,
            (newest.c.programme_id == ProgrammeVersionRow.programme_id)
            & (newest.c.version == ProgrammeVersionRow.version),
        )
        .order_by(ProgrammeVersionRow.start_on.desc(), ProgrammeVersionRow.name)
    )
    return tuple(_programme(row) for row in rows)


def programmes_for(session: Session, school: int, today: date) -> tuple[Programme, ...]:
    """Return the programmes that may pay for support at a school: not long over, and about to begin at the latest."""
    return tuple(
        one
        for one in programmes(session)
        if school in one.schools and one.start_on <= today <= one.end_on + timedelta(days=LATE_DAYS)
    )


def every_programme(session: Session, person: Person) -> tuple[Programme, ...]:
    """Return all programmes, for those who answer for the network. Raises NotAllowed."""
    check_may(person, "see_programmes")
    open_to_answer(session)
    return programmes(session)


def open_to_answer(session: Session) -> None:
    """Open programmes and their counts to be read for the rest of this transaction, whatever schools it sees."""
    session.execute(text("SELECT set_config('belong.places', 'yes', true)"))


def _save(
    session: Session, person: Person, said: ProgrammeSaid, programme_id: uuid.UUID, version: int, today: date
) -> None:
    session.execute(
        insert(ProgrammeVersionRow).values(
            programme_id=programme_id,
            version=version,
            name=said.name.strip(),
            funder=said.funder.strip(),
            start_on=said.start_on,
            end_on=said.end_on,
            kinds=[name for name in KINDS if name in said.kinds],
            schools=sorted(set(said.schools)),
            budget_pounds=said.budget_pounds,
            hour_pence=said.hour_pence,
            person_id=person.id,
            recorded_on=today,
            recorded_at=datetime.now(UTC),
        )
    )
    look(session, person, "save_programme")


def _programme(row: ProgrammeVersionRow) -> Programme:
    return Programme(
        id=row.programme_id,
        version=row.version,
        name=row.name,
        funder=row.funder,
        start_on=row.start_on,
        end_on=row.end_on,
        kinds=tuple(row.kinds),
        schools=tuple(row.schools),
        budget_pounds=row.budget_pounds,
        hour_pence=row.hour_pence,
    )
