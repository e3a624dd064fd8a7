"""What can be found before anything has happened: the smallest effect that so many pupils would show.

The allocation log alone says where pupils stood, and the model's own probabilities how much outcomes will vary; no
outcome is looked at. So a network knows, before the term, when an answer can come.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from learning.impact.design import WINDOW

POWER: Final = 0.8
CLUSTERED: Final = 1.15
"""How much longer intervals are for pupils of one school being alike: as measured by benchmarks/impact_coverage.py."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Power:
    """What pupil-terms like these can show.

    `detectable`: the smallest true effect found four times in five, in the outcome's unit. `needed`: pupil-terms near
    the cut-off to find an effect of `worth` as often. `each_term`: how many there are a term; `terms`: how many terms
    that takes in all, from the first.
    """

    near: int
    worth: float
    detectable: float
    needed: int
    each_term: float
    terms: int

    @property
    def more(self) -> int:
        """Pupil-terms still wanting."""
        return max(0, self.needed - self.near)


def power(rows: pd.DataFrame, spread: float, worth: float, *, window: float = WINDOW) -> Power:
    """Return what these pupil-terms can show of an outcome that varies so much.

    Parameters
    ----------
    rows
        As `learning.impact.design.first_in_term`; outcomes are not needed.
    spread
        Standard deviation of what is left of the outcome when what was expected of each pupil is taken off.
    worth
        The smallest effect worth knowing, above 0.

    Raises
    ------
    ValueError
        Nobody stood on one of the two sides, so that nothing can be foretold.
    """
    x = rows["x"].to_numpy(np.float64)
    near = np.abs(x) < window
    count, terms = int(near.sum()), max(1, rows.loc[near, "term"].nunique())
    error = spread * CLUSTERED * math.sqrt(unit_variance(x[near], window))
    freedom = max(2, rows.loc[near, "school"].nunique() - 1)
    times = float(stats.t.ppf(0.975, freedom) + stats.t.ppf(POWER, freedom))
    detectable = times * error
    needed = math.ceil(count * (detectable / worth) ** 2)
    each = count / terms
    return Power(
        near=count,
        worth=worth,
        detectable=detectable,
        needed=needed,
        each_term=each,
        terms=math.ceil(needed / each),
    )


def unit_variance(x: Array, window: float = WINDOW) -> float:
    """Return the variance of the estimated jump for an outcome of variance 1: from where pupils stood, nothing else."""
    above = (x >= 0).astype(np.float64)
    if not 0 < above.sum() < len(x):
        raise ValueError("nobody stood on one side of the cut-off; wait until the log holds both")
    sides = [x**power * side for power in (0, 1, 2) for side in (above, 1 - above)]
    design, weights = np.column_stack(sides), 1 - np.abs(x) / window
    bread = np.linalg.pinv(design.T @ (design * weights[:, None]))
    meat = design.T @ (design * weights[:, None] ** 2)
    jump = np.array([1.0, -1.0, 0, 0, 0, 0])
    return float(jump @ bread @ meat @ bread @ jump)


def expected_spread(probability: Array) -> float:
    """Return the standard deviation of a 0-or-1 outcome about the model's probabilities."""
    return float(np.sqrt(np.mean(probability * (1 - probability))))
