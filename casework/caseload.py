"""The week's list: pupils to look at, with recorded facts and nothing that says how sure a model is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from casework import facts, states
from casework.audit_log import Looked, look_at_all
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may, may
from casework.rules import RuleBroken, check_trained
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.tables_people import PersonRow, PupilKeyRow, PupilRow, SchoolRow

UNREVIEWED_DAYS: Final = 7
NAME_WITHHELD: Final = "Name withheld"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What to show of the list; empty: every case that is not closed."""

    state: str | None = None
    year_group: str | None = None
    school: int | None = None
    changed_since: date | None = None


@dataclass(frozen=True, kw_only=True)
class LastReview:
    """Who last saved a view or a decision on this case, and when. What they thought waits for one's own view."""

    by: str
    on: date


@dataclass(frozen=True, kw_only=True)
class CaseLine:
    """One pupil on the list. Flagged pupils and the check sample look the same."""

    case_id: uuid.UUID
    pupil_id: uuid.UUID
    name: str
    year_group: str
    school: int
    school_name: str
    on_list_since: date
    facts: tuple[str, ...]
    state: str
    state_words: str
    last_review: LastReview | None
    review_on: date | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class SchoolFreshness:
    """How far a school's records reach."""

    urn: int
    name: str
    phase: str
    data_to: date | None
    up_to_date: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class Caseload:
    """The list, longest without a review first.

    Attributes
    ----------
    on_roll
        Pupils on roll in the person's schools.
    data_to
        The day up to which every school's records reach (the earliest of them).
    year_groups
        Year groups on the list before filters, for the filter's choices.
    """

    lines: tuple[CaseLine, ...]
    on_roll: int
    schools: tuple[SchoolFreshness, ...]
    data_to: date | None
    year_groups: tuple[str, ...]


def caseload(session: Session, person: Person, filters: Filters, today: date) -> Caseload:
    """Return the list for this person's schools, and log a look at it and at every pupil on it.

    Raises
    ------
    NotAllowed
        The person's roles see no list, or (`TrainingNeeded`) their training is not current.
    RuleBroken
        A filter names a state that is none of ours.
    """
    check_may(person, "see_caseload")
    check_trained(person, today)
    if filters.state is not None and filters.state not in states.STATES:
        raise RuleBroken(f"No such state to filter by; choose among {', '.join(states.STATES)}.", "state")
    rows = session.execute(_cases(person, filters)).mappings().all()
    weeks = facts.weeks_of(session, [row["pupil_id"] for row in rows], most=2 * facts.WINDOW_WEEKS)
    reviews = last_reviews(session, [row["id"] for row in rows])
    names = _names(session, person, rows)
    lines = [
        _line(row, weeks.get(row["pupil_id"], ()), reviews.get(row["id"]), today, name)
        for row, name in zip(rows, names, strict=True)
    ]
    lines.sort(key=lambda line: (line.last_review.on if line.last_review else date.min, line.on_list_since, line.name))
    schools = schools_of(session, person)
    result = Caseload(
        lines=tuple(lines),
        on_roll=_on_roll(session, person),
        schools=schools,
        data_to=min((school.data_to for school in schools if school.data_to), default=None),
        year_groups=_year_groups(session, person),
    )
    listed = [Looked(action="listed", pupil_id=line.pupil_id, school=line.school) for line in lines]
    look_at_all(session, person, [Looked(action="see_caseload", detail=f"{len(lines)} pupils"), *listed])
    return result


def schools_of(session: Session, person: Person) -> tuple[SchoolFreshness, ...]:
    """Return the schools whose pupils the person may see, by name."""
    rows = select(SchoolRow.__table__).order_by(SchoolRow.name)
    if person.schools is not None:
        rows = rows.where(SchoolRow.urn.in_(person.schools))
    return tuple(SchoolFreshness(**row) for row in session.execute(rows).mappings())


