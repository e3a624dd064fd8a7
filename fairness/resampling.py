"""Replicates of whole pupils, and of whole schools, drawn at once."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_LARGEST_KEY = 2**62


def group_replicates(labels: Ints, groups: int, counts: Ints, replicates: int, rng: np.random.Generator) -> Floats:
    """Return each group's sums of counts over replicates of the clusters, shape (replicates, groups, columns).

    Clusters with equal counts in the same group are exchangeable, so one multinomial over the
    *distinct* ones has exactly the law of drawing clusters one by one: a few hundred kinds stand for
    any number of pupils.

    Parameters
    ----------
    labels
        One group number for each cluster, 0 to groups - 1.
    counts
        Whole numbers, shape (clusters, columns).
    """
    kinds, frequency = _kinds(np.column_stack([labels, counts]))
    clusters = len(labels)
    drawn = rng.multinomial(clusters, frequency / clusters, size=replicates).astype(np.float64)
    sums = np.empty((replicates, groups, counts.shape[1]))
    for group in range(groups):
        of_group = kinds[:, 0] == group
        sums[:, group, :] = drawn[:, of_group] @ kinds[of_group, 1:].astype(np.float64)
    return sums


def _kinds(rows: Ints) -> tuple[Ints, Ints]:
    """Return the distinct rows and how often each stands there: `np.unique`, on one number for each row."""
    least, most = rows.min(axis=0), rows.max(axis=0)
    sizes = most - least + 1
    if float(np.prod(sizes.astype(np.float64))) > _LARGEST_KEY:
        kinds, frequency = np.unique(rows, axis=0, return_counts=True)
        return kinds, frequency
    places = np.concatenate([np.cumprod(sizes[::-1])[::-1][1:], [1]])
    keys, frequency = np.unique((rows - least) @ places, return_counts=True)
    return keys[:, None] // places % sizes + least, frequency


def ratio_variance(hits: Floats, base: Floats, labels: Ints, groups: int) -> Floats:
    """Return the variance of each group's Σhits / Σbase over replicates of the clusters, shape (groups,).

    Worked out instead of drawn: the limit of drawing clusters, Σ(hits - ratio x base)² / (Σbase)², for
    columns that are not whole numbers (sums of probabilities), where no two clusters are alike and drawing
    is slow. NaN where a group's base is nought. Source: Woodruff (1971).

    Parameters
    ----------
    hits, base
        One number for each cluster.
    labels
        The cluster's group, 0 to groups - 1.
    """
    sums = [np.bincount(labels, weights=column, minlength=groups) for column in (hits, base)]
    whole = np.where(sums[1] > 0, sums[1], np.nan)
    residual = hits - (sums[0] / whole)[labels] * base
    return np.asarray(np.bincount(labels, weights=residual**2, minlength=groups) / whole**2)


@lru_cache(maxsize=8)
def _school_weights(schools: int, replicates: int, seed: tuple[int, ...]) -> Floats:
    """Return how often each replicate draws each school: the same draws for every comparison of so many schools."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(schools, np.full(schools, 1 / schools), size=replicates).astype(np.float64)


def spread_over_schools(
    hits_and_bases: Floats, replicates: int, seed: tuple[int, ...], *, scale: str
) -> tuple[float, float]:
    """Return the standard error of harm over replicates of schools, and the share of replicates without it.

    The larger of the bootstrap's and the leave-one-school-out's (jackknife) standard error; of the
    logarithm unless `scale` is 'difference'.

    Parameters
    ----------
    hits_and_bases
        Shape (schools, 4): the group's hits and base, the rest's hits and base (nan for 'alone').
    """
    schools = len(hits_and_bases)
    drawn = _harms(_school_weights(schools, replicates, seed) @ hits_and_bases, scale)
    usable = np.isfinite(drawn)
    without_one = _harms(hits_and_bases.sum(axis=0) - hits_and_bases, scale)
    if usable.sum() < 2 or not np.isfinite(without_one).all():
        return float("nan"), 1.0
    jackknife = np.sqrt((schools - 1) * without_one.var())
    return float(max(drawn[usable].std(), jackknife)), float(1 - usable.mean())


def _harms(sums: Floats, scale: str) -> Floats:
    group_hits, group_base, rest_hits, rest_base = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "difference":
            return np.asarray(group_hits / group_base - rest_hits / rest_base)
        # Half a hit keeps the logarithm of a group without hits; a group without rows stays undefined.
        group = np.log((group_hits + 0.5) / group_base)
        harms = group if scale == "alone" else group - np.log((rest_hits + 0.5) / rest_base)
    return np.where(np.isfinite(harms), harms, np.nan)
