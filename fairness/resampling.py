"""Replicates of whole pupils, and of whole schools, drawn at once."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_LARGEST_KEY, _SMALL_KEY, _DUST = 2**62, 2**20, 1e-9


def kinds_of(counts: Ints) -> tuple[Ints, Ints]:
    """Return the distinct rows of counts, and which of them each row is: `np.unique` on one number for each row.

    Parameters
    ----------
    counts
        Whole numbers, shape (clusters, columns).
    """
    if not counts.size:
        return counts[:1], np.zeros(len(counts), np.int64)
    least, most = counts.min(axis=0), counts.max(axis=0)
    sizes = most - least + 1
    possible = float(np.prod(sizes.astype(np.float64)))
    if possible > _LARGEST_KEY:
        kinds, which = np.unique(counts, axis=0, return_inverse=True)
        return kinds, which.astype(np.int64)
    places = np.concatenate([np.cumprod(sizes[::-1])[::-1][1:], [1]])
    key = (counts - least) @ places
    if possible <= _SMALL_KEY:  # few enough to be counted, which is quicker than sorting
        keys = np.flatnonzero(np.bincount(key))
        place = np.zeros(int(possible), np.int64)
        place[keys] = np.arange(len(keys))
        which = place[key]
    else:
        keys, which = np.unique(key, return_inverse=True)
    return keys[:, None] // places % sizes + least, which.astype(np.int64)


def group_replicates(
    labels: Ints, groups: int, counts: tuple[Ints, Ints], replicates: int, rng: np.random.Generator
) -> Floats:
    """Return each group's sums of counts over replicates of the clusters, shape (replicates, groups, columns).

    Clusters with equal counts in the same group are exchangeable, so one multinomial over the
    *distinct* ones has exactly the law of drawing clusters one by one: a few hundred kinds stand for
    any number of pupils.

    Parameters
    ----------
    labels
        One group number for each cluster, 0 to groups - 1.
    counts
        Each cluster's counts as `kinds_of` returns them.
    """
    kinds, kind = counts
    frequency = np.bincount(labels * len(kinds) + kind, minlength=groups * len(kinds))
    there = np.flatnonzero(frequency)
    clusters = len(labels)
    drawn = rng.multinomial(clusters, frequency[there] / clusters, size=replicates).astype(np.float64)
    # There in order of the group, so a group's kinds stand side by side.
    ends = np.searchsorted(there, np.arange(groups + 1) * len(kinds))
    columns = kinds[there % len(kinds)].astype(np.float64)
    sums = np.empty((replicates, groups, kinds.shape[1]))
    for group in range(groups):
        mine = slice(ends[group], ends[group + 1])
        sums[:, group, :] = drawn[:, mine] @ columns[mine]
    return sums


def ratio_variances(hits: Floats, base: Floats, labels: Ints, groups: int) -> Floats:
    """Return the variance of Σhits / Σbase over replicates, of each group and of everyone else, shape (groups, 2).

    Worked out instead of drawn: the limit of drawing clusters, Σ(hits - ratio x base)² / (Σbase)², for
    columns that are not whole numbers (sums of probabilities), where no two clusters are alike and drawing
    is slow. NaN where a base is nought. Source: Woodruff (1971).

    Parameters
    ----------
    hits, base
        One number for each cluster.
    labels
        The cluster's group, 0 to groups - 1.
    """
    columns = (hits, base, hits * hits, hits * base, base * base)
    mine = np.column_stack([np.bincount(labels, weights=column, minlength=groups) for column in columns])
    both = np.stack([mine, mine.sum(axis=0) - mine], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = both[:, :, 0] / both[:, :, 1]
        squares = both[:, :, 2] - 2 * ratio * both[:, :, 3] + ratio**2 * both[:, :, 4]
        found = np.maximum(squares, 0.0) / both[:, :, 1] ** 2
    return np.where(both[:, :, 1] > _DUST, found, np.nan)


@lru_cache(maxsize=8)
def _school_weights(schools: int, replicates: int, seed: tuple[int, ...]) -> Floats:
    """Return how often each replicate draws each school: the same draws for every comparison of so many schools."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(schools, np.full(schools, 1 / schools), size=replicates).astype(np.float64)


def spread_over_schools(
    by_school: Floats, replicates: int, seed: tuple[int, ...], *, scale: str
) -> tuple[Floats, Floats]:
    """Return each group's standard error of harm over replicates of schools, and the share of replicates without it.

    The larger of the bootstrap's and the leave-one-school-out's (jackknife) standard error; of the
    logarithm unless `scale` is 'difference'. NaN and 1 where it cannot be told. Shape (groups,) each.

    Parameters
    ----------
    by_school
        Shape (schools, groups, 2): hits and base.
    """
    schools, groups, _ = by_school.shape
    if not schools:
        return np.full(groups, np.nan), np.ones(groups)
    weights = _school_weights(schools, replicates, seed)
    drawn = _harms((weights @ by_school.reshape(schools, groups * 2)).reshape(replicates, groups, 2), scale)
    without_one = _harms(by_school.sum(axis=0) - by_school, scale)
    usable = np.isfinite(drawn)
    counted = usable.sum(axis=0)
    told = (counted >= 2) & np.isfinite(without_one).all(axis=0)
    mean = np.where(usable, drawn, 0.0).sum(axis=0) / np.maximum(counted, 1)
    variance = np.where(usable, (drawn - mean) ** 2, 0.0).sum(axis=0) / np.maximum(counted, 1)
    without = np.where(told, without_one, 0.0)
    error = np.sqrt(np.maximum(variance, (schools - 1) * without.var(axis=0)))
    return np.where(told, error, np.nan), np.where(told, 1 - usable.mean(axis=0), 1.0)


def _harms(sums: Floats, scale: str) -> Floats:
    """Return the harm of each replicate (or school left out) and group from (..., groups, 2); NaN: none."""
    group_hits, group_base = sums[..., 0], sums[..., 1]
    rest_hits, rest_base = (side.sum(axis=-1, keepdims=True) - side for side in (group_hits, group_base))
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "difference":
            return np.asarray(group_hits / group_base - rest_hits / rest_base)
        # Half a hit keeps the logarithm of a group without hits; a group without rows stays undefined.
        group = np.log((group_hits + 0.5) / group_base)
        harms = group if scale == "alone" else group - np.log((rest_hits + 0.5) / rest_base)
    return np.where(np.isfinite(harms), harms, np.nan)
