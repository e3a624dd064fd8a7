"""Between a candidate and its deployment: settings under the policy, the audit, and the signatures."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from getpass import getpass
from pathlib import Path

from fairness.findings import Audit, read_audit, write_audit
from fairness.gate import Decision, decide
from fairness.keys import KeyRefused, SigningKey, load_key
from fairness.policy import Policy, policy_of
from fairness.run import audit_candidate as run_audit
from fairness.signoff import NotApproved, Statement, enclose, read_envelope, sign, verify, write_envelope
from fairness.trust import read_trust
from records.home import Home
from records.refusal import Refusal
from serving.scoring import AUDIT, ENVELOPE
from training.candidate import NoCandidate, load_candidate
from training.settings import Settings, settings_from

DECISION = "decision.json"
SHORTEST_PREFIX = 8


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


def settings_under_policy(home: Home, seed: int | None = None) -> Settings:
    """Return training's settings with the board's own choices in them: horizon, lead, capacity."""
    policy = policy_of(home)
    said = {
        "horizon_weeks": policy.population.horizon_school_weeks,
        "lead_days": policy.population.lead_school_days,
        "capacity_share": policy.capacity.share_of_roll,
        "capacity_min": policy.capacity.min,
        "capacity_max": policy.capacity.max,
    }
    return settings_from(said if seed is None else said | {"seed": seed})


def find_candidate(home: Home, digest: str) -> str:
    """Return the whole digest of the one candidate that starts with these digits.

    Raises
    ------
    NoCandidate
        None does, or more than one, or fewer than eight digits were given.
    """
    held = sorted(path.name for path in home.candidates.glob("*") if path.is_dir())
    found = [name for name in held if name.startswith(digest)] if len(digest) >= SHORTEST_PREFIX else []
    if len(found) != 1:
        listed = ", ".join(name[:12] for name in held) or "none; run `belong train`"
        raise NoCandidate(f"{digest[:16]!r} names {len(found)} candidates; the home holds {listed}")
    return found[0]


def audit_candidate(home: Home, digest: str, today: date) -> tuple[Audit, Decision]:
    """Audit the candidate and write `audit.json` and `decision.json` beside it.

    A new audit ends what was signed about an older one: its envelope is removed.
    """
    candidate = load_candidate(home, digest)
    audit, decision = run_audit(home, candidate, policy_of(home), created_on=today)
    folder = home.candidates / digest
    write_audit(audit, folder / AUDIT)
    said = {"verdict": decision.verdict, "sentences": list(decision.sentences)}
    (folder / DECISION).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    (folder / ENVELOPE).unlink(missing_ok=True)
    return audit, decision


def signing_key(person: str, role: str, folder: Path) -> SigningKey:
    """Open someone's key, asking for its password where it has one."""
    try:
        return load_key(person, role, folder, None)
    except KeyRefused:
        return load_key(person, role, folder, getpass(f"Password of the key of {person}: ").encode())


def sign_candidate(home: Home, digest: str, key: SigningKey, terms: Terms, today: date) -> str | None:
    """Add a signature to the candidate's approval; return what is still needed, None when it may be deployed.

    Raises
    ------
    SigningRefused
        No audit, a failed audit, a waiver without its parts, or terms other than those already signed.
    """
    folder = home.candidates / digest
    if not (folder / AUDIT).exists():
        raise SigningRefused(f"candidate {digest[:12]} has no audit; run `belong audit {digest[:12]}`")
    audit = read_audit(folder / AUDIT)
    policy = policy_of(home)
    if (folder / ENVELOPE).exists():
        envelope = read_envelope((folder / ENVELOPE).read_bytes())
        _check_same(json.loads(envelope.payload)["predicate"], terms)
    else:
        # Worked out again from the audit's numbers: a verdict written in a file decides nothing.
        verdict = decide(audit, policy).verdict
        trained_by = load_candidate(home, digest).trained_by
        statement = _statement(home, audit, verdict, _filled(verdict, terms, policy, today), today)
        envelope = enclose(replace(statement, trained_by=trained_by))
    signed = sign(envelope, key.signer)
    partial = folder / f"{ENVELOPE}.partial"
    partial.write_bytes(write_envelope(signed))
    partial.replace(folder / ENVELOPE)
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
        return still.sentence
    return None


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
    return Terms(
        reason=terms.reason,
        monitoring_plan=terms.monitoring_plan,
        review_date=terms.review_date,
        expires_on=terms.expires_on or today + timedelta(days=days),
    )


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
