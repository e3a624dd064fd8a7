"""Replicates of whole pupils, and of whole schools, drawn at once."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_BLOCK = 4_000_000


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
    kinds, frequency = np.unique(np.column_stack([labels, counts]), axis=0, return_counts=True)
    clusters = len(labels)
    drawn = rng.multinomial(clusters, frequency / clusters, size=replicates).astype(np.float64)
    sums = np.empty((replicates, groups, counts.shape[1]))
    for group in range(groups):
        of_group = kinds[:, 0] == group
        sums[:, group, :] = drawn[:, of_group] @ kinds[of_group, 1:].astype(np.float64)
    return sums


def column_replicates(columns: Floats, replicates: int, rng: np.random.Generator) -> Floats:
    """Return the sums of columns over replicates of the clusters, shape (replicates, columns).

    For columns that are not whole numbers (sums of probabilities), where no two clusters are alike.
    """
    clusters = len(columns)
    sums = np.empty((replicates, columns.shape[1]))
    block = max(1, _BLOCK // max(1, clusters))
    for first in range(0, replicates, block):
        size = min(block, replicates - first)
        drawn = rng.integers(0, clusters, size=(size, clusters)) + np.arange(size)[:, None] * clusters
        weights = np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters)
        sums[first : first + size] = weights.astype(np.float64) @ columns
    return sums


def spread_over_schools(
    hits_and_bases: Floats, replicates: int, rng: np.random.Generator, *, scale: str
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
    weights = rng.multinomial(schools, np.full(schools, 1 / schools), size=replicates).astype(np.float64)
    drawn = _harms(weights @ hits_and_bases, scale)
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
