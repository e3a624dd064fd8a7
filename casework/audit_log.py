"""The log of looks: who looked at what, each entry chained to the one before by a keyed hash.

A look is written in the transaction of the read it speaks of, so a read that cannot be logged is not
answered. Editing or deleting an entry breaks the chain; cutting off its end does not, so the head is also
exported to another custodian and compared with.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, cast

import psycopg
from sqlalchemy import Insert, bindparam, event, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.callers import Integration
from casework.database import WAITS_FOR_DISK
from casework.permissions import Person
from casework.tables_cases import LookHeadRow, LookRow

_LOCK = 8464
_FIRST = "0" * 64
_WAITING = "looks to write"
_COLUMNS = tuple(column.name for column in LookRow.__table__.columns)

Actor = Person | Integration


class NotLogged(Exception):
    """A look could not be written; the read it belongs to must not be answered."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One look to write: at a pupil (opaque id), a school's list, or neither."""

    action: str
    pupil_id: uuid.UUID | None = None
    school: int | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last look's number and hash. Exported nightly to someone who does not run the database."""

    seq: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """What a verification of the chain found.

    Attributes
    ----------
    broken_at
        Number of the first look that is edited, missing or out of its chain; None: none is.
    sentence
        What was found, for people.
    """

    ok: bool
    looks: int
    head: Head
    broken_at: int | None
    sentence: str


def look(
    session: Session,
    actor: Actor,
    action: str,
    pupil_id: uuid.UUID | None = None,
    school: int | None = None,
    detail: str = "",
) -> None:
    """Write one look in this transaction. `detail` never holds a name or a UPN."""
    look_at_all(session, actor, [Looked(action=action, pupil_id=pupil_id, school=school, detail=detail)])


def look_at_all(session: Session, actor: Actor, looks: Sequence[Looked]) -> None:
    """Write several looks in this transaction, in order. They are written when it ends, just before the commit.

    All looks are one chain, so whoever writes one keeps the others waiting until the commit. A page that logged where
    it reads would hold them up for as long as it takes to draw (docs/decisions.md, 106).

    Raises
    ------
    NotLogged
        The session does not come from `casework.database`, so it carries no key.
    """
    key = session.get_bind().get_execution_options().get("looks_key")
    if not isinstance(key, bytes):
        raise NotLogged("the log of looks has no key: open the session with casework.database.scoped")
    if _WAITING not in session.info:
        session.info[_WAITING] = []
        event.listen(session, "before_commit", partial(_write, key))
    session.info[_WAITING] += [(actor, one) for one in looks]


def _write(key: bytes, session: Session) -> None:
    """Chain and write the looks of a transaction that is about to be committed."""
    waiting: list[tuple[Actor, Looked]] = session.info[_WAITING]
    if not waiting or session.in_nested_transaction():
        return
    # The lock ends with the commit, so the commit does not wait for the disk while others wait for the lock;
    # `scoped` waits for it afterwards, before anything that was read is answered.
    session.info[WAITS_FOR_DISK] = True
    session.flush()  # what else is to be written is, before others wait
    seq, previous = _locked_head(session)
    at = datetime.now(UTC)
    rows = []
    for actor, one in waiting:
        seq += 1
        row = {
            "seq": seq,
            "at": at,
            "person_id": actor.id if isinstance(actor, Person) else None,
            "integration_id": None if isinstance(actor, Person) else actor.client_id,
            "action": one.action,
            "pupil_id": one.pupil_id,
            "school_urn": one.school,
            "detail": one.detail,
            "previous_hash": previous,
        }
        previous = row["hash"] = chain_hash(key, row)
        rows.append(row)
    session.execute(_written(), {f"all_{name}": [row[name] for row in rows] for name in _COLUMNS})
    waiting.clear()


