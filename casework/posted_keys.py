"""`Idempotency-Key`: the same post under the same key gives the same answer, or says that it cannot any more.

Nothing of the answer is kept: a score is worked out again, and compared by a keyed hash. So no copy of what was
said of a pupil lies anywhere, and a model deployed between two tries is told of instead of answering differently.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from casework.callers import Integration
from casework.tables_calls import PostedKeyRow

KEPT: Final = timedelta(hours=24)
Remembered = Literal["first", "again", "other_request", "other_answer"]


def remember(session: Session, caller: Integration, key: str, said: tuple[bytes, bytes], now: datetime) -> Remembered:
    """Return whether the caller's key is new, or what was posted under it within a day fits `said`.

    Parameters
    ----------
    said
        The request and the answer, as bytes that are the same whenever they say the same.
    """
    session.execute(
        delete(PostedKeyRow).where(PostedKeyRow.client_id == caller.client_id, PostedKeyRow.posted_at < now - KEPT)
    )
    secret = session.get_bind().get_execution_options()["looks_key"]
    request, answer = (hmac.new(secret, b"posted " + part, hashlib.sha256).hexdigest() for part in said)
    values = {"client_id": caller.client_id, "key": key, "request_hash": request, "answer_hash": answer}
    added = session.execute(
        insert(PostedKeyRow).values(**values, posted_at=now).on_conflict_do_nothing().returning(PostedKeyRow.key)
    ).first()
    if added is not None:
        return "first"
    kept = session.execute(
        select(PostedKeyRow.request_hash, PostedKeyRow.answer_hash).where(
            PostedKeyRow.client_id == caller.client_id, PostedKeyRow.key == key
        )
    ).one()
    if kept.request_hash != request:
        return "other_request"
    return "again" if kept.answer_hash == answer else "other_answer"
