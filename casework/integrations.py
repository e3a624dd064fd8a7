"""Other systems that call the API: what each may ask, about whose pupils, until when."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.rules import RuleBroken
from casework.tables_people import IntegrationRow, IntegrationSchoolRow

SCOPES: Final = frozenset({"scores:read"})
LONGEST_DAYS: Final = 366
_TOKEN_LONGEST: Final = 256
# Compared with when the client id is unknown, so that the answer takes as long as for a known one.
_NOBODY: Final = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Integration:
    """A system that called with a valid token. `schools` is a set of URNs, never 'all'."""

    client_id: str
    name: str
    scopes: frozenset[str]
    schools: frozenset[int]
    expires_on: date


@dataclass(frozen=True, kw_only=True)
class NewIntegration:
    """What the data-protection officer grants: scopes, schools and the last day."""

    client_id: str
    name: str
    scopes: frozenset[str]
    schools: frozenset[int]
    expires_on: date


def add_integration(session: Session, granted_by: Person, new: NewIntegration, today: date) -> str:
    """Grant a system access and return its secret, which is shown once and stored only as a hash.

    The caller's bearer token is `<client_id>.<secret>`. Adding the same client id again replaces its
    secret and what it may do. Needs the job's role.

    Raises
    ------
    NotAllowed
        The person is not a data-protection officer.
    RuleBroken
        Unknown scope, no school, an id with a dot, or an expiry that is past or over a year away.
    """
    check_may(granted_by, "grant_integration")
    _check(new, today)
    secret = secrets.token_urlsafe(32)
    values = {
        "secret_hash": _hash(secret),
        "name": new.name,
        "scopes": sorted(new.scopes),
        "expires_on": new.expires_on,
        "granted_by": str(granted_by.id),
        "active": True,
    }
    known = session.get(IntegrationRow, new.client_id)
    if known is None:
        session.execute(insert(IntegrationRow).values(client_id=new.client_id, **values))
    else:
        session.execute(update(IntegrationRow).where(IntegrationRow.client_id == new.client_id).values(**values))
        session.execute(delete(IntegrationSchoolRow).where(IntegrationSchoolRow.client_id == new.client_id))
    schools = [{"client_id": new.client_id, "school_urn": school} for school in sorted(new.schools)]
    session.execute(insert(IntegrationSchoolRow), schools)
    return secret


def find_integration(session: Session, token: str, today: date) -> Integration | None:
    """Return the active, unexpired integration of this bearer token `<client_id>.<secret>`, or None."""
    client_id, dot, secret = token.partition(".")
    if not dot or len(token) > _TOKEN_LONGEST or not token.isascii() or "\x00" in token:
        return None
    row = session.execute(
        select(IntegrationRow).where(IntegrationRow.client_id == client_id).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    fits = hmac.compare_digest(_hash(secret), row.secret_hash if row else _NOBODY)
    if row is None or not fits or not row.active or row.expires_on < today:
        return None
    schools = session.scalars(
        select(IntegrationSchoolRow.school_urn).where(IntegrationSchoolRow.client_id == client_id)
    ).all()
    return Integration(
        client_id=client_id,
        name=row.name,
        scopes=frozenset(row.scopes),
        schools=frozenset(schools),
        expires_on=row.expires_on,
    )


def end_integration(session: Session, client_id: str) -> None:
    """Take an integration's access away at once. Needs the job's role."""
    session.execute(update(IntegrationRow).where(IntegrationRow.client_id == client_id).values(active=False))


def _hash(secret: str) -> str:
    # The secret is 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(new: NewIntegration, today: date) -> None:
    unknown: Collection[str] = new.scopes - SCOPES
    if unknown or not new.scopes:
        raise RuleBroken(f"Scopes must be among {', '.join(sorted(SCOPES))}; given: {', '.join(sorted(new.scopes))}.")
    if not new.schools:
        raise RuleBroken("Name at least one school: an integration never sees the whole network by default.")
    if not new.client_id.replace("-", "").isalnum() or not new.client_id.isascii():
        raise RuleBroken("A client id has letters, digits and hyphens only.")
    if not today <= new.expires_on <= today + timedelta(days=LONGEST_DAYS):
        raise RuleBroken(f"Access must end within {LONGEST_DAYS} days from today.")
