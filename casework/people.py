"""People who sign in, and pupils' names: the identities that only this floor keeps."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.names import Named, master_key, seal
from casework.permissions import Person, Role
from casework.tables_people import PersonRoleRow, PersonRow, SchoolRow
from casework.tables_staff import TrainingRow

__all__ = ["Identity", "NewPerson", "Person", "Role", "add_person", "find_person", "person_by_id", "save_identities"]

# Training that was not taken on Belong's own page, in the record of training.
ELSEWHERE = "taken elsewhere"


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """Someone who may sign in: who the provider says they are, and their roles here."""

    issuer: str
    subject: str
    name: str
    roles: tuple[Role, ...]
    email: str | None = None
    training_on: date | None = None
    roles_expire_on: date | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Identity:
    """Who a pseudonym is. Never printed: it has no repr that could reach a log.

    `known_on` is the day the school's system recorded it; an older row never replaces a newer one.
    """

    pseudonym: int
    upn: str
    forename: str
    surname: str
    date_of_birth: date | None
    year_group: str
    school: int
    left_on: date | None
    known_on: date


def add_person(session: Session, new: NewPerson) -> uuid.UUID:
    """Add someone, or bring name, training and roles up to date, and return their id. Needs the job's role.

    Schools of roles that are not known yet are added by number; their names come with the first publication.
    """
    known = session.execute(
        select(PersonRow.training_on).where(PersonRow.issuer == new.issuer, PersonRow.subject == new.subject)
    ).one_or_none()
    values = {"name": new.name, "email": new.email, "training_on": new.training_on, "active": True}
    statement = upsert(PersonRow).values(issuer=new.issuer, subject=new.subject, **values)
    person_id: uuid.UUID = session.execute(
        statement.on_conflict_do_update(index_elements=["issuer", "subject"], set_=values).returning(PersonRow.id)
    ).scalar_one()
    if new.training_on is not None and (known is None or known.training_on != new.training_on):
        taken = {"person_id": person_id, "taken_on": new.training_on, "recorded_at": datetime.now(UTC)}
        session.execute(insert(TrainingRow).values(course=ELSEWHERE, **taken))
    _save_roles(session, person_id, new)
    return person_id


def _save_roles(session: Session, person_id: uuid.UUID, new: NewPerson) -> None:
    """Take away the roles that are not given any more and bring the others up to date: only changes are noted."""
    ensure_schools(session, {role.school for role in new.roles if role.school is not None})
    wanted = dict.fromkeys((role.name, role.school) for role in new.roles)
    held = select(PersonRoleRow.id, PersonRoleRow.role, PersonRoleRow.school_urn)
    rows = session.execute(held.where(PersonRoleRow.person_id == person_id)).all()
    gone = [row.id for row in rows if (row.role, row.school_urn) not in wanted]
    session.execute(delete(PersonRoleRow).where(PersonRoleRow.id.in_(gone)))
    if wanted:
        statement = upsert(PersonRoleRow).values(
            [
                {"person_id": person_id, "role": name, "school_urn": school, "expires_on": new.roles_expire_on}
                for name, school in wanted
            ]
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["person_id", "role", "school_urn"],
                set_={"expires_on": statement.excluded.expires_on},
                where=PersonRoleRow.expires_on.is_distinct_from(statement.excluded.expires_on),
            )
        )


def end_person(session: Session, person_id: uuid.UUID) -> None:
    """Let someone sign in no more; their next request is refused. Needs the job's role."""
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(active=False))


def find_person(session: Session, issuer: str, subject: str, today: date) -> Person | None:
    """Return the active person whom the provider names, with the roles they hold today; None if unknown here.

    By issuer and subject only: an email address can be given to someone else.
    """
    return _person(session, (PersonRow.issuer == issuer) & (PersonRow.subject == subject), today)


def person_by_id(session: Session, person_id: uuid.UUID, today: date) -> Person | None:
    """Return the active person with the roles they hold today, read afresh: a role removed is gone at once."""
    return _person(session, PersonRow.id == person_id, today)


