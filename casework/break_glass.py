"""The administrator of last resort, for when no sign-in service answers: one account, by password and code.

There is none unless the command line makes it. It looks after people and sees no pupil, every use of it stands in
the log of looks, and the pages tell everyone for a day.
"""

import base64
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pwdlib import PasswordHash
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.names import CannotUnseal, master_key
from casework.people import NewPerson, add_person, end_person, person_by_id
from casework.permissions import Person, Role
from casework.sessions import end_sessions_of
from casework.tables_people import BreakGlassRow

# No service signs anyone in under this issuer: theirs are addresses.
ISSUER: Final = "break-glass"
NAME: Final = "Break-glass administrator"
LONGEST: Final = timedelta(hours=1)
TOLD_FOR: Final = timedelta(days=1)
FREE_TRIES: Final = 5
LONGEST_PAUSE: Final = timedelta(days=1)
_GROUPS, _GROUP_LETTERS = 6, 4  # 120 random bits, to be copied from paper
_BOUND: Final = b"break-glass code key"
_NONCE_BYTES: Final = 12
# A phone's clock may be half a minute off, either way.
_STEPS: Final = (-1, 0, 1)
WRONG: Final = "The password or the code is wrong, or the code was used before."


@dataclass(frozen=True, kw_only=True, repr=False)
class Made:
    """What opens a new account, to be written down now: it is kept nowhere."""

    password: str
    code_key: str

    @property
    def address(self) -> str:
        """The code key as authenticator apps take it."""
        return pyotp.TOTP(self.code_key).provisioning_uri(name=NAME, issuer_name="Belong")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a try came to: the person who is in, or a sentence for people."""

    person: Person | None = None
    sentence: str = ""


def make_account(session: Session, now: datetime) -> Made:
    """Make the account, in place of one that was made before, and return what opens it. Needs the job's role."""
    letters = base64.b32encode(os.urandom(_GROUPS * _GROUP_LETTERS * 5 // 8)).decode()
    password = "-".join(letters[at : at + _GROUP_LETTERS] for at in range(0, len(letters), _GROUP_LETTERS))
    made = Made(password=password, code_key=pyotp.random_base32())
    person_id = add_person(
        session,
        NewPerson(issuer=ISSUER, subject="administrator", name=NAME, roles=(Role(name="administrator"),)),
    )
    end_sessions_of(session, person_id, now)
    session.execute(delete(BreakGlassRow))
    session.execute(
        insert(BreakGlassRow).values(
            id=1,
            person_id=person_id,
            password_hash=_hasher().hash(_plain(password)),
            code_key=_sealed(master_key(session), made.code_key),
            made_at=now,
        )
    )
    look(session, _person(session, person_id, now.date()), "break_glass", detail="made")
    return made


def remove_account(session: Session, now: datetime) -> bool:
    """Take the account away and end its sessions; return False where there was none. Needs the job's role."""
    person_id = session.execute(delete(BreakGlassRow).returning(BreakGlassRow.person_id)).scalar_one_or_none()
    if person_id is None:
        return False
    look(session, _person(session, person_id, now.date()), "break_glass", detail="removed")
    end_sessions_of(session, person_id, now)
    end_person(session, person_id)
    return True


def is_made(session: Session) -> bool:
    """Whether there is such an account."""
    return session.execute(select(BreakGlassRow.id)).first() is not None


def last_used(session: Session) -> datetime | None:
    """Return when the account last let somebody in."""
    return session.execute(select(BreakGlassRow.used_at)).scalar_one_or_none()


def try_account(session: Session, password: str, code: str, now: datetime, today: date) -> Tried:
    """Return who is in by this password and code, or why nobody is. Five tries are free, then pauses grow.

    The row is locked, so that tries at one moment count one after another; leave the transaction's block
    without an exception, so that a failure is kept.
    """
    row = session.execute(select(BreakGlassRow).with_for_update()).scalar_one_or_none()
    if row is None:
        return Tried(sentence=WRONG)
    if row.paused_until is not None and now < row.paused_until:
        return Tried(sentence=f"Too many tries were wrong. Wait until {row.paused_until:%H:%M} UTC, then try again.")
    person = person_by_id(session, row.person_id, today)
    # Both are always looked at: what takes how long tells nothing of which was wrong.
    right = _hasher().verify(_plain(password), row.password_hash)
    step = _step_of(_opened(master_key(session), row.code_key), code, now, row.last_step)
    if person is None or not right or step is None:
        failures = row.failures + 1
        _change(session, failures=failures, paused_until=pause_after(failures, now))
        if person is not None:
            look(session, person, "break_glass", detail="refused")
        return Tried(sentence=WRONG)
    _change(session, failures=0, paused_until=None, last_step=step, used_at=now)
    look(session, person, "break_glass", detail="signed in")
    return Tried(person=person)


def pause_after(failures: int, now: datetime) -> datetime | None:
    """Return until when nothing more is tried after so many failures: 1, 2, 4 minutes and so on, a day at most."""
    if failures < FREE_TRIES:
        return None
    return now + min(timedelta(minutes=2 ** min(failures - FREE_TRIES, 20)), LONGEST_PAUSE)


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()  # argon2id


def _plain(password: str) -> str:
    # As it is read from paper: spaces for hyphens, small letters for capitals.
    return "".join(password.split()).replace("-", "").upper()[:200]


def _step_of(code_key: str, code: str, now: datetime, last_step: int) -> int | None:
    """Return the half-minute whose code this is, if it is near and later than any that was used."""
    given, codes = "".join(code.split()), pyotp.TOTP(code_key)
    at = codes.timecode(now)
    fits = [at + by for by in _STEPS if hmac.compare_digest(codes.generate_otp(at + by).encode(), given.encode())]
    return next((step for step in fits if step > last_step), None)


def _change(session: Session, **values: Any) -> None:
    session.execute(update(BreakGlassRow).values(**values).execution_options(synchronize_session=False))


def _person(session: Session, person_id: uuid.UUID, today: date) -> Person:
    person = person_by_id(session, person_id, today)
    assert person is not None, "an account's person is active as long as there is the account"
    return person


def _sealed(master: bytes, code_key: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(master).encrypt(nonce, code_key.encode(), _BOUND)


def _opened(master: bytes, sealed: bytes) -> str:
    try:
        return AESGCM(master).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _BOUND).decode()
    except InvalidTag:
        raise CannotUnseal(
            "the break-glass account does not open: the home's identities.key is not the one it was sealed under; "
            "make the account anew"
        ) from None
