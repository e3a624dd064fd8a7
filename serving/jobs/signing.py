"""Signing a candidate's approval: blind decisions, sealed one by one and opened once everyone has decided."""

import json
from dataclasses import dataclass
from datetime import date
from getpass import getpass
from pathlib import Path

from securesystemslib.dsse import Envelope

from fairness.approval.ledger import append
from fairness.approval.record import RECORD_FILE
from fairness.approval.revocation import trust_in_force
from fairness.approval.sealed import (
    Opening,
    Seal,
    approval_id_of,
    needed_roles,
    read_opening,
    read_seal,
    seal,
    signed_by,
)
from fairness.findings import Audit, read_audit
from fairness.keys import ROLES, KeyRefused, SigningKey, load_key
from fairness.policy import policy_of
from fairness.signoff import PAYLOAD_TYPE, Statement, read_statement, verify, write_envelope
from fairness.trusted import Trust
from records.home import Home
from serving.jobs.gatekeeping import OPENED, PROPOSAL, SEALED, usable_candidate
from serving.jobs.terms import SigningRefused, Terms, check_not_failed, check_outcome, check_rows, check_same, proposed
from serving.scoring import AUDIT, ENVELOPE
from training.candidate import Candidate

_ROLE_WORDS = {"board_member": "board member", "data_protection_officer": "data-protection officer"}


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of decisions on one statement.

    Attributes
    ----------
    seals, openings
        Who has decided, and what of it is open.
    still
        How many people of each role have yet to decide.
    """

    statement: Statement
    seals: tuple[Seal, ...]
    openings: tuple[Opening, ...]
    still: dict[str, int]

    @property
    def everyone_decided(self) -> bool:
        """Whether nobody's decision is awaited, so that openings may be handed in."""
        return not any(self.still.values())

    @property
    def unopened(self) -> tuple[str, ...]:
        """Those whose sealed decision is not open yet."""
        opened = {one.person_id for one in self.openings}
        return tuple(one.person_id for one in self.seals if one.person_id not in opened)

    @property
    def refusals(self) -> tuple[Opening, ...]:
        """The decisions not to sign, once they may be known."""
        return tuple(one for one in self.openings if one.decision == "refuse")

    def sentences(self) -> tuple[str, ...]:
        """Return where the round stands, in words that give no sealed decision away."""
        if not self.everyone_decided:
            awaited = " and ".join(
                f"{number} {_ROLE_WORDS[role]}{'s' if number > 1 else ''}"
                for role, number in self.still.items()
                if number
            )
            return (f"{len(self.seals)} decided; still to decide: {awaited}. Decisions stay sealed until then.",)
        if self.unopened:
            return (f"Everyone has decided. Still to open theirs, with the same command: {', '.join(self.unopened)}.",)
        if self.refusals:
            return tuple(f"{one.person_id} refused: {one.reason}" for one in self.refusals)
        return ("Everyone agreed.",)


def signing_key(person: str, role: str, folder: Path) -> SigningKey:
    """Open someone's key, asking for its password where it has one.

    Raises
    ------
    KeyRefused
        The role may not sign, there is no such key, or the password is not its own.
    """
    if role not in ROLES:
        raise KeyRefused(f"role {role!r} may not sign; roles that may: {', '.join(ROLES)}")
    try:
        return load_key(person, role, folder, None)
    except KeyRefused:
        if not (folder / f"{person}.pem").is_file():
            raise
    try:
        password = getpass(f"Password of the key of {person}: ")
    except EOFError:
        raise KeyRefused(f"the key of {person} needs its password, and nobody is there to type it") from None
    return load_key(person, role, folder, password.encode())


def round_of(home: Home, digest: str, today: date) -> Round | None:
    """Return the round of decisions on this candidate, every seal and opening checked; None before it began.

    Raises
    ------
    fairness.approval.sealed.SealRefused
        A seal or an opening is not what it should be.
    """
    folder = home.candidates / digest
    if not (folder / PROPOSAL).exists():
        return None
    statement = read_statement(
        Envelope(payload=(folder / PROPOSAL).read_bytes(), payload_type=PAYLOAD_TYPE, signatures={})
    )
    trust = trust_in_force(home)
    seals = tuple(read_seal(file.read_bytes(), trust, today) for file in sorted((folder / SEALED).glob("*.json")))
    openings = tuple(
        read_opening(file.read_bytes(), sealed, statement, trust)
        for sealed in seals
        if (file := folder / OPENED / f"{sealed.person_id}.json").exists()
    )
    decided = [one.role for one in seals]
    still = {role: max(0, number - decided.count(role)) for role, number in needed_roles(statement).items()}
    return Round(statement=statement, seals=seals, openings=openings, still=still)


