"""Who is on a roll on many as-of dates, where and since when. `features.cohort` says what it means.

A version of an enrolment holds for an interval of as-of dates; so the roll of every date is found in one go, without
making each date's frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from features.cohort import ON_ROLL, YEARS
from features.ledger import Ledger, ledger_of
from features.loops import Ints, Small
from features.machine import Machine
from records.columns import MISSING
from records.history import History
from records.shelf import columns_of_table
from records.tables import ENROLMENTS

NEVER: Final = np.iinfo(np.int32).max
_COLUMNS = ("school", "entry_date", "leaving_date", "year_group", "status")


@dataclass(frozen=True)
class Enrolments:
    """Every version of the shard's enrolments, pupil by pupil, in order of entry, then school.

    Attributes
    ----------
    pupils
        Every pupil who ever had one, ascending; `pupil` is a version's place in it.
    first, last
        The as-of dates (day numbers) between which a version is seen.
    left
        The last day on roll; `NEVER` where none is recorded.
    year
        The place of the year group in the code list, -1 where it is missing.
    """

    pupils: Ints
    start: Small
    pupil: Small
    school: Small
    entry: Small
    left: Small
    year: Small
    counts: npt.NDArray[np.bool_]
    first: Small
    last: Small


def enrolments_of(history: History, machine: Machine) -> Enrolments:
    """Return the shard's enrolments."""
    pupils = np.unique(columns_of_table(history.tables, ENROLMENTS.name, ("pupil", "source"))["pupil"])
    ledger = ledger_of(history, ENROLMENTS.name, _COLUMNS, pupils, machine)
    pupil = np.repeat(np.arange(len(pupils), dtype=np.int32), np.diff(ledger.start))
    order = np.lexsort((ledger.column("school"), ledger.day, pupil))
    left = ledger.column("leaving_date")[order]
    return Enrolments(
        pupils=pupils,
        start=ledger.start,
        pupil=pupil,
        school=ledger.column("school")[order],
        entry=ledger.day[order],
        left=np.where(left == MISSING, NEVER, left).astype(np.int32),
        year=ledger.column("year_group")[order],
        counts=(_listed(ledger, "year_group", YEARS) & _listed(ledger, "status", ON_ROLL))[order],
        first=ledger.first[order],
        last=ledger.last[order],
    )


def _listed(ledger: Ledger, column: str, codes: frozenset[str]) -> npt.NDArray[np.bool_]:
    declared = ENROLMENTS.column(column).codes
    assert declared is not None
    listed = np.array([code in codes for code in declared.codes] + [False])
    found: npt.NDArray[np.bool_] = listed[ledger.column(column)]
    return found


def rows_of(found: Enrolments, as_ofs: Ints) -> tuple[Small, Small]:
    """Return as-of date's number and enrolment of each (as_of, pupil on roll), ordered by as_of, then pupil.

    Two current enrolments happen when a school forgets to record a leaver: the newer one is where the pupil is.
    """
    version, stand = spread(found.first, np.minimum(found.last, found.left), as_ofs, found.counts)
    # Versions are in order of pupil and entry, and keep it.
    order = np.argsort(stand, kind="stable")
    version, stand = version[order], stand[order]
    pupil = found.pupil[version]
    newest = np.ones(len(version), dtype=np.bool_)
    newest[:-1] = (pupil[1:] != pupil[:-1]) | (stand[1:] != stand[:-1])
    return stand[newest], version[newest]


def spread(first: Small, last: Small, as_ofs: Ints, among: npt.NDArray[np.bool_]) -> tuple[Small, Small]:
    """Return (version, as-of date's number) wherever first <= as_of <= last, for versions among those named."""
    some = np.flatnonzero(among)
    low = np.searchsorted(as_ofs, first[some], side="left")
    high = np.searchsorted(as_ofs, last[some], side="right")
    times = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(some)), times)
    stand = low[which] + np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    return some[which].astype(np.int32), stand.astype(np.int16)


def day_numbers(days: Sequence[date]) -> Ints:
    """Return the days as days since 1 January 1970, as datetime64[D] holds them."""
    return np.array(days, dtype="datetime64[D]").astype(np.int64)
