"""What another system reads of the lists: who is on them and recorded facts, and with the scope for it, scores.

Flagged pupils and the check sample look the same to whoever may not read scores. Every pupil told of is a
look, written in the transaction of the reading.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from casework import facts, states
from casework.audit_log import Looked, look_at_all
from casework.callers import SCORES_READ, UPNS_READ, Integration
from casework.explanation import Explanation, explanations_of
from casework.freshness import Withheld, freshness
from casework.names import master_key, unseal
from casework.tables_calls import ListChangeRow
from casework.tables_cases import CaseRow
from casework.tables_flags import FlagRow
from casework.tables_people import PupilKeyRow, PupilRow, SchoolRow

MOST: Final = 200
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to read: of one school or all of the caller's, after this number of the feed, at most so many.

    `updated_after` also brings those who left their list since; without it only pupils on a list are read.
    """

    school: int | None = None
    after: int = 0
    updated_after: datetime | None = None
    most: int = MOST


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A pupil on a list, or (`left_on` given) who was. `number` and `updated_at` are of the newest change.

    Attributes
    ----------
    upn, year_group, since
        None where the caller may not read numbers; where the pupil is no longer at a school of the caller's; where
        their case went on with them.
    until
        The last day of the newest flag, after which the pupil leaves the list unless flagged again.
    facts
        Counts of the last four school weeks beside the four before, in words; empty once the pupil left the list.
    explanation, withheld
        Probability, rise and reasons, or why there are none; both None without `scores:read` or off the list.
    """

    case_id: uuid.UUID
    pupil_id: uuid.UUID
    upn: str | None
    school: int
    year_group: str | None
    since: date | None
    until: date | None
    left_on: date | None
    facts: tuple[str, ...]
    data_to: date | None
    number: int
    updated_at: datetime
    explanation: Explanation | None
    withheld: Withheld | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One entry of the feed, with the pupil's listing as it stands now."""

    number: int
    at: datetime
    what: str
    listed: Listed


@dataclass(frozen=True, kw_only=True)
class Read(Generic[T]):
    """A page of what was read: `last` is the number to go on after, `more` whether there is more at once."""

    rows: tuple[T, ...]
    last: int
    more: bool
    notice: str | None


def read_lists(
    session: Session, caller: Integration, asked: Asked, today: date, refused: Withheld | None = None
) -> Read[Listed]:
    """Return pupils on the lists, those longest without a change first, and log a look at each.

    Parameters
    ----------
    refused
        Why nothing may be scored now, which hides every score; None: something may.
    """
    rows = _cases(caller, asked)
    if asked.updated_after is None:
        rows = rows.where(CaseRow.state.not_in(states.FINAL))
    else:
        rows = rows.where(_NEWEST.c.at > asked.updated_after)
    newest = _NEWEST.c
    found = session.execute(rows.where(newest.number > asked.after).order_by(newest.number).limit(asked.most + 1)).all()
    page = found[: asked.most]
    listed, notice = _listed(session, caller, page, today, refused)
    _log(session, caller, "see_lists", listed)
    last = listed[-1].number if listed else asked.after
    return Read(rows=tuple(listed), last=last, more=len(found) > len(page), notice=notice)


def read_changes(
    session: Session, caller: Integration, asked: Asked, today: date, refused: Withheld | None = None
) -> Read[Change]:
    """Return the feed's entries after a number, oldest first, each with the pupil's listing as it stands now."""
    rows = select(ListChangeRow).where(ListChangeRow.number > asked.after, *_mine(caller, asked, ListChangeRow))
    found = session.scalars(rows.order_by(ListChangeRow.number).limit(asked.most + 1)).all()
    page = found[: asked.most]
    cases = session.execute(_cases(caller, asked).where(CaseRow.id.in_({row.case_id for row in page}))).all()
    listed, notice = _listed(session, caller, cases, today, refused)
    by_case = {one.case_id: one for one in listed}
    by_case |= {row.case_id: _gone(row) for row in page if row.case_id not in by_case}
    _log(session, caller, "see_changes", list(by_case.values()))
    changes = [Change(number=row.number, at=row.at, what=row.what, listed=by_case[row.case_id]) for row in page]
    last = page[-1].number if page else asked.after
    return Read(rows=tuple(changes), last=last, more=len(found) > len(page), notice=notice)


_NEWEST: Final = (
    select(
        ListChangeRow.case_id, func.max(ListChangeRow.number).label("number"), func.max(ListChangeRow.at).label("at")
    )
    .group_by(ListChangeRow.case_id)
    .subquery("newest")
)


def _mine(caller: Integration, asked: Asked, rows: type[CaseRow] | type[ListChangeRow]) -> list[Any]:
    # Row-level security says the same; two locks, so that a slip in one opens nothing.
    schools = caller.schools if asked.school is None else caller.schools & {asked.school}
    return [rows.school_urn.in_(schools)]


