"""Doubts that a named person accepted for a time: an append-only file, a line for each."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from records.home import Home
from records.refusal import Refusal

# Longer than a half-term, and a doubt would be forgotten, not accepted.
LONGEST_DAYS = 60
LONGEST_REASON = 500
FILE = "accepted.jsonl"


class NotAccepted(Refusal):
    """The acceptance lacks what makes it one; nothing was recorded."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A person's word that a school may be scored in spite of a doubt.

    Attributes
    ----------
    since
        The `since` days of the doubts that stood then. A doubt of the same rule that arises later is a
        new one, and nobody has accepted it.
    by, on, until
        Who, from which day, and the last day it holds.
    """

    rule: str
    school: int
    since: tuple[date, ...]
    by: str
    on: date
    until: date
    reason: str

    def covers(self, rule: str, school: int, since: date, day: date, drift_days: int = 0) -> bool:
        """Whether it accepts this doubt on that day; a doubt so many days from an accepted one is the same."""
        same = any(abs((since - accepted).days) <= drift_days for accepted in self.since)
        return (self.rule, self.school) == (rule, school) and same and self.on <= day <= self.until


def read_acceptances(home: Home) -> tuple[Acceptance, ...]:
    """Return every acceptance ever recorded, the oldest first; those that have run out too."""
    try:
        lines = _file(home).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(found for line in lines if (found := _read(line)) is not None)


def accept(home: Home, acceptance: Acceptance) -> None:
    """Record an acceptance, for good: nothing is ever taken out of the file.

    Raises
    ------
    NotAccepted
        No name, no reason, or an end that lies behind or more than `LONGEST_DAYS` days ahead.
    """
    _check(acceptance)
    said = {
        "rule": acceptance.rule,
        "school": acceptance.school,
        "since": [day.isoformat() for day in acceptance.since],
        "by": acceptance.by.strip(),
        "on": acceptance.on.isoformat(),
        "until": acceptance.until.isoformat(),
        "reason": acceptance.reason.strip(),
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = _file(home)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # One write at the end of the file: two people accepting at once leave two whole lines.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, (json.dumps(said, ensure_ascii=False) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(acceptance: Acceptance) -> None:
    if not acceptance.by.strip():
        raise NotAccepted("an acceptance needs the name of the person who answers for it; add --by NAME")
    if not 10 <= len(acceptance.reason.strip()) <= LONGEST_REASON:
        raise NotAccepted(
            f"an acceptance needs a reason of 10 to {LONGEST_REASON} characters that a governor would follow; "
            "add --reason TEXT"
        )
    last = acceptance.on + timedelta(days=LONGEST_DAYS)
    if not acceptance.on <= acceptance.until <= last:
        raise NotAccepted(
            f"--until is {acceptance.until.isoformat()}; an acceptance ends between today, "
            f"{acceptance.on.isoformat()}, and {last.isoformat()}"
        )


def _read(line: str) -> Acceptance | None:
    try:
        said = json.loads(line)
        return Acceptance(
            rule=str(said["rule"]),
            school=int(said["school"]),
            since=tuple(date.fromisoformat(day) for day in said["since"]),
            by=str(said["by"]),
            on=date.fromisoformat(said["on"]),
            until=date.fromisoformat(said["until"]),
            reason=str(said["reason"]),
        )
    except (ValueError, KeyError, TypeError):
        # A line cut off by a full disk accepts nothing: the school stays held, which is the safe side.
        return None


def _file(home: Home) -> Path:
    return home.path / "quality" / FILE
