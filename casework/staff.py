"""Who works here and what they may do: people added and ended, roles given and taken away, by an administrator.

The database notes every change by itself (`staff_changes`), refuses one that does not say who makes it, and
refuses one's own. What is checked here besides: that no case is left to nobody, that the network keeps an
administrator, and that whoever gives out roles sees no pupil. The database ends the sessions of whoever is changed.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.break_glass import ISSUER as LAST_RESORT
from casework.duties import LEADS
from casework.people import person_by_id
from casework.permissions import PERMISSIONS, ROLES, SCHOOL_ROLES, NotAllowed, Person, Role, check_may, may
from casework.rules import RuleBroken
from casework.tables_people import PersonRoleRow, PersonRow, SchoolRow

_LOCK: Final = 8466
ADMINISTRATOR: Final = "administrator"
# An administrator whose role ends sooner is not counted on: there must be time to find another.
NOTICE_DAYS: Final = 30
NAME_LONGEST: Final = 200
SUBJECT_LONGEST: Final = 255


class NoSuchPerson(Exception):
    """Nobody here has this id: answer 404."""


@dataclass(frozen=True, kw_only=True)
class NewStaff:
    """Someone to add: who the sign-in service says they are, and how they are called here."""

    issuer: str
    subject: str
    name: str
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """A role as the form gives it; `last_day` None: until it is taken away."""

    role: str
    school: int | None
    last_day: date | None


def staff_scope(session: Session, by: Person) -> None:
    """Let whoever looks after people see, in this transaction, where they work and what changed. Raises NotAllowed."""
    check_may(by, "manage_people")
    session.execute(text("SELECT set_config('belong.staff', 'yes', true)"))


def add_staff(session: Session, by: Person, new: NewStaff, given: Given, today: date) -> uuid.UUID:
    """Add someone with their first role, and return their id.

    Raises
    ------
    NotAllowed
        The person who asks is no administrator (any more).
    RuleBroken
        Name, subject, address or role will not do, or the account is known already.
    """
    begin_change(session, by, today)
    subject = new.subject.strip()
    if not subject or len(subject) > SUBJECT_LONGEST or not subject.isprintable():
        raise RuleBroken("Enter the subject under which the sign-in service knows them.", "subject")
    role = check_role(session, given, today)
    values = {"name": check_name(new.name), "email": check_email(new.email)}
    try:
        with session.begin_nested():
            added = insert(PersonRow).values(issuer=new.issuer, subject=subject, **values)
            person_id: uuid.UUID = session.execute(added.returning(PersonRow.id)).scalar_one()
    except IntegrityError:
        raise RuleBroken("This account is known here already. Look for it among the people.", "subject") from None
    insert_role(session, person_id, role, given.last_day)
    look(session, by, "add_person", detail=f"{person_id}: {role_words(role)}")
    return person_id


def save_details(session: Session, by: Person, person_id: uuid.UUID, name: str, email: str | None, today: date) -> None:
    """Change how someone is called, and where Monday's letter goes. Raises as `add_staff`; NoSuchPerson."""
    begin_change(session, by, today, person_id)
    values = {"name": check_name(name), "email": check_email(email)}
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))
    look(session, by, "save_details", detail=str(person_id))


def give_role(session: Session, by: Person, person_id: uuid.UUID, given: Given, today: date) -> None:
    """Give a role, or the same role another last day; what they are signed in to ends.

    Raises
    ------
    NotAllowed, NoSuchPerson
        As above.
    RuleBroken
        It is one's own, the role will not do, the person has left, or would give out roles and see pupils both.
    """
    active = begin_change(session, by, today, person_id)
    if not active:
        raise RuleBroken("This person has left. Let them back in first.")
    role = check_role(session, given, today)
    held = [one.role for one in _held(session, person_id)]
    together = {*held, role.name}
    if ADMINISTRATOR in together and together & PERMISSIONS["see_pupil"]:
        raise RuleBroken(
            "An administrator gives out roles and sees no pupil. Nobody holds that role beside one with pupils: "
            "take the other away first.",
            "role",
        )
    if role.name == ADMINISTRATOR and ADMINISTRATOR in held and given.last_day is not None:
        _check_administrator_left(session, person_id, today, until=given.last_day)
    insert_role(session, person_id, role, given.last_day)
    _changed(session, by, "give_role", person_id, role_words(role))


