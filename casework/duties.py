"""Whose a case is: its owner's, a colleague's who covers for them, or the school's lead's where nobody owns it.

One rule, said as SQL, so that the list, the count in Monday's letter and the page that hands cases over
cannot disagree. An owner counts only while they may still sign in and hold a role at the case's school.
"""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from casework.permissions import SCHOOL_ROLES, Person
from casework.tables_cases import CaseRow
from casework.tables_daily import CoverRow
from casework.tables_people import PersonRoleRow, PersonRow

LEADS: Final = "school_lead"
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who asks, for the question whether a case is theirs; `leads` are the schools that they lead."""

    person_id: uuid.UUID
    leads: frozenset[int]


def duty_of(person: Person) -> Duty:
    """Return the duty of someone signed in."""
    leads = {role.school for role in person.roles if role.name == LEADS and role.school is not None}
    return Duty(person_id=person.id, leads=frozenset(leads))


def works_at(person: Column, school: Column, today: date) -> ColumnElement[bool]:
    """Whether the person of a column works with pupils at the school of a column, today."""
    role, who = aliased(PersonRoleRow), aliased(PersonRow)
    return exists(
        select(role.id)
        .join(who, who.id == role.person_id)
        .where(
            role.person_id == person,
            role.school_urn == school,
            role.role.in_(sorted(SCHOOL_ROLES)),
            or_(role.expires_on.is_(None), role.expires_on >= today),
            who.active,
        )
    )


def is_ownerless(today: date) -> ColumnElement[bool]:
    """Whether nobody owns the case: no owner was named, or the one who was works there no more."""
    return or_(CaseRow.owner_id.is_(None), ~works_at(CaseRow.owner_id, CaseRow.school_urn, today))


def holds(cover: type[CoverRow], today: date) -> ColumnElement[bool]:
    """Whether a cover holds today."""
    return and_(cover.from_on <= today, cover.until_on >= today, or_(cover.ended_on.is_(None), cover.ended_on > today))


def is_mine(duty: Duty, today: date) -> ColumnElement[bool]:
    """Whether the case is this person's to look after today."""
    cover = aliased(CoverRow)
    covered = exists(
        select(cover.id).where(
            cover.away_id == CaseRow.owner_id,
            cover.covering_id == duty.person_id,
            cover.school_urn == CaseRow.school_urn,
            holds(cover, today),
        )
    )
    fallen = and_(CaseRow.school_urn.in_(sorted(duty.leads)), is_ownerless(today)) if duty.leads else false()
    return or_(CaseRow.owner_id == duty.person_id, covered, fallen)
