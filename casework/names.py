"""Who a pupil is, sealed under a key of the pupil's own: once that key is gone, nobody can read it again.

A pupil's number, names and date of birth stand in the database only as AES-256-GCM under the pupil's
key; the keys stand in one table, each wrapped under the home's master key, which no database and no
backup of one holds. What is sealed is bound to the pseudonym, so no name can be moved to another pupil.
"""

import json
import os
from dataclasses import dataclass
from datetime import date
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from records.refusal import Refusal

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
UNREADABLE: Final = "Name no longer kept"


class CannotUnseal(Refusal):
    """What is sealed does not open under the home's master key."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Named:
    """A pupil's number, names and date of birth. Never printed: it has no repr that could reach a log."""

    upn: str
    forename: str
    surname: str
    date_of_birth: date | None

    @property
    def full(self) -> str:
        """Forename and surname."""
        return f"{self.forename} {self.surname}"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """Who a pupil is, as the database holds it: `identity` under the pupil's key, `key` under the master key."""

    identity: bytes
    key: bytes


def seal(master: bytes, pseudonym: int, named: Named) -> Sealed:
    """Return the pupil's identity under a new key of its own, and that key under the master key."""
    said = (named.upn, named.forename, named.surname, named.date_of_birth and named.date_of_birth.isoformat())
    key = AESGCM.generate_key(8 * KEY_BYTES)
    bound = _bound(pseudonym)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return Sealed(identity=_closed(key, text, bound), key=_closed(master, key, bound))


def unseal(master: bytes, pseudonym: int, identity: bytes, key: bytes | None) -> Named | None:
    """Return who the pupil is; None where the pupil's key is gone.

    Raises
    ------
    CannotUnseal
        The master key is another, or what is sealed was changed or moved from another pupil.
    """
    if key is None:
        return None
    bound = _bound(pseudonym)
    try:
        text = _opened(_opened(master, key, bound), identity, bound)
    except InvalidTag:
        raise CannotUnseal(
            "a pupil's name does not open: the home's identities.key is not the one it was sealed under, or the row "
            "was changed. Restore the key and the database from backups of one day"
        ) from None
    upn, forename, surname, born = json.loads(text)
    return Named(
        upn=upn, forename=forename, surname=surname, date_of_birth=None if born is None else date.fromisoformat(born)
    )


def shown(named: Named | None) -> str:
    """Return the name for a page."""
    return UNREADABLE if named is None else named.full


def master_key(session: Session) -> bytes:
    """Return the master key that the session's engine carries.

    Raises
    ------
    CannotUnseal
        The session does not come from `casework.database`.
    """
    key = session.get_bind().get_execution_options().get("identities_key")
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        raise CannotUnseal("this session carries no key of names: open it with casework.database.scoped")
    return key


def _bound(pseudonym: int) -> bytes:
    return pseudonym.to_bytes(8, "big")


def _closed(key: bytes, text: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, bound)


def _opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