def take_role(session: Session, by: Person, person_id: uuid.UUID, role_id: uuid.UUID, today: date) -> None:
    """Take a role away; what they are signed in to ends.

    Raises
    ------
    NotAllowed, NoSuchPerson
        As above; NoSuchPerson too where the person has no such role.
    RuleBroken
        It is one's own, or would leave a case to nobody, or the network without an administrator.
    """
    begin_change(session, by, today, person_id)
    held = _held(session, person_id)
    gone = next((one for one in held if one.id == role_id), None)
    if gone is None:
        raise NoSuchPerson
    left = [one for one in held if one.id != role_id]
    _check_cases_kept(session, person_id, [gone], left, today)
    if gone.role == ADMINISTRATOR:
        _check_administrator_left(session, person_id, today)
    session.execute(delete(PersonRoleRow).where(PersonRoleRow.id == role_id))
    if not any(one.school_urn is not None for one in left):
        _end_covers(session, person_id, today)
    _changed(session, by, "take_role", person_id, role_words(Role(name=gone.role, school=gone.school_urn)))


def end_staff(session: Session, by: Person, person_id: uuid.UUID, today: date) -> None:
    """End a person: every role goes, every session ends, covers they gave end; their cases fall to the school's lead.

    Raises as `take_role`.
    """
    active = begin_change(session, by, today, person_id)
    if not active:
        raise RuleBroken("This person has left already.")
    held = _held(session, person_id)
    _check_cases_kept(session, person_id, held, [], today)
    if any(one.role == ADMINISTRATOR for one in held):
        _check_administrator_left(session, person_id, today)
    session.execute(delete(PersonRoleRow).where(PersonRoleRow.person_id == person_id))
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(active=False))
    _end_covers(session, person_id, today)
    _changed(session, by, "end_person", person_id)


def let_back(session: Session, by: Person, person_id: uuid.UUID, today: date) -> None:
    """Let someone who left sign in again, with no role until one is given. Raises NotAllowed, NoSuchPerson."""
    begin_change(session, by, today, person_id)
    session.execute(update(PersonRow).where(PersonRow.id == person_id, ~PersonRow.active).values(active=True))
    _changed(session, by, "let_back", person_id)


def insert_role(session: Session, person_id: uuid.UUID, role: Role, last_day: date | None) -> None:
    """Write a role, or its new last day; `belong.person` must say who gives it."""
    row = upsert(PersonRoleRow).values(person_id=person_id, role=role.name, school_urn=role.school, expires_on=last_day)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["person_id", "role", "school_urn"],
            set_={"expires_on": row.excluded.expires_on},
            where=PersonRoleRow.expires_on.is_distinct_from(row.excluded.expires_on),
        )
    )


def check_role(session: Session, given: Given, today: date) -> Role:
    """Return the role of a form. Raises RuleBroken."""
    if given.role not in ROLES:
        raise RuleBroken("Select a role.", "role")
    if given.role in SCHOOL_ROLES and given.school is None:
        raise RuleBroken(f"Select the school at which they are {ROLES[given.role].lower()}.", "school")
    if given.role not in SCHOOL_ROLES and given.school is not None:
        raise RuleBroken(f"{ROLES[given.role]} is a role across the network. Leave the school empty.", "school")
    if given.school is not None and session.get(SchoolRow, given.school) is None:
        raise RuleBroken("Select a school of this network.", "school")
    if given.last_day is not None and given.last_day < today:
        raise RuleBroken("The last day must be today or later.", "last_day")
    return Role(name=given.role, school=given.school)


def check_name(name: str) -> str:
    """Return the name, trimmed. Raises RuleBroken."""
    said = " ".join(name.split())
    if not said or len(said) > NAME_LONGEST or not said.isprintable():
        raise RuleBroken(f"Enter a name of at most {NAME_LONGEST} characters.", "name")
    return said


def check_email(email: str | None) -> str | None:
    """Return the address that letters go to, None where there is none. It proves nothing about who signs in."""
    said = (email or "").strip()
    if not said:
        return None
    local, _, host = said.partition("@")
    if not (local and "." in host and said.isascii() and said.isprintable() and " " not in said) or len(said) > 254:
        raise RuleBroken("Enter an email address, like name@school.example.", "email")
    return said


def role_words(role: Role) -> str:
    """Return a role for the log: its name, and the school's number."""
    return f"{role.name} {role.school}" if role.school is not None else role.name


