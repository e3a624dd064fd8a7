"""Whose a case is: its owner's, a colleague's who covers for them, or the school's lead's where nobody owns it.

One rule, said as SQL, so that the list, the count in Monday's letter and the page that hands cases over
cannot disagree. An owner counts only while they may still sign in and hold a role at the case's school.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from casework.permissions import SCHOOL_ROLES
from casework.tables_cases import CaseRow
from casework.tables_daily import CoverRow
from casework.tables_people import PersonRoleRow, PersonRow

LEADS: Final = "school_lead"
UNREVIEWED_DAYS: Final = 7
Column = ColumnElement[Any] | InstrumentedAttribute[Any]
# A day, or the place of one in a statement that is made once and asked of many days.
Day = date | BindParameter[date]


def works_at(person: Column, school: Column, today: Day, roles: Collection[str] = SCHOOL_ROLES) -> ColumnElement[bool]:
    """Whether the person of a column may sign in and holds one of the roles at the school of a column, today."""
    role, who = aliased(PersonRoleRow), aliased(PersonRow)
    return exists(
        select(role.id)
        .join(who, who.id == role.person_id)
        .where(
            role.person_id == person,
            role.school_urn == school,
            role.role.in_(sorted(roles)),
            or_(role.expires_on.is_(None), role.expires_on >= today),
            who.active,
        )
    )


def is_ownerless(today: Day) -> ColumnElement[bool]:
    """Whether nobody owns the case: no owner was named, or the one who was works there no more."""
    return or_(CaseRow.owner_id.is_(None), ~works_at(CaseRow.owner_id, CaseRow.school_urn, today))


def holds(cover: type[CoverRow], today: Day) -> ColumnElement[bool]:
    """Whether a cover holds today."""
    return and_(cover.from_on <= today, cover.until_on >= today, or_(cover.ended_on.is_(None), cover.ended_on > today))


def is_mine(person: Column, today: Day) -> ColumnElement[bool]:
    """Whether the case is for the person of a column to look after today."""
    cover = aliased(CoverRow)
    covered = exists(
        select(cover.id).where(
            cover.away_id == CaseRow.owner_id,
            cover.covering_id == person,
            cover.school_urn == CaseRow.school_urn,
            holds(cover, today),
        )
    )
    fallen = and_(is_ownerless(today), works_at(person, CaseRow.school_urn, today, {LEADS}))
    return or_(CaseRow.owner_id == person, covered, fallen)


def is_late(today: date) -> ColumnElement[bool]:
    """Whether the review date is past, or a week went by without any view: `caseload.is_overdue` as SQL."""
    unseen = and_(CaseRow.state == "open", CaseRow.opened_on <= today - timedelta(days=UNREVIEWED_DAYS))
    return or_(CaseRow.review_on < today, unseen)
