"""Taking a link back: two numbers that a school called one pupil's are two pupils again, by a person's decision."""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from records import pseudonym
from records.clock import Clock
from records.home import Home
from records.identity import link_log
from records.identity.erased import read_erased
from records.intake.landing import Intake, SaveIdentities
from records.intake.lock import only_ingest
from records.refusal import Refusal
from records.rights.described import file_names

DECISIONS_FILE = "withdrawn.jsonl"


class NoSuchLink(Refusal):
    """No school said that these numbers are one pupil's. The message repeats neither."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Parting:
    """A decision that a pupil's number was never the former one: who decided, and why."""

    number: str
    former: str
    by: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Parted:
    """What a parting did: how many words of schools it overrules, and the exports to ingest again, for the names."""

    words: int
    exports: tuple[str, ...]


def part(home: Home, parting: Parting, *, clock: Clock, save_identities: SaveIdentities | None) -> Parted:
    """Take the link back, for good, and part the records at once. Run again after a kill it goes through to the end.

    The decision is kept beside the log of links without a number or a pseudonym in it. Rows lie under
    the number they came with, so nothing has to be guessed apart.

    Raises
    ------
    NoSuchLink
        A number is not right by its check letter, or no school named the one as the other's former.
    IngestRunning
        An ingest is writing into the home.
    """
    with only_ingest(home):
        prover = pseudonym.Prover(pseudonym.read_pepper(home))
        (number, former), doubts = prover.prove((parting.number, parting.former))
        if not set(doubts.values()) <= {pseudonym.TEMPORARY}:
            raise NoSuchLink("one of the two is no UPN by its check letter; read both from the school's register")
        said = link_log.read_log(home)
        mine = said[(said["number"] == number) & (said["former"] == former) & ~said["deleted"]]
        if mine.empty:
            raise NoSuchLink(
                "no school said that the second number was the first one's former; where one number followed another, "
                "each link is taken back by itself: name the number whose enrolment carries the wrong former one"
            )
        today = clock.today()
        names = file_names(home)
        exports = dict.fromkeys(names.get(source, "an export from before") for source in mine["source"])
        _keep(home, parting, int(number), int(former), clock)
        link_log.withdraw(home, int(number), int(former), pd.Timestamp(today))
        Intake(home, prover, read_erased(home), today).finish(save_identities)
        return Parted(words=len(mine), exports=tuple(exports))


def _keep(home: Home, parting: Parting, number: int, former: int, clock: Clock) -> None:
    said = {
        "day": clock.today().isoformat(),
        "by": parting.by,
        "note": parting.note,
        # Whoever has both numbers can tell that this is their link; nobody can tell the numbers from it.
        "link": hashlib.sha256(f"{number} {former}".encode()).hexdigest(),
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = link_log.links_folder(home) / DECISIONS_FILE
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, (json.dumps(said, ensure_ascii=False) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
