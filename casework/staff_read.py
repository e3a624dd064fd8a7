"""The people of the network for their administrator: a list in pages, one person with what changed, all changes."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from casework.permissions import ROLES, Person
from casework.staff import NoSuchPerson, staff_scope
from casework.tables_people import PersonRoleRow, PersonRow, SchoolRow
from casework.tables_staff import StaffChangeRow, TrainingRow

AT_ONCE: Final = 50
WHAT: Final = {
    "added": "Added",
    "details": "Name or address changed",
    "ended": "Left",
    "returned": "Let back in",
    "role_given": "Role given",
    "role_taken": "Role taken away",
    "role_until": "Last day of a role changed",
}


@dataclass(frozen=True, kw_only=True)
class HeldRole:
    """A role of a person; `over`: its last day is past."""

    id: uuid.UUID
    role: str
    school: int | None
    school_name: str | None
    last_day: date | None
    over: bool

    @property
    def words(self) -> str:
        """The role in words, with its school."""
        return f"{ROLES[self.role]}, {self.school_name}" if self.school_name else ROLES[self.role]


@dataclass(frozen=True, kw_only=True)
class StaffLine:
    """One person of the list."""

    id: uuid.UUID
    name: str
    active: bool
    training_on: date | None
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True, kw_only=True)
class StaffFilters:
    """What of the list is asked for: part of a name, a role, a school, and who is here (True), has left, or both."""

    name: str = ""
    role: str = ""
    school: int | None = None
    active: bool | None = True
    without_role: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, as the database noted it; `by` None: a command on the server."""

    seq: int
    at: datetime
    person_id: uuid.UUID
    person: str
    by: str | None
    what: str
    about: str
    last_day: date | None


@dataclass(frozen=True, kw_only=True)
class StaffPage:
    """One person: how they sign in, their roles, training, open cases by school, and what changed, newest first."""

    line: StaffLine
    issuer: str
    subject: str
    email: str | None
    trainings: tuple[tuple[date, str], ...]
    cases: tuple[tuple[str, int], ...]
    changes: tuple[Change, ...]


def staff_list(
    session: Session, by: Person, filters: StaffFilters, today: date, after: uuid.UUID | None = None
) -> tuple[tuple[StaffLine, ...], bool]:
    """Return fifty people by name, from after the one given, and whether more follow. Raises NotAllowed."""
    staff_scope(session, by)
    rows = select(PersonRow.id, PersonRow.name, PersonRow.active, PersonRow.training_on)
    rows = rows.where(*_conditions(filters, today))
    if after is not None:
        name = session.execute(select(PersonRow.name).where(PersonRow.id == after)).scalar_one_or_none()
        rows = rows.where(tuple_(PersonRow.name, PersonRow.id) > tuple_(name or "", after))
    found = session.execute(rows.order_by(PersonRow.name, PersonRow.id).limit(AT_ONCE + 1)).all()
    roles = _roles(session, [row.id for row in found[:AT_ONCE]], today)
    lines = tuple(_line(row, roles) for row in found[:AT_ONCE])
    return lines, len(found) > AT_ONCE


def staff_page(session: Session, by: Person, person_id: uuid.UUID, today: date) -> StaffPage:
    """Return one person. Raises NotAllowed, NoSuchPerson."""
    staff_scope(session, by)
    row = session.execute(select(PersonRow.__table__).where(PersonRow.id == person_id)).one_or_none()
    if row is None:
        raise NoSuchPerson
    taken = select(TrainingRow.taken_on, TrainingRow.course).where(TrainingRow.person_id == person_id)
    cases = text(
        "SELECT s.name, c.theirs FROM belong_open_cases(:who) c JOIN schools s ON s.urn = c.school_urn "
        "WHERE c.theirs > 0 ORDER BY s.name"
    )
    return StaffPage(
        line=_line(row, _roles(session, [person_id], today)),
        issuer=row.issuer,
        subject=row.subject,
        email=row.email,
        trainings=tuple((one.taken_on, one.course) for one in session.execute(taken.order_by(TrainingRow.seq.desc()))),
        cases=tuple((one.name, one.theirs) for one in session.execute(cases, {"who": person_id})),
        changes=_changes(session, _all_changes().where(StaffChangeRow.person_id == person_id)),
    )


