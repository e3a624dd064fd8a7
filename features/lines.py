"""One pass along each pupil's line of sessions: how many runs, how long, and is one running now.

In array operations, a session at a time for every row at once, so that the web process, which may not import
numba, has it too. Work for a whole network takes the compiled twin (`features.compiled`), which must agree.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Small = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Runs = Callable[[Small, Small, Ints, Ints, Ints, Ints, Ints], Values]
_ROWS_AT_ONCE = 1 << 15


def runs(possible: Small, counted: Small, pupil: Ints, first: Ints, end: Ints, fix_from: Ints, fixes: Ints) -> Values:
    """Return runs, runs of one session, the longest run and the run at the end, shape (rows, 4); NaN: no session.

    Parameters
    ----------
    possible, counted
        How many marks of each pupil and session say so, shape (pupils, sessions), two sessions a day.
    pupil, first, end
        For each row: the pupil's place, the first session of the window and the one after the last.
    fix_from, fixes
        What those counts have wrong for a row: `fixes[fix_from[row]:fix_from[row + 1]]`, each (session, to add
        to possible, to add to counted).
    """
    found = np.empty((len(pupil), 4))
    for low in range(0, len(pupil), _ROWS_AT_ONCE):
        rows = slice(low, min(low + _ROWS_AT_ONCE, len(pupil)))
        session = first[rows, None] + np.arange(int((end - first)[rows].max(initial=0)))
        inside = session < end[rows, None]
        cell = pupil[rows, None], np.minimum(session, possible.shape[1] - 1)
        mine = fixes[fix_from[rows.start] : fix_from[rows.stop]]
        row = np.repeat(np.arange(rows.stop - low), np.diff(fix_from[rows.start : rows.stop + 1]))
        says = [
            _fixed(cube[cell], row, mine[:, 0] - first[rows][row], mine[:, 1 + at])
            for at, cube in enumerate((possible, counted))
        ]
        there = inside & (says[0] > 0)
        found[rows] = _walk(there, there & (says[1] > 0))
    return found


def _fixed(counts: Small, row: Ints, column: Ints, add: Ints) -> Small:
    inside = (column >= 0) & (column < counts.shape[1])
    np.add.at(counts, (row[inside], column[inside]), add[inside].astype(np.int8))
    return counts


def _walk(there: npt.NDArray[np.bool_], hit: npt.NDArray[np.bool_]) -> Values:
    number, brief, longest, now = (np.zeros(len(there), dtype=np.int64) for _ in range(4))
    for in_line, counts in zip(there.T, hit.T, strict=True):
        now = np.where(in_line, np.where(counts, now + 1, 0), now)
        number += counts & (now == 1)
        brief += (counts & (now == 1)).astype(np.int64) - (counts & (now == 2))
        longest = np.maximum(longest, now)
    found = np.stack([number, brief, longest, now], axis=1).astype(np.float64)
    found[~there.any(axis=1)] = np.nan
    return found
