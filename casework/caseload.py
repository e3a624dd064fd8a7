"""The week's list: pupils to look at, with recorded facts and nothing that says how sure a model is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from casework import facts, states
from casework.audit_log import Looked, look_at_all
from casework.duties import UNREVIEWED_DAYS, is_ownerless
from casework.listed import SCHOOLS, TODAY, Filters, Slice, is_awake, listed_cases
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may, may
from casework.rules import RuleBroken, check_trained
from casework.tables_cases import CaseRow
from casework.tables_people import PupilRow, SchoolRow

__all__ = [
    "PAGE_LINES",
    "UNREVIEWED_DAYS",
    "CaseLine",
    "Caseload",
    "Filters",
    "LastReview",
    "Reading",
    "SchoolFreshness",
    "caseload",
    "is_overdue",
]

NAME_WITHHELD: Final = "Name withheld"
PAGE_LINES: Final = 50


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a list is read: which page of it, how many lines a page has, and what the log of looks calls it."""

    page: int = 1
    lines: int = PAGE_LINES
    action: str = "see_caseload"
    purpose: str = ""


@dataclass(frozen=True, kw_only=True)
class LastReview:
    """Who last saved a view or a decision on this case, and when. What they thought waits for one's own view."""

    by: str
    on: date


@dataclass(frozen=True, kw_only=True)
class CaseLine:
    """One pupil on the list. Flagged pupils and the check sample look the same.

    `owner` is who looks after the case, None where nobody does; `left` is then who did, and works there no more.
    `covered_by` is a colleague who stands in for the owner today.
    """

    case_id: uuid.UUID
    pupil_id: uuid.UUID
    name: str
    year_group: str
    school: int
    school_name: str
    on_list_since: date
    facts: tuple[str, ...]
    school_weeks: int
    state: str
    state_words: str
    last_review: LastReview | None
    review_on: date | None
    overdue: bool
    owner: str | None
    left: str | None
    covered_by: str | None


@dataclass(frozen=True, kw_only=True)
class SchoolFreshness:
    """How far a school's records reach, and how many pupils are on its roll."""

    urn: int
    name: str
    phase: str
    data_to: date | None
    up_to_date: bool
    note: str
    on_roll: int


@dataclass(frozen=True, kw_only=True)
class Caseload:
    """One page of the list, longest without a review first.

    Attributes
    ----------
    found, listed
        Pupils who match the filters, and pupils on the list before any.
    new, ownerless
        Of those on the list before any filter: new since Monday, and those whom nobody looks after.
    page, pages
        Which page this is, from 1, and of how many.
    on_roll
        Pupils on roll in the person's schools.
    data_to
        The day up to which every school's records reach (the earliest of them).
    year_groups
        Year groups on the list before filters, for the filter's choices.
    """

    lines: tuple[CaseLine, ...]
    found: int
    listed: int
    new: int
    ownerless: int
    page: int
    pages: int
    on_roll: int
    schools: tuple[SchoolFreshness, ...]
    data_to: date | None
    year_groups: tuple[str, ...]


