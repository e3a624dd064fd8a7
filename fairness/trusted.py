"""What trust is: public keys with roles, and the links by which it changes."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Annotated

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # exported without __all__

from fairness.keys import BOARD_MEMBER, TRUSTED_ROLES, SigningKey
from fairness.signoff import STATEMENT_TYPE, THRESHOLD
from records.refusal import Refusal

PREDICATE_TYPE = "belong-trust/2"
FIRST = "0" * 64
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TrustRefused(Refusal):
    """trust.json is missing, cannot be read, or says something that must not be trusted."""


class TrustedKey(BaseModel):
    """One public key: whose, in which role, from when until when (both days included; None: no end)."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    person_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    role: str
    public_key: Digest
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


class Link(BaseModel):
    """What one link of the chain says, whole: the keys, those revoked for good, who decided when and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[int, Field(ge=1)]
    previous: Digest
    demo: bool
    keys: tuple[TrustedKey, ...]
    revoked_keys: tuple[Digest, ...] = ()
    made_on: date
    reason: Annotated[str, Field(min_length=5)]

    def payload(self) -> bytes:
        """Return the link as canonical JSON: the bytes that are signed. Its digest names the link."""
        return rfc8785.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": "previous link", "digest": {"sha256": self.previous}}],
                "predicateType": PREDICATE_TYPE,
                "predicate": self.model_dump(mode="json"),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Who may sign, and which approvals were revoked.

    Attributes
    ----------
    demo
        Whether these are a demonstration's keys: good only in a home marked `demo: true`.
    keys
        Public keys with roles, as the newest link has them.
    revoked
        Approval id → why: approvals that no longer hold (`fairness.approval.revocation` fills it).
    links
        Every link, the oldest first; empty for trust that was made in memory.
    digest
        Of the newest link.
    """

    demo: bool
    keys: tuple[TrustedKey, ...]
    revoked: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    digest: str = FIRST

    @property
    def ever(self) -> tuple[TrustedKey, ...]:
        """Every key that any link trusted: a model that was stopped stays stopped when the key is retired."""
        return tuple({key.public_key: key for link in self.links for key in link.keys}.values())


def digest_of(link: Link) -> str:
    """Return the SHA-256 that names a link."""
    return hashlib.sha256(link.payload()).hexdigest()


def check_trust(trust: Trust) -> None:
    """Refuse trust under which two people could not sign, or one could sign as two.

    Raises
    ------
    TrustRefused
        Unknown role, a public key that stands twice, a person in two roles, an impossible key, or fewer
        than two board members whose keys have no end.
    """
    for key in trust.keys:
        if key.role not in TRUSTED_ROLES:
            raise TrustRefused(
                f"{key.person_id}: role {key.role!r} may not sign; roles that may: {', '.join(TRUSTED_ROLES)}"
            )
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
    members = {key.person_id for key in trust.keys if key.role == BOARD_MEMBER and key.valid_until is None}
    if len(members) < THRESHOLD:
        raise TrustRefused(f"trust.json names {len(members)} board member(s); at least two must be able to sign")


def trusted(key: SigningKey) -> TrustedKey:
    """Return the public half of a signing key, as trust.json keeps it."""
    return TrustedKey(person_id=key.person_id, role=key.role, public_key=key.public_key)
