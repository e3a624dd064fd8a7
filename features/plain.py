"""One day's pupils as the plain engine looks at them: each pupil's rows in order of day, windows, totals, weeks."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.feature import Feature
from features.measure import Measure
from features.spans import span_days
from records.calendar import Calendar
from records.history import Known
from records.tables import TABLES

# The weekly series: (school weeks back from as_of, value), oldest first; a week without a point is not there.
Series = list[tuple[int, float]]


@dataclass(frozen=True)
class Rows:
    """The rows of one pupil that a measure counts, oldest first.

    Attributes
    ----------
    days, weights, places
        For each row: the day it happened, what it adds to the measure, and its place in its `DayTable`.
    """

    days: Sequence[date]
    weights: Sequence[float]
    places: Sequence[int]

    def between(self, first: date, end: date) -> "Rows":
        """Return the rows with a day in [first, end)."""
        inside = slice(bisect_left(self.days, first), bisect_left(self.days, end))
        return Rows(self.days[inside], self.weights[inside], self.places[inside])


class DayTable:
    """One table's rows of the day's pupils, in order of pupil and day, and which of them a measure counts."""

    def __init__(self, rows: pd.DataFrame, happened_on: str, pupils: npt.NDArray[np.int64]) -> None:
        mine = rows[rows["pupil"].isin(pupils)].sort_values(["pupil", happened_on], kind="stable")
        self._pupils = pupils
        self._pupil = mine["pupil"].to_numpy()
        self._day = mine[happened_on].to_numpy().astype("datetime64[D]")
        self._weekday = mine[happened_on].dt.day_of_week.to_numpy()
        # Many measures ask the same of a column.
        self._holds = cache(lambda column, codes: mine[column].isin(codes).to_numpy(dtype=bool))
        self._number = cache(lambda column: mine[column].fillna(0).to_numpy(dtype=np.float64))
        self.values: Callable[[str], list[object]] = cache(
            lambda column: [
                None if empty else value for value, empty in zip(mine[column], mine[column].isna(), strict=True)
            ]
        )

    def counted(self, measure: Measure) -> dict[int, Rows]:
        """Return for each pupil the rows that the measure counts."""
        counts = np.ones(len(self._day), dtype=bool)
        for column, codes in measure.where.items():
            counts &= self._holds(column, codes)
        if measure.weekdays:
            counts &= np.isin(self._weekday, list(measure.weekdays))
        places = np.flatnonzero(counts)
        days = self._day[places].tolist()
        weights = [1.0] * len(days) if measure.weight is None else self._number(measure.weight)[places].tolist()
        first = np.searchsorted(self._pupil[places], self._pupils, side="left").tolist()
        end = np.searchsorted(self._pupil[places], self._pupils, side="right").tolist()
        return {
            pupil: Rows(days[low:high], weights[low:high], places[low:high].tolist())
            for pupil, low, high in zip(self._pupils.tolist(), first, end, strict=True)
        }


class School:
    """One school's weeks and days before as_of; each is asked of the calendar once."""

    def __init__(self, calendar: Calendar, number: int, as_of: date) -> None:
        self.as_of = as_of
        self._weeks_known = calendar.weeks_known(number, as_of)
        self.start: Callable[[int], date] = cache(lambda weeks: calendar.back(number, as_of, weeks))
        self._span = cache(lambda span: span_days(calendar, number, as_of, span))
        self.open_days: Callable[[date, date], int] = cache(
            lambda first, end: calendar.open_between(number, first, end)
        )

    def held(self, school_weeks: int) -> int:
        """Return how many of the last so many school weeks the calendar holds."""
        return min(school_weeks, self._weeks_known)

    def window(self, feature: Feature) -> tuple[date, date]:
        """Return the first day of the feature's window and the day after its last."""
        return self._span(feature.span) if feature.span != "weeks" else (self.start(feature.window_weeks), self.as_of)


class Pupil:
    """One pupil on the day: what the forms of the plain engine are worked from."""

    def __init__(self, number: int, school: School, day: "Day") -> None:
        self.number = number
        self.school = school
        self._day = day
        # What many features share is worked once.
        self._totals: dict[tuple[str, date, date], float] = {}
        self._series: dict[tuple[str, str, int, int], Series] = {}

    def rows(self, measure: Measure | None) -> Rows:
        """Return every row that the measure counts."""
        return self._day.counted(measure)[self.number]

    def window(self, measure: Measure | None, feature: Feature) -> Rows:
        """Return the measure's rows in the feature's window, be it of school weeks or a span."""
        return self.rows(measure).between(*self.school.window(feature))

    def values(self, measure: Measure | None, column: str, rows: Rows) -> list[object]:
        """Return what the rows of a measure have in a column; None for an empty value."""
        values = self._day.table(_named(measure).table).values(column)
        return [values[place] for place in rows.places]

    def sum(self, measure: Measure | None, feature: Feature) -> float:
        """Return the total of the measure in the feature's window."""
        return self._total(measure, *self.school.window(feature))

    def total(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> float:
        """Return the total of the measure in [start of `since_weeks` back, start of `until_weeks` back)."""
        end = self.school.start(until_weeks) if until_weeks else self.school.as_of
        return self._total(measure, self.school.start(since_weeks), end)

    def series(self, feature: Feature, since_weeks: int, until_weeks: int = 0) -> Series:
        """Return the weekly series from `since_weeks` back down to the week before `until_weeks` back."""
        name = (_named(feature.measure).name, feature.per.name if feature.per else "", since_weeks, until_weeks)
        if name not in self._series:
            weekly = []
            # A week that the calendar does not hold, or without a possible session, has no point.
            for week in range(self.school.held(since_weeks), until_weeks, -1):
                below = 1.0 if feature.per is None else self.total(feature.per, week, week - 1)
                if below > 0:
                    weekly.append((week, self.total(feature.measure, week, week - 1) / below))
            self._series[name] = weekly
        return self._series[name]

    def _total(self, measure: Measure | None, first: date, end: date) -> float:
        name = (_named(measure).name, first, end)
        if name not in self._totals:
            self._totals[name] = sum(self.rows(measure).between(first, end).weights)
        return self._totals[name]


class Day:
    """What was known on a day, for the pupils on roll then."""

    def __init__(self, known: Known, on_roll: pd.DataFrame) -> None:
        numbers = on_roll["pupil"].to_numpy(dtype=np.int64)
        schools = {
            number: School(known.calendar, number, known.as_of) for number in on_roll["school"].unique().tolist()
        }
        self.pupils = [
            Pupil(number, schools[school], self)
            for number, school in zip(numbers.tolist(), on_roll["school"].tolist(), strict=True)
        ]
        self.table: Callable[[str], DayTable] = cache(
            lambda name: DayTable(known[name], TABLES[name].happened_on, numbers)
        )
        self._counted: dict[str, Mapping[int, Rows]] = {}

    def counted(self, measure: Measure | None) -> Mapping[int, Rows]:
        """Return for each pupil the rows that the measure counts."""
        name = _named(measure).name
        if name not in self._counted:
            self._counted[name] = self.table(_named(measure).table).counted(_named(measure))
        return self._counted[name]


def _named(measure: Measure | None) -> Measure:
    if measure is None:
        raise TypeError("a feature that was checked when made names the measures its kind needs")
    return measure
