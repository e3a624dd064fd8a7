"""Signing keys: one Ed25519 key for each person who may sign, encrypted with that person's own password."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # exported without __all__

from records.home import Home
from records.refusal import Refusal

BOARD_MEMBER = "board_member"
DATA_PROTECTION_OFFICER = "data_protection_officer"
# Not a person: the key by which an unattended job may stop a model. It approves nothing.
SERVICE_ACCOUNT = "service_account"
ROLES = (BOARD_MEMBER, DATA_PROTECTION_OFFICER)
TRUSTED_ROLES = (*ROLES, SERVICE_ACCOUNT)
SERVICE = "service"
MIN_PASSWORD = 12
_PERSON = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class KeyRefused(Refusal):
    """A key cannot be made, found or opened; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A person's opened private key. It lives in memory only while that person signs.

    `public_key` is the raw Ed25519 public key, 64 hexadecimal digits: what `trust.json` holds.
    """

    person_id: str
    role: str
    signer: CryptoSigner

    @property
    def keyid(self) -> str:
        """The key's identifier: a digest of the public key, so it cannot be chosen."""
        return str(self.signer.public_key.keyid)

    @property
    def public_key(self) -> str:
        """The raw public key in hexadecimal."""
        return str(self.signer.public_key.keyval["public"])


def create_key(person_id: str, role: str, folder: Path, password: bytes | None) -> SigningKey:
    """Make a person's key and write it to `folder/<person_id>.pem`, encrypted, readable by the owner only.

    Parameters
    ----------
    person_id
        Letters, digits, dot, dash, underscore: the identifier by which Belong knows the person, no name.
    role
        One of `TRUSTED_ROLES`. It is what trust.json will say; a role in the key file itself has no weight.
    password
        At least 12 bytes. None only for a demonstration's keys, whose folder is thrown away with them, and
        for the service account's, which must sign when nobody is there: it can stop a model, nothing else.

    Raises
    ------
    KeyRefused
        A bad identifier, role or password, or the key file exists already: a key is never overwritten.
    """
    if not _PERSON.fullmatch(person_id):
        raise KeyRefused(f"person {person_id!r}: use 1 to 64 lower-case letters, digits, '.', '-' or '_'")
    if role not in TRUSTED_ROLES:
        raise KeyRefused(f"role {role!r} may not sign; roles that may: {', '.join(TRUSTED_ROLES)}")
    if password is not None and len(password) < MIN_PASSWORD:
        raise KeyRefused(f"the password is shorter than {MIN_PASSWORD} characters; choose a longer one")
    private = Ed25519PrivateKey.generate()
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{person_id}.pem"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRefused(f"{file} exists; a key is never overwritten: move it away or choose another person") from None
    with os.fdopen(handle, "wb") as out:
        out.write(pem)
    return SigningKey(person_id=person_id, role=role, signer=CryptoSigner(private))


def load_key(person_id: str, role: str, folder: Path, password: bytes | None) -> SigningKey:
    """Open a person's key.

    Raises
    ------
    KeyRefused
        There is no such file, the password is wrong, or the file holds no Ed25519 key.
    """
    file = folder / f"{person_id}.pem"
    try:
        private = load_pem_private_key(file.read_bytes(), password)
    except FileNotFoundError:
        raise KeyRefused(f"there is no key file {file}; make the person's key first") from None
    except (ValueError, TypeError):
        # cryptography says TypeError for a password given or missing when it should not be.
        raise KeyRefused(f"{file} cannot be opened: the password is wrong or the file is damaged") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyRefused(f"{file} holds a key of another kind; only Ed25519 keys sign")
    return SigningKey(person_id=person_id, role=role, signer=CryptoSigner(private))


def service_key(home: Home) -> SigningKey:
    """Return the service account's key, made in `secrets/` when there is none. trust.json must name it to count."""
    if (home.secrets / f"{SERVICE}.pem").exists():
        return load_key(SERVICE, SERVICE_ACCOUNT, home.secrets, None)
    return create_key(SERVICE, SERVICE_ACCOUNT, home.secrets, None)
