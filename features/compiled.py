"""The fast engine with its loop along the sessions compiled: for training and the nightly run, never the web."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

import numba
import numpy as np

from features import engine
from features.lines import Ints, Small, Values

F = TypeVar("F", bound=Callable[..., object])


def _compiled(function: F) -> F:
    # numba's own types are not known to the type checker.
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


@_compiled
def runs(possible: Small, counted: Small, pupil: Ints, first: Ints, end: Ints, fix_from: Ints, fixes: Ints) -> Values:
    """Return what `features.lines.runs` returns, in one compiled pass."""
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


# The same matrix as `features.engine.build`, sooner where there are many pupils.
build = partial(engine.build, runs=runs)
