"""One day's pupils and their rows, as the plain engine looks at them: windows, totals, weekly series."""

from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.align import by_pupil, days_by_school, numbers_by_school
from features.feature import Feature
from features.measure import Measure
from features.spans import Span, span_days
from records.history import Known
from records.tables import TABLES


class Plain:
    """What the forms of the plain engine are worked from; what it returns stands in the pupils' order."""

    def __init__(self, known: Known, pupils: pd.DataFrame) -> None:
        self.known = known
        self.pupils = pupils
        # What many features share is worked once: the rows of a measure, the start of a window, a total.
        self._counted: dict[str, pd.DataFrame] = {}
        self._starts: dict[int, pd.Series] = {}
        self._spans: dict[Span, tuple[pd.Series, pd.Series]] = {}
        self._totals: dict[tuple[str, int, int], pd.Series] = {}

    def start(self, school_weeks: int) -> pd.Series:
        """Return for each pupil the first day of the last so many school weeks of their school."""
        if school_weeks not in self._starts:
            day, back = self.known.as_of, self.known.calendar.back
            self._starts[school_weeks] = self._days(lambda school: back(school, day, school_weeks))
        return self._starts[school_weeks]

    def held(self, school_weeks: int) -> pd.Series:
        """Return for each pupil how many of those school weeks the calendar holds."""
        weeks_known = self.known.calendar.weeks_known
        held = numbers_by_school(
            self.pupils["school"], lambda school: min(school_weeks, weeks_known(school, self.known.as_of))
        )
        return pd.Series(held, index=pd.Index(self.pupils["pupil"]))

    def rows(self, measure: Measure | None) -> pd.DataFrame:
        """Return the rows that the measure counts: their own columns, `day` and `weight`."""
        if measure is None:
            raise TypeError("a feature that was checked when made names the measures its kind needs")
        if measure.name not in self._counted:
            rows = self.known[measure.table]
            for column, codes in measure.where.items():
                rows = rows[rows[column].isin(codes)]
            rows = rows[rows["pupil"].isin(self.pupils["pupil"])]
            day = rows[TABLES[measure.table].happened_on]
            weight = 1.0 if measure.weight is None else rows[measure.weight].fillna(0).astype("float64")
            rows = rows.assign(day=day, weight=weight)
            self._counted[measure.name] = (
                rows[rows["day"].dt.day_of_week.isin(measure.weekdays)] if measure.weekdays else rows
            )
        return self._counted[measure.name]

    def between(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> pd.DataFrame:
        """Return the measure's rows with a day in [start of `since_weeks`, start of `until_weeks`)."""
        rows = self.rows(measure)
        inside = rows["day"] >= by_pupil(rows["pupil"], self.start(since_weeks))
        # Every row is from before as_of, so a window that ends there needs no second comparison.
        if until_weeks:
            inside &= rows["day"] < by_pupil(rows["pupil"], self.start(until_weeks))
        return rows[inside]

    def window(self, measure: Measure | None, feature: Feature) -> pd.DataFrame:
        """Return the measure's rows in the feature's window, be it of school weeks or a span."""
        if feature.span == "weeks":
            return self.between(measure, feature.window_weeks)
        rows = self.rows(measure)
        first, end = (by_pupil(rows["pupil"], day) for day in self._span(feature.span))
        return rows[(rows["day"] >= first) & (rows["day"] < end)]

    def sum(self, measure: Measure | None, feature: Feature) -> pd.Series:
        """Return each pupil's total of the measure in the feature's window."""
        if feature.span == "weeks":
            return self.total(measure, feature.window_weeks)
        return self._added(self.window(measure, feature))

    def total(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> pd.Series:
        """Return each pupil's total of the measure from the start of one number of school weeks to that of another."""
        name = (measure.name if measure else "", since_weeks, until_weeks)
        if name not in self._totals:
            self._totals[name] = self._added(self.between(measure, since_weeks, until_weeks))
        return self._totals[name]

    def series(self, feature: Feature, since_weeks: int, until_weeks: int = 0) -> pd.DataFrame:
        """Return the weekly series: a row each, columns -since_weeks to -until_weeks - 1, NaN for no point."""
        weekly = {}
        for week in range(since_weeks, until_weeks, -1):
            # A week that the calendar does not hold, or without a possible session, has no point.
            below = (self.held(week) == week).astype(float)
            if feature.per is not None:
                below = self.total(feature.per, week, week - 1).where(below > 0, 0.0)
            weekly[-week] = divide(self.total(feature.measure, week, week - 1), below)
        return pd.DataFrame(weekly)

    def each(self, found: pd.Series) -> pd.Series:
        """Return the value of each pupil, in the pupils' order; NaN where there is none."""
        return found.reindex(self.pupils["pupil"])

    def open_days(self, school: int, start: date, end: date) -> int:
        """Return the school's open days in [start, end)."""
        return self.known.calendar.open_between(school, start, end)

    def schools(self) -> pd.Series:
        """Return each pupil's school."""
        return pd.Series(self.pupils["school"].to_numpy(), index=pd.Index(self.pupils["pupil"]))

    def _added(self, rows: pd.DataFrame) -> pd.Series:
        return self.each(rows.groupby("pupil")["weight"].sum()).fillna(0.0)

    def _span(self, span: Span) -> tuple[pd.Series, pd.Series]:
        if span not in self._spans:
            calendar, day = self.known.calendar, self.known.as_of
            self._spans[span] = (
                self._days(lambda school: span_days(calendar, school, day, span)[0]),
                self._days(lambda school: span_days(calendar, school, day, span)[1]),
            )
        return self._spans[span]

    def _days(self, day: Callable[[int], date]) -> pd.Series:
        found = days_by_school(self.pupils["school"], day)
        return found.set_axis(pd.Index(self.pupils["pupil"]))


def divide(above: pd.Series, below: pd.Series) -> pd.Series:
    """Return above / below, NaN where there is nothing to divide by."""
    return above / below.where(below > 0)


def array(values: pd.Series) -> npt.NDArray[np.float64]:
    """Return a column's values as numbers."""
    return values.to_numpy(dtype=np.float64)
