"""Which bundle may serve, and the audits that the board saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.rules import RuleBroken
from casework.tables_cases import AuditRow, DeploymentRow

# The head of a ledger with no entries yet: every ledger holds it.
NO_LEDGER = (0, "0" * 64)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A bundle that is deployed, by which approval, since when.

    `ledger` is the head of the home's ledger as the database was last told: number and digest.
    """

    digest: str
    approval_id: str
    deployed_at: datetime
    ledger: tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class AuditSummary:
    """One line of the list of audits."""

    bundle_digest: str
    verdict: str
    created_on: date
    is_current: bool
    signed: bool


@dataclass(frozen=True, kw_only=True)
class StoredAudit:
    """An audit as it was saved. `payload` is the audit's own JSON, with `view` for the page."""

    bundle_digest: str
    verdict: str
    created_on: date
    is_current: bool
    payload: Mapping[str, Any]
    envelope: Mapping[str, Any] | None


def record_deployment(
    session: Session, digest: str, approval_id: str, now: datetime, ledger: tuple[int, str] = NO_LEDGER
) -> None:
    """Record that the bundle serves from now on; its audit becomes the current one. Needs the job's role.

    Raises
    ------
    RuleBroken
        This approval was revoked: the bundle comes back only under another, which people signed since.
    """
    known = session.execute(
        select(DeploymentRow.revoked_at, DeploymentRow.approval_id).where(DeploymentRow.digest == digest)
    ).one_or_none()
    if known is not None and known.revoked_at is not None and known.approval_id == approval_id:
        raise RuleBroken(
            f"The approval of {digest[:12]} was revoked; audit the candidate again and let people sign anew."
        )
    values = {
        "approval_id": approval_id,
        "deployed_at": now,
        "ledger_number": ledger[0],
        "ledger_head": ledger[1],
        "revoked_at": None,
        "revoked_reason": None,
    }
    statement = upsert(DeploymentRow).values(digest=digest, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=values))
    session.execute(update(AuditRow).values(is_current=AuditRow.bundle_digest == digest))


_NEWEST = select(DeploymentRow.__table__).order_by(DeploymentRow.deployed_at.desc()).limit(1)


def current_deployment(session: Session) -> Deployment | None:
    """Return what serves: the bundle deployed last, unless it was revoked (an older one does not step in)."""
    row = session.execute(_NEWEST).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    return Deployment(
        digest=row.digest,
        approval_id=row.approval_id,
        deployed_at=row.deployed_at,
        ledger=(row.ledger_number, row.ledger_head),
    )


def note_ledger(session: Session, digest: str, ledger: tuple[int, str]) -> None:
    """Keep a newer head of the home's ledger beside the deployment, out of reach of the home's files. Job's role."""
    session.execute(
        update(DeploymentRow)
        .where(DeploymentRow.digest == digest, DeploymentRow.ledger_number <= ledger[0])
        .values(ledger_number=ledger[0], ledger_head=ledger[1])
    )


def revoke(session: Session, digest: str, reason: str, now: datetime) -> bool:
    """Take a deployment back, once and for good; return whether there was one to take back. Needs the job's role."""
    if not reason.strip():
        raise RuleBroken("Say why the deployment is revoked.", "reason")
    revoked = session.execute(
        update(DeploymentRow)
        .where(DeploymentRow.digest == digest, DeploymentRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
        .returning(DeploymentRow.digest)
    ).all()
    session.execute(update(AuditRow).where(AuditRow.bundle_digest == digest).values(is_current=False))
    return bool(revoked)


def save_audit(session: Session, audit: StoredAudit) -> None:
    """Keep an audit, or replace what is kept for the same bundle (an envelope is added once signed). Job's role."""
    values = {
        "payload": dict(audit.payload),
        "verdict": audit.verdict,
        "created_on": audit.created_on,
        "envelope": None if audit.envelope is None else dict(audit.envelope),
        "is_current": audit.is_current,
    }
    if audit.is_current:
        session.execute(update(AuditRow).values(is_current=False))
    known = session.execute(select(AuditRow.bundle_digest).where(AuditRow.bundle_digest == audit.bundle_digest)).first()
    if known is None:
        session.execute(insert(AuditRow).values(bundle_digest=audit.bundle_digest, **values))
    else:
        session.execute(update(AuditRow).where(AuditRow.bundle_digest == audit.bundle_digest).values(**values))


def audits(session: Session) -> tuple[AuditSummary, ...]:
    """Return every audit, newest first, without its payload."""
    rows = session.execute(
        select(
            AuditRow.bundle_digest,
            AuditRow.verdict,
            AuditRow.created_on,
            AuditRow.is_current,
            AuditRow.envelope.is_not(None).label("signed"),
        ).order_by(AuditRow.created_on.desc(), AuditRow.bundle_digest)
    )
    return tuple(AuditSummary(**row) for row in rows.mappings())


def audit_of(session: Session, digest: str) -> StoredAudit | None:
    """Return the audit of this bundle, or None."""
    row = session.execute(select(AuditRow).where(AuditRow.bundle_digest == digest)).scalar_one_or_none()
    return None if row is None else _stored(row)


def current_audit(session: Session) -> StoredAudit | None:
    """Return the audit of the bundle that serves, or None."""
    row = session.execute(select(AuditRow).where(AuditRow.is_current).limit(1)).scalar_one_or_none()
    return None if row is None else _stored(row)


def past_lists_words(session: Session) -> str:
    """Return what the serving bundle's audit says of past lists, '' where nothing serves; the audit stays unread."""
    said = select(AuditRow.payload["view"]["past_lists"].astext).where(AuditRow.is_current).limit(1)
    return session.execute(said).scalar_one_or_none() or ""


def _stored(row: AuditRow) -> StoredAudit:
    return StoredAudit(
        bundle_digest=row.bundle_digest,
        verdict=row.verdict,
        created_on=row.created_on,
        is_current=row.is_current,
        payload=row.payload,
        envelope=row.envelope,
    )
