"""The home's ledger: limits met, audits, decisions, revocations, looks; each entry names the one before by its digest.

An entry is an in-toto-style Statement in canonical JSON (RFC 8785); its digest is the SHA-256 of its
file's bytes. An edited, missing or reordered entry breaks the chain. A chain whose end was cut off holds
in itself: so the head is kept in the operational database as well, printed by `belong verify`, and worth
writing into the board's minutes.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import rfc8785

from fairness.signoff import STATEMENT_TYPE
from records.home import Home
from records.refusal import Refusal

FOLDER = "ledger"
PREDICATE_TYPE = "belong-ledger/1"
FIRST = "0" * 64
KINDS = {
    "policy": "limits were met for the first time, or others than before",
    "audit": "an audit's whole record",
    "sealed": "someone decided, and the decision is not open yet",
    "opened": "a sealed decision was opened",
    "revocation": "an approval was ended, by a signed statement",
    "watch": "a deployed model was looked at again",
}


class LedgerBroken(Refusal):
    """The ledger is not the chain that was written; the message names the first entry that does not fit."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. `digest` is that of its file's bytes, `bundle` the bundle it speaks of, `said` what it says."""

    number: int
    previous: str
    digest: str
    kind: str
    on: date
    bundle: str
    said: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Head:
    """How many entries a ledger has, and the digest of the last; of an empty ledger 0 and `FIRST`."""

    number: int
    digest: str


@dataclass(frozen=True)
class Ledger:
    """A ledger whose chain holds, in order."""

    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> Head:
        """The last entry's number and digest: what is kept elsewhere too."""
        last = self.entries[-1] if self.entries else None
        return Head(number=0, digest=FIRST) if last is None else Head(number=last.number, digest=last.digest)

    def holds(self, head: Head) -> bool:
        """Whether a head noted earlier is still in the chain: otherwise entries were cut off or replaced."""
        if head.number == 0:
            return head.digest == FIRST
        return head.number <= len(self.entries) and self.entries[head.number - 1].digest == head.digest

    def of(self, kind: str, bundle: str | None = None) -> tuple[Entry, ...]:
        """Return the entries of a kind, of one bundle where it is named, the oldest first."""
        return tuple(e for e in self.entries if e.kind == kind and bundle in {None, e.bundle})

    def entry(self, digest: str) -> Entry | None:
        """Return the entry with this digest, or None."""
        return next((entry for entry in self.entries if entry.digest == digest), None)


def read_ledger(home: Home) -> Ledger:
    """Return the home's ledger, every entry checked.

    Raises
    ------
    LedgerBroken
        An entry is missing, edited, out of order or not one of ours.
    """
    folder = home.path / FOLDER
    entries: list[Entry] = []
    previous = FIRST
    for number, file in enumerate(sorted(folder.glob("[0-9]*.json")), start=1):
        if file.name != _name(number):
            raise LedgerBroken(f"ledger entry {number} is missing from {folder}; restore it from a backup")
        entry = _entry(file, number)
        if entry.previous != previous:
            raise LedgerBroken(f"ledger entry {number} does not follow entry {number - 1}; restore the ledger")
        entries.append(entry)
        previous = entry.digest
    return Ledger(tuple(entries))


def append(home: Home, kind: str, *, bundle: str, on: date, said: Mapping[str, Any]) -> tuple[Entry, bytes]:
    """Add an entry and return it with its bytes. `said` holds plain JSON values and no pupil.

    Raises
    ------
    LedgerBroken
        The ledger is broken already, or another process added an entry at the same moment.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of ledger entry {kind!r}; declare it in fairness/approval/ledger.py")
    head = read_ledger(home).head
    number = head.number + 1
    payload = rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "bundle", "digest": {"sha256": bundle}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "number": number,
                "previous": head.digest,
                "kind": kind,
                "on": on.isoformat(),
                "said": dict(said),
            },
        }
    )
    _write_once(home.path / FOLDER / _name(number), payload)
    return _entry_of(payload, number), payload


def _name(number: int) -> str:
    return f"{number:06d}.json"


def _write_once(file: Path, content: bytes) -> None:
    """Write a new file whole or not at all, and never over another: two writers cannot both be next."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
            os.fchmod(out.fileno(), 0o444)
        os.link(partial, file)
    except FileExistsError:
        raise LedgerBroken(f"{file.name} was written by another process at the same moment; run it again") from None
    finally:
        os.unlink(partial)


def _entry(file: Path, number: int) -> Entry:
    try:
        return _entry_of(file.read_bytes(), number)
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise LedgerBroken(f"ledger entry {number} cannot be read as one of ours; restore it from a backup") from None


def _entry_of(payload: bytes, number: int) -> Entry:
    said = json.loads(payload)
    predicate = said["predicate"]
    canonical = rfc8785.dumps(said) == payload
    if not canonical or predicate["number"] != number or said["predicateType"] != PREDICATE_TYPE:
        raise ValueError("not a ledger entry")
    if predicate["kind"] not in KINDS:
        raise ValueError("a kind that this version does not know")
    return Entry(
        number=number,
        previous=predicate["previous"],
        digest=hashlib.sha256(payload).hexdigest(),
        kind=predicate["kind"],
        on=date.fromisoformat(predicate["on"]),
        bundle=said["subject"][0]["digest"]["sha256"],
        said=predicate["said"],
    )
