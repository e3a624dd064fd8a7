"""Partner organisations: what their agreements let them see today, and who signs in for which of them.

The register says what is agreed (`records.partnerships`); a job publishes it here. A partner's session sees no school
at all: rows come to it by an agreement that stands on the day, in the database as well as in code.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.database import see_schools
from casework.permissions import Person, check_may
from casework.rules import RuleBroken
from casework.staff import begin_change
from casework.tables_partners import PartnerMemberRow, PartnershipRow
from casework.tables_people import PersonRoleRow, PersonRow
from records.partnerships import POLICE, Partnership
from records.transfers import standing_of

PARTNER: Final = "partner"
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "borough": "Borough",
        "health": "Health service",
        "youth": "Youth service",
        "family": "Family service",
        POLICE: "Policing",
    }
)
_NO_SCHOOL: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A partner organisation with what its agreement says; `schools` None is every school."""

    id: str
    title: str
    kind: str
    actions: bool
    places: bool
    schools: frozenset[int] | None
    starts_on: date
    ends_on: date
    assessed_on: date | None

    def stands(self, today: date) -> bool:
        """Whether the agreement covers anything today."""
        return standing_of(self.starts_on, self.ends_on, self.assessed_on, today) == "valid"

    def may_act_at(self, school: int, today: date) -> bool:
        """Whether actions on a pupil of this school may be agreed with it; never with a partner in policing."""
        there = self.schools is None or school in self.schools
        return self.actions and self.kind != POLICE and there and self.stands(today)

    def may_act_on_places(self, today: date) -> bool:
        """Whether actions on a place may be agreed with it, and it sees counts by place."""
        return self.places and self.stands(today)


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody with the role of a partner, and the organisation for which they sign in ('': none yet)."""

    person_id: uuid.UUID
    name: str
    partnership: str


def save_partners(session: Session, agreed: Iterable[Partnership]) -> None:
    """Publish the agreements in place of those before. Needs the job's role."""
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "kind": one.kind,
            "actions": one.actions,
            "places": one.places,
            "schools": None if one.schools == "all" else list(one.schools),
            "starts_on": one.starts,
            "ends_on": one.ends,
            "assessed_on": one.assessed_on,
        }
        for one in agreed
    ]
    session.execute(delete(PartnershipRow))
    if rows:
        session.execute(insert(PartnershipRow), rows)


def partners(session: Session) -> tuple[Partner, ...]:
    """Return every partner of the register, by name."""
    rows = session.scalars(select(PartnershipRow).order_by(PartnershipRow.title, PartnershipRow.id))
    return tuple(
        Partner(
            id=row.id,
            title=row.title,
            kind=row.kind,
            actions=row.actions,
            places=row.places,
            schools=None if row.schools is None else frozenset(row.schools),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            assessed_on=row.assessed_on,
        )
        for row in rows
    )


def come_as_partner(session: Session, person: Person, today: date, *, for_places: bool = False) -> Partner | None:
    """Turn this transaction into the partner's own, and return the partner; None where no agreement covers it today.

    From here on the session sees no school: whoever is a member of staff as well is the partner on these pages. The
    attempt is logged either way.

    Parameters
    ----------
    for_places
        Whether counts by place are asked for, which an agreement may leave out.
    """
    check_may(person, "see_partner_actions")
    mine = session.execute(
        select(PartnerMemberRow.partnership).where(PartnerMemberRow.person_id == person.id)
    ).scalar_one_or_none()
    found = next((one for one in partners(session) if one.id == mine), None)
    covered = found is not None and found.stands(today) and (found.places or not for_places)
    what = "counts by place" if for_places else "actions"
    if found is None or not covered:
        look(session, person, "see_partner_actions", detail=f"no agreement covers {what}: {mine or 'no partner'}")
        return None
    look(session, person, "see_partner_actions", detail=f"{what}: {found.id}")
    see_schools(session, _NO_SCHOOL)
    session.execute(
        text("SELECT set_config('belong.partner', :partner, true), set_config('belong.day', :day, true)"),
        {"partner": found.id, "day": today.isoformat()},
    )
    return found


def members(session: Session, by: Person) -> tuple[Member, ...]:
    """Return everybody with the role of a partner, by name. Raises NotAllowed."""
    check_may(by, "manage_people")
    rows = session.execute(
        select(PersonRow.id, PersonRow.name, PartnerMemberRow.partnership)
        .join(PersonRoleRow, PersonRoleRow.person_id == PersonRow.id)
        .join(PartnerMemberRow, PartnerMemberRow.person_id == PersonRow.id, isouter=True)
        .where(PersonRoleRow.role == PARTNER, PersonRow.active)
        .order_by(PersonRow.name, PersonRow.id)
    )
    return tuple(Member(person_id=row.id, name=row.name, partnership=row.partnership or "") for row in rows)


def set_member(session: Session, by: Person, person_id: uuid.UUID, partnership: str, today: date) -> None:
    """Say for which partner somebody signs in; '' for none any more. Raises RuleBroken, NotAllowed, NoSuchPerson."""
    begin_change(session, by, today, person_id)
    if person_id not in {one.person_id for one in members(session, by)}:
        raise RuleBroken("Select somebody who has the role of a partner. Give the role first.", "person")
    if partnership and partnership not in {one.id for one in partners(session)}:
        raise RuleBroken("Select a partner of the data-sharing register.", "partnership")
    if partnership:
        put_member(session, person_id, partnership, given_by=by.id)
    else:
        session.execute(delete(PartnerMemberRow).where(PartnerMemberRow.person_id == person_id))
    look(session, by, "set_partner", detail=f"{person_id}: {partnership or 'none'}")


def put_member(session: Session, person_id: uuid.UUID, partnership: str, *, given_by: uuid.UUID) -> None:
    """Write for which partner somebody signs in, in the place of what was written before."""
    values = {"partnership": partnership, "given_by": given_by, "given_at": datetime.now(UTC)}
    row = upsert(PartnerMemberRow).values(person_id=person_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=values))
