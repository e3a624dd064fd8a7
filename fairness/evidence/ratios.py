"""Mantel-Haenszel ratios of sanctions for incidents, with an error over whole pupils.

Strata hold incidents that are alike; the ratio is that of Greenland and Robins (1985), 'Estimation of a common effect
parameter from sparse follow-up data', Biometrics 41, 55-68. Its variance is linearised over pupils: one pupil's many
incidents count as one pupil.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fairness.resampling import Floats, Ints

_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A Mantel-Haenszel ratio, and the standard error of its logarithm over pupils."""

    value: float
    error: float

    def limits(self, alpha: float) -> tuple[float, float]:
        """Return one-sided limits at `alpha` on each side."""
        reach = _NORMAL.inv_cdf(1 - alpha) * self.error
        return self.value * math.exp(-reach), self.value * math.exp(reach)

    @property
    def chance_not_over(self) -> float:
        """The p-value of 'no more often than others'."""
        return 1 - _NORMAL.cdf(math.log(self.value) / self.error) if self.error > 0 else 1.0


@dataclass(frozen=True)
class Table:
    """By stratum, what each side has: sanctioned and all incidents of the group, and of everyone else."""

    sanctioned: Floats
    incidents: Floats
    rest_sanctioned: Floats
    rest_incidents: Floats

    def ratio(self) -> "tuple[float, Pull, Pull] | None":
        """Return the ratio, and how the incidents of either side pull at its logarithm; None: there is none."""
        a, n, b, m = self.sanctioned, self.incidents, self.rest_sanctioned, self.rest_incidents
        total = np.maximum(n + m, 1.0)
        top, bottom = float((a * m / total).sum()), float((b * n / total).sum())
        if top == 0 or bottom == 0:
            return None
        mine = Pull(-(a * m / total**2) / top - (b * m / total**2) / bottom, (m / total) / top)
        rest = Pull((a * n / total**2) / top + (b * n / total**2) / bottom, -(n / total) / bottom)
        return top / bottom, mine, rest


@dataclass(frozen=True)
class Pull:
    """How much one more incident of each stratum moves the logarithm of a ratio, and one more that is sanctioned."""

    counted: Floats
    sanctioned: Floats

    def of(self, stratum: Ints, incidents: Floats, sanctioned: Floats) -> Floats:
        """Return what rows of so many incidents of a stratum pull."""
        return self.counted[stratum] * incidents + self.sanctioned[stratum] * sanctioned


def ratio_of(
    mine: Floats, sanctioned: Floats, stratum: Ints, pupil: Ints, incidents: Floats | None = None
) -> Ratio | None:
    """Return how many times as often incidents of `mine` (0 or 1) are sanctioned as others of the same stratum.

    None: no stratum holds both, or on one side nothing was sanctioned. A row is one incident, or as many of one pupil
    as `incidents` says.
    """
    strata = int(stratum.max()) + 1 if len(stratum) else 0
    number = np.ones(len(mine)) if incidents is None else incidents
    sides = [
        np.bincount(stratum, weights=weights, minlength=strata).astype(np.float64)
        for side in (mine, 1 - mine)
        for weights in (side * sanctioned, side * number)
    ]
    found = Table(*sides).ratio()
    if found is None:
        return None
    value, of_mine, of_rest = found
    each = np.where(mine == 1, of_mine.of(stratum, number, sanctioned), of_rest.of(stratum, number, sanctioned))
    moved = np.bincount(pupil, weights=each)
    return Ratio(value=value, error=float(np.sqrt((moved**2).sum())))
