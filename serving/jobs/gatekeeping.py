"""Between a candidate and the people who sign for it: the audit, and its record in the home's ledger."""

import json
import shutil
from datetime import date

from fairness.approval.ledger import FIRST
from fairness.approval.record import RECORD_FILE, record_audit
from fairness.evidence.leaving_out import Which
from fairness.findings import Audit, write_audit
from fairness.gate import Decision
from fairness.inputs import check_inputs
from fairness.policy_history import check_registered
from fairness.run import audit_candidate as run_audit
from fairness.trust import TRUST_FILE, read_trust
from records.home import Home
from serving.jobs.limits import check_policy
from serving.jobs.provenance import made_from
from serving.scoring import AUDIT, ENVELOPE
from training.again import Told
from training.bundle import BundleRefused, DigestMismatch
from training.candidate import Candidate, CandidateDamaged, NoCandidate, load_candidate

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
# What people sign about an audit, beside it: begun anew with every audit.
PROPOSAL, SEALED, OPENED = "proposal.json", "sealed", "opened"


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


def audit_candidate(
    home: Home, digest: str, today: date, *, leave_one_out: Which | None = None, told: Told | None = None
) -> tuple[Audit, Decision]:
    """Audit the candidate; write `audit.json`, `decision.json` and `record.json` beside it, and the ledger's entry.

    `leave_one_out` and `told`: see `fairness.run`. A new audit ends what was decided about an older one: its
    envelope and seals are removed. The ledger keeps them.

    Raises
    ------
    InputNotAllowed, PolicyRefused
        The policy of today does not allow an input that the candidate uses.
    LimitsRefused, PolicyTooLate
        Its limits cannot hold together, or were set when the outcomes had begun to be known.
    """
    candidate, policy = usable_candidate(home, digest), check_policy(home, today)
    check_inputs(candidate.bundle, policy)
    check_registered(home, policy, date.fromisoformat(candidate.periods["audit"][0]), today)
    audit, decision = run_audit(home, candidate, policy, created_on=today, leave_one_out=leave_one_out, told=told)
    folder = home.candidates / digest
    write_audit(audit, folder / AUDIT)
    said = {"verdict": decision.verdict, "sentences": list(decision.sentences)}
    (folder / DECISION).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    for name in (ENVELOPE, PROPOSAL):
        (folder / name).unlink(missing_ok=True)
    for name in (SEALED, OPENED):
        shutil.rmtree(folder / name, ignore_errors=True)
    # A home may be audited before its trust is founded: nobody can sign then, and the record says so.
    trust = read_trust(home).digest if (home.trust / TRUST_FILE).exists() else FIRST
    _, content = record_audit(home, audit, decision, (candidate.bundle, policy, trust), made_from(), on=today)
    (folder / RECORD_FILE).write_bytes(content)
    return audit, decision


def usable_candidate(home: Home, digest: str) -> Candidate:
    """Return the candidate. Raises CandidateDamaged where its bundle is not the one that was saved."""
    try:
        return load_candidate(home, digest)
    except (DigestMismatch, BundleRefused) as error:
        raise CandidateDamaged(f"the bundle of candidate {digest[:12]} cannot be used: {error}") from error
