"""Each school's recall and O/E against the network's, in a funnel: how far chance alone would scatter schools.

Limits are exact binomial and Poisson ones, interpolated between counts as in Spiegelhalter (2005), 'Funnel plots for
comparing institutional performance', Statistics in Medicine 24, 1185-1202, appendix A.1; the upper ends are the
mirror of the lower, without which more than their share would lie beyond on that side. Partial pooling is empirical
Bayes, beta-binomial and gamma-Poisson, with the network's own figure as the prior's mean. It can make schools look
alike that are not (with few schools it tends to pool everything), so it is shown and judges nothing.
"""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import betaln, gammaln
from scipy.stats import binom, poisson

from fairness.evaluation import Evaluation
from fairness.exhibits import Funnel, FunnelMetric, SchoolPoint, SchoolReads
from fairness.policy import Policy
from fairness.resampling import Floats

_ENDS = (0.025, 0.975, 0.001, 0.999)
# A prior worth more pupils than this is total pooling: chance alone explains how schools differ.
_LEAST_PRIOR, _MOST_PRIOR = 0.5, 1e5


def funnels(evaluation: Evaluation, policy: Policy) -> tuple[Funnel, ...]:
    """Return the funnels of recall and of observed over expected, schools ascending by URN."""
    terms, weeks = evaluation.pupil_terms, evaluation.snapshots
    came = terms[terms["outcome"] == 1]
    positives = came.groupby("school").size()
    recall = came.assign(hits=came["flagged"].astype("float64"), base=1.0)
    expected = weeks.assign(hits=weeks["outcome"].astype("float64"), base=weeks["probability"])
    schools = sorted({*map(int, terms["school"].unique()), *map(int, weeks["school"].unique())})
    least = policy.inference.min_positives
    counted = {school: int(positives.get(school, 0)) for school in schools}
    return (
        _funnel("recall", recall, counted, least),
        _funnel("oe_ratio", expected, counted, least),
    )


def _funnel(metric: FunnelMetric, rows: pd.DataFrame, positives: dict[int, int], least: int) -> Funnel:
    """Return one funnel from rows of pupil, school, hits and base; hits of a recall are some of its base."""
    is_share = metric == "recall"
    sums = rows.groupby("school")[["hits", "base"]].sum()
    hits, base = float(sums["hits"].sum()), float(sums["base"].sum())
    network = hits / base if base > 0 else None
    usable = network is not None and 0 < network < (1.0 if is_share else math.inf)
    if network is None or not usable:
        points = tuple(_bare(school, positives, sums) for school in positives)
        return Funnel(metric=metric, network=network, spread=None, schools=points)
    effect = design_effect(rows, network, is_share=is_share)
    of_school = sums.reindex(list(positives), fill_value=0.0).to_numpy(np.float64)
    prior = _prior(of_school / effect, network, is_share=is_share)
    points = tuple(
        _point(school, (float(own[0]), float(own[1]), effect), (network, prior, is_share), positives[school], least)
        for school, own in zip(positives, of_school, strict=True)
    )
    return Funnel(metric=metric, network=network, spread=_spread(network, prior, is_share=is_share), schools=points)


def _bare(school: int, positives: dict[int, int], sums: pd.DataFrame) -> SchoolPoint:
    base = float(sums["base"].get(school, 0.0))
    return SchoolPoint(
        school=school,
        positives=positives[school],
        n=base,
        effective_n=base,
        estimate=float(sums["hits"][school]) / base if base > 0 else None,
        low_95=None,
        high_95=None,
        low_998=None,
        high_998=None,
        shrunk=None,
        reads="too_few",
    )


def design_effect(rows: pd.DataFrame, network: float, *, is_share: bool) -> float:
    """Return by how much rows of the same pupils widen the figure's variance, 1 at least.

    The ratio's variance linearised over pupils (a sandwich with pupils as clusters, no small-sample factor),
    over the binomial's or the Poisson's.
    """
    by_pupil = rows.groupby("pupil")[["hits", "base"]].sum().to_numpy(np.float64)
    apart = float(((by_pupil[:, 0] - network * by_pupil[:, 1]) ** 2).sum())
    usual = by_pupil[:, 1].sum() * network * ((1 - network) if is_share else 1.0)
    return max(1.0, apart / float(usual))


