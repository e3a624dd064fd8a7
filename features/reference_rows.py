"""The plain engine's forms that look at rows one by one: the largest, how far apart, of how many kinds, after what."""

import math
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from features.feature import WEEKDAY, Feature
from features.plain import Pupil


def maximum(pupil: Pupil, feature: Feature) -> float:
    """Return the largest single row of the window, 0 when there is none."""
    return max(pupil.window(feature.measure, feature).weights, default=0.0)


def days(pupil: Pupil, feature: Feature) -> float:
    """Return the days of the window that hold a row."""
    return len(set(pupil.window(feature.measure, feature).days))


def since(pupil: Pupil, feature: Feature) -> float:
    """Return the open school days from the newest row's day up to as_of."""
    told = pupil.window(feature.measure, feature).days
    return pupil.school.open_days(told[-1], pupil.school.as_of) if told else math.nan


def gap(pupil: Pupil, feature: Feature) -> float:
    """Return the mean open school days from one day with a row to the next; two such days are needed."""
    gaps = _gaps(pupil, feature)
    return sum(gaps) / len(gaps) if gaps else math.nan


def gap_change(pupil: Pupil, feature: Feature) -> float:
    """Return the newest gap less the mean of the earlier ones; three days with a row are needed."""
    *earlier, newest = _gaps(pupil, feature) or [0]
    return newest - sum(earlier) / len(earlier) if earlier else math.nan


def distinct(pupil: Pupil, feature: Feature) -> float:
    """Return how many values of `by` the rows have."""
    return len(_kinds(pupil, feature))


def top_share(pupil: Pupil, feature: Feature) -> float:
    """Return the share of the rows that have the commonest value of `by`."""
    counts = _kinds(pupil, feature)
    return max(counts.values()) / counts.total() if counts else math.nan


def after(pupil: Pupil, feature: Feature) -> float:
    """Return the rows of the measure whose day lies 1 to `within_days` days after the day of a row of `other`."""
    leads = set(pupil.rows(feature.other).days)
    steps = [timedelta(days=step) for step in range(1, feature.within_days + 1)]
    return sum(any(day - step in leads for step in steps) for day in pupil.window(feature.measure, feature).days)


def _gaps(pupil: Pupil, feature: Feature) -> list[int]:
    told = sorted(set(pupil.window(feature.measure, feature).days))
    return [pupil.school.open_days(one, other) for one, other in pairwise(told)]


def _kinds(pupil: Pupil, feature: Feature) -> Counter[object]:
    """Return how many rows have each value of `by`; a row without a value is none of them."""
    rows = pupil.window(feature.measure, feature)
    if feature.by == WEEKDAY:
        return Counter(day.weekday() for day in rows.days)
    return Counter(value for value in pupil.values(feature.measure, feature.by, rows) if value is not None)
