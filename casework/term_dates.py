"""Half-terms, training days and closures that a school enters on a page, beside those that its exports brought.

What is entered is a row here until the nightly job lands it among the records (serving/jobs/term_dates.py),
known from the day on which it was entered. Nothing is changed in place: a withdrawal is another row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.permissions import Person, check_may, may
from casework.rules import RuleBroken
from casework.tables_daily import SchoolDoubtRow, TermDateRow
from records.calendar import days_between

KINDS: Final = MappingProxyType(
    {"half_term": "Half-term of school days", "inset": "Training day (INSET)", "closure": "Closure"}
)
NAME_LONGEST: Final = 60
HALF_TERM_DAYS_MOST: Final = 84
CLOSED_DAYS_MOST: Final = 31
PAST_DAYS_MOST: Final = 365
AHEAD_DAYS_MOST: Final = 2 * 365
# Doubts that say that registers and term dates cannot both be right (records/quality/rules.py).
CONTRADICTIONS: Final = frozenset({"no_term_dates", "open_when_closed", "all_absent", "session_untaken", "stale"})


# A doubt that is none about records: the approval in force was made before the school joined.
NOT_COVERED: Final = "not_covered"


class NoSuchSchool(Exception):
    """Not a school of this person: answer 404."""


@dataclass(frozen=True, kw_only=True)
class TermDate:
    """A half-term, a training day or a closure; `waiting`: entered, and not among the records yet."""

    kind: str
    name: str
    start: date
    end: date
    waiting: bool = False


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What the nightly job doubts about a school's records. `holds`: until it is settled nobody there is scored."""

    rule: str
    since: date
    sentence: str
    remedy: str
    holds: bool

    @property
    def contradicts(self) -> bool:
        """Whether registers and term dates cannot both be right."""
        return self.rule in CONTRADICTIONS


@dataclass(frozen=True, kw_only=True)
class Entered:
    """One row for the nightly job to land, by its number."""

    seq: int
    school: int
    kind: str
    name: str
    start: date
    end: date
    withdrawn: bool
    entered_on: date


def term_dates(session: Session, person: Person, school: int, recorded: Iterable[TermDate]) -> tuple[TermDate, ...]:
    """Return the school's term dates as recorded, with what was entered since, by first day.

    Raises
    ------
    NoSuchSchool
        It is none of the person's.
    NotAllowed
        The person's roles see no school's records.
    """
    _check_school(person, school)
    found = {(one.kind, one.start): one for one in recorded}
    rows = select(TermDateRow).where(TermDateRow.school_urn == school).order_by(TermDateRow.seq)
    for row in session.scalars(rows):
        key, old = (row.kind, row.start_on), found.get((row.kind, row.start_on))
        said = TermDate(kind=row.kind, name=row.name, start=row.start_on, end=row.end_on)
        if row.withdrawn:
            found.pop(key, None)
        elif old is None or replace(old, waiting=False) != said:
            found[key] = replace(said, waiting=True)
    return tuple(sorted(found.values(), key=lambda one: (one.start, one.kind)))


def doubts(session: Session, person: Person, school: int) -> tuple[Doubt, ...]:
    """Return the doubts about a school's records, those that hold it first. Raises as `term_dates` does."""
    _check_school(person, school)
    rows = select(SchoolDoubtRow).where(SchoolDoubtRow.school_urn == school)
    return tuple(
        Doubt(rule=row.rule, since=row.since, sentence=row.sentence, remedy=row.remedy, holds=row.holds)
        for row in session.scalars(rows.order_by(SchoolDoubtRow.holds.desc(), SchoolDoubtRow.since))
    )


