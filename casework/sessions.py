"""Sign-in sessions, kept on the server: a cookie that was signed out of opens nothing.

Times are wall-clock times with their zone: here, and only here, the home's frozen today has no say.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from casework.tables_people import SignInSessionRow

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=10)
# Writing 'last seen' on every request would turn each read into a write.
_SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, repr=False)
class StartedSession:
    """A new session: `token` goes into the cookie and is kept nowhere; forms carry `csrf_secret`."""

    token: str
    csrf_secret: str


@dataclass(frozen=True, kw_only=True, repr=False)
class FoundSession:
    """A session that is still good, and whose it is; read the person afresh with `people.person_by_id`."""

    person_id: uuid.UUID
    csrf_secret: str
    created_at: datetime
    expires_at: datetime


def start_session(
    session: Session, person_id: uuid.UUID, now: datetime, longest: timedelta = LONGEST
) -> StartedSession:
    """Start a session with a new id (never one that the browser brought) for at most ten hours, or as long as said."""
    token, csrf_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session.execute(
        insert(SignInSessionRow).values(
            id_hash=_hash(token),
            person_id=person_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + longest,
            csrf_secret=csrf_secret,
        )
    )
    return StartedSession(token=token, csrf_secret=csrf_secret)


def find_session(session: Session, token: str, now: datetime) -> FoundSession | None:
    """Return the session of this cookie unless it was ended, idle for 30 minutes or past its time."""
    row = session.execute(
        select(SignInSessionRow.__table__).where(SignInSessionRow.id_hash == _hash(token))
    ).one_or_none()
    if row is None or row.ended_at is not None or now >= row.expires_at or now >= row.last_seen_at + IDLE:
        return None
    if now >= row.last_seen_at + _SEEN_EVERY:
        session.execute(
            update(SignInSessionRow).where(SignInSessionRow.id_hash == row.id_hash).values(last_seen_at=now)
        )
    return FoundSession(
        person_id=row.person_id, csrf_secret=row.csrf_secret, created_at=row.created_at, expires_at=row.expires_at
    )


def end_session(session: Session, token: str, now: datetime) -> None:
    """End the session of this cookie. Ending twice, or one that never was, changes nothing."""
    session.execute(
        update(SignInSessionRow)
        .where(SignInSessionRow.id_hash == _hash(token), SignInSessionRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_sessions_of(session: Session, person_id: uuid.UUID, now: datetime) -> None:
    """End every session of a person."""
    session.execute(
        update(SignInSessionRow)
        .where(SignInSessionRow.person_id == person_id, SignInSessionRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def _hash(token: str) -> str:
    # 256 random bits: a plain hash suffices, and a copy of the table opens no session.
    return hashlib.sha256(token.encode()).hexdigest()
