"""Who may sign: the public keys and roles in `trust/trust.json`, read and checked."""

import json
import os
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # exported without __all__

from fairness.keys import BOARD_MEMBER, DATA_PROTECTION_OFFICER, ROLES, SigningKey, create_key, load_key
from records.home import Home
from records.refusal import Refusal

TRUST_FILE = "trust.json"
DEMO_SIGNERS = (
    ("demo-board-1", BOARD_MEMBER),
    ("demo-board-2", BOARD_MEMBER),
    ("demo-dpo", DATA_PROTECTION_OFFICER),
)
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TrustRefused(Refusal):
    """trust.json is missing, cannot be read, or says something that must not be trusted."""


class TrustedKey(BaseModel):
    """One public key: whose, in which role, from when until when (both days included; None: no end)."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    person_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    role: str
    public_key: _Digest
    valid_from: date | None = None
    valid_until: date | None = None

    @cached_property
    def public(self) -> SSlibKey:
        """The key as securesystemslib knows it; its keyid is derived from the key, never read from the file."""
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key)))

    def valid_on(self, day: date) -> bool:
        """Whether the key may be used on that day."""
        after_start = self.valid_from is None or self.valid_from <= day
        return after_start and (self.valid_until is None or day <= self.valid_until)


class _TrustFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: Annotated[str, Field(alias="schema", pattern=r"^belong-trust/1$")]
    demo: bool
    keys: tuple[TrustedKey, ...]
    revoked: tuple[_Digest, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Who may sign, and which approvals were revoked.

    Attributes
    ----------
    demo
        Whether these are a demonstration's keys: good only in a home marked `demo: true`.
    keys
        Public keys with roles.
    revoked
        Ids of approvals that no longer hold.
    """

    demo: bool
    keys: tuple[TrustedKey, ...]
    revoked: frozenset[str] = frozenset()


def read_trust(home: Home) -> Trust:
    """Return who may sign in this home.

    Raises
    ------
    TrustRefused
        No file, not our format, an unknown role, one key for two people, or a demonstration's keys in a
        home that is none.
    """
    file = home.trust / TRUST_FILE
    try:
        said = _TrustFile.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise TrustRefused(f"there is no {file}; nobody is trusted to sign, so nothing can be served") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise TrustRefused(f"{file} cannot be trusted: {problems}") from None
    trust = Trust(demo=said.demo, keys=said.keys, revoked=frozenset(said.revoked))
    check_trust(trust)
    if trust.demo and not home.demo:
        raise TrustRefused(f"{file} holds a demonstration's keys, and this home is not a demonstration")
    return trust


def check_trust(trust: Trust) -> None:
    """Refuse trust under which two people could not sign, or one could sign as two.

    Raises
    ------
    TrustRefused
        Unknown role, a public key that stands twice, a person in two roles, an impossible key, or fewer
        than two board members.
    """
    for key in trust.keys:
        if key.role not in ROLES:
            raise TrustRefused(f"{key.person_id}: role {key.role!r} may not sign; roles that may: {', '.join(ROLES)}")
        try:
            _ = key.public
        except ValueError:
            raise TrustRefused(f"{key.person_id}: the public key is not an Ed25519 key") from None
    twice = [public for public, count in Counter(key.public_key for key in trust.keys).items() if count > 1]
    if twice:
        raise TrustRefused("one public key stands twice in trust.json: one person could sign as two")
    roles = {(key.person_id, key.role) for key in trust.keys}
    if len(roles) != len({person for person, _ in roles}):
        raise TrustRefused("a person stands in trust.json in two roles; each signs in one")
    members = {key.person_id for key in trust.keys if key.role == BOARD_MEMBER}
    if len(members) < 2:
        raise TrustRefused(f"trust.json names {len(members)} board member(s); at least two must be able to sign")


def write_trust(home: Home, trust: Trust) -> Path:
    """Write `trust/trust.json` whole or not at all, and return its path. Raises TrustRefused like `check_trust`."""
    check_trust(trust)
    said: dict[str, Any] = {
        "schema": "belong-trust/1",
        "demo": trust.demo,
        "keys": [key.model_dump(mode="json") for key in trust.keys],
        "revoked": sorted(trust.revoked),
    }
    home.trust.mkdir(parents=True, exist_ok=True)
    file = home.trust / TRUST_FILE
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, file)
    return file


def trusted(key: SigningKey) -> TrustedKey:
    """Return the public half of a signing key, as trust.json keeps it."""
    return TrustedKey(person_id=key.person_id, role=key.role, public_key=key.public_key)


def create_demo_trust(home: Home) -> tuple[SigningKey, ...]:
    """Return the demonstration's keys (two board members, then the data-protection officer), made once.

    The keys lie unencrypted in `secrets/demo_keys/`: they prove nothing and are refused outside a
    demonstration.

    Raises
    ------
    TrustRefused
        The home is not a demonstration.
    """
    if not home.demo:
        raise TrustRefused("demonstration keys are made only in a home marked demo = true")
    folder = home.secrets / "demo_keys"
    keys = tuple(
        load_key(person, role, folder, None)
        if (folder / f"{person}.pem").exists()
        else create_key(person, role, folder, None)
        for person, role in DEMO_SIGNERS
    )
    if not (home.trust / TRUST_FILE).exists():
        write_trust(home, Trust(demo=True, keys=tuple(trusted(key) for key in keys)))
    return keys
