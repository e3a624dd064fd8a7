"""Loops over pupils, fourth part: along the line of a pupil's sessions. They are no sums either."""

import numpy as np
import numpy.typing as npt

from features.loops import Small, Tiny
from features.loops_rows import moved
from features.loops_totals import Versions

Values = npt.NDArray[np.float64]
RUNS, THERE = 1, 2


def along(
    pupils: tuple[int, int],
    versions: Versions,
    counting: tuple[Tiny, Tiny],
    rows: tuple[Small, Small, Small, Small],
) -> Values:
    """Return runs, runs of one session and the longest run, shape (3, rows); NaN: no session.

    `counting` says of each class whether it is what runs (1) and a session there is (2); then each version's turn:
    morning or afternoon.
    A pupil's versions are in order of day and turn.
    """
    start, day, _, _, of = versions
    row_start, _, begin, _ = rows
    found = np.full((3, len(begin)), np.nan)
    for pupil in range(pupils[0], pupils[1]):
        low, ever = start[pupil], False
        for version in range(start[pupil], start[pupil + 1]):
            ever = ever or counting[0][of[version]] & RUNS != 0
        for row in range(row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1]):
            low = moved(low, start[pupil], start[pupil + 1], day, begin[row])
            there, number, brief, longest = _line(low, start[pupil + 1], row, versions, counting, rows, ever)
            if there:
                found[0, row], found[1, row], found[2, row] = number, brief, longest
    return found


def _line(
    low: int,
    end: int,
    row: int,
    versions: Versions,
    counting: tuple[Tiny, Tiny],
    rows: tuple[Small, Small, Small, Small],
    ever: bool,
) -> tuple[bool, int, int, int]:
    """Return whether there is a session, then runs, runs of one and the longest; `ever`: whether any can be."""
    _, day, first, last, of = versions
    says, turn = counting
    as_of, number, brief, longest, now, there = rows[1][row], 0, 0, 0, 0, False
    version = low
    while version < end and day[version] < rows[3][row]:
        # Two current rows may speak of one session: it counts if either says so.
        here, said = version, 0
        while version < end and day[version] == day[here] and turn[version] == turn[here]:
            if first[version] <= as_of <= last[version]:
                said |= says[of[version]]
            version += 1
        if not said & THERE:
            continue
        there = True
        if not ever:
            break
        if said & RUNS:
            now += 1
            longest = max(longest, now)
            number += 1 if now == 1 else 0
            brief += 1 if now == 1 else -1 if now == 2 else 0
        else:
            now = 0
    return there, number, brief, longest


def ending(
    pupils: tuple[int, int],
    versions: Versions,
    counting: tuple[Tiny, Tiny],
    rows: tuple[Small, Small, Small, Small],
) -> Values:
    """Return the sessions in the run at the end of each window, looked at backwards; NaN: no session. As `along`."""
    start, day = versions[0], versions[1]
    row_start, _, _, end = rows
    found = np.full(len(end), np.nan)
    for pupil in range(pupils[0], pupils[1]):
        high = start[pupil]
        for row in range(row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1]):
            high = moved(high, start[pupil], start[pupil + 1], day, end[row])
            found[row] = _last_run(high - 1, start[pupil], row, versions, counting, rows)
    return found


def _last_run(
    newest: int,
    first_of_pupil: int,
    row: int,
    versions: Versions,
    counting: tuple[Tiny, Tiny],
    rows: tuple[Small, Small, Small, Small],
) -> float:
    _, day, first, last, of = versions
    (says, turn), as_of, now, there = counting, rows[1][row], 0, False
    version = newest
    while version >= first_of_pupil and day[version] >= rows[2][row]:
        here, said = version, 0
        while version >= first_of_pupil and day[version] == day[here] and turn[version] == turn[here]:
            if first[version] <= as_of <= last[version]:
                said |= says[of[version]]
            version -= 1
        if said & THERE:
            there = True
            if not said & RUNS:
                break
            now += 1
    return now if there else np.nan
