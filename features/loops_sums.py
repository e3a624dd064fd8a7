"""Loops over features, sixth part: values that are sums over windows, or sums divided by sums."""

import numpy as np
import numpy.typing as npt

from features.loops import Small

Values = npt.NDArray[np.float64]
# (a) alone; (a) / (b + c); that less (d) / (e + f).
COUNT, RATE, DIFFERENCE = range(3)
# For each feature: its column and form; where its six sums begin and end among the totals, shape (features, 6, 2); the
# recent and the whole school weeks where it is divided by weeks held, else 0; its value where it has none.
SumRecipes = tuple[Small, Small, Small, Small, Values]


def sums(out: Values, totals: Small, held: Small, recipes: SumRecipes) -> None:
    """Write each feature's value into its column of `out`, shape (features, rows).

    Parameters
    ----------
    totals
        Each measure added up from each edge to as_of, shape (needs + 1, rows); the last is nothing.
    held
        How many school weeks before its as_of each row's calendar holds.
    """
    column, form, at, weeks, empty = recipes
    for one in range(len(column)):
        value, part = out[column[one]], at[one]
        if form[one] == COUNT:
            value[:] = totals[part[0, 0]] - totals[part[0, 1]]
            continue
        below = totals[part[1, 0]] - totals[part[1, 1]] + (totals[part[2, 0]] - totals[part[2, 1]])
        before = totals[part[4, 0]] - totals[part[4, 1]] + (totals[part[5, 0]] - totals[part[5, 1]])
        if weeks[one, 0] > 0:
            below = np.minimum(held, weeks[one, 0])
            before = np.minimum(held, weeks[one, 1]) - below
        value[:] = _divided(totals[part[0, 0]] - totals[part[0, 1]], below)
        if form[one] == DIFFERENCE:
            value -= _divided(totals[part[3, 0]] - totals[part[3, 1]], before)
        if not np.isnan(empty[one]):
            value[:] = np.where(np.isnan(value), empty[one], value)


def _divided(above: Small, below: Small) -> Values:
    """Return above / below, NaN where there is nothing to divide by."""
    return np.where(below > 0, above / np.maximum(below, 1), np.nan)
