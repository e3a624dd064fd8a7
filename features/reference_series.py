"""The plain engine's forms of a weekly series: how a pupil's weeks run, not just what they add up to."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.feature import Feature
from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS
from features.plain import Plain

Array = npt.NDArray[np.float64]


def slope(plain: Plain, feature: Feature) -> pd.Series:
    """Return the least-squares slope of the weekly series, per week."""
    return plain.series(feature, feature.window_weeks).apply(_slope, axis=1)


def volatility(plain: Plain, feature: Feature) -> pd.Series:
    """Return the population standard deviation of the weekly series."""
    return plain.series(feature, feature.window_weeks).apply(_of_points(lambda points: float(np.std(points))), axis=1)


def momentum(plain: Plain, feature: Feature) -> pd.Series:
    """Return the fast weighted mean of the weekly series less the slow one."""

    def of_row(weekly: pd.Series) -> float:
        points = weekly.dropna()
        if len(points) < FEWEST_POINTS:
            return np.nan
        # The newest week, one back, has weight 1.
        back = -points.index.to_numpy(np.float64) - 1.0
        fast, slow = 2.0 ** (-back / FAST_WEEKS), 2.0 ** (-back / SLOW_WEEKS)
        values = points.to_numpy(np.float64)
        return float((fast @ values) / fast.sum() - (slow @ values) / slow.sum())

    return plain.series(feature, feature.window_weeks).apply(of_row, axis=1)


def cusum(plain: Plain, feature: Feature) -> pd.Series:
    """Return how far the window's weeks have piled up above what the weeks before make usual."""

    def of_rows(recent: Array, usual: Array) -> float:
        mean, spread = float(np.mean(usual)), float(np.std(usual))
        piled = 0.0
        for point in recent:
            piled = max(0.0, piled + float(point) - mean - spread / 2)
        return piled

    return _beside_before(plain, feature, of_rows)


def departure(plain: Plain, feature: Feature) -> pd.Series:
    """Return how many usual spreads the window's mean week lies above the mean week before."""
    floor = COUNT_FLOOR if feature.per is None else RATE_FLOOR

    def of_rows(recent: Array, usual: Array) -> float:
        return (float(np.mean(recent)) - float(np.mean(usual))) / max(float(np.std(usual)), floor)

    return _beside_before(plain, feature, of_rows)


def weeks(plain: Plain, feature: Feature) -> pd.Series:
    """Return the school weeks of the window in which the measure adds up to more than 0."""
    held = [plain.total(feature.measure, week, week - 1) > 0 for week in range(1, feature.window_weeks + 1)]
    return pd.concat(held, axis=1).sum(axis=1).astype(float)


def _beside_before(plain: Plain, feature: Feature, of_rows: Callable[[Array, Array], float]) -> pd.Series:
    recent = plain.series(feature, feature.window_weeks)
    before = plain.series(feature, feature.window_weeks + feature.before_weeks, feature.window_weeks)
    found = []
    for pupil in range(len(recent)):
        now = recent.iloc[pupil].dropna().to_numpy(np.float64)
        usual = before.iloc[pupil].dropna().to_numpy(np.float64)
        found.append(of_rows(now, usual) if len(now) and len(usual) >= FEWEST_POINTS else np.nan)
    return pd.Series(found, index=recent.index, dtype="float64")


def _of_points(value: Callable[[Array], float]) -> Callable[[pd.Series], float]:
    def of_row(weekly: pd.Series) -> float:
        points = weekly.dropna().to_numpy(np.float64)
        return value(points) if len(points) >= FEWEST_POINTS else np.nan

    return of_row


def _slope(weekly: pd.Series) -> float:
    points = weekly.dropna()
    if len(points) < FEWEST_POINTS:
        return np.nan
    x = points.index.to_numpy(dtype=np.float64)
    centred = x - x.mean()
    return float((centred * points.to_numpy()).sum() / (centred**2).sum())