def _cases(caller: Integration, asked: Asked) -> Select[*tuple[Any, ...]]:
    newest = _NEWEST.c
    return (
        select(
            CaseRow.id,
            CaseRow.pupil_id,
            CaseRow.school_urn,
            CaseRow.state,
            CaseRow.opened_on,
            CaseRow.closed_on,
            PupilRow.year_group,
            PupilRow.pseudonym,
            PupilRow.identity,
            PupilKeyRow.wrapped,
            SchoolRow.phase,
            SchoolRow.data_to,
            SchoolRow.up_to_date,
            newest.number,
            newest.at,
        )
        .join(_NEWEST, newest.case_id == CaseRow.id)
        .join(SchoolRow, SchoolRow.urn == CaseRow.school_urn)
        # Outer: of a pupil who moved to a school that the caller does not hold, only the old list is left.
        .outerjoin(PupilRow, PupilRow.id == CaseRow.pupil_id)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(*_mine(caller, asked, CaseRow))
    )


def _listed(
    session: Session, caller: Integration, rows: Sequence[Row[Any]], today: date, refused: Withheld | None
) -> tuple[list[Listed], str | None]:
    fresh = freshness(session, today)
    on_list = [row for row in rows if row.state not in states.FINAL]
    pupils = [row.pupil_id for row in on_list]
    weeks = facts.weeks_of(session, pupils, most=2 * facts.WINDOW_WEEKS)
    flags = _flags(session, pupils)
    withheld: dict[uuid.UUID, Withheld | None] = {}
    explained: dict[uuid.UUID, Explanation] = {}
    if SCORES_READ in caller.scopes:
        shown = {row: flags[row.pupil_id] for row in on_list if row.pupil_id in flags}
        withheld = {
            row.id: refused or fresh.withheld(flag.bundle_digest, up_to_date=row.up_to_date)
            for row, flag in shown.items()
        }
        explained = explanations_of(session, {flag: row.phase for row, flag in shown.items() if not withheld[row.id]})
    upns = _upns(session, rows) if UPNS_READ in caller.scopes else {}
    made = []
    for row in rows:
        on, flag = row.state not in states.FINAL, flags.get(row.pupil_id)
        made.append(
            Listed(
                case_id=row.id,
                pupil_id=row.pupil_id,
                upn=upns.get(row.pupil_id),
                school=row.school_urn,
                year_group=row.year_group,
                since=row.opened_on,
                until=flag.expires_on if on and flag else None,
                left_on=None if on else row.closed_on,
                facts=facts.list_facts(weeks.get(row.pupil_id, ())) if on else (),
                data_to=row.data_to,
                number=row.number,
                updated_at=row.at,
                explanation=explained.get(flag.id) if on and flag else None,
                withheld=withheld.get(row.id),
            )
        )
    return made, fresh.notice


def _gone(row: ListChangeRow) -> Listed:
    """Return what is left for a school whose pupil went on to another with their case: that they are off its list."""
    return Listed(
        case_id=row.case_id,
        pupil_id=row.pupil_id,
        upn=None,
        school=row.school_urn,
        year_group=None,
        since=None,
        until=None,
        left_on=row.at.date(),
        facts=(),
        data_to=None,
        number=row.number,
        updated_at=row.at,
        explanation=None,
        withheld=None,
    )


def _flags(session: Session, pupils: Sequence[uuid.UUID]) -> dict[uuid.UUID, FlagRow]:
    """Return each pupil's newest flag, in one query."""
    rows = (
        select(FlagRow)
        .where(FlagRow.pupil_id.in_(pupils))
        .ext(distinct_on(FlagRow.pupil_id))
        .order_by(FlagRow.pupil_id, FlagRow.as_of.desc(), FlagRow.id)
    )
    return {row.pupil_id: row for row in session.scalars(rows)}


def _upns(session: Session, rows: Sequence[Row[Any]]) -> dict[uuid.UUID, str]:
    master = master_key(session)
    named = {
        row.pupil_id: unseal(master, row.pseudonym, row.identity, row.wrapped)
        for row in rows
        if row.pseudonym is not None
    }
    return {pupil: one.upn for pupil, one in named.items() if one is not None}


def _log(session: Session, caller: Integration, action: str, listed: Sequence[Listed]) -> None:
    def said(one: Listed) -> str:
        parts = ["with score" if one.explanation else "facts only", *(["with number"] if one.upn else [])]
        return ", ".join(parts)

    each = [Looked(action="listed", pupil_id=one.pupil_id, school=one.school, detail=said(one)) for one in listed]
    look_at_all(session, caller, [Looked(action=action, detail=f"{len(listed)} pupils"), *each])
