"""The rows of a matrix over many as-of dates, before their values: who, when, and where each window starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.cohort import fresh_from, roll
from features.spans import Span, span_days
from records.calendar import Calendar, calendar_from
from records.history import History, Known, latest, objecting
from records.tables import TABLES

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
# Where a window can begin or end: so many school weeks before as_of, or the first day of a span or the day after it.
# 'fresh': the first day a mark may have for the register to be up to date.
Edge = int | tuple[Span, Literal["first", "end"]] | Literal["fresh"]
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
    _edges: dict[Edge, Ints] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.pupil)

    @cached_property
    def by_pupil(self) -> tuple[Ints, Small]:
        """The rows pupil by pupil, each pupil's by as_of, and where each pupil's begin."""
        order = np.argsort(self.pupil, kind="stable")
        return order, np.searchsorted(self.pupil[order], np.arange(len(self.pupils) + 1)).astype(np.int32)

    @cached_property
    def _groups(self) -> tuple[Small, list[tuple[Calendar, date, int]]]:
        # Everything a calendar answers depends on (as_of, calendar) alone: asked once for each, not for each row.
        like = np.empty(len(self), dtype=np.int64)
        for number, stand in enumerate(self.stands):
            rows = slice(*np.searchsorted(self.stand, [number, number + 1]))
            at, distinct = pd.factorize(self.school[rows])
            alike = [stand.known.calendar.alike(int(school)) for school in distinct]
            like[rows] = np.array(alike, dtype=np.int64)[at]
        at, pairs = pd.factorize(self.stand * _APART + like)
        asked = [(self.stands[(int(pair) + 1) // _APART].known, int(pair)) for pair in pairs]
        groups = [(known.calendar, known.as_of, (pair + 1) % _APART - 1) for known, pair in asked]
        return at.astype(np.int32), groups

    @property
    def group(self) -> Small:
        """The number of each row's (as_of, calendar)."""
        return self._groups[0]

    def edge(self, edge: Edge) -> Ints:
        """Return the day number of an edge for each group; of 0 school weeks: its as_of."""
        if edge not in self._edges:
            day = _edge_day(edge)
            self._edges[edge] = np.array([day(*group) for group in self._groups[1]], dtype=np.int64)
        return self._edges[edge]

    @cached_property
    def weeks_known(self) -> Ints:
        """How many school weeks before its as_of each group's calendar holds."""
        known = [calendar.weeks_known(school, as_of) for calendar, as_of, school in self._groups[1]]
        return np.array(known, dtype=np.int64)

    @cached_property
    def opened(self) -> tuple[Small, Small, int]:
        """Each group's calendar; for each calendar and day the open days before it; the first of those days."""
        groups = self._groups[1]
        days = [calendar.open_days.get(school, np.empty(0, "datetime64[D]")) for calendar, _, school in groups]
        of = {id(opened): opened.astype(np.int64) for opened in days}
        number = {name: at for at, name in enumerate(of)}
        first = min((int(opened[0]) for opened in of.values() if len(opened)), default=0)
        last = int(self.as_ofs.max(initial=first))
        before = np.zeros((max(len(of), 1), max(last - first, 0) + 1), dtype=np.int32)
        for name, opened in of.items():
            before[number[name], opened[opened < last] - first + 1] = 1
        which = np.array([number[id(opened)] for opened in days], dtype=np.int32)
        return which, np.cumsum(before, axis=1, dtype=np.int32), first


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
