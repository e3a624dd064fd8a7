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
    pupils: tuple[int, int],
    versions: Versions,
    counting: tuple[Small, Small],
    weighing: tuple[Small, Small],
    rows: tuple[Small, Small, Small],
    needs: tuple[Small, Small, Small, Small],
    stop_of: Small,
) -> Small:
    """Return, for each need and row, the measure added up from the need's edge to the row's as_of, shape (needs, rows).

    Days on which a window begins or ends are *stops*. Each pupil's newest versions are counted by class between the
    stops, classes added up to measures, and those along the stops: a total is then the difference of two of those
    sums. That is wrong only where a version was not yet known, or an older one still held: such versions are few,
    and are taken away or added for the as-of dates concerned (docs/decisions.md, 2 and 48).

    Parameters
    ----------
    pupils
        The first pupil and the one after the last.
    counting
        Where each class's measures begin; the measures that count it.
    weighing
        For each measure the number of the weights it adds up, -1 to count; those weights, shape (weights, versions).
    rows
        Where each of the pupils' rows begin; each row's as_of, ascending for a pupil, and group.
    needs
        Where each measure's needs begin; each need's edge; of each (edge, group) the day and the number of the stop.
        The last edge is as_of.
    stop_of
        The first stop; then for each day from it to the last, how many stops are not after it.
    """
    start, row_start = versions[0], rows[0]
    stops, measures = stop_of[-1], len(needs[0]) - 1
    found = np.zeros((len(needs[1]), len(rows[1])), dtype=np.int32)
    by_class = np.zeros((1 + len(weighing[1]), len(counting[0]) - 1, stops), dtype=np.int32)
    lines = np.zeros((measures, stops), dtype=np.int32)
    used = np.zeros(len(counting[0]) - 1, dtype=np.bool_)
    at = np.zeros((len(needs[2]), np.max(row_start[1:] - row_start[:-1])), dtype=np.int32)
    before = (0, 0)
    for pupil in range(pupils[0], pupils[1]):
        mine = (row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1])
        if mine[0] == mine[1] or start[pupil] == start[pupil + 1]:
            continue
        there = (start[pupil], start[pupil + 1])
        _count(by_class, used, there, versions, counting[0], weighing[1], stop_of)
        read = _add_up(lines, by_class, used, counting, weighing[0])
        _stops_of_rows(at, mine, before, rows[2], needs[3])
        before = mine
        for measure in range(measures):
            if read >> measure & 1:
                _differences(found, lines[measure], measure, mine, needs, at)
        for version in range(there[0], there[1]):
            if versions[3][version] != ALWAYS or versions[2][version] > versions[1][version] + 1:
                _put_right(found, version, mine, versions, counting, weighing, rows, needs)
    return found


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
        since = day[version] - stop_of[0]
        # Before the first stop: in no window. On the last or later: not yet in any.
        if last[version] != ALWAYS or since < 0 or since >= len(stop_of) - 2:
            continue
        one, at = of[version], stop_of[since + 1]
        if measures_of[one] == measures_of[one + 1]:
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


def _stops_of_rows(at: Small, mine: tuple[int, int], before: tuple[int, int], group: Small, stop: Small) -> None:
    """Write the stop of each edge for each of a pupil's rows: most often those of the pupil before."""
    same = mine[1] - mine[0] == before[1] - before[0]
    for row in range(mine[1] - mine[0] if same else 0):
        same = same and group[mine[0] + row] == group[before[0] + row]
    if not same:
        for edge in range(len(at)):
            for row in range(mine[1] - mine[0]):
                at[edge, row] = stop[edge, group[mine[0] + row]]


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


def _put_right(
    found: Small,
    version: int,
    mine: tuple[int, int],
    versions: Versions,
    counting: tuple[Small, Small],
    weighing: tuple[Small, Small],
    rows: tuple[Small, Small, Small],
    needs: tuple[Small, Small, Small, Small],
) -> None:
    """Take away a version where it was not yet known, or add one where it still held."""
    _, day, first, last, of = versions
    _, as_of, group = rows
    need_start, need_edge, edge_day, _ = needs
    newest = last[version] == ALWAYS
    # A newest version stands in the sums too early: from the day after it happened until it was known.
    wrong_from = day[version] + 1 if newest else first[version]
    wrong_to = first[version] - 1 if newest else last[version]
    for row in range(mine[0], mine[1]):
        if as_of[row] > wrong_to:
            break
        if as_of[row] < wrong_from:
            continue
        for place in range(counting[0][of[version]], counting[0][of[version] + 1]):
            measure = counting[1][place]
            adds = 1 if weighing[0][measure] < 0 else weighing[1][weighing[0][measure], version]
            for need in range(need_start[measure], need_start[measure + 1]):
                if day[version] >= edge_day[need_edge[need], group[row]]:
                    found[need, row] += -adds if newest else adds
