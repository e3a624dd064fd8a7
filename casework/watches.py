"""What was seen of deployed models after their deployment, as the board's pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.tables_cases import WatchRow


@dataclass(frozen=True, kw_only=True)
class StoredWatch:
    """One look at a deployed model. `payload` is its `view` for the page and the figures behind it; no pupil."""

    bundle_digest: str
    approval_id: str
    looked_on: date
    verdict: str
    payload: Mapping[str, Any]


def save_watch(session: Session, watch: StoredWatch) -> None:
    """Keep a look, or replace what was kept of the same day. Needs the job's role."""
    values = {"verdict": watch.verdict, "payload": dict(watch.payload)}
    statement = upsert(WatchRow).values(
        bundle_digest=watch.bundle_digest, approval_id=watch.approval_id, looked_on=watch.looked_on, **values
    )
    keys = ["bundle_digest", "approval_id", "looked_on"]
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def watches_of(session: Session, digest: str, most: int = 30) -> tuple[StoredWatch, ...]:
    """Return the looks at this bundle, the newest first."""
    rows = session.scalars(
        select(WatchRow).where(WatchRow.bundle_digest == digest).order_by(WatchRow.looked_on.desc()).limit(most)
    )
    return tuple(
        StoredWatch(
            bundle_digest=row.bundle_digest,
            approval_id=row.approval_id,
            looked_on=row.looked_on,
            verdict=row.verdict,
            payload=row.payload,
        )
        for row in rows
    )
