"""Who may sign: public keys and roles in `trust/trust.json`, a chain of statements, each signed by people of the last.

The first link is signed by everyone it names, each with their own key. Every later one is signed by two
board members whom the link before trusts, and by whoever is new in it. So nobody changes alone who may
sign, and nobody is entered without holding the key. `fairness/approval/ceremony.py` makes links.
"""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.dsse import Envelope

from fairness.keys import (
    BOARD_MEMBER,
    DATA_PROTECTION_OFFICER,
    ROLES,
    SigningKey,
    create_key,
    load_key,
    service_key,
)
from fairness.signoff import PAYLOAD_TYPE, THRESHOLD, NotApproved, read_envelope, sign, signers_of, write_envelope
from fairness.trusted import FIRST, Link, Trust, TrustedKey, TrustRefused, check_trust, digest_of, trusted
from records.home import Home

__all__ = ["Link", "Trust", "TrustRefused", "TrustedKey", "check_trust", "digest_of", "trusted"]

TRUST_FILE = "trust.json"
# Names a link that must be in the chain, as the machine's own configuration keeps it: without it, whoever can
# write the home's files could found another chain, or cut off the link that took a key out.
PIN_VARIABLE = "BELONG_TRUST"
DEMO_SIGNERS = (
    ("demo-board-1", BOARD_MEMBER),
    ("demo-board-2", BOARD_MEMBER),
    ("demo-dpo", DATA_PROTECTION_OFFICER),
)


class _TrustFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: Annotated[Literal["belong-trust/2"], Field(alias="schema")]
    chain: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]


def read_trust(home: Home) -> Trust:
    """Return who may sign in this home, every link of the chain verified; `revoked` is left empty.

    Raises
    ------
    TrustRefused
        No file, not our format, a link that its signatures do not carry, an unknown role, one key for two
        people, a demonstration's keys in a home that is none, or a chain without the link that the machine pins.
    """
    file = home.trust / TRUST_FILE
    trust = trust_of(chain_of(home))
    if trust.demo and not home.demo:
        raise TrustRefused(f"{file} holds a demonstration's keys, and this home is not a demonstration")
    pin = os.environ.get(PIN_VARIABLE)
    if pin and pin not in {digest_of(link) for link in trust.links}:
        raise TrustRefused(f"{file} lacks the link {pin[:12]} that {PIN_VARIABLE} names: the chain was replaced or cut")
    return trust


def chain_of(home: Home) -> list[Envelope]:
    """Return the links of `trust/trust.json` as they were signed, nothing of them verified. Raises TrustRefused."""
    file = home.trust / TRUST_FILE
    try:
        said = _TrustFile.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise TrustRefused(f"there is no {file}; nobody is trusted to sign, so nothing can be served") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise TrustRefused(f"{file} cannot be trusted: {problems}") from None
    try:
        return [read_envelope(json.dumps(one).encode()) for one in said.chain]
    except NotApproved as no:
        raise TrustRefused(f"{file} cannot be trusted: {no.sentence}") from None


def trust_of(chain: Sequence[Envelope]) -> Trust:
    """Return the trust at the end of a chain. Raises TrustRefused where a link is not carried by its signatures."""
    links: list[Link] = []
    for number, envelope in enumerate(chain, start=1):
        link = link_of(envelope)
        before = links[-1] if links else None
        if link.number != number or link.previous != (FIRST if before is None else digest_of(before)):
            raise TrustRefused(f"trust.json: link {number} does not follow the one before")
        if still := still_needed(link, before, envelope):
            raise TrustRefused(f"trust.json: link {number} lacks signatures: {still}")
        links.append(link)
    last = links[-1]
    return Trust(demo=last.demo, keys=last.keys, links=tuple(links), digest=digest_of(last))


def link_of(envelope: Envelope) -> Link:
    """Return what an envelope's link says. Raises TrustRefused for anything but our own canonical bytes."""
    try:
        link = Link.model_validate(json.loads(envelope.payload)["predicate"])
    except (ValidationError, ValueError, KeyError, TypeError):
        raise TrustRefused("trust.json: what was signed is not a link that this version knows") from None
    if envelope.payload_type != PAYLOAD_TYPE or link.payload() != envelope.payload:
        raise TrustRefused("trust.json: what was signed is not a link that this version knows")
    return link


def still_needed(link: Link, before: Link | None, envelope: Envelope) -> str:
    """Return in words what signatures a link still lacks; empty when it stands.

    Raises
    ------
    TrustRefused
        No signature could carry it: it breaks a rule of `check_trust`, changes the home's kind, forgets a
        revoked key, is dated before the one before, or a signature does not fit.
    """
    check_trust(Trust(demo=link.demo, keys=link.keys))
    if {key.public_key for key in link.keys} & set(link.revoked_keys):
        raise TrustRefused("a revoked key stands among those trusted; its holder needs a new one")
    people = [key for key in link.keys if key.role in ROLES]
    new = people
    if before is not None:
        if link.demo != before.demo or link.made_on < before.made_on:
            raise TrustRefused("a change of trust cannot make a demonstration real, nor be dated before the last one")
        if not set(before.revoked_keys) <= set(link.revoked_keys):
            raise TrustRefused("a revoked key was left out of the list of revoked keys; it stays there for good")
        known = {key.public_key for key in before.keys}
        new = [key for key in people if key.public_key not in known]
    try:
        signed = set(signers_of(envelope, new))
        old = signers_of(envelope, [k for k in (before.keys if before else ()) if k.valid_on(link.made_on)])
    except NotApproved as no:
        raise TrustRefused(f"trust.json: {no.sentence}") from None
    missing = sorted({key.person_id for key in new} - signed)
    needed = [f"{person} must sign with the new key" for person in missing]
    members = sum(role == BOARD_MEMBER for role in old.values())
    if before is not None and members < THRESHOLD:
        needed.append(f"{members} of {THRESHOLD} board members trusted so far have signed")
    return "; ".join(needed)


def write_chain(home: Home, chain: Sequence[Envelope]) -> Path:
    """Write `trust/trust.json` whole or not at all, and return its path. Raises TrustRefused like `trust_of`."""
    trust_of(chain)
    said = {"schema": "belong-trust/2", "chain": [json.loads(write_envelope(envelope)) for envelope in chain]}
    home.trust.mkdir(parents=True, exist_ok=True)
    file = home.trust / TRUST_FILE
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, file)
    return file


def found_trust(home: Home, keys: Sequence[SigningKey], *, made_on: date, reason: str) -> Trust:
    """Found a home's trust with opened keys: each signs that they are who is named. Raises TrustRefused."""
    if (home.trust / TRUST_FILE).exists():
        raise TrustRefused(
            f"{home.trust / TRUST_FILE} exists; it is changed by `belong trust propose`, never founded anew"
        )
    link = Link(
        number=1,
        previous=FIRST,
        demo=home.demo,
        keys=tuple(trusted(key) for key in keys),
        made_on=made_on,
        reason=reason,
    )
    envelope = Envelope(payload=link.payload(), payload_type=PAYLOAD_TYPE, signatures={})
    for key in keys:
        envelope = sign(envelope, key.signer)
    write_chain(home, [envelope])
    return read_trust(home)


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
        # Founded on a day that any frozen today of a demonstration comes after.
        found_trust(home, (*keys, service_key(home)), made_on=date(2020, 1, 1), reason="A demonstration's own keys.")
    return keys
