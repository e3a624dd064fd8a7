"""The rows of a matrix over many as-of dates, before their values: who, when, and where each window starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.cohort import fresh_from
from features.context import season
from features.loops import Ints, Small
from features.machine import Machine
from features.rolls import Enrolments, day_numbers, enrolments_of, rows_of
from features.spans import Span, span_days
from records.calendar import Calendar, calendar_from
from records.history import History, latest
from records.tables import CALENDARS

# Where a window can begin or end: so many school weeks before as_of, or the first day of a span or the day after it.
# 'fresh': the first day a mark may have for the register to be up to date.
Edge = int | tuple[Span, Literal["first", "end"]] | Literal["fresh"]
EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Return the day as days since 1 January 1970, the number that datetime64[D] holds."""
    return day.toordinal() - EPOCH


# A plan's needs and stops, as `features.loops_totals.totals` takes them.
Windows = tuple[tuple[Small, Small, Small, Small], Small]


class Groups:
    """What calendars say of some (as_of, calendar), each asked once; `windows` are the plans' (`features.books`)."""

    def __init__(self, of: Sequence[tuple[Calendar, date, int]]) -> None:
        self.of = tuple(of)
        self.windows: dict[object, Windows] = {}
        self._edges: dict[Edge, Ints] = {}

    def edge(self, edge: Edge) -> Ints:
        """Return the day number of an edge for each group; of 0 school weeks: its as_of."""
        if edge not in self._edges:
            day = _edge_day(edge)
            self._edges[edge] = np.array([day(*group) for group in self.of], dtype=np.int64)
        return self._edges[edge]

    @cached_property
    def weeks_known(self) -> Small:
        """How many school weeks before its as_of each group's calendar holds."""
        known = [calendar.weeks_known(school, as_of) for calendar, as_of, school in self.of]
        return np.array(known, dtype=np.int32)

    @cached_property
    def opened(self) -> tuple[Small, Small, int]:
        """Each group's calendar; for each calendar and day the open days before it; the first of those days."""
        days = [calendar.open_days.get(school, _NO_DAYS) for calendar, _, school in self.of]
        of = {id(opened): opened.astype(np.int64) for opened in days}
        number = {name: at for at, name in enumerate(of)}
        first = min((int(opened[0]) for opened in of.values() if len(opened)), default=0)
        last = int(self.edge(0).max(initial=first))
        before = np.zeros((max(len(of), 1), max(last - first, 0) + 1), dtype=np.int32)
        for name, opened in of.items():
            before[number[name], opened[opened < last] - first + 1] = 1
        which = np.array([number[id(opened)] for opened in days], dtype=np.int32)
        return which, np.cumsum(before, axis=1, dtype=np.int32), first

    @cached_property
    def first_open(self) -> Ints:
        """The first open day of each group's calendar, `NEVER_OPEN` where it has none."""
        days = [calendar.open_days.get(school, _NO_DAYS) for calendar, _, school in self.of]
        return np.array([int(opened[0].astype(np.int64)) if len(opened) else NEVER_OPEN for opened in days], np.int64)

    @cached_property
    def season(self) -> npt.NDArray[np.float64]:
        """The half-term and the week since it began, shape (2, groups)."""
        found = np.array([season(*group) for group in self.of], dtype=np.float64)
        return found.reshape(-1, 2).T

    def open_between(self, group: Small, first: Ints, end: Ints) -> Ints:
        """Return the open days in [first, end) of each of some groups, the end not after the last as-of date."""
        calendar, before, first_day = self.opened
        low, high = (np.clip(day - first_day, 0, before.shape[1] - 1) for day in (first, end))
        number = calendar[group]
        return (before[number, high] - before[number, low]).astype(np.int64)


# Groups by their as-of dates and schools: kept from one build to the next where the calendars are the same.
Kept = dict[tuple[tuple[date, int], ...], Groups]


