"""The ledger of erasures: who must not come back, told without saying who.

A line of `erasures.jsonl` holds a keyed token of a pseudonym, the ground and the day, never the
pseudonym. Ingest drops rows of the pupils in it, and after a backup was restored
`belong pupil reapply-erasures` finds them again by working out the token of every pseudonym there is.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from records.home import Home
from records.pseudonym import Prover
from records.refusal import Refusal
from records.rows.batch import Batch
from records.text.sheet import Distinct

LEDGER_FILE = "erasures.jsonl"
_KEY_FILE = "erasures.key"
_KEY_BYTES = 32


class LedgerRefused(Refusal):
    """The ledger of erasures cannot be read, so nobody can tell who must not come back."""


@dataclass(frozen=True)
class Erased:
    """The pupils who were erased, as tokens; false where there is none."""

    key: bytes
    tokens: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.tokens)

    def among(self, pseudonyms: Iterable[int]) -> npt.NDArray[np.bool_]:
        """Return which of these pseudonyms are erased pupils', shape ``(n,)``."""
        return np.fromiter((token(self.key, number) in self.tokens for number in pseudonyms), dtype=bool)


NOBODY = Erased(b"", frozenset())


def token(key: bytes, pseudonym: int) -> str:
    """Return HMAC-SHA256(key, 'erased' and the pseudonym), in hexadecimal: it says nothing without the key."""
    return hmac.digest(key, b"erased" + int(pseudonym).to_bytes(8, "big"), "sha256").hex()


def read_erased(home: Home) -> Erased:
    """Return who was erased from this home.

    Raises
    ------
    LedgerRefused
        The ledger lies there and its key does not, or a line of it is none of ours.
    """
    ledger = home.path / LEDGER_FILE
    if not ledger.exists():
        return NOBODY
    key = home.secrets / _KEY_FILE
    if not key.exists():
        raise LedgerRefused(f"{key} is missing though {LEDGER_FILE} lies in the home; restore it from its own backup")
    try:
        lines = ledger.read_text(encoding="utf-8").splitlines()
        tokens = frozenset(str(json.loads(line)["token"]) for line in lines if line.strip())
        return Erased(bytes.fromhex(key.read_text(encoding="ascii")), tokens)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerRefused(f"{LEDGER_FILE} or its key is damaged ({type(error).__name__}); restore both") from error


def enter(home: Home, pseudonym: int, ground: str, day: date) -> str:
    """Write the pupil into the ledger, unless they are in it; return the token, which the certificate names."""
    made = token(_key(home), pseudonym)
    if made in read_erased(home).tokens:
        return made
    line = json.dumps({"token": made, "ground": ground, "day": day.isoformat()}) + "\n"
    descriptor = os.open(home.path / LEDGER_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as ledger:
        ledger.write(line)
        ledger.flush()
        os.fsync(ledger.fileno())
    return made


def without_erased(batch: Batch, prover: Prover, erased: Erased) -> tuple[Batch, int]:
    """Return the batch without rows of erased pupils, and how many those were. They are not put aside either."""
    if not erased or batch.upn is None or not len(batch):
        return batch, 0
    pseudonyms, _ = prover.prove(batch.upn.values)
    gone = erased.among(pseudonyms.tolist())[batch.upn.codes]
    upn, batch = batch.upn, _without_former(batch, prover, erased)
    if not gone.any():
        return batch, 0
    kept = np.flatnonzero(~gone)
    return replace(
        batch,
        rows=batch.rows[kept],
        columns={name: column.take(kept) for name, column in batch.columns.items()},
        upn=upn.take(kept),
        unproven={why: rows[kept] for why, rows in batch.unproven.items()},
        broken=tuple(replace(found, rows=found.rows[kept]) for found in batch.broken),
    ), int(gone.sum())


def _without_former(batch: Batch, prover: Prover, erased: Erased) -> Batch:
    """Return the batch without the former numbers that are erased pupils': no link leads back to them."""
    former = batch.columns.get("former_upn")
    if former is None or not any(former.values):
        return batch
    pseudonyms, _ = prover.prove(former.values)
    gone = erased.among(pseudonyms.tolist())
    if not gone.any():
        return batch
    kept = tuple("" if erase else value for value, erase in zip(former.values, gone.tolist(), strict=True))
    return replace(batch, columns={**batch.columns, "former_upn": Distinct(kept, former.codes)})


def _key(home: Home) -> bytes:
    path: Path = home.secrets / _KEY_FILE
    if not path.exists():
        if (home.path / LEDGER_FILE).exists():
            read_erased(home)  # says that the key is missing
        partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    return bytes.fromhex(path.read_text(encoding="ascii"))
