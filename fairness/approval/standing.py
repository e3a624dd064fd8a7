"""Whether a deployed model is being watched: an approval holds only while its audits go on."""

from datetime import date

from fairness.approval.ledger import Ledger
from fairness.policy import Policy
from fairness.signoff import Approval


def last_watched(ledger: Ledger, approval: Approval) -> date:
    """Return the day of the last audit under this approval; before the first one, the day it was signed."""
    days = [entry.on for entry in ledger.of("watch", approval.bundle_digest) if of_approval(entry.said, approval)]
    return max([approval.signed_on, *days])


def of_approval(said: object, approval: Approval) -> bool:
    """Whether a ledger entry's words are about this approval, not an earlier one of the same bundle."""
    return isinstance(said, dict) and said.get("approval_id") == approval.id


def missed_audit(ledger: Ledger, approval: Approval, policy: Policy, today: date) -> str:
    """Return in a sentence that an audit was missed; empty while they go on, or where the policy asks for none."""
    if "missed_audit" not in policy.after.suspend_on:
        return ""
    last = last_watched(ledger, approval)
    days = (today - last).days
    if days <= policy.after.missed_after_days:
        return ""
    return (
        f"Nobody has looked again at how this model treats pupils since {last.isoformat()}, {days} days ago; "
        f"the board allows {policy.after.missed_after_days}."
    )
