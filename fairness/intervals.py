"""Intervals that hold their error on small groups: Wilson limits on an effective n, joined by Newcombe's rule.

References: Wilson (1927); Newcombe (1998), method 10; Donner and Zou (2012) for the joining of
limits (MOVER), here on the log scale for ratios. Replicates are of whole pupils, so the design
effect carries what a pupil's terms and weeks have in common.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy.stats import t as student

from fairness.metrics import Scale

_NORMAL = NormalDist()
_LARGEST_Z = 12.0


@dataclass(frozen=True, kw_only=True)
class Share:
    """One side of a comparison: `hits` of `rows`, reported as hits / base.

    `variance` is that of hits / base over replicates of pupils; `crowding` is Σn²/Σn over pupils' rows:
    the design effect there would be if a pupil's rows were all alike.
    """

    hits: float
    base: float
    rows: float
    variance: float
    crowding: float

    @property
    def value(self) -> float:
        """hits / base; base is never 0."""
        return self.hits / self.base

    @property
    def proportion(self) -> float:
        """hits / rows: the binomial share that the Wilson limits are put on."""
        return min(self.hits / self.rows, 1.0)

    @property
    def effective_n(self) -> float:
        """Rows divided by the design effect, which is never under 1.

        With no hits, or nothing but hits, replicates show no variance at all: the largest design
        effect that the crowding allows stands in.
        """
        binomial = self.proportion * (1 - self.proportion) / self.rows
        if binomial == 0 or not math.isfinite(self.variance):
            return self.rows / max(1.0, self.crowding)
        design_effect = self.variance * (self.base / self.rows) ** 2 / binomial
        return self.rows / max(1.0, design_effect)

    def limits(self, z: float) -> tuple[float, float]:
        """Return the Wilson limits of hits / base at `z` standard errors."""
        lower, upper = wilson(self.proportion, self.effective_n, z)
        return lower * self.rows / self.base, upper * self.rows / self.base


def wilson(proportion: float, n: float, z: float) -> tuple[float, float]:
    """Return Wilson's score limits of a proportion; exact at 0 and 1."""
    centre = proportion + z * z / (2 * n)
    spread = z * math.sqrt(proportion * (1 - proportion) / n + z * z / (4 * n * n))
    lower = 0.0 if proportion == 0 else max(0.0, (centre - spread) / (1 + z * z / n))
    upper = 1.0 if proportion == 1 else min(1.0, (centre + spread) / (1 + z * z / n))
    return lower, upper


def harm(group: Share, rest: Share | None, scale: Scale, shortfall: bool) -> float:
    """Return how a group stands: rest - group (a shortfall), group - rest (an excess), group / rest, or its own value.

    Raises
    ------
    ZeroDivisionError
        A ratio to a rest of nought.
    """
    if scale == "alone" or rest is None:
        return group.value
    if scale == "ratio":
        return group.value / rest.value
    return rest.value - group.value if shortfall else group.value - rest.value


def newcombe(group: Share, rest: Share | None, scale: Scale, shortfall: bool, z: float) -> tuple[float, float]:
    """Return the limits of `harm` at `z` standard errors on each side."""
    group_low, group_high = group.limits(z)
    if scale == "alone" or rest is None:
        return group_low, group_high
    rest_low, rest_high = rest.limits(z)
    here, there = group.value, rest.value
    if scale == "ratio":
        return _ratio((here, group_low, group_high), (there, rest_low, rest_high))
    if shortfall:
        (here, group_low, group_high), (there, rest_low, rest_high) = (
            (there, rest_low, rest_high),
            (here, group_low, group_high),
        )
    difference = here - there
    return (
        difference - math.hypot(here - group_low, rest_high - there),
        difference + math.hypot(group_high - here, there - rest_low),
    )


def _ratio(group: tuple[float, float, float], rest: tuple[float, float, float]) -> tuple[float, float]:
    """Join two sets of (value, lower, upper) into limits of the ratio, on the log scale."""
    here, group_low, group_high = group
    there, rest_low, rest_high = rest
    if here == 0:
        # No logarithm: nought from below, and from above the worst that both sides allow.
        return 0.0, math.inf if rest_low == 0 else group_high / rest_low
    log_ratio = math.log(here / there)
    down = math.inf if group_low == 0 else math.hypot(math.log(here / group_low), math.log(rest_high / there))
    up = math.inf if rest_low == 0 else math.hypot(math.log(group_high / here), math.log(there / rest_low))
    return (math.exp(log_ratio - down), math.exp(log_ratio + up))


@dataclass(frozen=True, kw_only=True)
class SchoolSpread:
    """How far `harm` moves between schools: standard error (of the log, for a ratio), and schools counted."""

    standard_error: float
    schools: int
    few: bool

    def limits(self, value: float, alpha: float, *, log: bool) -> tuple[float, float]:
        """Return one-sided limits at `alpha` on each side."""
        quantile = float(student.ppf(1 - alpha, self.schools - 1)) if self.few else _NORMAL.inv_cdf(1 - alpha)
        reach = quantile * self._widened
        if not log:
            return value - reach, value + reach
        return (value * math.exp(-reach), value * math.exp(reach))

    def chance_outside(self, value: float, bounds: tuple[float | None, float | None], *, log: bool) -> float:
        """Return the smaller p-value of 'at least the lowest' and 'at most the highest' harm allowed."""
        lowest, highest = bounds
        over = 1.0 if highest is None else self._chance(value, highest, log=log)
        under = 1.0 if lowest is None else 1.0 - self._chance(value, lowest, log=log)
        return min(over, under)

    def _chance(self, value: float, limit: float, *, log: bool) -> float:
        distance = _log_ratio(value, limit) if log else value - limit
        steps = distance / self._widened if self._widened > 0 else math.copysign(math.inf, distance)
        return float(student.sf(steps, self.schools - 1)) if self.few else _NORMAL.cdf(-steps)

    @property
    def _widened(self) -> float:
        """√(S/(S-1)) for few clusters: with six to ten schools plain intervals cover 86 to 91 % instead of 95."""
        return self.standard_error * (math.sqrt(self.schools / (self.schools - 1)) if self.few else 1.0)


def _log_ratio(value: float, limit: float) -> float:
    return -math.inf if value <= 0 else math.log(value / limit)


def chance_beyond(
    group: Share, rest: Share | None, scale: Scale, shortfall: bool, bounds: tuple[float | None, float | None]
) -> float:
    """Return the smaller p-value of the two hypotheses 'inside the lowest' and 'inside the highest' harm allowed.

    It is one minus the confidence at which the interval's end just touches the limit; 1 while the
    value itself is inside.
    """
    lowest, highest = bounds
    value = harm(group, rest, scale, shortfall)
    chance = 1.0
    for limit, end, outside in ((highest, 0, value > (highest or 0)), (lowest, 1, value < (lowest or 0))):
        if limit is None or not outside:
            continue
        inside, beyond = _LARGEST_Z, 0.0
        for _ in range(45):
            z = (inside + beyond) / 2
            found = newcombe(group, rest, scale, shortfall, z)[end]
            still_outside = found > limit if end == 0 else found < limit
            inside, beyond = (inside, z) if still_outside else (z, beyond)
        chance = min(chance, _NORMAL.cdf(-beyond))
    return chance
