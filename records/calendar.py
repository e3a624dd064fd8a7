"""School days and school weeks: the only date arithmetic.

A *school week* before a day is a block of seven days, counted back from that day, in which the school
was open on at least one day. Blocks without an open day (holidays) are passed over, so a window of
four school weeks always holds four weeks of school. The rule needs no anchor on Monday: `as_of` may
be any day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

Days = npt.NDArray[np.datetime64]


def days_between(start: date, end: date) -> Days:
    """Return every Monday to Friday from start to end, both included, as datetime64[D]."""
    days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)
    return days[np.is_busday(days)]


@dataclass(frozen=True)
class Term:
    """One half-term of a school: its name, first and last day."""

    name: str
    start: date
    end: date


@dataclass(frozen=True)
class Calendar:
    """The open days of every school, from the `calendars` table.

    Attributes
    ----------
    open_days
        School → its open days, ascending, datetime64[D].
    terms
        School → its half-terms, ascending.
    """

    open_days: Mapping[int, Days]
    terms: Mapping[int, tuple[Term, ...]]
    _blocks: dict[tuple[int, date, bool], npt.NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def _alike(self) -> Mapping[int, int]:
        first: dict[tuple[bytes, tuple[Term, ...]], int] = {}
        return {
            school: first.setdefault((days.tobytes(), self.terms.get(school, ())), school)
            for school, days in self.open_days.items()
        }

    def alike(self, school: int) -> int:
        """Return one school that stands for all whose days and half-terms are the same; -1 for those without any.

        Whatever a calendar answers for the one it answers for the others.
        """
        return self._alike.get(school, -1)

    def back(self, school: int, as_of: date, school_weeks: int) -> date:
        """Return the first day of the window of that many school weeks that ends before `as_of`.

        Where the calendar does not reach back that far, the first day it does reach; `as_of` itself
        where it has no open day before it.
        """
        blocks = self._open_blocks(school, as_of, ahead=False)
        if not len(blocks):
            return as_of
        last = blocks[min(school_weeks, len(blocks)) - 1]
        return as_of - timedelta(days=7 * (int(last) + 1))

    def ahead(self, school: int, as_of: date, school_weeks: int) -> date | None:
        """Return the day after the last of that many school weeks from `as_of`, or None past the calendar's end."""
        blocks = self._open_blocks(school, as_of, ahead=True)
        if len(blocks) < school_weeks:
            return None
        return as_of + timedelta(days=7 * (int(blocks[school_weeks - 1]) + 1))

    def weeks_known(self, school: int, as_of: date) -> int:
        """Return how many school weeks the calendar holds before `as_of`."""
        return len(self._open_blocks(school, as_of, ahead=False))

    def open_between(self, school: int, start: date, end: date) -> int:
        """Return the number of open days in [start, end)."""
        days = self.open_days.get(school, np.empty(0, "datetime64[D]"))
        low, high = np.searchsorted(days, [np.datetime64(start, "D"), np.datetime64(end, "D")])
        return int(high - low)

    def add_open_days(self, school: int, day: date, open_days: int) -> date | None:
        """Return the open day that many open days after `day` (0: the first open day on or after it)."""
        days = self.open_days.get(school, np.empty(0, "datetime64[D]"))
        at = int(np.searchsorted(days, np.datetime64(day, "D"))) + open_days
        return days[at].item() if at < len(days) else None

    def term_of(self, school: int, day: date) -> Term | None:
        """Return the half-term that holds the day, or the last one before it; None before the first."""
        past = [term for term in self.terms.get(school, ()) if term.start <= day]
        return past[-1] if past else None

    def _open_blocks(self, school: int, as_of: date, *, ahead: bool) -> npt.NDArray[np.int64]:
        found = self._blocks.get((school, as_of, ahead))
        if found is None:
            days = self.open_days.get(school, np.empty(0, "datetime64[D]"))
            at = np.datetime64(as_of, "D")
            distance = (days[days >= at] - at) if ahead else (at - days[days < at] - np.timedelta64(1, "D"))
            found = np.unique(distance.astype(np.int64) // 7)
            self._blocks[(school, as_of, ahead)] = found
        return found


def calendar_from(rows: pd.DataFrame) -> Calendar:
    """Return the calendar that rows of the `calendars` table describe (latest versions, none deleted)."""
    open_days: dict[int, Days] = {}
    terms: dict[int, tuple[Term, ...]] = {}
    made: dict[bytes, tuple[Days, tuple[Term, ...]]] = {}
    ordered = rows.sort_values(["school", "start_date"], kind="stable")
    said = np.stack(
        [
            ordered["kind"].to_numpy(dtype=object) != "half_term",
            pd.factorize(ordered["name"])[0],
            ordered["start_date"].to_numpy().astype("datetime64[D]").astype(np.int64),
            ordered["end_date"].to_numpy().astype("datetime64[D]").astype(np.int64),
        ],
        axis=1,
    ).astype(np.int64)
    schools, first = np.unique(ordered["school"].to_numpy(), return_index=True)
    for school, low, high in zip(schools.tolist(), first, np.append(first[1:], len(ordered)), strict=False):
        # Most schools of a network say the same days: those are worked out once.
        same = said[low:high].tobytes()
        if same not in made:
            made[same] = _days_and_terms(ordered.iloc[low:high])
        open_days[school], terms[school] = made[same]
    return Calendar(open_days, terms)


def _days_and_terms(mine: pd.DataFrame) -> tuple[Days, tuple[Term, ...]]:
    """Return the open days and half-terms that the rows of one school say, in order of their first days."""
    spans: dict[bool, list[Days]] = {True: [np.empty(0, "datetime64[D]")], False: [np.empty(0, "datetime64[D]")]}
    terms = []
    for kind, name, start, end in zip(mine["kind"], mine["name"], mine["start_date"], mine["end_date"], strict=True):
        spans[kind == "half_term"].append(days_between(start.date(), end.date()))
        if kind == "half_term":
            terms.append(Term(str(name), start.date(), end.date()))
    return np.setdiff1d(np.concatenate(spans[True]), np.concatenate(spans[False])), tuple(terms)
