"""Revocations: one signed statement ends an approval; only two people's new signatures begin another.

Stopping needs one trusted key, a person's or the service account's: a model in doubt must not wait for a
quorum. Revocations lie in the ledger, so none can be taken out without breaking its chain.
"""

import hashlib
import json
from dataclasses import replace
from datetime import date

import rfc8785
from securesystemslib.dsse import Envelope

from fairness.approval.ledger import Entry, Ledger, append, read_ledger
from fairness.keys import SigningKey
from fairness.signoff import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    NotApproved,
    Statement,
    read_envelope,
    sign,
    signers_of,
    write_envelope,
)
from fairness.trust import read_trust
from fairness.trusted import Trust
from records.home import Home
from records.refusal import Refusal

PREDICATE_TYPE = "belong-revocation/1"


class RevocationRefused(Refusal):
    """This approval cannot be revoked in this way."""


def revoke_approval(home: Home, approval: Statement, key: SigningKey, *, reason: str, on: date) -> Entry:
    """Add a signed revocation to the home's ledger and return its entry. It cannot be taken back.

    Raises
    ------
    RevocationRefused
        No reason was given, or trust.json does not know the key as this person's.
    """
    if not reason.strip():
        raise RevocationRefused("say why the approval is revoked; the sentence stands on every page")
    known = {k.public_key: k for k in read_trust(home).keys if k.valid_on(on)}.get(key.public_key)
    if known is None or (known.person_id, known.role) != (key.person_id, key.role):
        raise RevocationRefused(f"trust.json holds no key in use of {key.person_id} as {key.role} that is this one")
    sentence = reason.strip() if reason.strip().endswith(".") else f"{reason.strip()}."
    payload = rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "approval", "digest": {"sha256": hashlib.sha256(approval.payload()).hexdigest()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "bundle_digest": approval.bundle_digest,
                "by": key.person_id,
                "on": on.isoformat(),
                "reason": sentence,
            },
        }
    )
    envelope = sign(Envelope(payload=payload, payload_type=PAYLOAD_TYPE, signatures={}), key.signer)
    said = {"envelope": json.loads(write_envelope(envelope))}
    entry, _ = append(home, "revocation", bundle=approval.bundle_digest, on=on, said=said)
    return entry


def revoked_in(ledger: Ledger, trust: Trust) -> dict[str, str]:
    """Return approval id → why, of every revocation in the ledger, by any key that was ever trusted.

    Raises
    ------
    RevocationRefused
        One cannot be checked. It is never passed over: it may be a true one that was damaged.
    """
    found: dict[str, str] = {}
    for entry in ledger.of("revocation"):
        try:
            envelope = read_envelope(json.dumps(entry.said["envelope"]).encode())
            said = json.loads(envelope.payload)
            by = signers_of(envelope, trust.ever)
            predicate = said["predicate"]
            whole = said["predicateType"] == PREDICATE_TYPE and set(by) == {predicate["by"]}
            approval, reason = str(said["subject"][0]["digest"]["sha256"]), str(predicate["reason"])
        except (NotApproved, KeyError, TypeError, ValueError, IndexError):
            whole = False
        if not whole:
            raise RevocationRefused(
                f"the revocation in ledger entry {entry.number} carries no signature that is trusted"
            )
        found.setdefault(approval, reason)
    return found


def trust_in_force(home: Home, ledger: Ledger | None = None) -> Trust:
    """Return who may sign, with every approval that was revoked.

    Raises
    ------
    TrustRefused, LedgerBroken, RevocationRefused
        Something of it cannot be checked, so nothing is trusted.
    """
    trust = read_trust(home)
    return replace(trust, revoked=revoked_in(read_ledger(home) if ledger is None else ledger, trust))
