"""Loops over pupils, fifth part: forms of a measure's weekly series."""

import numpy as np
import numpy.typing as npt

from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS
from features.loops import Small

Values = npt.NDArray[np.float64]
# Rows whose series are written side by side: read week by week they lie in order, and fit the nearest cache.
_AT_ONCE = 64
SLOPE, VOLATILITY, MOMENTUM, CUSUM, DEPARTURE, WEEKS = range(6)


def series(form: int, above: Small, below: Small, held: Values, window: int, before: int) -> Values:
    """Return a form of each row's weekly series; NaN where the form has no value. `features.forms` says what each is.

    Parameters
    ----------
    above, below
        The measure and `per`, added up over the last 0, 1, 2 ... school weeks, shape (window + before + 1, rows);
        `below` has no rows where the series is of counts.
    held
        How many of those school weeks each row's calendar holds.
    """
    rates, weeks = len(below) > 0, window + before
    found = np.full(above.shape[1], np.nan)
    lines = np.empty((_AT_ONCE, weeks))
    for first in range(0, above.shape[1], _AT_ONCE):
        end = min(first + _AT_ONCE, above.shape[1])
        for back in range(weeks, 0, -1):
            for row in range(first, end):
                total = above[back, row] - above[back - 1, row]
                per = below[back, row] - below[back - 1, row] if rates else 1
                known = held[row] >= back and per > 0
                lines[row - first, weeks - back] = total / per if known else np.nan
        for row in range(first, end):
            y = lines[row - first]
            if form == WEEKS:
                found[row] = _weeks(above[:, row])
            elif form == SLOPE:
                found[row] = _slope(y)
            elif form == VOLATILITY:
                points, _, spread = _mean_and_spread(y)
                found[row] = spread if points >= FEWEST_POINTS else np.nan
            elif form == MOMENTUM:
                found[row] = _momentum(y)
            else:
                found[row] = _beside_before(form, y, before, RATE_FLOOR if rates else COUNT_FLOOR)
    return found


def _weeks(above: Small) -> float:
    found = 0.0
    for week in range(1, len(above)):
        found += 1.0 if above[week] > above[week - 1] else 0.0
    return found


def _mean_and_spread(y: Values) -> tuple[int, float, float]:
    points, total = 0, 0.0
    for value in y:
        if not np.isnan(value):
            points += 1
            total += value
    if points == 0:
        return 0, np.nan, np.nan
    mean, apart = total / points, 0.0
    for value in y:
        if not np.isnan(value):
            apart += (value - mean) ** 2
    return points, mean, np.sqrt(apart / points)


def _slope(y: Values) -> float:
    points, mean = 0, 0.0
    for week in range(len(y)):
        if not np.isnan(y[week]):
            points += 1
            mean += week
    if points < FEWEST_POINTS:
        return np.nan
    mean /= points
    above, below = 0.0, 0.0
    for week in range(len(y)):
        if not np.isnan(y[week]):
            above += (week - mean) * y[week]
            below += (week - mean) ** 2
    return above / below


def _momentum(y: Values) -> float:
    points, fast, fast_weight, slow, slow_weight = 0, 0.0, 0.0, 0.0, 0.0
    fast_now, slow_now = 1.0, 1.0
    for back in range(len(y)):
        value = y[len(y) - 1 - back]
        if not np.isnan(value):
            points += 1
            fast += fast_now * value
            fast_weight += fast_now
            slow += slow_now * value
            slow_weight += slow_now
        fast_now *= 2.0 ** (-1 / FAST_WEEKS)
        slow_now *= 2.0 ** (-1 / SLOW_WEEKS)
    return fast / fast_weight - slow / slow_weight if points >= FEWEST_POINTS else np.nan


def _beside_before(form: int, y: Values, before: int, floor: float) -> float:
    points, mean, spread = _mean_and_spread(y[:before])
    recent, recent_mean, _ = _mean_and_spread(y[before:])
    if points < FEWEST_POINTS or recent == 0:
        return np.nan
    if form == DEPARTURE:
        return (recent_mean - mean) / max(spread, floor)
    piled = 0.0
    for value in y[before:]:
        if not np.isnan(value):
            piled = max(0.0, piled + value - mean - spread / 2)
    return piled
