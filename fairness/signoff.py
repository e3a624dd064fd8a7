"""Approvals: what the board signs, and the one check that says whether a bundle may serve.

The statement is an in-toto-style Statement in canonical JSON (RFC 8785), enclosed in a DSSE envelope
with Ed25519 signatures. This room imports no other of this floor, so that serving can check an
approval without reaching the audit; who is trusted is handed in.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import rfc8785
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]  # exported without __all__

from records.refusal import Refusal

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "belong-approval/1"
THRESHOLD = 2
# The board's policy says the same (fairness/policy.toml). They stand here too because a statement is
# checked long after it was made, and a policy edited since must not lengthen what was signed.
MAX_DAYS = {"PASS": 180, "WAIVED": 90}
_SAID = (
    "audit_digest", "record_digest", "annex_digest", "policy_digest",
    "verdict", "decision", "reason", "monitoring_plan",
)  # fmt: skip
# Only people approve: a service account's key may stop a model and never let one serve.
PEOPLE = frozenset({"board_member", "data_protection_officer"})

CODES = {
    "signature_missing": "no readable envelope, or nobody has signed it",
    "payload_unreadable": "the signed statement is not one of ours",
    "tampered": "a signature does not fit what it claims to sign",
    "outsider": "too few trusted signatures, and some by keys that are not trusted",
    "same_signer": "one person signed twice",
    "trainer_signed": "someone who trained the model signed its approval",
    "threshold": "fewer than two board members signed",
    "waiver_signature": "a waiver without the data-protection officer",
    "verdict_failed": "the audit failed, and a failure cannot be waived",
    "verdict_mismatch": "the decision does not follow from the audit's verdict",
    "waiver_incomplete": "a waiver without its reason, monitoring plan or review date",
    "wrong_bundle": "the approval is for another bundle",
    "wrong_audit": "the approval is for another audit",
    "policy_changed": "the policy is not the one that was signed",
    "not_yet": "signed on a day to come",
    "too_long": "valid for longer than the policy allows",
    "expired": "the approval's last day is past",
    "revoked": "the approval was revoked",
    "demo_trust": "a demonstration's signatures outside a demonstration",
}


class NotApproved(Refusal):
    """The bundle may not serve. `code` is one of `CODES`; `sentence` is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        if code not in CODES:
            raise ValueError(f"unknown refusal code {code!r}; declare it in fairness/signoff.py")
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class TrustedKey(Protocol):
    """A public key, whose it is, and in which role that person signs."""

    @property
    def person_id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def public(self) -> SSlibKey: ...
    def valid_on(self, day: date) -> bool:
        """Whether the key may be used on that day."""