def sign_candidate(
    home: Home, digest: str, key: SigningKey, terms: Terms, today: date, *, openings: Path, refuse: str | None = None
) -> Round:
    """Seal this person's decision on the candidate's approval, or open it once everyone has decided.

    The same command twice: the first seals, the second opens. Whoever decides last opens at once. When the
    last one opens and all agree, the approval is written; a refusal is recorded and no approval comes of it.

    Parameters
    ----------
    openings
        The folder in which the person keeps what they sealed until it is opened: that of their key.
    refuse
        Why this person does not agree; None: they sign.

    Raises
    ------
    SigningRefused
        No audit, a failed audit, a signer whom the home does not trust or whose role has decided, a waiver
        without its parts, or terms other than those proposed.
    NotApproved
        With these signatures the approval would be refused.
    """
    folder = home.candidates / digest
    if not (folder / AUDIT).exists() or not (folder / RECORD_FILE).exists():
        raise SigningRefused(f"candidate {digest[:12]} has no audit; run `belong audit {digest[:12]}`")
    audit, policy = read_audit(folder / AUDIT), policy_of(home)
    candidate = usable_candidate(home, digest)
    check_outcome(candidate, policy)
    check_rows(candidate, audit)
    trust = trust_in_force(home)
    _check_signer(trust, key, candidate, today)
    now = _round(home, audit, candidate, terms, today)
    kept = openings / f"{key.person_id}.{approval_id_of(now.statement)[:16]}.opening.json"
    if key.person_id not in {one.person_id for one in now.seals}:
        now = _seal(home, now, key, kept, (refuse, today))
    elif refuse is not None and key.person_id in now.unopened:
        raise SigningRefused(f"{key.person_id} has decided, and a sealed decision stands; open it without --refuse")
    if now.everyone_decided and key.person_id in now.unopened:
        now = _open(home, now, key.person_id, kept, today)
    return now


def _round(home: Home, audit: Audit, candidate: Candidate, terms: Terms, today: date) -> Round:
    """Return the round that was begun, where these terms are its own; otherwise a new one, with its proposal."""
    check_not_failed(audit, policy_of(home))
    begun = round_of(home, audit.bundle_digest, today)
    if begun is not None:
        if begun.statement.policy_digest != policy_of(home).digest:
            raise SigningRefused("the board's limits have changed since this round began; run `belong audit` again")
        check_same(json.loads(begun.statement.payload())["predicate"], terms)
        return begun
    statement = proposed(home, audit, candidate, terms, today)
    return Round(statement=statement, seals=(), openings=(), still=needed_roles(statement))


def _seal(home: Home, now: Round, key: SigningKey, kept: Path, said: tuple[str | None, date]) -> Round:
    refuse, today = said
    if not now.still.get(key.role):
        raise SigningRefused(f"as {_ROLE_WORDS[key.role]} nobody else is needed to decide on this approval")
    folder = home.candidates / now.statement.bundle_digest
    envelope, opening = seal(now.statement, key, refuse=refuse, on=today)
    # The opening first: a decision that its owner cannot open would end the round.
    kept.touch(mode=0o600)
    kept.write_bytes(opening.content())
    _write(folder / PROPOSAL, now.statement.payload())
    _write(folder / SEALED / f"{key.person_id}.json", write_envelope(envelope))
    said_of = {"person_id": key.person_id, "role": key.role, "sealed": opening.digest, "envelope": envelope.to_dict()}
    append(
        home,
        "sealed",
        bundle=now.statement.bundle_digest,
        on=today,
        said={"approval_id": opening.approval_id, **said_of},
    )
    again = round_of(home, now.statement.bundle_digest, today)
    assert again is not None  # its proposal was written above
    return again


def _open(home: Home, now: Round, person: str, kept: Path, today: date) -> Round:
    statement = now.statement
    folder = home.candidates / statement.bundle_digest
    try:
        content = kept.read_bytes()
    except OSError:
        raise SigningRefused(
            f"there is no {kept}, in which {person} keeps their decision; without it `belong audit` begins anew"
        ) from None
    sealed = next(one for one in now.seals if one.person_id == person)
    read_opening(content, sealed, statement, trust_in_force(home))
    _write(folder / OPENED / f"{person}.json", content)
    append(
        home,
        "opened",
        bundle=statement.bundle_digest,
        on=today,
        said={"opening": json.loads(content), "role": sealed.role},
    )
    kept.unlink()
    again = round_of(home, statement.bundle_digest, today)
    assert again is not None  # it is the round that was opened
    if not again.unopened and not again.refusals:
        signed = signed_by(statement, list(again.openings))
        verify(
            signed,
            trust_in_force(home),
            today=today,
            bundle_digest=statement.bundle_digest,
            policy_digest=policy_of(home).digest,
            audit_digest=statement.audit_digest,
            demo_home=home.demo,
        )
        _write(folder / ENVELOPE, write_envelope(signed))
    return again


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.write_bytes(content)
    partial.replace(file)


def _check_signer(trust: Trust, key: SigningKey, candidate: Candidate, today: date) -> None:
    known = {known.public.keyid: known for known in trust.keys if known.valid_on(today)}.get(key.keyid)
    if known is None or (known.person_id, known.role) != (key.person_id, key.role):
        raise SigningRefused(
            f"trust.json holds no key in use today of {key.person_id} as {key.role} that is this one; "
            "have the key's public half entered there first"
        )
    if key.person_id in candidate.trained_by:
        raise SigningRefused(f"{key.person_id} trained this candidate and cannot sign it; someone else must")