def last_reviews(session: Session, cases: Sequence[uuid.UUID]) -> dict[uuid.UUID, LastReview]:
    """Return each case's last view or decision, in one query."""
    saved = (
        select(ViewRow.case_id, ViewRow.person_id, ViewRow.recorded_on, ViewRow.recorded_at)
        .where(ViewRow.case_id.in_(cases))
        .union_all(
            select(DecisionRow.case_id, DecisionRow.person_id, DecisionRow.recorded_on, DecisionRow.recorded_at).where(
                DecisionRow.case_id.in_(cases)
            )
        )
        .subquery()
    )
    rows = session.execute(
        select(saved.c.case_id, PersonRow.name, saved.c.recorded_on)
        .join(PersonRow, PersonRow.id == saved.c.person_id)
        .ext(distinct_on(saved.c.case_id))
        .order_by(saved.c.case_id, saved.c.recorded_at.desc())
    )
    return {case: LastReview(by=name, on=day) for case, name, day in rows}


def is_overdue(state: str, opened_on: date, review_on: date | None, today: date) -> bool:
    """Whether the review date is past, or a week went by without any view."""
    if review_on is not None and review_on < today:
        return True
    return state == "open" and opened_on + timedelta(days=UNREVIEWED_DAYS) <= today


def _cases(person: Person, filters: Filters) -> Select[*tuple[Any, ...]]:
    rows = (
        select(
            CaseRow.id,
            CaseRow.pupil_id,
            CaseRow.school_urn,
            CaseRow.state,
            CaseRow.opened_on,
            CaseRow.review_on,
            PupilRow.pseudonym,
            PupilRow.identity,
            PupilKeyRow.wrapped,
            PupilRow.year_group,
            SchoolRow.name.label("school_name"),
        )
        .join(PupilRow, PupilRow.id == CaseRow.pupil_id)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .join(SchoolRow, SchoolRow.urn == CaseRow.school_urn)
    )
    if filters.state is not None:
        rows = rows.where(CaseRow.state == filters.state)
    else:
        rows = rows.where(CaseRow.state.not_in(states.FINAL))
    if person.schools is not None:
        # Row-level security says the same; two locks, so that a slip in one opens nothing.
        rows = rows.where(CaseRow.school_urn.in_(person.schools))
    if filters.school is not None:
        rows = rows.where(CaseRow.school_urn == filters.school)
    if filters.year_group is not None:
        rows = rows.where(PupilRow.year_group == filters.year_group)
    if filters.changed_since is not None:
        rows = rows.where(CaseRow.opened_on >= filters.changed_since)
    return rows


def _names(session: Session, person: Person, rows: Sequence[Any]) -> list[str]:
    # Opened here, not in the database: it never holds a name that could be read or sorted by.
    if not may(person, "see_names"):
        return [NAME_WITHHELD] * len(rows)
    master = master_key(session)
    return [shown(unseal(master, row["pseudonym"], row["identity"], row["wrapped"])) for row in rows]


def _line(row: Any, weeks: Sequence[facts.Week], last_review: LastReview | None, today: date, name: str) -> CaseLine:
    return CaseLine(
        case_id=row["id"],
        pupil_id=row["pupil_id"],
        name=name,
        year_group=row["year_group"],
        school=row["school_urn"],
        school_name=row["school_name"],
        on_list_since=row["opened_on"],
        facts=facts.list_facts(weeks),
        state=row["state"],
        state_words=states.STATES[row["state"]],
        last_review=last_review,
        review_on=row["review_on"],
        overdue=is_overdue(row["state"], row["opened_on"], row["review_on"], today),
    )


def _on_roll(session: Session, person: Person) -> int:
    rows = select(func.count()).select_from(PupilRow).where(PupilRow.left_on.is_(None))
    if person.schools is not None:
        rows = rows.where(PupilRow.school_urn.in_(person.schools))
    return session.execute(rows).scalar_one()


def _year_groups(session: Session, person: Person) -> tuple[str, ...]:
    rows = (
        select(PupilRow.year_group)
        .join(CaseRow, CaseRow.pupil_id == PupilRow.id)
        .where(CaseRow.state.not_in(states.FINAL))
        .distinct()
    )
    if person.schools is not None:
        rows = rows.where(CaseRow.school_urn.in_(person.schools))
    found = session.scalars(rows).all()
    return tuple(sorted(found, key=lambda year: (not year.isdigit(), int(year) if year.isdigit() else 0, year)))