@dataclass(frozen=True)
class Grid:
    """Every (as_of, pupil on roll), ordered by as_of, then pupil.

    Attributes
    ----------
    days, calendars
        The as-of dates, ascending, and the calendar as known on each.
    enrolments
        Every version of the shard's enrolments; `enrolment` is the one each row stands on.
    pupils
        Every pupil with an enrolment, ascending; a pupil's place in it is their number in `pupil`.
    as_ofs
        Day numbers of the as-of dates.
    pupil, stand, school
        For each row: the pupil's number, the as-of date's number, the school's URN.
    """

    days: tuple[date, ...]
    calendars: tuple[Calendar, ...]
    enrolments: Enrolments
    as_ofs: Ints
    stand: Small
    enrolment: Small
    _kept: Kept = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.stand)

    @property
    def pupils(self) -> Ints:
        """Every pupil who ever had an enrolment, ascending; a pupil's place in it is their number."""
        return self.enrolments.pupils

    @cached_property
    def pupil(self) -> Small:
        """The number of each row's pupil."""
        return self.enrolments.pupil[self.enrolment]

    @cached_property
    def school(self) -> Small:
        """The URN of the school whose roll each row's pupil is on."""
        return self.enrolments.school[self.enrolment]

    @cached_property
    def row_of(self) -> Small:
        """The row of each (as-of date's number, pupil's number); -1 where the pupil is not on roll then."""
        rows = np.full((len(self.days), max(len(self.pupils), 1)), -1, dtype=np.int32)
        rows[self.stand, self.pupil] = np.arange(len(self), dtype=np.int32)
        return rows

    @cached_property
    def by_pupil(self) -> tuple[Ints, Small]:
        """The rows pupil by pupil, each pupil's by as_of, and where each pupil's begin."""
        order = np.argsort(self.pupil, kind="stable")
        return order, np.searchsorted(self.pupil[order], np.arange(len(self.pupils) + 1)).astype(np.int32)

    @cached_property
    def _grouped(self) -> tuple[Small, Groups]:
        # Everything a calendar answers depends on (as_of, calendar) alone: asked once for each, not for each row.
        at, schools = _numbered(self.school)
        stands: dict[int, Ints] = {}
        for calendar in self.calendars:
            if id(calendar) not in stands:
                alike = [calendar.alike(school) for school in schools.tolist()]
                stands[id(calendar)] = np.array(alike, dtype=np.int64)
        like = np.array([stands[id(calendar)] for calendar in self.calendars]).reshape(len(self.days), -1)
        which, pairs = _numbered(self.stand * _APART + like[self.stand, at] + 1)
        asked = [(pair // _APART, pair % _APART - 1) for pair in pairs.tolist()]
        name = tuple((self.days[stand], school) for stand, school in asked)
        if name not in self._kept:
            self._kept[name] = Groups([(self.calendars[stand], self.days[stand], school) for stand, school in asked])
        return which.astype(np.int32), self._kept[name]

    @property
    def group(self) -> Small:
        """The number of each row's (as_of, calendar)."""
        return self._grouped[0]

    @property
    def groups(self) -> Groups:
        """Calendar, as_of and a school, for each group."""
        return self._grouped[1]

    def edge(self, edge: Edge) -> Ints:
        """Return the day number of an edge for each group; of 0 school weeks: its as_of."""
        return self.groups.edge(edge)


def _numbered(values: Ints | Small) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any]]:
    """Return the number of each value among those that there are, and these."""
    if len(values) < _FEW:
        distinct, at = np.unique(values, return_inverse=True)
        return at, distinct
    return pd.factorize(values)


# Below this to sort takes less time than pandas needs to begin.
_FEW = 1 << 12
NEVER_OPEN = np.iinfo(np.int64).max
_NO_DAYS = np.empty(0, "datetime64[D]")
# A school's number is far below this, so that an as-of date's and a school's fit one whole number.
_APART = 1 << 32


def _edge_day(edge: Edge) -> Callable[[Calendar, date, int], int]:
    if isinstance(edge, int):
        weeks = edge
        if weeks == 0:
            return lambda calendar, as_of, school: day_number(as_of)
        return lambda calendar, as_of, school: day_number(calendar.back(school, as_of, weeks))
    if edge == "fresh":
        return lambda calendar, as_of, school: day_number(fresh_from(calendar, school, as_of))
    span, side = edge
    at = 0 if side == "first" else 1
    return lambda calendar, as_of, school: day_number(span_days(calendar, school, as_of, span)[at])


def grid(history: History, as_ofs: Sequence[date], machine: Machine, kept: Kept | None = None) -> Grid:
    """Return the rows of the matrix: the roll of each as-of date, exactly as `known(history, as_of)` gives it.

    `kept` is for histories of one calendar only: what it says of some dates and schools is looked up and left there.
    """
    days = tuple(sorted(set(as_ofs)))
    numbers = day_numbers(days)
    enrolments = enrolments_of(history, machine)
    stand, enrolment = rows_of(enrolments, numbers)
    kept = {} if kept is None else kept
    return Grid(days, _calendars(history, days), enrolments, numbers, stand.astype(np.int64), enrolment, kept)


def _calendars(history: History, days: Sequence[date]) -> tuple[Calendar, ...]:
    if history.calendar is not None:
        return (history.calendar,) * len(days)
    # Rows only ever become known: how many are known before a day says which they are.
    rows = history.tables[CALENDARS.name]
    made: dict[int, Calendar] = {}
    found = []
    for day in days:
        count = int((rows["known_on"] < pd.Timestamp(day)).sum())
        if count not in made:
            made[count] = calendar_from(latest(rows, CALENDARS, day))
        found.append(made[count])
    return tuple(found)
