"""What would settle a comparison that is not settled: how many more pupils with the outcome, or terms like these.

The non-inferiority rule: with 80 % chance, a group that is treated just like the others is shown to be so, if the
limit lies (z of 1 - alpha) + (z of 0.8) standard errors away. The standard error of what was found is read off its
interval; where there is none, it is that of a share p of n independent pupils, sqrt(p(1-p)/n): the usual sample size
for non-inferiority of one group against a large rest.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from fairness.findings import Cell
from fairness.metrics import BY_NAME, Scale
from fairness.policy import Policy

POWER = 0.8
_LEAST_POSITIVES = 1


@dataclass(frozen=True, kw_only=True)
class Needed:
    """Pupil-terms with the outcome in the group: those there are, those needed, and further terms like these."""

    cell: Cell
    positives: int
    needed: int
    more_terms: int


def needed(cell: Cell, policy: Policy, *, terms: int, overall: float | None) -> Needed | None:
    """Return what would settle a comparison, or None where nothing can be said.

    Parameters
    ----------
    terms
        How many terms the audit covers.
    overall
        The share that all pupils together have, for where the group has no interval of its own.
    """
    distance = _distance(cell, policy)
    if distance is None or cell.positives < _LEAST_POSITIVES:
        return None
    wanted = distance / (NormalDist().inv_cdf(1 - policy.inference.alpha) + NormalDist().inv_cdf(POWER))
    scale = BY_NAME[cell.metric].scale
    error = _standard_error(cell, scale, policy)
    if error is not None:
        times = (error / wanted) ** 2
    elif overall is not None and 0 < overall < 1 and scale == "difference":
        times = overall * (1 - overall) / wanted**2 / cell.positives
    else:
        return None
    count = _round_up(max(times * cell.positives, policy.inference.min_positives))
    more = math.ceil(terms * (count / cell.positives - 1)) if count > cell.positives else 0
    return Needed(cell=cell, positives=cell.positives, needed=count, more_terms=max(more, 1))


def _distance(cell: Cell, policy: Policy) -> float | None:
    """Return how far the limit lies from equal treatment, on the scale on which the gate compares."""
    limits = next((metric.bounds for metric in policy.metrics if metric.name == cell.metric), None)
    if limits is None or cell.metric not in BY_NAME:
        return None
    ends = [abs(end if BY_NAME[cell.metric].scale == "difference" else math.log(end)) for end in limits if end]
    return min(ends) if ends else None


def _standard_error(cell: Cell, scale: Scale, policy: Policy) -> float | None:
    if cell.lower is None or cell.upper is None:
        return None
    low, high = cell.lower, cell.upper
    if scale != "difference":
        if low <= 0 or high <= 0:
            return None
        low, high = math.log(low), math.log(high)
    return (high - low) / (2 * NormalDist().inv_cdf(1 - policy.inference.alpha))


def _round_up(count: float) -> int:
    """Return the count rounded up to two figures: more would promise what no formula knows."""
    step = int(10 ** max(0, math.floor(math.log10(count)) - 1))
    return math.ceil(count / step) * step
