"""Loops over pupils, fourth part: along the line of a pupil's sessions. They are no sums either."""

import numpy as np
import numpy.typing as npt

from features.loops import Ints, Small
from features.loops_rows import moved

Values = npt.NDArray[np.float64]


def along(
    pupils: tuple[int, int],
    versions: tuple[Small, Small, Small, Small, Ints],
    counting: tuple[int, int, Small],
    rows: tuple[Small, Small, Small, Small],
) -> Values:
    """Return runs, runs of one session and the longest run, shape (3, rows); NaN: no session.

    `counting` has the bit of what runs, that of the sessions there are, and each version's turn: morning or afternoon.
    A pupil's versions are in order of day and turn.
    """
    start, day, _, _, counted = versions
    row_start, _, begin, _ = rows
    found = np.full((3, len(begin)), np.nan)
    for pupil in range(pupils[0], pupils[1]):
        low, ever = start[pupil], False
        for version in range(start[pupil], start[pupil + 1]):
            ever = ever or counted[version] >> counting[0] & 1 == 1
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
    versions: tuple[Small, Small, Small, Small, Ints],
    counting: tuple[int, int, Small],
    rows: tuple[Small, Small, Small, Small],
    ever: bool,
) -> tuple[bool, int, int, int]:
    """Return whether there is a session, then runs, runs of one and the longest; `ever`: whether any can be."""
    _, day, first, last, counted = versions
    counted_bit, possible_bit, turn = counting
    as_of, number, brief, longest, now, there = rows[1][row], 0, 0, 0, 0, False
    version = low
    while version < end and day[version] < rows[3][row]:
        # Two current rows may speak of one session: it counts if either says so.
        here, said = version, 0
        while version < end and day[version] == day[here] and turn[version] == turn[here]:
            if first[version] <= as_of <= last[version]:
                said |= counted[version]
            version += 1
        if not said >> possible_bit & 1:
            continue
        there = True
        if not ever:
            break
        if said >> counted_bit & 1:
            now += 1
            longest = max(longest, now)
            number += 1 if now == 1 else 0
            brief += 1 if now == 1 else -1 if now == 2 else 0
        else:
            now = 0
    return there, number, brief, longest


def ending(
    pupils: tuple[int, int],
    versions: tuple[Small, Small, Small, Small, Ints],
    counting: tuple[int, int, Small],
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
    versions: tuple[Small, Small, Small, Small, Ints],
    counting: tuple[int, int, Small],
    rows: tuple[Small, Small, Small, Small],
) -> float:
    _, day, first, last, counted = versions
    turn, as_of, now, there = counting[2], rows[1][row], 0, False
    version = newest
    while version >= first_of_pupil and day[version] >= rows[2][row]:
        here, said = version, 0
        while version >= first_of_pupil and day[version] == day[here] and turn[version] == turn[here]:
            if first[version] <= as_of <= last[version]:
                said |= counted[version]
            version -= 1
        if said >> counting[1] & 1:
            there = True
            if not said >> counting[0] & 1:
                break
            now += 1
    return now if there else np.nan
