"""Checking the whole log of looks, and keeping what was found: each check must find the head of the one before."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.audit_log import ChainState, Head, verify_chain
from casework.tables_staff import LookCheckRow


def check_log(session: Session, key: bytes, now: datetime, exported: Head | None = None) -> ChainState:
    """Read every look in order, say whether the chain holds, and keep the answer. Scope: every school; the job's role.

    Parameters
    ----------
    exported
        A head that somebody else keeps; None: that of the last check that found the chain whole.
    """
    state = verify_chain(session, key, exported or last_head(session))
    session.execute(
        insert(LookCheckRow).values(
            checked_at=now, holds=state.ok, looks=state.looks, head=state.head.hash, sentence=state.sentence
        )
    )
    return state


def last_head(session: Session) -> Head | None:
    """Return the head that the last check saw where it found the chain whole."""
    row = session.execute(
        select(LookCheckRow.looks, LookCheckRow.head)
        .where(LookCheckRow.holds)
        .order_by(LookCheckRow.seq.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Head(seq=row.looks, hash=row.head)