def _person(session: Session, who: Any, today: date) -> Person | None:
    row = session.execute(
        select(PersonRow.id, PersonRow.name, PersonRow.training_on).where(who, PersonRow.active)
    ).one_or_none()
    if row is None:
        return None
    roles = session.execute(
        select(PersonRoleRow.role, PersonRoleRow.school_urn)
        .where(
            PersonRoleRow.person_id == row.id,
            or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= today),
        )
        .order_by(PersonRoleRow.role, PersonRoleRow.school_urn)
    )
    held = tuple(Role(name=name, school=school) for name, school in roles)
    return Person(id=row.id, name=row.name, roles=held, training_on=row.training_on)


def ensure_schools(session: Session, schools: Iterable[int]) -> None:
    """Add schools that are not known yet by their number alone; a publication brings name and phase."""
    rows = [{"urn": urn, "name": f"School {urn}", "phase": ""} for urn in sorted(set(schools))]
    if rows:
        session.execute(upsert(SchoolRow).on_conflict_do_nothing(), rows)


_COLUMNS = "pseudonym, identity, year_group, school_urn, left_on, known_on"


def save_identities(session: Session, rows: Iterable[Identity]) -> int:
    """Add pupils or bring them up to date and return how many rows changed. Needs the job's role and every school.

    Names are sealed here (casework/names.py): none reaches the database open.

    Where a pseudonym comes twice, the row known last wins, then one still on roll, then the later row.
    A pupil already here keeps their school, year group and leaving day: those decide whose staff may see
    them, and only a publication, which weighs every enrolment, changes them.
    """
    latest: dict[int, Identity] = {}
    for row in rows:
        old = latest.get(row.pseudonym)
        if old is None or _order(row) >= _order(old):
            latest[row.pseudonym] = row
    ensure_schools(session, {row.school for row in latest.values()})
    master = master_key(session)
    cursor = driver_cursor(session)
    with cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS new_pupils (LIKE pupils) ON COMMIT DROP")
        cursor.execute("TRUNCATE new_pupils")
        cursor.execute("ALTER TABLE new_pupils ALTER COLUMN id DROP NOT NULL, ADD COLUMN wrapped bytea NOT NULL")
        with cursor.copy(f"COPY new_pupils ({_COLUMNS}, wrapped) FROM STDIN") as copy:
            for row in latest.values():
                sealed = seal(master, row.pseudonym, _named(row))
                copy.write_row(
                    (row.pseudonym, sealed.identity, row.year_group, row.school, row.left_on, row.known_on, sealed.key)
                )
        # Identity and key change together: an identity is never left under the key of an older one.
        cursor.execute(
            f"WITH saved AS (INSERT INTO pupils ({_COLUMNS}) SELECT {_COLUMNS} FROM new_pupils "  # noqa: S608  # our own
            "ON CONFLICT (pseudonym) DO UPDATE SET identity = excluded.identity, known_on = excluded.known_on "
            "WHERE excluded.known_on >= pupils.known_on RETURNING id, pseudonym) "
            "INSERT INTO pupil_keys (pupil_id, wrapped) SELECT saved.id, n.wrapped FROM saved "
            "JOIN new_pupils n ON n.pseudonym = saved.pseudonym "
            "ON CONFLICT (pupil_id) DO UPDATE SET wrapped = excluded.wrapped"
        )
        changed = cursor.rowcount
    session.execute(text("DROP TABLE new_pupils"))
    return changed


def _named(row: Identity) -> Named:
    return Named(upn=row.upn, forename=row.forename, surname=row.surname, date_of_birth=row.date_of_birth)


def _order(row: Identity) -> tuple[date, bool]:
    return row.known_on, row.left_on is None


def driver_cursor(session: Session) -> "psycopg.Cursor[tuple[Any, ...]]":
    """Return a psycopg cursor inside this session's transaction, for COPY."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.cursor()
