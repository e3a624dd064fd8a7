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
    """Write each feature's value into its line of `out`, all rows at a time: for plain Python.

    Parameters
    ----------
    out
        Shape (features, rows or more): what lies behind the rows is left alone.
    totals
        Each measure added up from each edge to as_of, shape (needs + 1, rows); the last is nothing.
    held
        How many school weeks before its as_of each row's calendar holds.
    """
    column, form, at, weeks, empty = recipes
    for one in range(len(column)):
        value, part = out[column[one], : len(held)], at[one]
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


def sums_by_row(out: Values, totals: Small, held: Small, recipes: SumRecipes) -> None:
    """Write what `sums` writes, row by row: as machine code ten times as quick as with arrays on the way."""
    column, form, at, weeks, empty = recipes
    for one in range(len(column)):
        value, recent, whole = out[column[one]], weeks[one, 0], weeks[one, 1]
        above, above_from, below, below_from, other, other_from = _lines(totals, at[one, :3])
        if form[one] == COUNT:
            for row in range(len(held)):
                value[row] = above[row] - above_from[row]
            continue
        for row in range(len(held)):
            per = below[row] - below_from[row] + (other[row] - other_from[row])
            per = min(held[row], recent) if recent > 0 else per
            value[row] = _part(above[row] - above_from[row], per)
        if form[one] == DIFFERENCE:
            above, above_from, below, below_from, other, other_from = _lines(totals, at[one, 3:])
            for row in range(len(held)):
                per = below[row] - below_from[row] + (other[row] - other_from[row])
                per = min(held[row], whole) - min(held[row], recent) if recent > 0 else per
                value[row] -= _part(above[row] - above_from[row], per)
        if not np.isnan(empty[one]):
            for row in range(len(held)):
                value[row] = empty[one] if np.isnan(value[row]) else value[row]


def _lines(totals: Small, at: Small) -> tuple[Small, Small, Small, Small, Small, Small]:
    """Return where three sums end and begin."""
    return totals[at[0, 0]], totals[at[0, 1]], totals[at[1, 0]], totals[at[1, 1]], totals[at[2, 0]], totals[at[2, 1]]


def _part(above: int, below: int) -> float:
    return above / below if below > 0 else np.nan
