"""The terms of an approval: what a pass or a waiver must say before anyone can decide on it."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from fairness.approval.record import RECORD_FILE
from fairness.evaluation import evaluation_digest
from fairness.findings import Audit
from fairness.gate import decide
from fairness.policy import Policy, policy_of
from fairness.signoff import Statement
from records.home import Home
from records.refusal import Refusal
from serving.jobs.governance import keep_annex
from training.bundle import sha256
from training.candidate import Candidate
from training.settings import OUTCOMES


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


def check_not_failed(audit: Audit, policy: Policy) -> None:
    """Refuse to let anyone decide on a failed audit. Raises SigningRefused."""
    if decide(audit, policy).verdict == "FAIL":
        raise SigningRefused(
            "the audit says FAIL; a failure is not signed and cannot be waived: train another candidate"
        )


def check_rows(candidate: Candidate, audit: Audit) -> None:
    """Refuse held-out rows that are not those audited, such as rows with a group taken out. Raises SigningRefused."""
    rows = candidate.evaluation
    if evaluation_digest(rows.pupil_terms, rows.snapshots) != audit.evaluation_digest:
        raise SigningRefused(
            "the held-out rows beside this candidate are not those that were audited; run `belong audit` again"
        )


def check_outcome(candidate: Candidate, policy: Policy) -> None:
    """Refuse what was trained for another outcome or horizon than the board's: the pages speak of the board's."""
    said = candidate.bundle.manifest
    counted = said["settings"].get("outcome", policy.population.counted), said["horizon_weeks"]
    if counted != (policy.population.counted, policy.population.horizon_school_weeks):
        raise SigningRefused(
            f"this candidate was trained for {OUTCOMES[counted[0]].words!r} within {counted[1]} school weeks, and the "
            f"policy says {policy.population.outcome!r} within {policy.population.horizon_school_weeks}; train again"
        )


def _filled(verdict: str, terms: Terms, policy: Policy, today: date) -> Terms:
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


def proposed(home: Home, audit: Audit, candidate: Candidate, terms: Terms, today: date) -> Statement:
    """Return the statement that these terms make of an audit: what is then decided on.

    Raises
    ------
    SigningRefused
        The audit failed, a waiver lacks a part, or a day is not one that the policy allows.
    """
    policy = policy_of(home)
    # Worked out again from the audit's numbers: a verdict written in a file decides nothing.
    verdict = decide(audit, policy).verdict
    filled = _filled(verdict, terms, policy, today)
    assert filled.expires_on is not None  # _filled sees to it
    return Statement(
        bundle_digest=audit.bundle_digest,
        audit_digest=audit.digest,
        record_digest=sha256((home.candidates / audit.bundle_digest / RECORD_FILE).read_bytes()),
        annex_digest=keep_annex(home, audit.bundle_digest, today),
        policy_digest=audit.policy_digest,
        verdict=verdict,
        decision="WAIVED" if verdict == "NOT_SETTLED" else verdict,
        signed_on=today,
        expires_on=filled.expires_on,
        reason=filled.reason,
        monitoring_plan=filled.monitoring_plan,
        review_date=filled.review_date,
        trained_by=candidate.trained_by,
        demo=home.demo,
    )


def check_same(signed: dict[str, object], terms: Terms) -> None:
    """Refuse terms other than those proposed. Raises SigningRefused."""
    given = {
        "reason": terms.reason or None,
        "monitoring_plan": terms.monitoring_plan or None,
        "review_date": terms.review_date and terms.review_date.isoformat(),
        "expires_on": terms.expires_on and terms.expires_on.isoformat(),
    }
    other = [name for name, value in given.items() if value is not None and value != signed[name]]
    if other:
        raise SigningRefused(
            f"other terms were proposed ({', '.join(other)}); read them in proposal.json and decide on those, "
            "or run `belong audit` again to begin anew"
        )
