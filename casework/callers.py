"""Other systems that call the API, as the database knows them at the moment of the call."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Date, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from casework.tables_calls import IntegrationSecretRow
from casework.tables_people import IntegrationRow, IntegrationSchoolRow

LISTS_READ: Final = "lists:read"
SCORES_READ: Final = "scores:read"
UPNS_READ: Final = "upns:read"
# What each lets a system read; the data-protection officer grants them one by one.
SCOPES: Final = {
    LISTS_READ: "who is on the week's list, and recorded facts",
    SCORES_READ: "probability, rise and reasons, and scores of posted records",
    UPNS_READ: "each pupil's unique pupil number, to find them in the school's own system",
}
SECRET_LONGEST: Final = 256
# Compared with when the client id is unknown, so that the answer takes as long as for a known one.
_NOBODY: Final = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Integration:
    """A system that calls. `schools` is a set of URNs, never 'all'; `secret` is the id of the secret it came with."""

    client_id: str
    name: str
    scopes: frozenset[str]
    schools: frozenset[int]
    expires_on: date
    calls_per_minute: int
    secret: uuid.UUID

    def limited_to(self, scopes: frozenset[str]) -> "Integration":
        """Return the same caller with no scope beyond these."""
        return replace(self, scopes=self.scopes & scopes)


def authenticate(session: Session, client_id: str, secret: str, today: date) -> Integration | None:
    """Return the active, unexpired integration of this id and secret, or None; note the day for this secret."""
    if not 1 <= len(secret) <= SECRET_LONGEST or len(client_id) > SECRET_LONGEST or "\x00" in client_id + secret:
        return None
    given = hash_of(secret)
    rows = session.execute(_live(), {"today": today, "client": client_id}).all()
    # Each is compared, and where there is none one all the same: the time taken tells nothing of the id.
    fits = [hmac.compare_digest(given, kept) for kept in [row.secret_hash for row in rows] or [_NOBODY]]
    if not rows or not any(fits):
        return None
    found = rows[fits.index(True)]
    used = update(IntegrationSecretRow).where(
        IntegrationSecretRow.id == found.secret, IntegrationSecretRow.last_used_on.is_distinct_from(today)
    )
    session.execute(used.values(last_used_on=today).execution_options(synchronize_session=False))
    return _integration(found)


def still_allowed(session: Session, client_id: str, secret: uuid.UUID, today: date) -> Integration | None:
    """Return what the integration may do now, if it is active and the secret that it came with still lives."""
    asked = {"today": today, "client": client_id, "secret_id": secret}
    row = session.execute(_with_secret(), asked).one_or_none()
    return None if row is None else _integration(row)


def hash_of(secret: str) -> str:
    """Return what is kept of a secret. It is 256 random bits, so a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def live_secret(today: date | BindParameter[date]) -> ColumnElement[bool]:
    """Return the condition that a secret may be used today."""
    return or_(IntegrationSecretRow.ends_on.is_(None), IntegrationSecretRow.ends_on >= today)


@cache
def _with_secret() -> Select[*tuple[Any, ...]]:
    return _live().where(IntegrationSecretRow.id == bindparam("secret_id"))


@cache
def _live() -> Select[*tuple[Any, ...]]:
    """Return the question for a client's live secrets, which every call asks: made once, it costs a fifth."""
    today = bindparam("today", type_=Date())
    return (
        select(
            IntegrationRow.client_id,
            IntegrationRow.name,
            IntegrationRow.scopes,
            IntegrationRow.expires_on,
            IntegrationRow.calls_per_minute,
            IntegrationSecretRow.id.label("secret"),
            IntegrationSecretRow.secret_hash,
            select(func.array_agg(IntegrationSchoolRow.school_urn))
            .where(IntegrationSchoolRow.client_id == IntegrationRow.client_id)
            .correlate(IntegrationRow)
            .scalar_subquery()
            .label("schools"),
        )
        .join(IntegrationSecretRow, IntegrationSecretRow.client_id == IntegrationRow.client_id)
        .where(IntegrationRow.active, IntegrationRow.expires_on >= today, live_secret(today))
        .where(IntegrationRow.client_id == bindparam("client"))
    )


def _integration(row: Any) -> Integration:
    return Integration(
        client_id=row.client_id,
        name=row.name,
        scopes=frozenset(row.scopes),
        schools=frozenset(row.schools or ()),
        expires_on=row.expires_on,
        calls_per_minute=row.calls_per_minute,
        secret=row.secret,
    )
