"""The models that the board has seen: what each was tested on, and whether it serves, waits or was withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.deployments import current_deployment
from casework.tables_cases import AuditRow, DeploymentRow
from casework.tables_places import ModelRow

State = Literal["serving", "waiting", "withdrawn", "served_before"]


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A model as it was stored when it was audited; `payload` is `learning.models.described`."""

    bundle_digest: str
    trained_on: date
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """One line of the list of models.

    Attributes
    ----------
    state, since
        Where it stands, and the day from which it serves or on which it was withdrawn; None while it waits.
    why
        Why it was withdrawn; empty otherwise.
    model
        What it was tested on; None for one audited before that was stored.
    """

    bundle_digest: str
    audited_on: date
    verdict: str
    state: State
    since: date | None
    why: str
    model: StoredModel | None


def save_model(session: Session, model: StoredModel) -> None:
    """Keep what a model was tested on, or replace what is kept of the same bundle. Needs the job's role."""
    values = {"trained_on": model.trained_on, "payload": dict(model.payload)}
    statement = upsert(ModelRow).values(bundle_digest=model.bundle_digest, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["bundle_digest"], set_=values))


def models(session: Session) -> tuple[ModelLine, ...]:
    """Return every model that was audited, the newest audit first."""
    stored = {row.bundle_digest: row for row in session.scalars(select(ModelRow))}
    deployed = {row.digest: row for row in session.scalars(select(DeploymentRow))}
    serving = current_deployment(session)
    audits = session.execute(
        select(AuditRow.bundle_digest, AuditRow.created_on, AuditRow.verdict).order_by(
            AuditRow.created_on.desc(), AuditRow.bundle_digest
        )
    )
    found = []
    for digest, audited_on, verdict in audits:
        state, since, why = _standing(deployed.get(digest), serving is not None and serving.digest == digest)
        found.append(
            ModelLine(
                bundle_digest=digest,
                audited_on=audited_on,
                verdict=verdict,
                state=state,
                since=since,
                why=why,
                model=_model(stored.get(digest)),
            )
        )
    return tuple(found)


def model_line(session: Session, digest: str) -> ModelLine | None:
    """Return one model's line, or None."""
    return next((one for one in models(session) if one.bundle_digest == digest), None)


def _standing(row: DeploymentRow | None, serves: bool) -> tuple[State, date | None, str]:
    if row is None:
        return "waiting", None, ""
    if row.revoked_at is not None:
        return "withdrawn", row.revoked_at.date(), row.revoked_reason or ""
    return ("serving" if serves else "served_before"), row.deployed_at.date(), ""


def _model(row: ModelRow | None) -> StoredModel | None:
    if row is None:
        return None
    return StoredModel(bundle_digest=row.bundle_digest, trained_on=row.trained_on, payload=row.payload)