def staff_changes(session: Session, by: Person, before: int | None = None) -> tuple[tuple[Change, ...], bool]:
    """Return fifty changes of anybody, newest first, from before the one given, and whether more follow."""
    staff_scope(session, by)
    rows = _all_changes()
    if before is not None:
        rows = rows.where(StaffChangeRow.seq < before)
    found = _changes(session, rows, AT_ONCE + 1)
    return found[:AT_ONCE], len(found) > AT_ONCE


def school_names(session: Session) -> tuple[tuple[int, str], ...]:
    """Return every school of the network, by name."""
    rows = session.execute(select(SchoolRow.urn, SchoolRow.name).order_by(SchoolRow.name, SchoolRow.urn))
    return tuple((row.urn, row.name) for row in rows)


def _conditions(filters: StaffFilters, today: date) -> Iterable[ColumnElement[bool]]:
    if filters.active is not None:
        yield PersonRow.active.is_(filters.active)
    if filters.name:
        yield PersonRow.name.icontains(filters.name, autoescape=True)
    held = and_(
        PersonRoleRow.person_id == PersonRow.id,
        or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= today),
    )
    if filters.role:
        held = and_(held, PersonRoleRow.role == filters.role)
    if filters.school is not None:
        held = and_(held, PersonRoleRow.school_urn == filters.school)
    if filters.without_role:
        yield ~exists(select(PersonRoleRow.id).where(held))
    elif filters.role or filters.school is not None:
        yield exists(select(PersonRoleRow.id).where(held))


def _line(row: Any, roles: dict[uuid.UUID, list[HeldRole]]) -> StaffLine:
    return StaffLine(
        id=row.id,
        name=row.name,
        active=row.active,
        training_on=row.training_on,
        roles=tuple(roles.get(row.id, ())),
    )


def _roles(session: Session, people: Collection[uuid.UUID], today: date) -> dict[uuid.UUID, list[HeldRole]]:
    rows = (
        select(
            PersonRoleRow.person_id,
            PersonRoleRow.id,
            PersonRoleRow.role,
            PersonRoleRow.school_urn,
            PersonRoleRow.expires_on,
            SchoolRow.name.label("school_name"),
        )
        .outerjoin(SchoolRow, SchoolRow.urn == PersonRoleRow.school_urn)
        .where(PersonRoleRow.person_id.in_(people))
        .order_by(SchoolRow.name.nulls_first(), PersonRoleRow.role)
    )
    found: dict[uuid.UUID, list[HeldRole]] = {}
    for row in session.execute(rows):
        found.setdefault(row.person_id, []).append(
            HeldRole(
                id=row.id,
                role=row.role,
                school=row.school_urn,
                school_name=row.school_name,
                last_day=row.expires_on,
                over=row.expires_on is not None and row.expires_on < today,
            )
        )
    return found


def _all_changes() -> Select[*tuple[Any, ...]]:
    who, by = aliased(PersonRow), aliased(PersonRow)
    rows: Select[*tuple[Any, ...]] = (
        select(
            StaffChangeRow.seq,
            StaffChangeRow.at,
            StaffChangeRow.person_id,
            StaffChangeRow.what,
            StaffChangeRow.role,
            StaffChangeRow.expires_on,
            who.name.label("person"),
            by.name.label("by"),
            SchoolRow.name.label("school_name"),
        )
        .join(who, who.id == StaffChangeRow.person_id)
        .outerjoin(by, by.id == StaffChangeRow.by_id)
        .outerjoin(SchoolRow, SchoolRow.urn == StaffChangeRow.school_urn)
        .order_by(StaffChangeRow.seq.desc())
    )
    return rows


def _changes(session: Session, rows: Select[*tuple[Any, ...]], most: int = AT_ONCE) -> tuple[Change, ...]:
    def about(row: Any) -> str:
        parts = [ROLES[row.role] if row.role else "", row.school_name or ""]
        return ", ".join(part for part in parts if part)

    return tuple(
        Change(
            seq=row.seq,
            at=row.at,
            person_id=row.person_id,
            person=row.person,
            by=row.by,
            what=WHAT[row.what],
            about=about(row),
            last_day=row.expires_on,
        )
        for row in session.execute(rows.limit(most))
    )
