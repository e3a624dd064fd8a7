"""Loops over pupils, second part: what a measure adds up to in many windows, and forms of its weekly series."""

import numpy as np
import numpy.typing as npt

from features.forms import COUNT_FLOOR, FAST_WEEKS, FEWEST_POINTS, RATE_FLOOR, SLOW_WEEKS
from features.loops import ALWAYS, Ints, Small

Values = npt.NDArray[np.float64]
SLOPE, VOLATILITY, MOMENTUM, CUSUM, DEPARTURE, WEEKS = range(6)


def totals(
    pupils: tuple[int, int],
    versions: tuple[Small, Small, Small, Small, Ints],
    weighing: tuple[Small, Small],
    rows: tuple[Small, Small, Small],
    needs: tuple[Small, Small, Small],
    days: tuple[int, int],
) -> Small:
    """Return, for each need and row, the measure added up from the need's edge to the row's as_of, shape (needs, rows).

    Each pupil's newest versions are counted by day and added up along the days: a total is then the difference of
    two of those sums. That is wrong only where a version was not yet known, or an older one still held: such versions
    are few, and are taken away or added for the as-of dates concerned (docs/decisions.md, 2).

    Parameters
    ----------
    pupils
        The first pupil and the one after the last.
    versions
        Where each pupil's begin; each version's day, first and last day on which it is seen, and the measures that
        count it, a bit each.
    weighing
        For each measure the number of the weights it adds up, -1 to count; those weights, shape (weights, versions).
    rows
        Where each of the pupils' rows begin; each row's as_of, ascending for a pupil, and group.
    needs
        Where each measure's needs begin; each need's edge; the day of each (edge, group).
    days
        The first day that any window holds, and the last as_of.
    """
    start, row_start, need_start = versions[0], rows[0], needs[0]
    measures = len(need_start) - 1
    found = np.zeros((len(needs[1]), len(rows[1])), dtype=np.int32)
    by_day = np.zeros((measures, days[1] - days[0] + 1), dtype=np.int32)
    for pupil in range(pupils[0], pupils[1]):
        mine = (row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1])
        if mine[0] == mine[1] or start[pupil] == start[pupil + 1]:
            continue
        there = (start[pupil], start[pupil + 1])
        used = _count_by_day(by_day, there, versions, weighing, days[0])
        for measure in range(measures):
            if used >> measure & 1:
                _differences(found, by_day[measure], measure, mine, rows, needs, days[0])
        for version in range(there[0], there[1]):
            if versions[4][version] and (
                versions[3][version] != ALWAYS or versions[2][version] > versions[1][version] + 1
            ):
                _put_right(found, version, mine, versions, weighing, rows, needs)
    return found


def _count_by_day(
    by_day: Small,
    there: tuple[int, int],
    versions: tuple[Small, Small, Small, Small, Ints],
    weighing: tuple[Small, Small],
    first_day: int,
) -> int:
    """Add each newest version to its measures on the day after its own; return the measures that got any, as bits."""
    _, day, _, last, counted = versions
    used = 0
    for version in range(there[0], there[1]):
        at = day[version] - first_day + 1
        if last[version] != ALWAYS or at < 1 or at >= by_day.shape[1]:
            continue
        rest, measure = counted[version], 0
        used |= rest
        while rest:
            if rest & 1:
                by_day[measure, at] += _weight(measure, version, weighing)
            rest >>= 1
            measure += 1
    return used


def _differences(
    found: Small,
    line: Small,
    measure: int,
    mine: tuple[int, int],
    rows: tuple[Small, Small, Small],
    needs: tuple[Small, Small, Small],
    first_day: int,
) -> None:
    """Write every total of one measure of a pupil, and leave its days empty."""
    _, as_of, group = rows
    need_start, need_edge, edge_day = needs
    total = 0
    for at in range(len(line)):
        total += line[at]
        line[at] = total
    for need in range(need_start[measure], need_start[measure + 1]):
        edge = edge_day[need_edge[need]]
        for row in range(mine[0], mine[1]):
            found[need, row] = line[as_of[row] - first_day] - line[edge[group[row]] - first_day]
    line[:] = 0


def _put_right(
    found: Small,
    version: int,
    mine: tuple[int, int],
    versions: tuple[Small, Small, Small, Small, Ints],
    weighing: tuple[Small, Small],
    rows: tuple[Small, Small, Small],
    needs: tuple[Small, Small, Small],
) -> None:
    """Take away a version where it was not yet known, or add one where it still held."""
    _, day, first, last, counted = versions
    _, as_of, group = rows
    need_start, need_edge, edge_day = needs
    newest = last[version] == ALWAYS
    # A newest version stands in the sums too early: from the day after it happened until it was known.
    wrong_from = day[version] + 1 if newest else first[version]
    wrong_to = first[version] - 1 if newest else last[version]
    for row in range(mine[0], mine[1]):
        if as_of[row] < wrong_from or as_of[row] > wrong_to:
            continue
        rest, measure = counted[version], 0
        while rest:
            if rest & 1:
                adds = _weight(measure, version, weighing)
                for need in range(need_start[measure], need_start[measure + 1]):
                    if day[version] >= edge_day[need_edge[need], group[row]]:
                        found[need, row] += -adds if newest else adds
            rest >>= 1
            measure += 1


def _weight(measure: int, version: int, weighing: tuple[Small, Small]) -> int:
    which, weights = weighing
    return 1 if which[measure] < 0 else int(weights[which[measure], version])


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
    y = np.empty(weeks)
    for row in range(above.shape[1]):
        for week in range(weeks):
            back = weeks - week
            total = above[back, row] - above[back - 1, row]
            per = below[back, row] - below[back - 1, row] if rates else 1
            y[week] = total / per if held[row] >= back and per > 0 else np.nan
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
