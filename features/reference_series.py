"""The plain engine's forms of a weekly series: how a pupil's weeks run, not just what they add up to."""

import math

import numpy as np

from features.feature import Feature
from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS
from features.plain import Pupil, Series


def slope(pupil: Pupil, feature: Feature) -> float:
    """Return the least-squares slope of the weekly series, per week."""
    weekly = pupil.series(feature, feature.window_weeks)
    if len(weekly) < FEWEST_POINTS:
        return math.nan
    mean = sum(-week for week, _ in weekly) / len(weekly)
    centred = [-week - mean for week, _ in weekly]
    return sum(x * y for x, y in zip(centred, _values(weekly), strict=True)) / sum(x * x for x in centred)


def volatility(pupil: Pupil, feature: Feature) -> float:
    """Return the population standard deviation of the weekly series."""
    weekly = pupil.series(feature, feature.window_weeks)
    return float(np.std(_values(weekly))) if len(weekly) >= FEWEST_POINTS else math.nan


def momentum(pupil: Pupil, feature: Feature) -> float:
    """Return the fast weighted mean of the weekly series less the slow one."""
    weekly = pupil.series(feature, feature.window_weeks)
    if len(weekly) < FEWEST_POINTS:
        return math.nan
    return _weighted_mean(weekly, FAST_WEEKS) - _weighted_mean(weekly, SLOW_WEEKS)


def cusum(pupil: Pupil, feature: Feature) -> float:
    """Return how far the window's weeks have piled up above what the weeks before make usual."""
    recent, usual = _beside_before(pupil, feature)
    if not recent or len(usual) < FEWEST_POINTS:
        return math.nan
    allowance = float(np.mean(usual) + np.std(usual) / 2)
    piled = 0.0
    for point in recent:
        piled = max(0.0, piled + point - allowance)
    return piled


def departure(pupil: Pupil, feature: Feature) -> float:
    """Return how many usual spreads the window's mean week lies above the mean week before."""
    recent, usual = _beside_before(pupil, feature)
    if not recent or len(usual) < FEWEST_POINTS:
        return math.nan
    floor = COUNT_FLOOR if feature.per is None else RATE_FLOOR
    return float(np.mean(recent) - np.mean(usual)) / max(float(np.std(usual)), floor)


def weeks(pupil: Pupil, feature: Feature) -> float:
    """Return the school weeks of the window in which the measure adds up to more than 0."""
    return sum(pupil.total(feature.measure, week, week - 1) > 0 for week in range(1, feature.window_weeks + 1))


def _beside_before(pupil: Pupil, feature: Feature) -> tuple[list[float], list[float]]:
    """Return the points of the window, and those of the weeks before it."""
    recent = pupil.series(feature, feature.window_weeks)
    before = pupil.series(feature, feature.window_weeks + feature.before_weeks, feature.window_weeks)
    return _values(recent), _values(before)


def _values(weekly: Series) -> list[float]:
    return [value for _, value in weekly]


def _weighted_mean(weekly: Series, half_life: float) -> float:
    # The newest week, one back, has weight 1.
    weights = [math.pow(0.5, (week - 1) / half_life) for week, _ in weekly]
    return sum(w * y for w, y in zip(weights, _values(weekly), strict=True)) / sum(weights)