def limits(network: float, size: float, *, is_share: bool) -> tuple[float, ...]:
    """Return the 2.5, 97.5, 0.1 and 99.9 % points of a school's figure if it is like the network.

    `size`: pupils counted (a share) or suspensions expected (a ratio), after the design effect.
    """
    if is_share:
        n = max(1, round(size))
        return tuple(_interpolated(lambda k: float(binom.cdf(k, n, network)), end, n) / n for end in _ENDS)
    mean = network * size
    most = int(mean + 12 * math.sqrt(mean) + 20)
    return tuple(_interpolated(lambda k: float(poisson.cdf(k, mean)), end, most) / size for end in _ENDS)


def _interpolated(cumulative: Callable[[int], float], end: float, most: int) -> float:
    """Return the count at which the distribution reaches `end`, between whole counts."""
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if cumulative(middle) > end else (middle, high)
    above = cumulative(high)
    below = cumulative(high - 1) if high > 0 else 0.0
    point = high - (above - end) / (above - below)
    return max(0.0, point) if end < 0.5 else min(float(most), point + 1)


def _point(
    school: int,
    own: tuple[float, float, float],
    network: tuple[float, float | None, bool],
    positives: int,
    least: int,
) -> SchoolPoint:
    hits, base, effect = own
    mean, prior, is_share = network
    if base <= 0:
        low_95 = high_95 = low_998 = high_998 = estimate = None
        reads: SchoolReads = "too_few"
    else:
        estimate = hits / base
        low_95, high_95, low_998, high_998 = limits(mean, base / effect, is_share=is_share)
        reads = "too_few"
        if positives >= least:
            reads = _reads(estimate, (low_95, high_95, low_998, high_998))
    return SchoolPoint(
        school=school,
        positives=positives,
        n=base,
        effective_n=base / effect,
        estimate=estimate,
        low_95=low_95,
        high_95=high_95,
        low_998=low_998,
        high_998=high_998,
        shrunk=shrunk(hits / effect, base / effect, mean, prior),
        reads=reads,
    )


def _reads(estimate: float, ends: tuple[float, float, float, float]) -> SchoolReads:
    low_95, high_95, low_998, high_998 = ends
    if estimate < low_95:
        return "very_low" if estimate < low_998 else "low"
    if estimate > high_95:
        return "very_high" if estimate > high_998 else "high"
    return "in_line"


def shrunk(hits: float, base: float, mean: float, prior: float | None) -> float:
    """Return the school's figure with the prior's weight of the network's own; None: nothing but the network's.

    `prior` is in the base's units: how many pupils, or expected suspensions, the network's figure is worth.
    """
    return mean if prior is None else (prior * mean + hits) / (prior + base)


def _prior(counts: Floats, mean: float, *, is_share: bool) -> float | None:
    """Return the prior's weight by maximum likelihood; None: it grows without end, so all is pooled."""
    hits, base = counts[counts[:, 1] > 0].T
    hits = np.minimum(hits, base) if is_share else hits

    def loss(log_prior: float) -> float:
        weight = math.exp(log_prior)
        if is_share:
            a, b = weight * mean, weight * (1 - mean)
            return -float((betaln(a + hits, b + base - hits) - betaln(a, b)).sum())
        shape = weight * mean
        there = gammaln(shape + hits) - gammaln(shape) + shape * np.log(weight / (weight + base))
        return -float((there - hits * np.log(weight + base)).sum())

    span = (math.log(_LEAST_PRIOR), math.log(_MOST_PRIOR))
    found = minimize_scalar(loss, bounds=span, method="bounded")
    # Total pooling must be beaten by more than rounding.
    return None if loss(span[1]) <= found.fun + 1e-3 else math.exp(float(found.x))


def _spread(mean: float, prior: float | None, *, is_share: bool) -> float:
    if prior is None:
        return 0.0
    return math.sqrt(mean * (1 - mean) / (prior + 1)) if is_share else math.sqrt(mean / prior)
