"""Which limits were in force in a home, and since when: a chained record that an edited date does not change.

Limits chosen after the outcomes they are to judge are known can be chosen to pass. So every command that meets
the policy notes what decides in it (`Policy.deciding_digest`) with the day, and each note holds the digest of the
one before. A policy's own `decided_on` is believed only of the first: nothing is known from before.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date, timedelta

import rfc8785

from fairness.policy import Policy
from records.home import Home
from records.refusal import Refusal

HISTORY_FILE = "policy_history.jsonl"
FIRST = "0" * 64
_MEND = "put the file back from a backup: without it nobody can show that limits were set before outcomes were known"


class PolicyHistoryBroken(Refusal):
    """The record of the home's limits is not what was written."""


class PolicyTooLate(Refusal):
    """The limits were changed when the outcomes they would judge had begun to be known."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Limits first met on a day. `previous` is the digest of the note before, or `FIRST`."""

    deciding: str
    policy: str
    decided_on: date
    seen_on: date
    previous: str

    @property
    def line(self) -> bytes:
        """The note as canonical JSON: a line of the file, and what the next one digests."""
        return rfc8785.dumps(
            {
                "deciding": self.deciding,
                "policy": self.policy,
                "decided_on": self.decided_on.isoformat(),
                "seen_on": self.seen_on.isoformat(),
                "previous": self.previous,
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the line."""
        return hashlib.sha256(self.line).hexdigest()


def read_history(home: Home) -> tuple[Note, ...]:
    """Return the home's notes, oldest first.

    Raises
    ------
    PolicyHistoryBroken
        A line cannot be read, is not what was written, or is missing between two others.
    """
    file = home.path / HISTORY_FILE
    lines = file.read_bytes().splitlines() if file.exists() else []
    notes: list[Note] = []
    before = FIRST
    for number, line in enumerate(lines, start=1):
        try:
            said = json.loads(line)
            note = Note(
                deciding=str(said["deciding"]),
                policy=str(said["policy"]),
                decided_on=date.fromisoformat(said["decided_on"]),
                seen_on=date.fromisoformat(said["seen_on"]),
                previous=str(said["previous"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PolicyHistoryBroken(f"{file}, line {number} is no note of limits ({error}); {_MEND}") from error
        if note.previous != before or note.line != line:
            raise PolicyHistoryBroken(f"{file}, line {number} does not follow from the line before it; {_MEND}")
        notes.append(note)
        before = note.digest
    return tuple(notes)


def note_policy(home: Home, policy: Policy, today: date) -> tuple[Note, ...]:
    """Note the limits in force, where they are not those last noted; return all notes.

    Raises
    ------
    PolicyHistoryBroken
        See `read_history`.
    """
    notes = read_history(home)
    if notes and notes[-1].deciding == policy.deciding_digest:
        return notes
    note = Note(
        deciding=policy.deciding_digest,
        policy=policy.id,
        decided_on=policy.decided_on,
        seen_on=today,
        previous=notes[-1].digest if notes else FIRST,
    )
    with (home.path / HISTORY_FILE).open("ab") as file:
        file.write(note.line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return (*notes, note)


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
    PolicyHistoryBroken
        See `read_history`.
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
