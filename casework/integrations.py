"""Access for other systems: granted, rotated, taken back and listed by the data-protection officer.

Every change is an entry in the log of looks, in the same transaction: who gave whom access to what.
"""

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.callers import SCOPES, hash_of, live_secret
from casework.permissions import Person, check_may
from casework.rules import RuleBroken
from casework.tables_calls import IntegrationSecretRow
from casework.tables_people import IntegrationRow, IntegrationSchoolRow, SchoolRow

LONGEST_DAYS: Final = 366
GRACE_DAYS: Final = 7
GRACE_LONGEST: Final = 90
MOST_LIVE: Final = 2
CALLS_PER_MINUTE: Final = 600
CALLS_MOST: Final = 60_000


@dataclass(frozen=True, kw_only=True)
class NewIntegration:
    """What the data-protection officer grants: scopes, schools, the last day, and how often it may call."""

    client_id: str
    name: str
    scopes: frozenset[str]
    schools: frozenset[int]
    expires_on: date
    calls_per_minute: int = CALLS_PER_MINUTE


@dataclass(frozen=True, kw_only=True)
class HeldSecret:
    """A secret that may be used today: since when, until when (None: as long as the integration), last used when."""

    id: uuid.UUID
    made_on: date
    ends_on: date | None
    last_used_on: date | None


@dataclass(frozen=True, kw_only=True)
class Granted:
    """An integration as it stands, for those who look after it. `live`: it may call today."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    schools: tuple[int, ...]
    expires_on: date
    calls_per_minute: int
    live: bool
    secrets: tuple[HeldSecret, ...]


def add_integration(session: Session, granted_by: Person, new: NewIntegration, today: date) -> str:
    """Grant a system access and return its secret, which is shown once and stored only as a hash.

    Adding the same client id again replaces its secrets, at once, and what it may do. Needs the job's role.

    Raises
    ------
    NotAllowed
        The person is not a data-protection officer.
    RuleBroken
        Unknown scope, no school, an id with a dot, or an expiry that is past or over a year away.
    """
    check_may(granted_by, "grant_integration")
    _check(new, today)
    _check_schools(session, new.schools)
    values = {
        "name": new.name,
        "scopes": sorted(new.scopes),
        "expires_on": new.expires_on,
        "granted_by": str(granted_by.id),
        "calls_per_minute": new.calls_per_minute,
        "active": True,
    }
    known = session.get(IntegrationRow, new.client_id)
    if known is None:
        session.execute(insert(IntegrationRow).values(client_id=new.client_id, **values))
    else:
        session.execute(update(IntegrationRow).where(IntegrationRow.client_id == new.client_id).values(**values))
        for rows in (IntegrationSchoolRow, IntegrationSecretRow):
            session.execute(delete(rows).where(rows.client_id == new.client_id))
    schools = [{"client_id": new.client_id, "school_urn": school} for school in sorted(new.schools)]
    session.execute(insert(IntegrationSchoolRow), schools)
    secret = _add_secret(session, new.client_id, today)
    allowed = f"{', '.join(sorted(new.scopes))} for {len(new.schools)} schools until {new.expires_on.isoformat()}"
    look(session, granted_by, "grant_integration", detail=f"{new.client_id}: {allowed}")
    return secret


def rotate_integration(session: Session, by: Person, client_id: str, today: date, grace_days: int = GRACE_DAYS) -> str:
    """Give a new secret and return it; the one before works for `grace_days` more, so that nothing stops.

    Raises
    ------
    NotAllowed
        The person is not a data-protection officer.
    RuleBroken
        No such integration, two secrets live already, or a grace that is too long.
    """
    check_may(by, "grant_integration")
    if not 0 <= grace_days <= GRACE_LONGEST:
        raise RuleBroken(f"An old secret may live 0 to {GRACE_LONGEST} days longer.", "grace_days")
    held = _one(session, client_id, today)
    if len(held.secrets) >= MOST_LIVE:
        older = held.secrets[0]
        raise RuleBroken(
            f"Two secrets of {client_id} are live. The older ends after {_day(older.ends_on)}; "
            "withdraw it first, or wait."
        )
    # The last day of grace is a whole day; with none, the secret has ended already today.
    last = today + timedelta(days=grace_days) if grace_days else today - timedelta(days=1)
    session.execute(
        update(IntegrationSecretRow)
        .where(IntegrationSecretRow.client_id == client_id, live_secret(today))
        .values(ends_on=last)
        .execution_options(synchronize_session=False)
    )
    secret = _add_secret(session, client_id, today)
    look(session, by, "rotate_integration", detail=f"{client_id}: the secret before ends after {last.isoformat()}")
    return secret


def revoke_secret(session: Session, by: Person, client_id: str, secret: uuid.UUID, today: date) -> None:
    """Withdraw one secret at once: who came in by it is refused at the next call. Raises as `rotate_integration`."""
    check_may(by, "grant_integration")
    if secret not in {held.id for held in _one(session, client_id, today).secrets}:
        raise RuleBroken(f"{client_id} has no such secret that is live.", "secret")
    session.execute(delete(IntegrationSecretRow).where(IntegrationSecretRow.id == secret))
    look(session, by, "revoke_secret", detail=f"{client_id}: secret {secret}")


def revoke_integration(session: Session, by: Person, client_id: str, today: date) -> None:
    """Take an integration's access away: its next call is refused. Raises as `rotate_integration`."""
    check_may(by, "grant_integration")
    _one(session, client_id, today)
    session.execute(update(IntegrationRow).where(IntegrationRow.client_id == client_id).values(active=False))
    session.execute(delete(IntegrationSecretRow).where(IntegrationSecretRow.client_id == client_id))
    look(session, by, "revoke_integration", detail=client_id)


