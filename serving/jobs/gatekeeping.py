"""Between a candidate and its deployment: the audit, and the signatures."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from getpass import getpass
from pathlib import Path

from securesystemslib.dsse import Envelope

from fairness.findings import Audit, read_audit, write_audit
from fairness.gate import Decision, decide
from fairness.inputs import check_inputs
from fairness.keys import ROLES, KeyRefused, SigningKey, load_key
from fairness.policy import Policy, policy_of
from fairness.run import audit_candidate as run_audit
from fairness.signoff import NotApproved, Statement, enclose, read_envelope, sign, verify, write_envelope
from fairness.trust import read_trust
from records.home import Home
from records.refusal import Refusal
from serving.jobs.board_settings import outcome_of
from serving.scoring import AUDIT, ENVELOPE
from training.bundle import BundleRefused, DigestMismatch
from training.candidate import Candidate, CandidateDamaged, NoCandidate, load_candidate
from training.settings import OUTCOMES

DECISION = "decision.json"
SHORTEST_PREFIX = 8
REFUSED_INPUT, FAIL, NOT_SETTLED = 2, 3, 4
# What the gate itself says no to ends a command with the gate's own code; whatever else, with input refused.
_EXIT_CODES = {
    "verdict_failed": FAIL,
    "verdict_mismatch": NOT_SETTLED,
    "signature_missing": NOT_SETTLED,
    "threshold": NOT_SETTLED,
    "waiver_signature": NOT_SETTLED,
    "waiver_incomplete": NOT_SETTLED,
}
# Codes that another person's signature settles: what was signed so far is good.
_UNFINISHED = frozenset({"threshold", "outsider", "waiver_signature"})


class SigningRefused(Refusal):
    """This candidate cannot be signed, or not by this person in this way."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms someone signs; the first signatory's bind the second, whose own must be the same or empty.

    `expires_on` None: the last day the policy allows.
    """

    reason: str = ""
    monitoring_plan: str = ""
    review_date: date | None = None
    expires_on: date | None = None


def exit_code(code: str) -> int:
    """Return what a command ends with when a door's refusal has this code (serving/scoring.py)."""
    return _EXIT_CODES.get(code, REFUSED_INPUT)


def find_candidate(home: Home, digest: str) -> str:
    """Return the whole digest of the one candidate that starts with these digits.

    Raises
    ------
    NoCandidate
        None does, or more than one, or fewer than eight digits were given.
    """
    held = sorted(path.name for path in home.candidates.glob("*") if path.is_dir())
    if len(digest) < SHORTEST_PREFIX:
        raise NoCandidate(f"{digest!r} is too short to name a candidate; give at least {SHORTEST_PREFIX} digits")
    found = [name for name in held if name.startswith(digest)]
    if len(found) != 1:
        listed = ", ".join(name[:12] for name in held) or "none; run `belong train`"
        number = f"{len(found)} candidates begin" if found else "no candidate begins"
        raise NoCandidate(f"{number} with {digest[:16]!r}; the home holds {listed}")
    return found[0]


def audit_candidate(home: Home, digest: str, today: date) -> tuple[Audit, Decision]:
    """Audit the candidate and write `audit.json` and `decision.json` beside it.

    A new audit ends what was signed about an older one: its envelope is removed.

    Raises
    ------
    InputNotAllowed, PolicyRefused
        The policy of today does not allow an input that the candidate uses.
    """
    candidate, policy = _candidate(home, digest), policy_of(home)
    check_inputs(candidate.bundle, policy)
    audit, decision = run_audit(home, candidate, policy, created_on=today)
    folder = home.candidates / digest
    write_audit(audit, folder / AUDIT)
    said = {"verdict": decision.verdict, "sentences": list(decision.sentences)}
    (folder / DECISION).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    (folder / ENVELOPE).unlink(missing_ok=True)
    return audit, decision


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


def sign_candidate(home: Home, digest: str, key: SigningKey, terms: Terms, today: date) -> str | None:
    """Add a signature to the candidate's approval; return what is still needed, None when it may be deployed.

    Nothing is written unless the signature brings the approval nearer: a signature that could never count
    would have to be taken out again by a new audit.

    Raises
    ------
    SigningRefused
        No audit, a failed audit, a signer whom the home does not trust, a waiver without its parts, or terms
        other than those already signed.
    NotApproved
        With this signature the approval would be refused for good.
    """
    folder = home.candidates / digest
    if not (folder / AUDIT).exists():
        raise SigningRefused(f"candidate {digest[:12]} has no audit; run `belong audit {digest[:12]}`")
    audit, policy = read_audit(folder / AUDIT), policy_of(home)
    candidate = _candidate(home, digest)
    _check_outcome(candidate, policy)
    _check_signer(home, key, candidate, today)
    signed = sign(_envelope(home, audit, candidate, terms, today), key.signer)
    needed = None
    try:
        verify(
            signed,
            read_trust(home),
            today=today,
            bundle_digest=digest,
            policy_digest=policy.digest,
            audit_digest=audit.digest,
            demo_home=home.demo,
        )
    except NotApproved as still:
        if still.code not in _UNFINISHED:
            raise
        needed = still.sentence
    partial = folder / f"{ENVELOPE}.partial"
    partial.write_bytes(write_envelope(signed))
    partial.replace(folder / ENVELOPE)
    return needed


