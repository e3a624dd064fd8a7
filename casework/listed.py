"""The query behind the week's list: filters, order and pages, with last reviews, owners and covers in one go."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Integer,
    Select,
    Uuid,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from casework import states
from casework.duties import Day, holds, is_mine, is_ownerless
from casework.permissions import Person
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.tables_daily import CoverRow
from casework.tables_flags import FlagRow
from casework.tables_people import PersonRow, PupilKeyRow, PupilRow, SchoolRow


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What to show of the list; empty: every case that is not closed.

    `changed_since` keeps cases opened, listed again or reviewed on that day or later; `mine` those that are
    the reader's to look after (casework/duties.py), `owner` those of one person, `ownerless` those of nobody.
    """

    state: str | None = None
    year_group: str | None = None
    school: int | None = None
    changed_since: date | None = None
    mine: bool = False
    owner: uuid.UUID | None = None
    ownerless: bool = False


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Which page of a list, from 1, and how many lines each has."""

    page: int
    lines: int


class _Kind(NamedTuple):
    """Which parts of the question a statement has; what they are held against is given with each reading."""

    scoped: bool
    state: bool
    year_group: bool
    school: bool
    changed: bool
    mine: bool
    owner: bool
    ownerless: bool


TODAY: Final[BindParameter[date]] = bindparam("today", type_=Date)
SCHOOLS: Final[BindParameter[Any]] = bindparam("schools", expanding=True)


def listed_cases(
    session: Session, person: Person, filters: Filters, today: date, asked: Slice
) -> tuple[Sequence[Any], int, int]:
    """Return the rows of a page, how many there are on all pages, and the page: the last where it lies past it."""
    page = max(asked.page, 1)
    statement = _cases(
        _Kind(
            scoped=person.schools is not None,
            state=filters.state is not None,
            year_group=filters.year_group is not None,
            school=filters.school is not None,
            changed=filters.changed_since is not None,
            mine=filters.mine,
            owner=filters.owner is not None,
            ownerless=filters.ownerless,
        )
    )
    values = {
        **asdict(filters),
        "today": today,
        "schools": sorted(person.schools or ()),
        "person": person.id,
        "lines": asked.lines,
        "before": (page - 1) * asked.lines,
    }
    rows = session.execute(statement, values).mappings().all()
    if rows or page == 1:
        return rows, rows[0]["found"] if rows else 0, page
    first = session.execute(statement, {**values, "lines": 1, "before": 0}).mappings().first()
    last = -(-first["found"] // asked.lines) if first else 1
    return listed_cases(session, person, filters, today, Slice(page=last, lines=asked.lines))


def _page(kind: _Kind) -> Any:
    """Return the cases of a page, in their order, with how many there are: whatever else is shown is asked of these."""
    reviewed = func.greatest(*(_newest(table) for table in (ViewRow, DecisionRow))).label("reviewed")
    rows = select(CaseRow.id, reviewed, func.count().over().label("found")).where(*_kept(kind))
    if kind.year_group:
        rows = rows.join(PupilRow, PupilRow.id == CaseRow.pupil_id).where(
            PupilRow.year_group == bindparam("year_group")
        )
    ordered = rows.order_by(reviewed.asc().nulls_first(), CaseRow.opened_on, CaseRow.id)
    return ordered.limit(bindparam("lines", type_=Integer)).offset(bindparam("before", type_=Integer)).subquery("page")


def _newest(table: type[ViewRow] | type[DecisionRow]) -> Any:
    newest = select(func.max(table.recorded_at)).where(table.case_id == CaseRow.id)
    return newest.correlate(CaseRow).scalar_subquery()


@lru_cache(maxsize=256)
def _cases(kind: _Kind) -> Select[*tuple[Any, ...]]:
    """Return the statement for this kind of question: made once, for to make it takes longer than to run it."""
    owner = aliased(PersonRow, name="owner")
    view, decision = _last(ViewRow, "view"), _last(DecisionRow, "decision")
    cover, page = _cover(), _page(kind)
    return (
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
            owner.name.label("owner"),
            is_ownerless(TODAY).label("ownerless"),
            cover.c.covering,
            *(view.c[name] for name in ("view_at", "view_on", "view_by")),
            *(decision.c[name] for name in ("decision_at", "decision_on", "decision_by")),
            page.c.found,
        )
        .join(page, page.c.id == CaseRow.id)
        .join(PupilRow, PupilRow.id == CaseRow.pupil_id)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .join(SchoolRow, SchoolRow.urn == CaseRow.school_urn)
        .outerjoin(owner, owner.id == CaseRow.owner_id)
        .outerjoin(view, view.c.case_id == CaseRow.id)
        .outerjoin(decision, decision.c.case_id == CaseRow.id)
        .outerjoin(cover, (cover.c.away_id == CaseRow.owner_id) & (cover.c.school_urn == CaseRow.school_urn))
        .order_by(page.c.reviewed.asc().nulls_first(), CaseRow.opened_on, CaseRow.id)
    )


def _last(table: type[ViewRow] | type[DecisionRow], kind: str) -> Any:
    """Return each case's last row of the table and who wrote it."""
    return (
        select(
            table.case_id,
            table.recorded_at.label(f"{kind}_at"),
            table.recorded_on.label(f"{kind}_on"),
            PersonRow.name.label(f"{kind}_by"),
        )
        .join(PersonRow, PersonRow.id == table.person_id)
        .where(table.case_id == CaseRow.id)
        .correlate(CaseRow)
        .order_by(table.recorded_at.desc())
        .limit(1)
        .lateral(f"last_{kind}")
    )