def caseload(
    session: Session, person: Person, filters: Filters, today: date, reading: Reading | None = None
) -> Caseload:
    """Return a page of the list of this person's schools, and log a look at it and at every pupil on the page.

    A page past the last is the last.

    Raises
    ------
    NotAllowed
        The person's roles see no list, or (`TrainingNeeded`) their training is not current.
    RuleBroken
        A filter names a state that is none of ours.
    """
    reading = reading or Reading()
    check_may(person, "see_caseload")
    check_trained(person, today)
    if filters.state is not None and filters.state not in states.STATES:
        raise RuleBroken(f"No such state to filter by; choose among {', '.join(states.STATES)}.", "state")
    asked = Slice(page=reading.page, lines=reading.lines)
    rows, found, page = listed_cases(session, person, filters, today, asked)
    weeks = facts.weeks_of(session, [row["pupil_id"] for row in rows], most=2 * facts.WINDOW_WEEKS)
    names = _names(session, person, rows)
    lines = [_line(row, weeks.get(row["pupil_id"], ()), today, name) for row, name in zip(rows, names, strict=True)]
    # Names are sealed, so the database cannot order by them: they settle the order within a page.
    lines.sort(key=lambda line: (line.last_review.on if line.last_review else date.min, line.on_list_since, line.name))
    schools = schools_of(session, person)
    tally = _tally(session, person, today)
    result = Caseload(
        lines=tuple(lines),
        found=found,
        page=page,
        pages=max(1, -(-found // reading.lines)),
        on_roll=sum(school.on_roll for school in schools),
        schools=schools,
        data_to=min((school.data_to for school in schools if school.data_to), default=None),
        **tally,
    )
    listed = [Looked(action="listed", pupil_id=line.pupil_id, school=line.school) for line in lines]
    detail = f"{len(lines)} pupils" + (f"; {reading.purpose}" if reading.purpose else "")
    look_at_all(session, person, [Looked(action=reading.action, detail=detail), *listed])
    return result


def schools_of(session: Session, person: Person) -> tuple[SchoolFreshness, ...]:
    """Return the schools whose pupils the person may see, by name."""
    rows = session.execute(_schools(scoped=person.schools is not None), {"schools": sorted(person.schools or ())})
    return tuple(SchoolFreshness(**row) for row in rows.mappings())


@lru_cache(maxsize=2)
def _schools(*, scoped: bool) -> Select[*tuple[Any, ...]]:
    rolls = (
        select(PupilRow.school_urn, func.count().label("on_roll"))
        .where(PupilRow.left_on.is_(None))
        .group_by(PupilRow.school_urn)
    )
    if scoped:
        rolls = rolls.where(PupilRow.school_urn.in_(SCHOOLS))
    on_roll = rolls.subquery("rolls")
    rows = (
        select(SchoolRow.__table__, func.coalesce(on_roll.c.on_roll, 0).label("on_roll"))
        .outerjoin(on_roll, on_roll.c.school_urn == SchoolRow.urn)
        .order_by(SchoolRow.name)
    )
    return rows.where(SchoolRow.urn.in_(SCHOOLS)) if scoped else rows


def is_overdue(state: str, opened_on: date, review_on: date | None, today: date) -> bool:
    """Whether the review date is past, or a week went by without any view."""
    if review_on is not None and review_on < today:
        return True
    return state == "open" and opened_on + timedelta(days=UNREVIEWED_DAYS) <= today


def _names(session: Session, person: Person, rows: Sequence[Any]) -> list[str]:
    # Opened here, not in the database: it never holds a name that could be read or sorted by.
    if not may(person, "see_names"):
        return [NAME_WITHHELD] * len(rows)
    master = master_key(session)
    return [shown(unseal(master, row["pseudonym"], row["identity"], row["wrapped"])) for row in rows]


def _line(row: Any, weeks: Sequence[facts.Week], today: date, name: str) -> CaseLine:
    owned = not row["ownerless"]
    return CaseLine(
        case_id=row["id"],
        pupil_id=row["pupil_id"],
        name=name,
        year_group=row["year_group"],
        school=row["school_urn"],
        school_name=row["school_name"],
        on_list_since=row["opened_on"],
        facts=facts.list_facts(weeks),
        school_weeks=len(weeks),
        state=row["state"],
        state_words=states.STATES[row["state"]],
        last_review=_last_review(row),
        review_on=row["review_on"],
        overdue=is_overdue(row["state"], row["opened_on"], row["review_on"], today),
        owner=row["owner"] if owned else None,
        left=None if owned else row["owner"],
        covered_by=row["covering"] if owned else None,
    )


def _last_review(row: Any) -> LastReview | None:
    saved = [
        (row[f"{kind}_at"], row[f"{kind}_on"], row[f"{kind}_by"])
        for kind in ("view", "decision")
        if row[f"{kind}_at"] is not None
    ]
    if not saved:
        return None
    _, on, by = max(saved)
    return LastReview(by=by, on=on)


def _tally(session: Session, person: Person, today: date) -> dict[str, Any]:
    """Return what is said of the whole list, whatever is filtered, in one query."""
    values = {
        "today": today,
        "monday": today - timedelta(days=today.weekday()),
        "schools": sorted(person.schools or ()),
    }
    found = session.execute(_tallied(scoped=person.schools is not None), values).mappings().all()
    years = sorted(
        (row["year_group"] for row in found),
        key=lambda year: (not year.isdigit(), int(year) if year.isdigit() else 0, year),
    )
    sums = {name: sum(row[name] for row in found) for name in ("listed", "new", "ownerless")}
    return {"year_groups": tuple(years), **sums}


@lru_cache(maxsize=2)
def _tallied(*, scoped: bool) -> Select[*tuple[Any, ...]]:
    rows = (
        select(
            PupilRow.year_group,
            func.count().label("listed"),
            func.count().filter(CaseRow.opened_on >= bindparam("monday")).label("new"),
            func.count().filter(is_ownerless(TODAY)).label("ownerless"),
        )
        .join(CaseRow, CaseRow.pupil_id == PupilRow.id)
        .where(CaseRow.state.not_in(states.FINAL), is_awake(TODAY))
        .group_by(PupilRow.year_group)
    )
    return rows.where(CaseRow.school_urn.in_(SCHOOLS)) if scoped else rows