def _candidate(home: Home, digest: str) -> Candidate:
    try:
        return load_candidate(home, digest)
    except (DigestMismatch, BundleRefused) as error:
        raise CandidateDamaged(f"the bundle of candidate {digest[:12]} cannot be used: {error}") from error


def _check_outcome(candidate: Candidate, policy: Policy) -> None:
    """Refuse what was trained for another outcome or horizon than the board's: the pages speak of the board's."""
    said = candidate.bundle.manifest
    counted = said["settings"].get("outcome", outcome_of(policy)), said["horizon_weeks"]
    if counted != (outcome_of(policy), policy.population.horizon_school_weeks):
        raise SigningRefused(
            f"this candidate was trained for {OUTCOMES[counted[0]].words!r} within {counted[1]} school weeks, and the "
            f"policy says {policy.population.outcome!r} within {policy.population.horizon_school_weeks}; train again"
        )


def _check_signer(home: Home, key: SigningKey, candidate: Candidate, today: date) -> None:
    trusted = {known.public.keyid: known for known in read_trust(home).keys if known.valid_on(today)}
    known = trusted.get(key.keyid)
    if known is None or (known.person_id, known.role) != (key.person_id, key.role):
        raise SigningRefused(
            f"trust.json holds no key in use today of {key.person_id} as {key.role} that is this one; "
            "have the key's public half entered there first"
        )
    if key.person_id in candidate.trained_by:
        raise SigningRefused(f"{key.person_id} trained this candidate and cannot sign it; someone else must")


def _envelope(home: Home, audit: Audit, candidate: Candidate, terms: Terms, today: date) -> Envelope:
    """Return the envelope that was begun, where these terms are its own; otherwise a new one, unsigned."""
    file = home.candidates / audit.bundle_digest / ENVELOPE
    if file.exists():
        envelope = read_envelope(file.read_bytes())
        _check_same(json.loads(envelope.payload)["predicate"], terms)
        return envelope
    policy = policy_of(home)
    # Worked out again from the audit's numbers: a verdict written in a file decides nothing.
    verdict = decide(audit, policy).verdict
    statement = _statement(home, audit, verdict, _filled(verdict, terms, policy, today), today)
    return enclose(replace(statement, trained_by=candidate.trained_by))


def _filled(verdict: str, terms: Terms, policy: Policy, today: date) -> Terms:
    if verdict == "FAIL":
        raise SigningRefused(
            "the audit says FAIL; a failure is not signed and cannot be waived: train another candidate"
        )
    waived = verdict == "NOT_SETTLED"
    if waived and not (terms.reason.strip() and terms.monitoring_plan.strip() and terms.review_date):
        raise SigningRefused(
            "the audit is NOT_SETTLED, so this is a waiver: give --reason, --monitoring-plan and --review-date"
        )
    days = policy.waiver.max_days if waived else policy.approval.valid_days
    longest = today + timedelta(days=days)
    expires_on = terms.expires_on or longest
    if not today < expires_on <= longest:
        raise SigningRefused(
            f"--expires-on is {expires_on.isoformat()}; it must be after today ({today.isoformat()}) and not after "
            f"{longest.isoformat()}, the longest the policy allows"
        )
    if terms.review_date is not None and not today < terms.review_date <= expires_on:
        raise SigningRefused(
            f"--review-date is {terms.review_date.isoformat()}; it must be after today ({today.isoformat()}) and not "
            f"after the approval's last day, {expires_on.isoformat()}"
        )
    return replace(terms, expires_on=expires_on)


def _statement(home: Home, audit: Audit, verdict: str, terms: Terms, today: date) -> Statement:
    assert terms.expires_on is not None  # _filled sees to it
    return Statement(
        bundle_digest=audit.bundle_digest,
        audit_digest=audit.digest,
        policy_digest=audit.policy_digest,
        verdict=verdict,
        decision="WAIVED" if verdict == "NOT_SETTLED" else verdict,
        signed_on=today,
        expires_on=terms.expires_on,
        reason=terms.reason,
        monitoring_plan=terms.monitoring_plan,
        review_date=terms.review_date,
        demo=home.demo,
    )


def _check_same(signed: dict[str, object], terms: Terms) -> None:
    given = {
        "reason": terms.reason or None,
        "monitoring_plan": terms.monitoring_plan or None,
        "review_date": terms.review_date and terms.review_date.isoformat(),
        "expires_on": terms.expires_on and terms.expires_on.isoformat(),
    }
    other = [name for name, value in given.items() if value is not None and value != signed[name]]
    if other:
        raise SigningRefused(
            f"someone has signed other terms ({', '.join(other)}); read them in envelope.json and sign those, "
            "or run `belong audit` again to begin anew"
        )