def _cover() -> Any:
    """Return who covers for the case's owner today; the cover arranged last, where two overlap."""
    return (
        select(CoverRow.away_id, CoverRow.school_urn, PersonRow.name.label("covering"))
        .join(PersonRow, PersonRow.id == CoverRow.covering_id)
        .where(CoverRow.away_id == CaseRow.owner_id, CoverRow.school_urn == CaseRow.school_urn, holds(CoverRow, TODAY))
        .correlate(CaseRow)
        .order_by(CoverRow.arranged_at.desc())
        .limit(1)
        .lateral("cover")
    )


def _kept(kind: _Kind) -> list[ColumnElement[bool]]:
    kept = [CaseRow.state == bindparam("state") if kind.state else CaseRow.state.not_in(states.FINAL), is_awake(TODAY)]
    if kind.scoped:
        # Row-level security says the same; two locks, so that a slip in one opens nothing.
        kept.append(CaseRow.school_urn.in_(SCHOOLS))
    if kind.school:
        kept.append(CaseRow.school_urn == bindparam("school"))
    if kind.mine:
        kept.append(is_mine(bindparam("person", type_=Uuid), TODAY))
    if kind.owner:
        kept.append(CaseRow.owner_id == bindparam("owner"))
    if kind.ownerless:
        kept.append(is_ownerless(TODAY))
    if kind.changed:
        kept.append(_changed_since(bindparam("changed_since", type_=Date)))
    return kept


def is_awake(today: Day) -> ColumnElement[bool]:
    """Whether a case is not set aside on the day: it is back on the list from the day that was named."""
    return or_(CaseRow.snoozed_until.is_(None), CaseRow.snoozed_until <= today)


def _changed_since(day: BindParameter[date]) -> ColumnElement[bool]:
    again = exists(select(FlagRow.id).where(FlagRow.pupil_id == CaseRow.pupil_id, FlagRow.as_of >= day))
    reviewed = [
        exists(select(table.id).where(table.case_id == CaseRow.id, table.recorded_on >= day))
        for table in (ViewRow, DecisionRow)
    ]
    return or_(CaseRow.opened_on >= day, again, *reviewed)
