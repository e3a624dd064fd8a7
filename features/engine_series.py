"""The fast engine's forms of a weekly series, for all rows at once. `features.reference_series` says what they mean."""

import numpy as np

from features.engine_work import Values, Work, divide
from features.feature import Feature
from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS


def slope(work: Work, feature: Feature) -> Values:
    """Return the least-squares slope of the weekly series, per week."""
    y = work.series(feature, feature.window_weeks)
    x = -np.arange(feature.window_weeks, 0, -1, dtype=np.float64)
    there = ~np.isnan(y)
    mean = divide(there @ x, there.sum(axis=1).astype(np.float64))
    centred = np.where(there, x - mean[:, None], 0.0)
    found = divide((centred * np.where(there, y, 0.0)).sum(axis=1), (centred**2).sum(axis=1))
    return _enough(found, y)


def volatility(work: Work, feature: Feature) -> Values:
    """Return the population standard deviation of the weekly series."""
    y = work.series(feature, feature.window_weeks)
    return _enough(_mean_and_spread(y)[1], y)


def momentum(work: Work, feature: Feature) -> Values:
    """Return the fast weighted mean of the weekly series less the slow one."""
    y = work.series(feature, feature.window_weeks)
    back = np.arange(feature.window_weeks - 1, -1, -1, dtype=np.float64)
    there, known = ~np.isnan(y), np.nan_to_num(y)
    fast, slow = 2.0 ** (-back / FAST_WEEKS), 2.0 ** (-back / SLOW_WEEKS)
    return _enough(divide(known @ fast, there @ fast) - divide(known @ slow, there @ slow), y)


def cusum(work: Work, feature: Feature) -> Values:
    """Return how far the window's weeks have piled up above what the weeks before make usual."""
    recent, mean, spread, there = _beside_before(work, feature)
    piled = np.zeros(len(recent))
    for week in range(recent.shape[1]):
        point = recent[:, week]
        piled = np.where(np.isnan(point), piled, np.maximum(0.0, piled + point - mean - spread / 2))
    return np.where(there, piled, np.nan)


def departure(work: Work, feature: Feature) -> Values:
    """Return how many usual spreads the window's mean week lies above the mean week before."""
    recent, mean, spread, there = _beside_before(work, feature)
    floor = COUNT_FLOOR if feature.per is None else RATE_FLOOR
    return np.where(there, (_mean_and_spread(recent)[0] - mean) / np.maximum(spread, floor), np.nan)


def weeks(work: Work, feature: Feature) -> Values:
    """Return the school weeks of the window in which the measure adds up to more than 0."""
    held = np.zeros(len(work.rows))
    for week in range(1, feature.window_weeks + 1):
        held += work.total(feature.measure, week, week - 1) > 0
    return held


def _beside_before(work: Work, feature: Feature) -> tuple[Values, Values, Values, Values]:
    """Return the window's series, mean and spread of the series before it, and where both have points enough."""
    recent = work.series(feature, feature.window_weeks)
    before = work.series(feature, feature.window_weeks + feature.before_weeks, feature.window_weeks)
    mean, spread = _mean_and_spread(before)
    there = (np.sum(~np.isnan(recent), axis=1) > 0) & (np.sum(~np.isnan(before), axis=1) >= FEWEST_POINTS)
    return recent, np.nan_to_num(mean), np.nan_to_num(spread), there


def _mean_and_spread(y: Values) -> tuple[Values, Values]:
    there = ~np.isnan(y)
    points = there.sum(axis=1).astype(np.float64)
    mean = divide(np.nan_to_num(y).sum(axis=1), points)
    apart = np.where(there, y - mean[:, None], 0.0)
    return mean, np.sqrt(divide((apart**2).sum(axis=1), points))


def _enough(value: Values, y: Values) -> Values:
    return np.where(np.sum(~np.isnan(y), axis=1) >= FEWEST_POINTS, value, np.nan)
