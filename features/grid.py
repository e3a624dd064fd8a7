"""The rows of a matrix over many as-of dates, before their values: who, when, and where each window starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.cohort import roll
from features.spans import Span, span_days
from records.calendar import Calendar, calendar_from
from records.history import History, Known, latest, objecting
from records.tables import TABLES

Ints = npt.NDArray[np.int64]
# Where a window can begin or end: so many school weeks before as_of, or the first day of a span or the day after it.
Edge = int | tuple[Span, Literal["first", "end"]]
EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Return the day as days since 1 January 1970, the number that datetime64[D] holds."""
    return day.toordinal() - EPOCH


@dataclass(frozen=True)
class Stand:
    """One as-of date's records but for marks, behaviour and achievements, and the roll they give."""

    known: Known
    on_roll: pd.DataFrame


@dataclass(frozen=True)
class Grid:
    """Every (as_of, pupil on roll), ordered by as_of, then pupil.

    Attributes
    ----------
    stands
        One for each as-of date, ascending.
    pupils
        Every pupil with a row, ascending; a pupil's place in it is their number in `pupil`.
    as_ofs
        Day numbers of the as-of dates.
    pupil, stand, school
        For each row: the pupil's number, the as-of date's number, the school's URN.
    """

    stands: tuple[Stand, ...]
    pupils: Ints
    as_ofs: Ints
    pupil: Ints
    stand: Ints
    school: Ints
    _starts: dict[Edge, Ints] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.pupil)

    @cached_property
    def row_of(self) -> npt.NDArray[np.int32]:
        """The row of each (as-of date's number, pupil's number); -1 where the pupil is not on roll then."""
        rows = np.full((len(self.stands), max(len(self.pupils), 1)), -1, dtype=np.int32)
        rows[self.stand, self.pupil] = np.arange(len(self), dtype=np.int32)
        return rows

    @cached_property
    def _groups(self) -> tuple[Ints, list[tuple[Calendar, date, int]]]:
        # Everything a calendar answers depends on (as_of, school) alone: asked once for each, not for each row.
        pairs = self.stand * (1 << 32) + self.school
        distinct, at = np.unique(pairs, return_inverse=True)
        asked = [(self.stands[int(pair) >> 32].known, int(pair) & 0xFFFFFFFF) for pair in distinct]
        return at, [(known.calendar, known.as_of, school) for known, school in asked]

    def by_group(self, number: Callable[[Calendar, date, int], int]) -> Ints:
        """Return for each row a number that depends on its calendar, as_of and school."""
        at, groups = self._groups
        return np.array([number(*group) for group in groups], dtype=np.int64)[at]

    @cached_property
    def end(self) -> Ints:
        """The day number of each row's as_of: where every window ends, itself outside."""
        return self.as_ofs[self.stand]

    def start(self, edge: Edge) -> Ints:
        """Return the day number of an edge for each row; of 0 school weeks: its `end`."""
        if edge == 0:
            return self.end
        if edge not in self._starts:
            self._starts[edge] = self.by_group(_edge_day(edge))
        return self._starts[edge]

    def held(self, school_weeks: int) -> npt.NDArray[np.float64]:
        """Return how many of so many school weeks each row's calendar holds."""
        known = self.by_group(lambda calendar, as_of, school: calendar.weeks_known(school, as_of))
        return np.minimum(known, school_weeks).astype(np.float64)

    def open_days_since(self, day: Ints) -> npt.NDArray[np.float64]:
        """Return the open days from each row's `day`, included, to its as_of."""
        at, groups = self._groups
        days = np.empty(len(self), dtype=np.float64)
        order = np.argsort(at, kind="stable")
        edges = np.searchsorted(at[order], np.arange(len(groups) + 1))
        for number, (calendar, as_of, school) in enumerate(groups):
            rows = order[edges[number] : edges[number + 1]]
            opened = calendar.open_days.get(school, np.empty(0, "datetime64[D]")).astype(np.int64)
            until = np.searchsorted(opened, day_number(as_of))
            days[rows] = np.maximum(until - np.searchsorted(opened, day[rows]), 0)
        return days


def _edge_day(edge: Edge) -> Callable[[Calendar, date, int], int]:
    if isinstance(edge, int):
        weeks = edge
        return lambda calendar, as_of, school: day_number(calendar.back(school, as_of, weeks))
    span, side = edge
    at = 0 if side == "first" else 1
    return lambda calendar, as_of, school: day_number(span_days(calendar, school, as_of, span)[at])


def grid(history: History, as_ofs: Sequence[date]) -> Grid:
    """Return the rows of the matrix: the roll of each as-of date, exactly as `known(history, as_of)` gives it."""
    days = sorted(set(as_ofs))
    stander = _Stander(history)
    stands = tuple(stander.stand(day) for day in days)
    pupil_ids = np.concatenate([stand.on_roll["pupil"].to_numpy(dtype=np.int64) for stand in stands])
    pupils, pupil = np.unique(pupil_ids, return_inverse=True)
    return Grid(
        stands=stands,
        pupils=pupils,
        as_ofs=np.array([day_number(day) for day in days], dtype=np.int64),
        pupil=pupil.astype(np.int64),
        stand=np.repeat(np.arange(len(stands)), [len(stand.on_roll) for stand in stands]).astype(np.int64),
        school=np.concatenate([stand.on_roll["school"].to_numpy(dtype=np.int64) for stand in stands]),
    )


class _Stander:
    """Makes stands, and makes again only what changed since the day before.

    Rows only ever become known, happen and end: among the rows known before a day, how many there are
    says which they are. So a count names a frame exactly.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._latest: dict[tuple[str, int], pd.DataFrame] = {}
        self._rolls: dict[tuple[int, ...], pd.DataFrame] = {}
        self._calendars: dict[int, Calendar] = {}

    def stand(self, as_of: date) -> Stand:
        day = pd.Timestamp(as_of)
        counts, current = {}, {}
        for name in ("enrolments", "suspensions", "calendars"):
            counts[name], current[name] = self._current(name, as_of)
        if counts["calendars"] not in self._calendars:
            self._calendars[counts["calendars"]] = calendar_from(current["calendars"])
        suspensions, enrolments = current["suspensions"], current["enrolments"]
        known = Known(
            as_of=as_of,
            tables={
                "suspensions": suspensions[suspensions["start_date"] < day],
                "enrolments": enrolments[enrolments["entry_date"] < day],
            },
            coming=suspensions[suspensions["start_date"] >= day],
            schools=self._history.tables["schools"],
            calendar=self._calendars[counts["calendars"]],
            objecting=objecting(self._history, as_of),
        )
        ended = int((enrolments["leaving_date"] < day).sum())
        name_of_roll = (counts["enrolments"], len(known["enrolments"]), ended)
        if name_of_roll not in self._rolls:
            self._rolls[name_of_roll] = roll(known)
        return Stand(known, self._rolls[name_of_roll])

    def _current(self, name: str, as_of: date) -> tuple[int, pd.DataFrame]:
        rows = self._history.tables[name]
        count = int((rows["known_on"] < pd.Timestamp(as_of)).sum())
        if (name, count) not in self._latest:
            self._latest[name, count] = latest(rows, TABLES[name], as_of)
        return count, self._latest[name, count]
