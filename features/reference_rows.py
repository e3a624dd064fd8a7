"""The plain engine's forms that look at rows one by one: the largest, how far apart, of how many kinds, after what."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from features.feature import WEEKDAY, Feature
from features.plain import Plain


def maximum(plain: Plain, feature: Feature) -> pd.Series:
    """Return the largest single row of the window, 0 when there is none."""
    return plain.each(plain.window(feature.measure, feature).groupby("pupil")["weight"].max()).fillna(0.0)


def days(plain: Plain, feature: Feature) -> pd.Series:
    """Return the days of the window that hold a row."""
    return plain.each(plain.window(feature.measure, feature).groupby("pupil")["day"].nunique()).fillna(0.0)


def since(plain: Plain, feature: Feature) -> pd.Series:
    """Return the open school days from the newest row's day up to as_of."""
    last = plain.each(plain.window(feature.measure, feature).groupby("pupil")["day"].max())
    gone = [
        np.nan if pd.isna(day) else plain.open_days(int(school), day.date(), plain.known.as_of)
        for school, day in zip(plain.pupils["school"], last, strict=True)
    ]
    return pd.Series(gone, index=last.index, dtype="float64")


def gap(plain: Plain, feature: Feature) -> pd.Series:
    """Return the mean open school days from one day with a row to the next; two such days are needed."""
    return _of_gaps(plain, feature, lambda gaps: float(np.mean(gaps)) if gaps else np.nan)


def gap_change(plain: Plain, feature: Feature) -> pd.Series:
    """Return the newest gap less the mean of the earlier ones; three days with a row are needed."""
    return _of_gaps(plain, feature, lambda gaps: gaps[-1] - float(np.mean(gaps[:-1])) if len(gaps) > 1 else np.nan)


def distinct(plain: Plain, feature: Feature) -> pd.Series:
    """Return how many values of `by` the rows have."""
    return _of_kinds(plain, feature, lambda counts: float(len(counts))).fillna(0.0)


def top_share(plain: Plain, feature: Feature) -> pd.Series:
    """Return the share of the rows that have the commonest value of `by`."""
    return _of_kinds(plain, feature, lambda counts: float(counts.max() / counts.sum()))


def after(plain: Plain, feature: Feature) -> pd.Series:
    """Return the rows of the measure whose day lies 1 to `within_days` days after the day of a row of `other`."""
    follows = plain.window(feature.measure, feature)
    leads = {pupil: set(mine["day"]) for pupil, mine in plain.rows(feature.other).groupby("pupil")}
    steps = [timedelta(days=step) for step in range(1, feature.within_days + 1)]
    count = {
        pupil: float(sum(any(day - step in leads.get(pupil, set()) for step in steps) for day in mine["day"]))
        for pupil, mine in follows.groupby("pupil")
    }
    return plain.each(pd.Series(count, dtype="float64")).fillna(0.0)


def _of_gaps(plain: Plain, feature: Feature, value: Callable[[list[int]], float]) -> pd.Series:
    schools = plain.schools()
    found = {}
    for pupil, mine in plain.window(feature.measure, feature).groupby("pupil"):
        told = sorted({day.date() for day in mine["day"]})
        school = int(schools[pupil])
        found[pupil] = value([plain.open_days(school, one, other) for one, other in pairwise(told)])
    return plain.each(pd.Series(found, dtype="float64"))


def _of_kinds(plain: Plain, feature: Feature, value: Callable[[pd.Series], float]) -> pd.Series:
    rows = plain.window(feature.measure, feature)
    kinds = rows["day"].dt.day_of_week if feature.by == WEEKDAY else rows[feature.by].astype("object")
    known = kinds.notna()
    found = {
        pupil: value(mine.value_counts()) for pupil, mine in kinds[known].groupby(rows.loc[known, "pupil"].to_numpy())
    }
    return plain.each(pd.Series(found, dtype="float64"))
