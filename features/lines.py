"""One pass along each pupil's line of sessions, compiled: how many runs, how long, and is one running now.

No array operation says 'in a row', so this is a loop; numba makes it as quick as a sum.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., object])
Small = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]


def _compiled(function: F) -> F:
    # numba's own types are not known to the type checker.
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


@_compiled
def runs(
    possible: Small, counted: Small, pupil: Ints, first: Ints, end: Ints, fix_from: Ints, fixes: Ints
) -> npt.NDArray[np.float64]:
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
    found = np.full((len(pupil), 4), np.nan)
    for row in range(len(pupil)):
        at = pupil[row]
        for fix in range(fix_from[row], fix_from[row + 1]):
            possible[at, fixes[fix, 0]] += fixes[fix, 1]
            counted[at, fixes[fix, 0]] += fixes[fix, 2]
        number, brief, longest, now, there = 0, 0, 0, 0, False
        for session in range(first[row], end[row]):
            if possible[at, session] <= 0:
                continue
            there = True
            if counted[at, session] > 0:
                now += 1
                longest = max(longest, now)
                if now == 1:
                    number += 1
                    brief += 1
                elif now == 2:
                    brief -= 1
            else:
                now = 0
        if there:
            found[row, 0], found[row, 1], found[row, 2], found[row, 3] = number, brief, longest, now
        for fix in range(fix_from[row], fix_from[row + 1]):
            possible[at, fixes[fix, 0]] -= fixes[fix, 1]
            counted[at, fixes[fix, 0]] -= fixes[fix, 2]
    return found
