"""Loops over pupils, fifth part: forms of a measure's weekly series."""

import numpy as np
import numpy.typing as npt

from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS
from features.loops import Small

Values = npt.NDArray[np.float64]
# Rows whose series are written side by side: read week by week they lie in order, and fit the nearest cache.
_AT_ONCE = 64
# For each feature: its column and form; the totals of the measure, and of `per`, over the last 0, 1, 2 ... school
# weeks, shape (features, most weeks + 1); its window, the weeks before, whether of rates; its value where it has none.
SeriesRecipes = tuple[Small, Small, Small, Small, Small, Values]
SLOPE, VOLATILITY, MOMENTUM, CUSUM, DEPARTURE, WEEKS = range(6)


def series(out: Values, totals: Small, held: Small, recipes: SeriesRecipes) -> None:
    """Write each feature's value into its line of `out`. `features.forms` says what each is.

    Parameters
    ----------
    out
        Shape (features, rows or more): what lies behind the rows is left alone.
    totals
        Each measure added up from each edge to as_of, shape (needs + 1, rows); the last is nothing.
    held
        How many school weeks before its as_of each row's calendar holds.
    """
    column, form, above, below, size, empty = recipes
    lines = np.empty((_AT_ONCE, above.shape[1] - 1))
    for one in range(len(column)):
        value, window, before, rates = out[column[one]], size[one, 0], size[one, 1], size[one, 2] > 0
        for first in range(0, len(held), _AT_ONCE):
            rows = (first, min(first + _AT_ONCE, len(held)))
            if form[one] == WEEKS:
                for row in range(rows[0], rows[1]):
                    value[row] = _weeks(totals, above[one], window + before, row)
                continue
            _write(lines, rows, totals, (above[one], below[one]), held, window + before, rates)
            for row in range(rows[0], rows[1]):
                y = lines[row - first, : window + before]
                found = _form(form[one], y, before, RATE_FLOOR if rates else COUNT_FLOOR)
                value[row] = empty[one] if np.isnan(found) else found


def _write(
    lines: Values,
    rows: tuple[int, int],
    totals: Small,
    series: tuple[Small, Small],
    held: Small,
    weeks: int,
    rates: bool,
) -> None:
    """Write the weekly series of some rows, oldest first; NaN in a week without a point."""
    above, below = series
    for back in range(weeks, 0, -1):
        now, then = totals[above[back]], totals[above[back - 1]]
        per_now, per_then = totals[below[back]], totals[below[back - 1]]
        for row in range(rows[0], rows[1]):
            per = per_now[row] - per_then[row] if rates else 1
            known = held[row] >= back and per > 0
            lines[row - rows[0], weeks - back] = (now[row] - then[row]) / per if known else np.nan


def _form(form: int, y: Values, before: int, floor: float) -> float:
    if form == SLOPE:
        return _slope(y)
    if form == VOLATILITY:
        points, _, spread = _mean_and_spread(y)
        return spread if points >= FEWEST_POINTS else np.nan
    if form == MOMENTUM:
        return _momentum(y)
    return _beside_before(form, y, before, floor)


def _weeks(totals: Small, above: Small, weeks: int, row: int) -> float:
    found = 0.0
    for week in range(1, weeks + 1):
        found += 1.0 if totals[above[week], row] > totals[above[week - 1], row] else 0.0
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
