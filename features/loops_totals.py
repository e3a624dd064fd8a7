"""Loops over pupils, second part: what a measure adds up to in many windows."""

import numpy as np
import numpy.typing as npt

from features.loops import ALWAYS, Kinds, Small

Classes = npt.NDArray[np.int16]
# Where each pupil's versions begin; each version's day, first and last day on which it is seen, and class.
Versions = tuple[Small, Small, Small, Small, Classes]


def classes(kind: Kinds, day: Small, table: Classes) -> Classes:
    """Return each version's class, of its kind and its day of the week; `table` has shape (kinds, 7)."""
    found = np.empty(len(kind), dtype=np.int16)
    for version in range(len(kind)):
        found[version] = table[kind[version], (day[version] + 3) % 7]
    return found


def totals(
    found: Small,
    pupils: tuple[int, int],
    versions: Versions,
    counting: tuple[Small, Small],
    weighing: tuple[Small, Small],
    rows: tuple[Small, Small, Small],
    windows: tuple[tuple[Small, Small, Small, Small], Small],
) -> None:
    """Write, for each need and row, the measure added up from the need's edge to the row's as_of.

    Days on which a window begins or ends are *stops*. Each pupil's newest versions are counted by class between the
    stops, classes added up to measures, and those along the stops: a total is then the difference of two of those
    sums. That is wrong only where a version was not yet known, or an older one still held: such versions are few,
    and are taken away or added for the as-of dates concerned (docs/decisions.md, 2 and 48).

    Parameters
    ----------
    found
        Zeros, shape (needs, rows).
    pupils
        The first pupil and the one after the last.
    counting
        Where each class's measures begin; the measures that count it.
    weighing
        For each measure the number of the weights it adds up, -1 to count; those weights, shape (weights, versions).
    rows
        Where each of the pupils' rows begin; each row's as_of, ascending for a pupil, and group.
    windows
        The needs: where each measure's begin; each need's edge; of each (edge, group) the day and the number of the
        stop. The last edge is as_of. Then the stops: the first; then for each day from it to the last, how many stops
        are not after it.
    """
    (start, row_start), (needs, stop_of) = (versions[0], rows[0]), windows
    stops, measures = stop_of[-1], len(needs[0]) - 1
    by_class = np.zeros((1 + len(weighing[1]), len(counting[0]) - 1, stops), dtype=np.int32)
    lines = np.zeros((measures, stops), dtype=np.int32)
    used = np.zeros(len(counting[0]) - 1, dtype=np.bool_)
    at = np.zeros((len(needs[2]), np.max(row_start[1:] - row_start[:-1])), dtype=np.int32)
    row_from = np.zeros(stops + 1, dtype=np.int32)
    before = (0, 0)
    for pupil in range(pupils[0], pupils[1]):
        mine = (row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1])
        if mine[0] == mine[1] or start[pupil] == start[pupil + 1]:
            continue
        there = (start[pupil], start[pupil + 1])
        _count(by_class, used, there, versions, counting[0], weighing[1], stop_of)
        read = _add_up(lines, by_class, used, counting, weighing[0])
        _stops_of_rows(at, row_from, mine, before, rows[2], needs[3])
        before = mine
        for measure in range(measures):
            if read >> measure & 1:
                _differences(found, lines[measure], measure, mine, needs, at)
        for version in range(there[0], there[1]):
            if versions[3][version] != ALWAYS or versions[2][version] > versions[1][version] + 1:
                first_row = mine[0] + row_from[_stops_until(_wrong(version, versions)[0] - 1, stop_of)]
                _put_right(found, version, (first_row, mine[1], rows[1], rows[2]), versions, counting, weighing, needs)


def _stops_until(day: int, stop_of: Small) -> int:
    """Return how many stops are not after the day."""
    since = day - stop_of[0]
    if since < 0:
        return 0
    return int(stop_of[min(since + 1, len(stop_of) - 1)])