@cache
def _written() -> Insert:
    """Return the statement that writes any number of looks at once, in order: a column is one parameter."""
    table = LookRow.metadata.tables[LookRow.__tablename__]
    given = func.unnest(*(bindparam(f"all_{name}", type_=ARRAY(table.columns[name].type)) for name in _COLUMNS))
    rows = given.table_valued(*_COLUMNS, name="given").render_derived()
    return insert(table).from_select(_COLUMNS, select(*(rows.columns[name] for name in _COLUMNS)))


def _locked_head(session: Session) -> tuple[int, str]:
    """Take the lock of the chain and read its head, in one journey: while it is held, others wait."""
    connection = cast(psycopg.Connection[Any], session.connection().connection.driver_connection)
    with connection.pipeline():
        connection.execute("SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(%s)", (_LOCK,))
        head = connection.execute("SELECT seq, hash FROM look_head")
    row: tuple[int, str] = head.fetchall()[0]
    return row


def chain_hash(key: bytes, row: dict[str, object]) -> str:
    """Return the keyed hash of a look's facts and of the hash before it (HMAC-SHA256, hexadecimal)."""
    facts = [
        row["seq"],
        row["at"].astimezone(UTC).isoformat() if isinstance(row["at"], datetime) else None,
        str(row["person_id"] or ""),
        row["integration_id"] or "",
        row["action"],
        str(row["pupil_id"] or ""),
        row["school_urn"],
        row["detail"],
        row["previous_hash"],
    ]
    return hmac.new(key, json.dumps(facts, separators=(",", ":")).encode(), hashlib.sha256).hexdigest()


def head(session: Session) -> Head:
    """Return the head to export."""
    row = session.execute(select(LookHeadRow.seq, LookHeadRow.hash)).one()
    return Head(seq=row.seq, hash=row.hash)


def verify_chain(session: Session, key: bytes, exported: Head | None = None) -> ChainState:
    """Read every look in order (scope: every school) and say whether the chain holds.

    Given a head exported earlier, also whether the chain still contains it: a chain whose end was cut
    off holds in itself.
    """
    seq, previous = 0, _FIRST
    at_export: str | None = _FIRST if exported and exported.seq == 0 else None
    rows = session.execute(
        select(LookRow.__table__).order_by(LookRow.seq).execution_options(yield_per=5000)  # memory stays flat
    )
    with rows:
        for row in rows.mappings():
            if row["seq"] != seq + 1:
                return _broken(seq, previous, seq + 1, f"look {seq + 1} is missing")
            expected = chain_hash(key, dict(row))
            if row["previous_hash"] != previous or not hmac.compare_digest(expected, row["hash"]):
                return _broken(seq, previous, row["seq"], f"look {row['seq']} was changed")
            seq, previous = row["seq"], row["hash"]
            if exported and exported.seq == seq:
                at_export = previous
    if exported and at_export != exported.hash:
        if exported.seq > seq:
            words = f"looks {seq + 1} to {exported.seq} were cut off: the head exported earlier is not in the chain"
            return _broken(seq, previous, seq + 1, words)
        return _broken(seq, previous, exported.seq, f"look {exported.seq} is not the one exported earlier")
    kept = head(session)
    if (kept.seq, kept.hash) != (seq, previous):
        return _broken(seq, previous, seq + 1, f"looks {seq + 1} to {kept.seq} were cut off")
    return ChainState(
        ok=True, looks=seq, head=Head(seq=seq, hash=previous), broken_at=None, sentence=f"all {seq} looks hold"
    )


def looks_at_pupil(session: Session, pupil_id: uuid.UUID) -> int:
    """Return how many looks at this pupil are in scope."""
    return session.execute(select(func.count()).where(LookRow.pupil_id == pupil_id)).scalar_one()


def _broken(looks: int, last_hash: str, at: int, sentence: str) -> ChainState:
    return ChainState(ok=False, looks=looks, head=Head(seq=looks, hash=last_hash), broken_at=at, sentence=sentence)
