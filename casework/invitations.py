"""A place kept for somebody whose subject nobody knows yet, taken with a code at their first sign-in.

What a sign-in service calls a person for good is shown to hardly anybody (Entra's object id stands in its own pages,
Google's and DfE Sign-in's subjects nowhere). An email address everybody knows, and it may belong to somebody else
tomorrow: it proves nothing here. The code does: the administrator hands it over, it works once and for a week, and
only its hash is kept.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session, aliased

from casework.audit_log import look
from casework.people import person_by_id
from casework.permissions import ROLES, Person, Role, may
from casework.rules import RuleBroken
from casework.staff import (
    Given,
    begin_change,
    check_email,
    check_name,
    check_role,
    insert_role,
    role_words,
    say_who,
    staff_scope,
)
from casework.tables_people import PersonRow, SchoolRow
from casework.tables_staff import InvitationRow

LASTS: Final = timedelta(days=7)
# Without letters and digits that are taken for each other; 20 of 32 are 100 bits.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH: Final = 20
_NO_SUCH: Final = "This code is not known, was used, or is over. Ask the administrator of your network for another."


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation that can still be taken."""

    id: uuid.UUID
    name: str
    role_words: str
    by: str
    ends_at: datetime


def invite(session: Session, by: Person, name: str, email: str | None, given: Given, today: date, now: datetime) -> str:
    """Keep a place with one role for somebody, and return the code, which is shown once.

    Raises
    ------
    NotAllowed
        The person who asks is no administrator (any more).
    RuleBroken
        Name, address or role will not do.
    """
    begin_change(session, by, today)
    values = {"name": check_name(name), "email": check_email(email)}
    role = check_role(session, given, today)
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    row = insert(InvitationRow).values(
        code_hash=_hash(code),
        role=role.name,
        school_urn=role.school,
        role_expires_on=given.last_day,
        made_by=by.id,
        made_at=now,
        ends_at=now + LASTS,
        **values,
    )
    made = session.execute(row.returning(InvitationRow.id)).scalar_one()
    look(session, by, "invite_person", detail=f"{made}: {role_words(role)}")
    return "-".join(code[at : at + 5] for at in range(0, _LENGTH, 5))


def invitations(session: Session, by: Person, now: datetime) -> tuple[Invitation, ...]:
    """Return the invitations that can still be taken, the first to end first. Raises NotAllowed."""
    staff_scope(session, by)
    made = aliased(PersonRow)
    rows = (
        select(
            InvitationRow.id,
            InvitationRow.name,
            InvitationRow.role,
            SchoolRow.name.label("school"),
            made.name.label("by"),
            InvitationRow.ends_at,
        )
        .join(made, made.id == InvitationRow.made_by)
        .outerjoin(SchoolRow, SchoolRow.urn == InvitationRow.school_urn)
        .where(InvitationRow.ended_at.is_(None), InvitationRow.ends_at > now)
        .order_by(InvitationRow.ends_at, InvitationRow.id)
    )
    return tuple(
        Invitation(
            id=row.id,
            name=row.name,
            role_words=f"{ROLES[row.role]}, {row.school}" if row.school else ROLES[row.role],
            by=row.by,
            ends_at=row.ends_at,
        )
        for row in session.execute(rows)
    )


def withdraw_invitation(session: Session, by: Person, invitation: uuid.UUID, today: date, now: datetime) -> None:
    """Let an invitation be taken no more. Withdrawing one that is over changes nothing. Raises NotAllowed."""
    begin_change(session, by, today)
    session.execute(
        update(InvitationRow)
        .where(InvitationRow.id == invitation, InvitationRow.ended_at.is_(None))
        .values(ended_at=now)
    )
    look(session, by, "withdraw_invitation", detail=str(invitation))


def accept(session: Session, issuer: str, subject: str, code: str, today: date, now: datetime) -> Person:
    """Bind the account that signed in to the invitation of this code, and return who they now are.

    The account is the one that the sign-in service vouched for: issuer and subject, as at every later sign-in.

    Raises
    ------
    RuleBroken
        The code is not known, used or over; whoever invited is no administrator any more; the account has left.
    """
    known = select(PersonRow.id).where(PersonRow.issuer == issuer, PersonRow.subject == subject)
    if session.execute(known).first() is not None:
        raise RuleBroken("This account was here before and has left. Ask the administrator to let it back in.", "code")
    # In one statement, so that of two who come with one code only one finds it open.
    open_ones = InvitationRow.code_hash == _hash(code), InvitationRow.ended_at.is_(None), InvitationRow.ends_at > now
    session.execute(text("SELECT set_config('belong.staff', 'yes', true)"))
    taken = session.execute(update(InvitationRow).where(*open_ones).values(ended_at=now).returning(InvitationRow))
    invitation = taken.scalar_one_or_none()
    if invitation is None:
        raise RuleBroken(_NO_SUCH, "code")
    inviting = person_by_id(session, invitation.made_by, today)
    if inviting is None or not may(inviting, "manage_people"):
        raise RuleBroken(_NO_SUCH, "code")
    say_who(session, inviting.id)
    added = insert(PersonRow).values(issuer=issuer, subject=subject, name=invitation.name, email=invitation.email)
    person_id: uuid.UUID = session.execute(added.returning(PersonRow.id)).scalar_one()
    insert_role(
        session, person_id, Role(name=invitation.role, school=invitation.school_urn), invitation.role_expires_on
    )
    session.execute(update(InvitationRow).where(InvitationRow.id == invitation.id).values(person_id=person_id))
    person = person_by_id(session, person_id, today)
    assert person is not None
    look(session, person, "accept_invitation", detail=str(invitation.id))
    return person


def _hash(code: str) -> str:
    # A hundred random bits: there is nothing to guess, so a plain hash is enough.
    return hashlib.sha256("".join(code.upper().replace("-", "").split()).encode()).hexdigest()
