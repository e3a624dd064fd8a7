"""Which limits were in force in a home, and since when: notes in its ledger, which an edited date does not change.

Limits chosen after the outcomes they are to judge are known can be chosen to pass. So every command that meets
the policy notes what decides in it (`Policy.deciding_digest`) with the day. A policy's own `decided_on` is believed
only of the first: nothing is known from before.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from fairness.approval.ledger import FIRST, append, read_ledger
from fairness.policy import Policy
from records.home import Home
from records.refusal import Refusal


class PolicyTooLate(Refusal):
    """The limits were changed when the outcomes they would judge had begun to be known."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Limits first met on a day; `deciding` is the digest of what decides in them."""

    deciding: str
    policy: str
    decided_on: date
    seen_on: date


def read_history(home: Home) -> tuple[Note, ...]:
    """Return the home's notes, oldest first. Raises LedgerBroken where the ledger is not what was written."""
    return tuple(
        Note(
            deciding=str(entry.said["deciding"]),
            policy=str(entry.said["policy"]),
            decided_on=date.fromisoformat(entry.said["decided_on"]),
            seen_on=entry.on,
        )
        for entry in read_ledger(home).of("policy")
    )


def note_policy(home: Home, policy: Policy, today: date) -> tuple[Note, ...]:
    """Note the limits in force, where they are not those last noted; return all notes. Raises LedgerBroken."""
    notes = read_history(home)
    if notes and notes[-1].deciding == policy.deciding_digest:
        return notes
    said = {"deciding": policy.deciding_digest, "policy": policy.id, "decided_on": policy.decided_on.isoformat()}
    append(home, "policy", bundle=FIRST, on=today, said=said)  # of no bundle: limits come before any
    return read_history(home)


def in_force_since(notes: tuple[Note, ...]) -> date:
    """Return since when the last noted limits are shown to be in force.

    The first limits that a home ever met: since the day they say they were decided on. Later ones: since they were
    met, or decided on, whichever is later.
    """
    last = notes[-1]
    return last.decided_on if len(notes) == 1 else max(last.decided_on, last.seen_on)


def check_registered(home: Home, policy: Policy, first_as_of: date, today: date) -> None:
    """Refuse to judge outcomes by limits set when those outcomes had begun to be known.

    Parameters
    ----------
    first_as_of
        The first day of scores audited; its outcomes are known `horizon_school_weeks` later, at the earliest.

    Raises
    ------
    PolicyTooLate
        The limits came after that.
    fairness.approval.ledger.LedgerBroken
        The home's ledger is not what was written.
    """
    since = in_force_since(note_policy(home, policy, today))
    known_from = first_as_of + timedelta(weeks=policy.population.horizon_school_weeks)
    if since > known_from:
        raise PolicyTooLate(
            f"the limits of policy {policy.id} are in force since {since.isoformat()}, and outcomes of the scores "
            f"audited are known since {known_from.isoformat()}: limits may not be set once it can be seen what they "
            "would say. Put back the limits that were in force then, or audit scores made after "
            f"{since.isoformat()} once their outcomes have come"
        )
