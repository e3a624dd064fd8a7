"""What benchmarks with a planted effect share: its value at the cut-off, expected outcomes, and shares of draws."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from learning.impact.design import WINDOW

Array = npt.NDArray[np.float64]


def at_cut_off(x: Array, values: Array) -> float:
    """Return what the values of one side come to at the cut-off: a quadratic, pupils nearer to it counting more.

    Parameters
    ----------
    x
        Distances from the cut-off, all of one side; those outside the window count for nothing.
    values
        One for each.
    """
    near = np.abs(x) < WINDOW
    x, values = x[near], values[near]
    root = np.sqrt(1 - np.abs(x) / WINDOW)
    design = np.column_stack([np.ones(len(x)), x, x**2]) * root[:, None]
    return float(np.linalg.lstsq(design, values * root, rcond=None)[0][0])


def jump(x: Array, values: Array) -> float:
    """Return by how much the values differ from one side of the cut-off, 0 and above, to the other."""
    above = x >= 0
    return at_cut_off(x[above], values[above]) - at_cut_off(x[~above], values[~above])


def chances(rows: pd.DataFrame, weekly: pd.DataFrame) -> Array:
    """Return each row's chance of at least one sanction from its first day to before its last.

    Parameters
    ----------
    rows
        `pupil`, `as_of`, `horizon_end`.
    weekly
        `pupil`, `week` (a Monday), `hazard` (sanctions expected in the week); a week that is not there has none.
    """
    pairs = rows[["pupil", "as_of", "horizon_end"]].reset_index(drop=True).reset_index(names="row")
    pairs = pairs.merge(weekly[["pupil", "week", "hazard"]], on="pupil")
    inside = pairs[(pairs["week"] >= pairs["as_of"]) & (pairs["week"] < pairs["horizon_end"])]
    whole = np.bincount(inside["row"], inside["hazard"], minlength=len(rows))
    return np.asarray(-np.expm1(-whole))


def percent(hits: int, draws: int) -> str:
    """Return a share with its Monte Carlo error, as in '95.1 % ± 0.5'."""
    likely = (hits + 2) / (draws + 4)
    return f"{hits / draws:6.1%} ± {100 * math.sqrt(likely * (1 - likely) / (draws + 4)):.1f}"