def begin_change(session: Session, by: Person, today: date, person_id: uuid.UUID | None = None) -> bool:
    """Let one change at a time through, by someone who is an administrator at that moment; return whether active."""
    check_may(by, "manage_people")
    # Two administrators who end each other at once must not both succeed.
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    now = person_by_id(session, by.id, today)
    if now is None or not may(now, "manage_people"):
        raise NotAllowed("You are no administrator any more.")
    say_who(session, by.id)
    if person_id is None:
        return True
    row = session.execute(select(PersonRow.active, PersonRow.issuer).where(PersonRow.id == person_id)).one_or_none()
    if row is None:
        raise NoSuchPerson
    if person_id == by.id:
        raise RuleBroken("Nobody changes their own roles. Ask another administrator.")
    if row.issuer == LAST_RESORT:
        raise RuleBroken("The break-glass account is made and taken away on the server only, by a command.")
    return bool(row.active)


def say_who(session: Session, who: uuid.UUID) -> None:
    """Say in this transaction who changes people; the database writes it beside each change."""
    session.execute(
        text("SELECT set_config('belong.person', :who, true), set_config('belong.staff', 'yes', true)"),
        {"who": str(who)},
    )


def _held(session: Session, person_id: uuid.UUID) -> list[PersonRoleRow]:
    rows = select(PersonRoleRow).where(PersonRoleRow.person_id == person_id)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def _check_cases_kept(
    session: Session,
    person_id: uuid.UUID,
    gone: Iterable[PersonRoleRow],
    left: Iterable[PersonRoleRow],
    today: date,
) -> None:
    """Raise where open cases at a school would be nobody's: an owner who leaves leaves them to the lead there."""
    still = {one.school_urn for one in left if one.school_urn is not None}
    leads_still = {one.school_urn for one in left if one.role == LEADS}
    counted = {row.school_urn: row for row in session.execute(_OPEN_CASES, {"who": person_id})}
    for one in gone:
        cases = counted.get(one.school_urn)
        if cases is None or one.school_urn in leads_still:
            continue
        falling = 0 if one.school_urn in still else cases.theirs
        if one.role == LEADS:
            falling = cases.all_open
        if falling and not _another_lead(session, one.school_urn, person_id, today):
            name = session.execute(select(SchoolRow.name).where(SchoolRow.urn == one.school_urn)).scalar_one()
            cases_words = "1 open case" if falling == 1 else f"{falling} open cases"
            raise RuleBroken(
                f"{name} has {cases_words} that nobody would look after. Give somebody else the role of school lead "
                "there first: the cases fall to them, and they can hand them on."
            )


_OPEN_CASES: Final = text("SELECT school_urn, theirs, all_open FROM belong_open_cases(:who)")


def _another_lead(session: Session, school: int | None, person_id: uuid.UUID, today: date) -> bool:
    rows = (
        select(PersonRoleRow.id)
        .join(PersonRow, PersonRow.id == PersonRoleRow.person_id)
        .where(
            PersonRoleRow.school_urn == school,
            PersonRoleRow.role == LEADS,
            PersonRoleRow.person_id != person_id,
            or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= today),
            PersonRow.active,
        )
        .limit(1)
    )
    return session.execute(rows).first() is not None


def _check_administrator_left(session: Session, without: uuid.UUID, today: date, until: date | None = None) -> None:
    """Raise unless somebody stays administrator for a month at least; `until`: this person does so long themselves."""
    lasting = today + timedelta(days=NOTICE_DAYS)
    if until is not None and until >= lasting:
        return
    rows = (
        select(PersonRoleRow.id)
        .join(PersonRow, PersonRow.id == PersonRoleRow.person_id)
        .where(
            PersonRoleRow.role == ADMINISTRATOR,
            PersonRoleRow.person_id != without,
            or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= lasting),
            PersonRow.active,
            PersonRow.issuer != LAST_RESORT,  # it is for emergencies, not for every day
        )
        .limit(1)
    )
    if session.execute(rows).first() is None:
        raise RuleBroken(
            f"Within {NOTICE_DAYS} days the network would have no administrator. Give somebody else that role first."
        )


def _end_covers(session: Session, person_id: uuid.UUID, today: date) -> None:
    session.execute(text("SELECT belong_end_covers(:who, :day)"), {"who": person_id, "day": today})


def _changed(session: Session, by: Person, action: str, person_id: uuid.UUID, detail: str = "") -> None:
    look(session, by, action, detail=f"{person_id}: {detail}" if detail else str(person_id))
