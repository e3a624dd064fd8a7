"""Changing who may sign: a link is proposed, signed by those the rule asks for, and then stands.

A proposal lies in `trust/proposal.json` and is passed from one to the next; nothing of it counts until
`fairness.trust` finds its signatures enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError
from securesystemslib.dsse import Envelope

from fairness.keys import SigningKey
from fairness.signoff import PAYLOAD_TYPE, read_envelope, sign, write_envelope
from fairness.trust import TRUST_FILE, chain_of, link_of, read_trust, still_needed, write_chain
from fairness.trusted import FIRST, Link, TrustedKey, TrustRefused, digest_of
from records.home import Home

PROPOSAL = "proposal.json"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a proposal changes: keys added, people whose keys end on a day, keys taken out for good."""

    add: Sequence[TrustedKey] = ()
    retire: Sequence[tuple[str, date]] = ()
    revoke: Sequence[str] = ()


def key_from(said: str) -> TrustedKey:
    """Return the key that `belong key new` printed: PERSON:ROLE:PUBLIC KEY. Raises TrustRefused."""
    parts = said.split(":")
    if len(parts) != 3:
        raise TrustRefused(f"{said!r} is no key; write PERSON:ROLE:KEY as `belong key new` printed it")
    try:
        return TrustedKey(person_id=parts[0], role=parts[1], public_key=parts[2])
    except ValidationError as error:
        problem = error.errors()[0]
        raise TrustRefused(f"{said!r} is no key: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def propose(home: Home, change: Change, *, reason: str, made_on: date) -> Link:
    """Write a proposal that follows the newest link, or founds a new home's trust; return it.

    A proposal made before and not yet signed by enough people is replaced.

    Raises
    ------
    TrustRefused
        It would break a rule of trust, or names a person who is not there.
    """
    before = read_trust(home).links[-1] if (home.trust / TRUST_FILE).exists() else None
    keys = list(before.keys) if before else []
    ends = dict(change.retire)
    unknown = (set(ends) | set(change.revoke)) - {key.person_id for key in keys}
    if unknown:
        raise TrustRefused(f"trust.json names nobody called {', '.join(sorted(unknown))}")
    gone = [key.public_key for key in keys if key.person_id in change.revoke]
    kept = [
        key.model_copy(update={"valid_until": ends[key.person_id]}) if key.person_id in ends else key
        for key in keys
        if key.public_key not in gone
    ]
    try:
        link = Link(
            number=before.number + 1 if before else 1,
            previous=digest_of(before) if before else FIRST,
            demo=home.demo,
            keys=(*kept, *change.add),
            revoked_keys=(*(before.revoked_keys if before else ()), *gone),
            made_on=made_on,
            reason=reason,
        )
    except ValidationError as error:
        raise TrustRefused(f"--reason: {error.errors()[0]['msg']}") from None
    if before is not None and (link.keys, link.revoked_keys) == (before.keys, before.revoked_keys):
        raise TrustRefused("nothing would change; name whom to --add, --retire or --revoke")
    envelope = Envelope(payload=link.payload(), payload_type=PAYLOAD_TYPE, signatures={})
    still_needed(link, before, envelope)
    _write(home.trust / PROPOSAL, envelope)
    return link


def proposal(home: Home) -> tuple[Link, str] | None:
    """Return the proposal that waits for signatures and what it still needs, in words; None where there is none."""
    file = home.trust / PROPOSAL
    if not file.exists():
        return None
    envelope = read_envelope(file.read_bytes())
    link = link_of(envelope)
    before = read_trust(home).links[-1] if (home.trust / TRUST_FILE).exists() else None
    return link, still_needed(link, before, envelope)


def sign_proposal(home: Home, key: SigningKey) -> str:
    """Add a signature to the proposal; return what is still needed in words, empty when the link now stands.

    Raises
    ------
    TrustRefused
        There is no proposal, it no longer follows the newest link, or this key has no say in it.
    """
    file = home.trust / PROPOSAL
    if not file.exists():
        raise TrustRefused("there is no proposal to sign; begin with `belong trust propose`")
    envelope = read_envelope(file.read_bytes())
    link = link_of(envelope)
    founded = (home.trust / TRUST_FILE).exists()
    before = read_trust(home).links[-1] if founded else None
    if link.previous != (digest_of(before) if before else FIRST):
        raise TrustRefused("trust has changed since this was proposed; propose it again")
    voices = {k.public_key: k for k in (*link.keys, *(before.keys if before else ()))}
    known = voices.get(key.public_key)
    if known is None or (known.person_id, known.role) != (key.person_id, key.role):
        raise TrustRefused(f"neither trust.json nor the proposal names this key of {key.person_id} as {key.role}")
    envelope = sign(envelope, key.signer)
    needed = still_needed(link, before, envelope)
    if needed:
        _write(file, envelope)
        return needed
    write_chain(home, [*(chain_of(home) if founded else ()), envelope])
    file.unlink()
    return ""


def _write(file: Path, envelope: Envelope) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_bytes(write_envelope(envelope))
    partial.replace(file)


def as_text(link: Link) -> list[str]:
    """Return a link in lines: its number and digest, who is trusted in it, and why it was made."""
    lines = [f"link {link.number} of {link.made_on.isoformat()}, {digest_of(link)}: {link.reason}"]
    for key in link.keys:
        until = f", until {key.valid_until.isoformat()}" if key.valid_until else ""
        lines.append(f"  {key.person_id}: {key.role}{until}, key {key.public_key[:16]}")
    lines += [f"  revoked for good: key {public[:16]}" for public in link.revoked_keys]
    return lines