class TrustRoots(Protocol):
    """Who may sign: `fairness.trust.Trust`."""

    @property
    def demo(self) -> bool: ...
    @property
    def keys(self) -> Sequence[TrustedKey]: ...
    @property
    def revoked(self) -> Mapping[str, str]:
        """Ids of approvals that no longer hold → why, as one sentence."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is signed. Dates are days; `expires_on` is the last day on which the approval holds.

    `verdict` is the audit's (PASS, FAIL, NOT_SETTLED); `decision` is the board's (PASS or WAIVED).
    `trained_by` are the person ids of those who trained the model: none of them may sign. `annex_digest` is that of
    the annex to the impact assessment as its signers could read it, '' where there was none.
    """

    bundle_digest: str
    audit_digest: str
    record_digest: str
    policy_digest: str
    verdict: str
    decision: str
    signed_on: date
    expires_on: date
    reason: str = ""
    monitoring_plan: str = ""
    review_date: date | None = None
    trained_by: tuple[str, ...] = ()
    annex_digest: str = ""
    demo: bool = False

    def payload(self) -> bytes:
        """Return the statement as canonical JSON: the bytes that are signed."""
        predicate = {name: getattr(self, name) for name in _SAID} | {
            "signed_on": self.signed_on.isoformat(),
            "expires_on": self.expires_on.isoformat(),
            "review_date": None if self.review_date is None else self.review_date.isoformat(),
            "trained_by": list(self.trained_by),
            "demo": self.demo,
        }
        subject: Any = [{"name": "bundle", "digest": {"sha256": self.bundle_digest}}]
        return rfc8785.dumps(
            {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": predicate}
        )


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A checked approval: what lets the bundle serve, and until when.

    `id` is the SHA-256 of the signed statement. `verdict` is PASS or WAIVED; `audited` is what the
    audit itself said. `signers` are (person id, role), each person once.
    """

    id: str
    bundle_digest: str
    audit_digest: str
    record_digest: str
    annex_digest: str
    policy_digest: str
    verdict: str
    audited: str
    signed_on: date
    expires_on: date
    review_date: date | None
    reason: str
    monitoring_plan: str
    signers: tuple[tuple[str, str], ...]
    demo: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """The signers' roles, in order of signer: what pages show instead of people."""
        return tuple(role for _, role in self.signers)


def enclose(statement: Statement) -> Envelope:
    """Return an envelope around the statement, with no signature yet."""
    return Envelope(payload=statement.payload(), payload_type=PAYLOAD_TYPE, signatures={})


def sign(envelope: Envelope, signer: Signer) -> Envelope:
    """Return a new envelope with one more signature (`fairness.keys.SigningKey.signer` makes it).

    Nothing about the signer's right to sign is checked here: only `verify` decides, under the trust
    of the one who relies on it.
    """
    signed = Envelope(envelope.payload, envelope.payload_type, dict(envelope.signatures))
    signed.sign(signer)
    return signed


def write_envelope(envelope: Envelope) -> bytes:
    """Return the envelope as JSON, for `envelope.json`."""
    return json.dumps(envelope.to_dict(), indent=1, sort_keys=True).encode() + b"\n"


def read_envelope(data: bytes) -> Envelope:
    """Return the envelope in these bytes.

    Raises
    ------
    NotApproved
        `signature_missing`: not an envelope. `same_signer`: one key stands in it twice.
    """
    try:
        said = json.loads(data)
        keyids = [signature["keyid"] for signature in said["signatures"]]
        if len(set(keyids)) != len(keyids):
            raise NotApproved("same_signer", "The approval carries the same signature twice; each signer counts once.")
        return Envelope.from_dict(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotApproved("signature_missing", "The approval cannot be read: it is not a signed envelope.") from None


def verify(
    envelope: Envelope | bytes | None,
    trust: TrustRoots,
    *,
    today: date,
    bundle_digest: str,
    policy_digest: str,
    audit_digest: str | None = None,
    demo_home: bool = False,
) -> Approval:
    """Return the approval, or say why there is none.

    Parameters
    ----------
    envelope
        The signed envelope, its bytes, or None when there is none.
    trust
        Who may sign, as the one who relies on the approval keeps it.
    bundle_digest, policy_digest
        Of the bytes about to be used, and of the policy in force: hexadecimal SHA-256.
    audit_digest
        Of the audit that lies beside the bundle; None: not compared.
    demo_home
        Whether a demonstration's signatures are good enough: `home.demo`.

    Raises
    ------
    NotApproved
        With a code of `CODES`.
    """
    if isinstance(envelope, bytes):
        envelope = read_envelope(envelope)
    if envelope is None or not envelope.signatures:
        raise NotApproved("signature_missing", "Nobody has signed an approval for this model.")
    if trust.demo and not demo_home:
        raise NotApproved("demo_trust", "The signatures are a demonstration's and count only in a demonstration.")
    signers = signers_of(envelope, _in_use(trust, today))
    statement = read_statement(envelope)
    _check_signers(statement, signers, envelope)
    _check_decision(statement)
    if statement.demo != trust.demo:
        raise NotApproved("demo_trust", "The approval and the trusted keys disagree whether this is a demonstration.")
    if statement.bundle_digest != bundle_digest:
        raise NotApproved("wrong_bundle", "The approval is for another model than the one in place.")
    if audit_digest is not None and statement.audit_digest != audit_digest:
        raise NotApproved("wrong_audit", "The approval is for another audit than the one in place.")
    if statement.policy_digest != policy_digest:
        raise NotApproved("policy_changed", "The board's limits have changed since this approval was signed.")
    _check_dates(statement, today)
    approval_id = hashlib.sha256(envelope.payload).hexdigest()
    if approval_id in trust.revoked:
        raise NotApproved("revoked", f"The approval was revoked: {trust.revoked[approval_id]}")
    return _approval(approval_id, statement, signers)


def signers_of(envelope: Envelope, keys: Iterable[TrustedKey]) -> dict[str, str]:
    """Return person id → role of everyone among the keys whose signature holds.

    Not `Envelope.verify`: it stops at the threshold, knows keys but not people, and passes over a
    signature by a trusted key that does not fit, which is a sign of tampering.

    Raises
    ------
    NotApproved
        `tampered` or `same_signer`.
    """
    known = {key.public.keyid: key for key in keys}
    signers: dict[str, str] = {}
    for keyid, signature in envelope.signatures.items():
        key = known.get(keyid)
        if key is None:
            continue
        try:
            key.public.verify_signature(signature, envelope.pae())
        except UnverifiedSignatureError:
            raise NotApproved(
                "tampered", "A signature does not fit: the approval was changed after it was signed."
            ) from None
        if key.person_id in signers:
            raise NotApproved("same_signer", "One person signed the approval twice; two different people must sign.")
        signers[key.person_id] = key.role
    return signers


def _in_use(trust: TrustRoots, today: date) -> list[TrustedKey]:
    """Return the keys of people that may be used today.

    A retired key's signatures no longer count, whenever they say they were made: a day inside the
    statement is only what the signer wrote.
    """
    return [key for key in trust.keys if key.role in PEOPLE and key.valid_on(today)]


def _check_signers(statement: Statement, signers: Mapping[str, str], envelope: Envelope) -> None:
    if set(statement.trained_by) & set(signers):
        raise NotApproved("trainer_signed", "Someone who trained this model signed its approval.")
    members = sum(role == "board_member" for role in signers.values())
    if members < THRESHOLD:
        if len(signers) < len(envelope.signatures):
            raise NotApproved(
                "outsider", f"{members} of {THRESHOLD} board members signed; other signatures are by keys not trusted."
            )
        raise NotApproved("threshold", f"{members} of {THRESHOLD} board members have signed the approval.")
    if statement.decision == "WAIVED" and "data_protection_officer" not in signers.values():
        raise NotApproved("waiver_signature", "A waiver needs the data-protection officer's signature as well.")


def _check_decision(statement: Statement) -> None:
    if statement.verdict == "FAIL":
        raise NotApproved("verdict_failed", "The model failed its fairness audit; a failure cannot be waived.")
    if (statement.verdict, statement.decision) not in {("PASS", "PASS"), ("NOT_SETTLED", "WAIVED")}:
        raise NotApproved(
            "verdict_mismatch",
            f"The decision {statement.decision} does not follow from an audit that says {statement.verdict}.",
        )
    complete = statement.reason.strip() and statement.monitoring_plan.strip() and statement.review_date
    if statement.decision == "WAIVED" and not complete:
        raise NotApproved("waiver_incomplete", "A waiver must give its reason, its monitoring plan and a review date.")


def _check_dates(statement: Statement, today: date) -> None:
    days = (statement.expires_on - statement.signed_on).days
    longest = MAX_DAYS[statement.decision]
    if not 0 < days <= longest:
        raise NotApproved("too_long", f"An approval of this kind holds for 1 to {longest} days; this one says {days}.")
    if statement.review_date is not None and statement.review_date > statement.expires_on:
        raise NotApproved("waiver_incomplete", "The review date must not lie after the approval's last day.")
    if statement.signed_on > today:
        raise NotApproved("not_yet", f"The approval is dated {statement.signed_on.isoformat()}, a day to come.")
    if today > statement.expires_on:
        raise NotApproved("expired", f"The approval held until {statement.expires_on.isoformat()}.")


def read_statement(envelope: Envelope) -> Statement:
    """Return the statement in the envelope; anything but our own canonical bytes is refused.

    Raises
    ------
    NotApproved
        `payload_unreadable`.
    """
    try:
        said = json.loads(envelope.payload)
        predicate = said["predicate"]
        review = predicate["review_date"]
        statement = Statement(
            bundle_digest=said["subject"][0]["digest"]["sha256"],
            **{name: predicate[name] for name in _SAID},
            signed_on=date.fromisoformat(predicate["signed_on"]),
            expires_on=date.fromisoformat(predicate["expires_on"]),
            review_date=None if review is None else date.fromisoformat(review),
            trained_by=tuple(predicate["trained_by"]),
            demo=predicate["demo"],
        )
        # Rendering it again must give the same bytes: no extra key, no second subject, no other type.
        same = envelope.payload_type == PAYLOAD_TYPE and statement.payload() == envelope.payload
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        same = False
    if not same:
        raise NotApproved("payload_unreadable", "What was signed is not an approval that this version knows.")
    return statement


def _approval(approval_id: str, statement: Statement, signers: Mapping[str, str]) -> Approval:
    return Approval(
        id=approval_id,
        bundle_digest=statement.bundle_digest,
        audit_digest=statement.audit_digest,
        record_digest=statement.record_digest,
        annex_digest=statement.annex_digest,
        policy_digest=statement.policy_digest,
        verdict=statement.decision,
        audited=statement.verdict,
        signed_on=statement.signed_on,
        expires_on=statement.expires_on,
        review_date=statement.review_date,
        reason=statement.reason,
        monitoring_plan=statement.monitoring_plan,
        signers=tuple(sorted(signers.items())),
        demo=statement.demo,
    )