def integrations(session: Session, today: date) -> tuple[Granted, ...]:
    """Return every integration, by id, with its live secrets, oldest first. What the secrets are is not known here."""
    schools: dict[str, list[int]] = {}
    for row in session.scalars(select(IntegrationSchoolRow).order_by(IntegrationSchoolRow.school_urn)):
        schools.setdefault(row.client_id, []).append(row.school_urn)
    held: dict[str, list[HeldSecret]] = {}
    rows = select(IntegrationSecretRow).where(live_secret(today)).execution_options(populate_existing=True)
    # Of two made on one day the one that ends is the older.
    ordered = rows.order_by(IntegrationSecretRow.made_on, IntegrationSecretRow.ends_on.asc().nulls_last())
    for secret in session.scalars(ordered):
        held.setdefault(secret.client_id, []).append(
            HeldSecret(id=secret.id, made_on=secret.made_on, ends_on=secret.ends_on, last_used_on=secret.last_used_on)
        )
    everyone = select(IntegrationRow).order_by(IntegrationRow.client_id).execution_options(populate_existing=True)
    return tuple(
        Granted(
            client_id=row.client_id,
            name=row.name,
            scopes=tuple(row.scopes),
            schools=tuple(schools.get(row.client_id, ())),
            expires_on=row.expires_on,
            calls_per_minute=row.calls_per_minute,
            live=row.active and row.expires_on >= today and bool(held.get(row.client_id)),
            secrets=tuple(held.get(row.client_id, ())),
        )
        for row in session.scalars(everyone)
    )


def _one(session: Session, client_id: str, today: date) -> Granted:
    found = next((one for one in integrations(session, today) if one.client_id == client_id), None)
    if found is None:
        raise RuleBroken("There is no integration of this id.", "client_id")
    if not found.secrets:
        raise RuleBroken(f"The access of {client_id} was taken back; grant it anew.", "client_id")
    return found


def _add_secret(session: Session, client_id: str, today: date) -> str:
    secret = secrets.token_urlsafe(32)
    session.execute(
        insert(IntegrationSecretRow).values(client_id=client_id, secret_hash=hash_of(secret), made_on=today)
    )
    return secret


def _day(day: date | None) -> str:
    return "its last day" if day is None else day.isoformat()


def _check_schools(session: Session, schools: frozenset[int]) -> None:
    known = session.scalars(select(SchoolRow.urn).where(SchoolRow.urn.in_(schools))).all()
    strange = sorted(schools - set(known))
    if strange:
        raise RuleBroken(f"There is no school {', '.join(map(str, strange))} in this network.", "schools")


def _check(new: NewIntegration, today: date) -> None:
    unknown: Collection[str] = new.scopes - SCOPES.keys()
    if unknown or not new.scopes:
        raise RuleBroken(f"Scopes must be among {', '.join(SCOPES)}; given: {', '.join(sorted(new.scopes))}.")
    if not new.schools:
        raise RuleBroken("Name at least one school: an integration never sees the whole network by default.")
    if not new.client_id.replace("-", "").isalnum() or not new.client_id.isascii():
        raise RuleBroken("A client id has letters, digits and hyphens only.")
    if not today <= new.expires_on <= today + timedelta(days=LONGEST_DAYS):
        raise RuleBroken(f"Access must end within {LONGEST_DAYS} days from today.")
    if not 1 <= new.calls_per_minute <= CALLS_MOST:
        raise RuleBroken(f"A system may call 1 to {CALLS_MOST} times a minute.")
