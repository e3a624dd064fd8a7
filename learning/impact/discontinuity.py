"""The effect at the cut-off: one local regression over all school-weeks, and how sure it is.

A quadratic on each side of the cut-off, pupils nearer to it counting more (triangular weights), within a window that
was fixed beforehand. With one window for estimate and bias, the local quadratic **is** the robust bias-corrected
estimate of Calonico, Cattaneo and Titiunik (2014, remark 7), as `rdrobust(h=window)` gives it.

Where it parts from the textbook, and why (simulated: benchmarks/impact_coverage.py; docs/decisions.md, 98):

- both sides are in one regression, and its error comes from leaving out one school at a time. A school's bad term
  touches both sides, where the textbook adds up the variances of the two sides as if they were strangers.
- what the model said of each pupil beforehand is taken off the outcome, and each school's term has its own level:
  school-weeks have different cut-offs, and nobody wants to learn that schools differ.
- the window is fixed. A bandwidth chosen on a hundred suspensions is itself a draw: it holds the truth as often, with
  intervals half as long again, and nobody can say beforehand what it will be able to find.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from learning.impact.design import WINDOW

LEAST_SIDE: Final = 30
"""Pupil-terms on each side of the cut-off below which nothing is worked out."""
LEAST_SCHOOLS: Final = 8
"""Schools below which the interval's own error is not known (benchmarks/impact_coverage.py goes down to these)."""
Array = npt.NDArray[np.float64]


class TooFew(ValueError):
    """Too few pupils or schools stood near the cut-off: the sentence says how many are wanting."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A difference at the cut-off with its interval, in the outcome's own unit.

    `level` is the share of such intervals that hold the truth, `above` and `below` count pupil-terms within the window,
    `error` is the standard error, `freedom` the degrees of freedom of its t distribution (schools less one).
    """

    estimate: float
    lower: float
    upper: float
    error: float
    above: int
    below: int
    schools: int
    level: float = 0.95

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the interval."""
        return self.schools - 1

    @property
    def chance(self) -> float:
        """The two-sided p-value of no effect."""
        return float(2 * stats.t.sf(abs(self.estimate) / self.error, self.freedom)) if self.error > 0 else 1.0


def effect(
    rows: pd.DataFrame,
    outcome: Array,
    *,
    window: float = WINDOW,
    cut: float = 0.0,
    least_side: int = LEAST_SIDE,
    least_schools: int = LEAST_SCHOOLS,
    together: int = 1,
) -> Effect:
    """Return the jump of the outcome where `x` passes the cut, from below to above.

    Parameters
    ----------
    rows
        `pupil`, `school`, `term` and `x`, one row a pupil and term, as `learning.impact.design.first_in_term` gives.
    outcome
        One for each row; rows without one (NaN) are left out. Take what was expected off it beforehand: the
        model's probability off a 0-or-1 outcome.
    cut
        Where the jump is looked for; anything but 0 is a placebo.
    together
        How many outcomes are told beside each other: 95 times in 100 all of their intervals hold (Bonferroni).

    Raises
    ------
    TooFew
        Fewer than `least_side` rows on a side, or rows of fewer than `least_schools` schools.
    """
    x = rows["x"].to_numpy(np.float64) - cut
    kept = np.isfinite(outcome) & (np.abs(x) < window)
    x, values = x[kept], outcome[kept]
    clusters = first_schools(rows)[kept]
    sides, schools = (int((x < 0).sum()), int((x >= 0).sum())), len(np.unique(clusters))
    if min(sides) < least_side:
        raise TooFew(
            f"{sides[0]} pupil-terms stood just below the cut-off and {sides[1]} just above it, and {least_side} on "
            "each side are the least; wait for another term, or bring more schools into the comparison"
        )
    if schools < least_schools:
        raise TooFew(
            f"pupils near the cut-off are of {schools} schools, and {least_schools} are the least for an interval "
            "that can be trusted; compare across more schools of the network"
        )
    above = (x >= 0).astype(np.float64)
    terms = [x**power * side for power in (1, 2) for side in (above, 1 - above)]
    weights = 1 - np.abs(x) / window
    school_term = pd.factorize(pd.MultiIndex.from_frame(rows.loc[kept, ["school", "term"]]))[0]
    design = np.column_stack([_within(column, weights, school_term) for column in (above, *terms)])
    jump, error = _jump(design, _within(values, weights, school_term), weights, clusters)
    level = 1 - 0.05 / together
    reach = float(stats.t.ppf((1 + level) / 2, schools - 1)) * error
    return Effect(
        estimate=jump,
        lower=jump - reach,
        upper=jump + reach,
        error=error,
        above=sides[1],
        below=sides[0],
        schools=schools,
        level=level,
    )


def first_schools(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return each row's cluster: the school of the pupil's first row, so that no pupil is in two."""
    order = rows.reset_index(drop=True)
    if "as_of" in order:
        order = order.sort_values("as_of", kind="stable")
    return order.groupby("pupil")["school"].transform("first").sort_index().to_numpy(np.int64)


def ratio(over: Effect, under: Effect, both: Effect) -> tuple[float, float, float] | None:
    """Return one effect over another with its 95 % interval; None where the lower one may be 0.

    This is the effect of support taken up, where a flag works through support and nothing else. Fieller's interval: it
    grows without bound as fewer pupils take support up, and is then not given.

    Parameters
    ----------
    over, under
        Effects of the flag on the outcome, and on support taken up, of the same rows.
    both
        The effect on the sum of the two.
    """
    critical = float(stats.t.ppf(0.975, over.freedom))
    covariance = (both.error**2 - over.error**2 - under.error**2) / 2
    a = under.estimate**2 - (critical * under.error) ** 2
    if a <= 0:
        return None
    b = over.estimate * under.estimate - critical**2 * covariance
    c = over.estimate**2 - (critical * over.error) ** 2
    root = float(np.sqrt(max(b * b - a * c, 0.0)))
    return over.estimate / under.estimate, (b - root) / a, (b + root) / a


def _within(values: Array, weights: Array, level: npt.NDArray[np.intp]) -> Array:
    """Return the values less the weighted mean of their school's term."""
    total = np.bincount(level, weights)
    mean = np.divide(np.bincount(level, weights * values), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(values - mean[level])


def _jump(design: Array, values: Array, weights: Array, clusters: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the first coefficient and its standard error by leaving out one school at a time.

    The jackknife CV3 of MacKinnon, Nielsen and Webb (2023): with few schools of different sizes the usual clustered
    error is too small. What each school adds to the normal equations is summed once, so leaving it out costs nothing.
    """
    at = pd.factorize(clusters)[0]
    schools = int(at.max()) + 1
    squares = np.zeros((schools, design.shape[1], design.shape[1]))
    products = np.zeros((schools, design.shape[1]))
    np.add.at(squares, at, design[:, :, None] * (design * weights[:, None])[:, None, :])
    np.add.at(products, at, design * (weights * values)[:, None])
    whole = np.linalg.pinv(squares.sum(axis=0)) @ products.sum(axis=0)
    without = np.linalg.pinv(squares.sum(axis=0) - squares, hermitian=True)
    left = (without @ (products.sum(axis=0) - products)[:, :, None])[:, 0, 0]
    return float(whole[0]), float(np.sqrt((schools - 1) / schools * ((left - whole[0]) ** 2).sum()))
