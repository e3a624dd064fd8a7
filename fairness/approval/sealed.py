"""Blind signing: each decides without knowing what the other decided, and all is opened when everyone has.

Commit, then reveal. A person's decision (agree or refuse, with a reason, and for agreement the signature on
the approval) is put with a salt into an *opening*, which the person keeps beside their key. What the home
gets is its SHA-256, signed: a *sealed decision*. Once everyone needed has sealed, openings are handed in;
one that does not fit its seal is refused. Nothing in the home tells a decision before that.

What this cannot do: keep people from talking; hide a decision from someone who can read the folder of that
person's key; make someone open what they sealed (unopened, there is no approval). Whoever writes a waiver's
terms shows a leaning, so let someone write them who does not sign, or agree on them aloud beforehand.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import rfc8785
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature  # type: ignore[attr-defined]  # exported without __all__

from fairness.keys import BOARD_MEMBER, DATA_PROTECTION_OFFICER, SigningKey
from fairness.signoff import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    THRESHOLD,
    NotApproved,
    Statement,
    TrustRoots,
    enclose,
    read_envelope,
    sign,
    signers_of,
)
from records.refusal import Refusal

PREDICATE_TYPE = "belong-sealed-decision/1"


class SealRefused(Refusal):
    """A sealed decision or its opening is not what it should be."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a person decided, kept by that person until everyone has decided.

    `signature` is that on the approval where they agree, None where they refuse.
    """

    approval_id: str
    person_id: str
    decision: Literal["agree", "refuse"]
    reason: str
    salt: str
    signature: Mapping[str, str] | None

    def content(self) -> bytes:
        """Return the opening as canonical JSON: the bytes whose digest was sealed."""
        said: Any = asdict(self)
        return rfc8785.dumps(said)

    @property
    def digest(self) -> str:
        """The SHA-256 that the seal holds."""
        return hashlib.sha256(self.content()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A sealed decision: who decided in which role, and the digest of what."""

    approval_id: str
    person_id: str
    role: str
    digest: str


def approval_id_of(statement: Statement) -> str:
    """Return the id that the approval will have: the SHA-256 of what is signed."""
    return hashlib.sha256(statement.payload()).hexdigest()


def needed_roles(statement: Statement) -> dict[str, int]:
    """Return how many people of each role decide on this statement."""
    waived = {DATA_PROTECTION_OFFICER: 1} if statement.decision == "WAIVED" else {}
    return {BOARD_MEMBER: THRESHOLD, **waived}


def seal(statement: Statement, key: SigningKey, *, refuse: str | None, on: date) -> tuple[Envelope, Opening]:
    """Return a sealed decision to hand in, and its opening to keep.

    `refuse` is the reason for refusing; None: the person agrees. Both look alike when sealed.
    """
    signature = None
    if refuse is None:
        signed = sign(enclose(statement), key.signer)
        found = signed.signatures[key.keyid]
        signature = {"keyid": found.keyid, "sig": found.signature}
    elif not refuse.strip():
        raise SealRefused("say why you refuse; the reason is recorded with the decision")
    opening = Opening(
        approval_id=approval_id_of(statement),
        person_id=key.person_id,
        decision="agree" if refuse is None else "refuse",
        reason="" if refuse is None else refuse.strip(),
        salt=secrets.token_hex(32),
        signature=signature,
    )
    payload = rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "approval", "digest": {"sha256": opening.approval_id}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "person_id": key.person_id,
                "role": key.role,
                "on": on.isoformat(),
                "sealed": opening.digest,
            },
        }
    )
    envelope = Envelope(payload=payload, payload_type=PAYLOAD_TYPE, signatures={})
    return sign(envelope, key.signer), opening


def read_seal(data: bytes, trust: TrustRoots, today: date) -> Seal:
    """Return the sealed decision in these bytes, its one signature checked. Raises SealRefused."""
    try:
        envelope = read_envelope(data)
        said = json.loads(envelope.payload)
        predicate = said["predicate"]
        found = Seal(
            approval_id=said["subject"][0]["digest"]["sha256"],
            person_id=predicate["person_id"],
            role=predicate["role"],
            digest=predicate["sealed"],
        )
        by = signers_of(envelope, [key for key in trust.keys if key.valid_on(today)])
        ours = said["predicateType"] == PREDICATE_TYPE
    except (NotApproved, ValueError, KeyError, TypeError, IndexError):
        raise SealRefused("a sealed decision cannot be read; run `belong audit` again to begin anew") from None
    if not ours or by != {found.person_id: found.role}:
        raise SealRefused(
            "a sealed decision carries no signature of the person it names; begin anew with `belong audit`"
        )
    return found


def read_opening(data: bytes, sealed: Seal, statement: Statement, trust: TrustRoots) -> Opening:
    """Return an opening that is the one that was sealed, and whose signature, if it agrees, holds.

    Raises
    ------
    SealRefused
        It is another than the one sealed, or its signature does not fit the approval.
    """
    try:
        said = json.loads(data)
        opening = Opening(**said)
        same = opening.digest == sealed.digest and opening.approval_id == approval_id_of(statement)
    except (ValueError, TypeError):
        same = False
    if not same:
        raise SealRefused(f"what {sealed.person_id} opens is not what they sealed; it does not count")
    if opening.decision == "agree":
        try:
            _check_signature(opening, statement, trust)
        except (KeyError, TypeError, StopIteration, UnverifiedSignatureError):
            raise SealRefused(f"the signature that {sealed.person_id} sealed does not fit this approval") from None
    return opening


def _check_signature(opening: Opening, statement: Statement, trust: TrustRoots) -> None:
    keyid = (opening.signature or {})["keyid"]
    key = next(k for k in trust.keys if k.public.keyid == keyid and k.person_id == opening.person_id)
    key.public.verify_signature(Signature(keyid, (opening.signature or {})["sig"]), enclose(statement).pae())


def signed_by(statement: Statement, openings: list[Opening]) -> Envelope:
    """Return the approval's envelope with the signatures of everyone who agreed."""
    signatures = {
        one.signature["keyid"]: Signature(one.signature["keyid"], one.signature["sig"])
        for one in openings
        if one.signature is not None
    }
    return Envelope(payload=statement.payload(), payload_type=PAYLOAD_TYPE, signatures=signatures)