def enter(
    session: Session, person: Person, school: int, new: TermDate, recorded: Sequence[TermDate], today: date
) -> None:
    """Enter a half-term, a training day or a closure. Entered again from the same first day, it is corrected.

    Raises
    ------
    RuleBroken
        The days are out of order, out of reach, no school days, or do not fit the others.
    NotAllowed, NoSuchSchool
        The person enters no term dates at this school.
    """
    _check_school(person, school)
    check_may(person, "enter_term_dates", school)
    new = replace(new, name=new.name.strip() or _name_of(new.kind))
    _check_days(new, today)
    _check_fits(new, term_dates(session, person, school, recorded))
    _write(session, person, school, new, today, withdrawn=False)


def withdraw(
    session: Session, person: Person, school: int, what: tuple[str, date], recorded: Sequence[TermDate], today: date
) -> None:
    """Take back a half-term, training day or closure, by its kind and first day. Raises as `enter` does."""
    _check_school(person, school)
    check_may(person, "enter_term_dates", school)
    for one in term_dates(session, person, school, recorded):
        if (one.kind, one.start) == what:
            _write(session, person, school, one, today, withdrawn=True)
            return
    raise RuleBroken("That was withdrawn before.")


def entered(session: Session) -> tuple[Entered, ...]:
    """Return every row ever entered, in order. Needs the job's role and every school in scope."""
    return tuple(
        Entered(
            seq=row.seq,
            school=row.school_urn,
            kind=row.kind,
            name=row.name,
            start=row.start_on,
            end=row.end_on,
            withdrawn=row.withdrawn,
            entered_on=row.entered_on,
        )
        for row in session.scalars(select(TermDateRow).order_by(TermDateRow.seq))
    )


def _check_school(person: Person, school: int) -> None:
    check_may(person, "see_records")
    if not may(person, "see_records", school):
        raise NoSuchSchool("not a school of this person")


def _name_of(kind: str) -> str:
    return {"inset": "Training day", "closure": "Closure"}.get(kind, "")


def _check_days(new: TermDate, today: date) -> None:
    if new.kind not in KINDS:
        raise RuleBroken("Select what it is.", "kind")
    if not new.name:
        raise RuleBroken("Enter a name, for example 'Autumn 1'.", "name")
    if len(new.name) > NAME_LONGEST or "\x00" in new.name:
        raise RuleBroken(f"Use at most {NAME_LONGEST} letters and figures for the name.", "name")
    if new.end < new.start:
        raise RuleBroken("The last day must be the first day or later.", "end")
    if new.start < today - timedelta(days=PAST_DAYS_MOST):
        raise RuleBroken("The first day must be within the last year.", "start")
    if new.end > today + timedelta(days=AHEAD_DAYS_MOST):
        raise RuleBroken("The last day must be within two years.", "end")
    most = HALF_TERM_DAYS_MOST if new.kind == "half_term" else CLOSED_DAYS_MOST
    if (new.end - new.start).days >= most:
        raise RuleBroken(f"From first to last day it may be at most {most} days. Check the dates.", "end")
    if not len(days_between(new.start, new.end)):
        raise RuleBroken("There is no Monday to Friday between these days.", "start")


def _check_fits(new: TermDate, there: Sequence[TermDate]) -> None:
    halves = [one for one in there if one.kind == "half_term"]
    if new.kind == "half_term":
        for one in halves:
            if one.start != new.start and new.start <= one.end and one.start <= new.end:
                raise RuleBroken(f"It overlaps with {one.name}. Withdraw that first, or check the dates.", "start")
    elif not any(one.start <= new.start and new.end <= one.end for one in halves):
        raise RuleBroken("It lies in no half-term, so the school is closed then anyway. Check the dates.", "start")


def _write(session: Session, person: Person, school: int, what: TermDate, today: date, *, withdrawn: bool) -> None:
    session.execute(
        insert(TermDateRow).values(
            school_urn=school,
            kind=what.kind,
            name=what.name,
            start_on=what.start,
            end_on=what.end,
            withdrawn=withdrawn,
            entered_by=person.id,
            entered_on=today,
            entered_at=datetime.now(UTC),
        )
    )
    action = "withdraw_term_date" if withdrawn else "enter_term_date"
    look(session, person, action, school=school, detail=f"{what.kind} {what.start.isoformat()}")