def _count(
    by_class: Small,
    used: npt.NDArray[np.bool_],
    there: tuple[int, int],
    versions: Versions,
    measures_of: Small,
    weights: Small,
    stop_of: Small,
) -> None:
    """Add each newest version to its class, from the first stop after its day on."""
    _, day, _, last, of = versions
    for version in range(there[0], there[1]):
        one, at = of[version], _stops_until(day[version], stop_of)
        # Before the first stop: in no window. On the last or later: not yet in any.
        if last[version] != ALWAYS or at == 0 or at == by_class.shape[2] or measures_of[one] == measures_of[one + 1]:
            continue
        used[one] = True
        by_class[0, one, at] += 1
        for weight in range(len(weights)):
            by_class[1 + weight, one, at] += weights[weight, version]


def _add_up(
    lines: Small, by_class: Small, used: npt.NDArray[np.bool_], counting: tuple[Small, Small], weighing: Small
) -> int:
    """Write the sums along the stops of every measure that has any; leave the classes empty. Return which, as bits."""
    measures_of, measure_of = counting
    read, stops = 0, lines.shape[1]
    for one in range(len(used)):
        if not used[one]:
            continue
        for place in range(measures_of[one], measures_of[one + 1]):
            measure = measure_of[place]
            line, counted = lines[measure], by_class[1 + weighing[measure], one]
            if read >> measure & 1:
                for stop in range(stops):
                    line[stop] += counted[stop]
            else:
                read |= 1 << measure
                for stop in range(stops):
                    line[stop] = counted[stop]
        by_class[:, one] = 0
        used[one] = False
    for measure in range(len(lines)):
        if read >> measure & 1:
            line = lines[measure]
            for stop in range(1, stops):
                line[stop] += line[stop - 1]
    return read


def _stops_of_rows(
    at: Small, row_from: Small, mine: tuple[int, int], before: tuple[int, int], group: Small, stop: Small
) -> None:
    """Write the stop of each edge for each of a pupil's rows, and the first row whose as_of is each stop or later.

    Most often they are those of the pupil before.
    """
    rows = mine[1] - mine[0]
    same = rows == before[1] - before[0]
    for row in range(rows if same else 0):
        same = same and group[mine[0] + row] == group[before[0] + row]
    if same:
        return
    for edge in range(len(at)):
        for row in range(rows):
            at[edge, row] = stop[edge, group[mine[0] + row]]
    first = 0
    for number in range(len(row_from)):
        while first < rows and at[len(at) - 1, first] < number:
            first += 1
        row_from[number] = first


def _differences(
    found: Small,
    line: Small,
    measure: int,
    mine: tuple[int, int],
    needs: tuple[Small, Small, Small, Small],
    at: Small,
) -> None:
    """Write every total of one measure of a pupil."""
    first, now = mine[0], at[len(at) - 1]
    for need in range(needs[0][measure], needs[0][measure + 1]):
        since, total = at[needs[1][need]], found[need]
        for row in range(mine[1] - first):
            total[first + row] = line[now[row]] - line[since[row]]


def _wrong(version: int, versions: Versions) -> tuple[int, int]:
    """Return the first and last as_of at which the sums are wrong of a version."""
    day, first, last = versions[1][version], versions[2][version], versions[3][version]
    # A newest version stands in them too early: from the day after it happened until it was known.
    return (day + 1, first - 1) if last == ALWAYS else (first, last)


def _put_right(
    found: Small,
    version: int,
    rows: tuple[int, int, Small, Small],
    versions: Versions,
    counting: tuple[Small, Small],
    weighing: tuple[Small, Small],
    needs: tuple[Small, Small, Small, Small],
) -> None:
    """Take away a version where it was not yet known, or add one where it still held, from the first row on."""
    wrong = _wrong(version, versions)
    day, last, of = versions[1][version], versions[3][version], versions[4][version]
    first_row, end, as_of, group = rows
    for row in range(first_row, end):
        if as_of[row] > wrong[1]:
            break
        for place in range(counting[0][of], counting[0][of + 1]):
            measure = counting[1][place]
            adds = 1 if weighing[0][measure] < 0 else weighing[1][weighing[0][measure], version]
            for need in range(needs[0][measure], needs[0][measure + 1]):
                if day >= needs[2][needs[1][need], group[row]]:
                    found[need, row] += -adds if last == ALWAYS else adds
