"""The plain engine: what a feature means. Slow, and the truth that `features.engine` must agree with."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.align import by_pupil, days_by_school, numbers_by_school
from features.catalogue import CATALOGUE, fingerprint
from features.cohort import cohort
from features.context import CONTEXTS
from features.feature import Feature
from features.matrix import KEYS, Matrix
from features.measure import Measure
from records.history import Known
from records.tables import TABLES

FEWEST_SLOPE_WEEKS = 3


def reference(known: Known, features: Sequence[Feature] = CATALOGUE) -> Matrix:
    """Return every feature of every pupil of the cohort at `known.as_of`, ordered by pupil."""
    plain = _Plain(known, cohort(known))
    columns = [plain.value(feature) for feature in features]
    values = np.column_stack(columns) if columns else np.empty((len(plain.pupils), 0))
    as_of = pd.Series(pd.Timestamp(known.as_of), index=plain.pupils.index).astype("datetime64[s]")
    keys = plain.pupils.assign(as_of=as_of)[list(KEYS)].reset_index(drop=True)
    return Matrix(keys, values.astype(np.float64), tuple(f.name for f in features), fingerprint(features))


def features_of(known: Known) -> Matrix:
    """Return the whole catalogue for the pupils of a small `known`: what the scoring endpoint calls."""
    return reference(known)


class _Plain:
    """One day's pupils, and each form of the algebra as one method."""

    def __init__(self, known: Known, pupils: pd.DataFrame) -> None:
        self.known = known
        self.pupils = pupils
        self._forms: Mapping[str, Callable[[Feature], pd.Series]] = {
            "count": self._count,
            "rate": self._rate,
            "share": self._share,
            "change": self._change,
            "contrast": self._contrast,
            "slope": self._slope,
            "maximum": self._maximum,
            "days": self._days,
            "since": self._since,
        }
        # What many features share is worked once: the rows of a measure, the start of a window, a total.
        self._counted: dict[str, pd.DataFrame] = {}
        self._starts: dict[int, pd.Series] = {}
        self._totals: dict[tuple[str, int, int], pd.Series] = {}

    def value(self, feature: Feature) -> npt.NDArray[np.float64]:
        """Return the feature's value for each pupil, in order; `when_empty` where the form has none."""
        if feature.kind == "context":
            return CONTEXTS[feature.context](self.pupils, self.known)
        value = self._forms[feature.kind](feature)
        return (value if feature.when_empty is None else value.fillna(feature.when_empty)).to_numpy(dtype=np.float64)

    def _start(self, school_weeks: int) -> pd.Series:
        """Return for each pupil the first day of the last so many school weeks of their school."""
        if school_weeks not in self._starts:
            day, back = self.known.as_of, self.known.calendar.back
            first = days_by_school(
                self.pupils["school"], lambda school: back(school, day, school_weeks) if school_weeks else day
            )
            self._starts[school_weeks] = first.set_axis(pd.Index(self.pupils["pupil"]))
        return self._starts[school_weeks]

    def _held(self, school_weeks: int) -> pd.Series:
        """Return for each pupil how many of those school weeks the calendar holds."""
        weeks_known = self.known.calendar.weeks_known
        held = numbers_by_school(
            self.pupils["school"], lambda school: min(school_weeks, weeks_known(school, self.known.as_of))
        )
        return pd.Series(held, index=pd.Index(self.pupils["pupil"]))

    def _rows(self, measure: Measure | None) -> pd.DataFrame:
        """Return `pupil`, `day` and `weight` of each row that the measure counts."""
        if measure is None:
            raise TypeError("a feature that was checked when made names the measures its kind needs")
        if measure.name not in self._counted:
            rows = self.known[measure.table]
            for column, codes in measure.where.items():
                rows = rows[rows[column].isin(codes)]
            rows = rows[rows["pupil"].isin(self.pupils["pupil"])]
            weight = 1.0 if measure.weight is None else rows[measure.weight].fillna(0).astype("float64")
            day = rows[TABLES[measure.table].happened_on]
            self._counted[measure.name] = pd.DataFrame({"pupil": rows["pupil"], "day": day, "weight": weight})
        return self._counted[measure.name]

    def _window(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> pd.DataFrame:
        """Return the measure's rows with a day in [start of `since_weeks`, start of `until_weeks`)."""
        rows = self._rows(measure)
        start = by_pupil(rows["pupil"], self._start(since_weeks))
        # Every row is from before as_of, so a window that ends there needs no second comparison.
        inside = rows["day"] >= start
        if until_weeks:
            inside &= rows["day"] < by_pupil(rows["pupil"], self._start(until_weeks))
        return rows[inside]

    def _total(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> pd.Series:
        name = (measure.name if measure else "", since_weeks, until_weeks)
        if name not in self._totals:
            rows = self._window(measure, since_weeks, until_weeks)
            self._totals[name] = self._each(rows.groupby("pupil")["weight"].sum()).fillna(0.0)
        return self._totals[name]

    def _each(self, found: pd.Series) -> pd.Series:
        """Return the value of each pupil, in the pupils' order; NaN where there is none."""
        return found.reindex(self.pupils["pupil"])

    def _count(self, feature: Feature) -> pd.Series:
        return self._total(feature.measure, feature.window_weeks)

    def _rate(self, feature: Feature) -> pd.Series:
        return _divide(self._count(feature), self._total(feature.per, feature.window_weeks))

    def _share(self, feature: Feature) -> pd.Series:
        mine = self._count(feature)
        return _divide(mine, mine + self._total(feature.other, feature.window_weeks))

    def _change(self, feature: Feature) -> pd.Series:
        recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
        if feature.per is not None:
            below_now = self._total(feature.per, recent)
            below_before = self._total(feature.per, both, recent)
        else:
            below_now = self._held(recent)
            below_before = self._held(both) - self._held(recent)
        before = _divide(self._total(feature.measure, both, recent), below_before)
        return _divide(self._total(feature.measure, recent), below_now) - before

    def _contrast(self, feature: Feature) -> pd.Series:
        weeks = feature.window_weeks
        mine = _divide(self._total(feature.measure, weeks), self._total(feature.per, weeks))
        return mine - _divide(self._total(feature.other, weeks), self._total(feature.other_per, weeks))

    def _slope(self, feature: Feature) -> pd.Series:
        weekly = {}
        for week in range(1, feature.window_weeks + 1):
            total = self._total(feature.measure, week, week - 1)
            # A week that the calendar does not hold, or without a possible session, has no point on the line.
            below = (self._held(week) == week).astype(float)
            if feature.per is not None:
                per = self._total(feature.per, week, week - 1)
                below = per.where(below > 0, 0.0)
            weekly[-float(week)] = _divide(total, below)
        return pd.DataFrame(weekly).apply(_slope_of, axis=1)

    def _maximum(self, feature: Feature) -> pd.Series:
        rows = self._window(feature.measure, feature.window_weeks)
        return self._each(rows.groupby("pupil")["weight"].max()).fillna(0.0)

    def _days(self, feature: Feature) -> pd.Series:
        rows = self._window(feature.measure, feature.window_weeks)
        return self._each(rows.groupby("pupil")["day"].nunique()).fillna(0.0)

    def _since(self, feature: Feature) -> pd.Series:
        rows = self._window(feature.measure, feature.window_weeks)
        last = self._each(rows.groupby("pupil")["day"].max())
        calendar, as_of = self.known.calendar, self.known.as_of
        gone = [
            np.nan if pd.isna(day) else calendar.open_between(int(school), day.date(), as_of)
            for school, day in zip(self.pupils["school"], last, strict=True)
        ]
        return pd.Series(gone, index=last.index, dtype="float64")


def _divide(above: pd.Series, below: pd.Series) -> pd.Series:
    return above / below.where(below > 0)


def _slope_of(weekly: pd.Series) -> float:
    points = weekly.dropna()
    if len(points) < FEWEST_SLOPE_WEEKS:
        return np.nan
    x = points.index.to_numpy(dtype=np.float64)
    centred = x - x.mean()
    return float((centred * points.to_numpy()).sum() / (centred**2).sum())
