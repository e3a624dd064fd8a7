"""How sure the figures are: whole pupils, and whole schools, drawn again and again, for all approaches at once.

Every approach is weighed by the same draws, so the difference between two has an interval of its own,
narrower than either's. Everything is a sum over clusters: a draw is a row of weights, and all draws are
one product of matrices. Slope and intercept of the calibration take one Newton step for each draw from
the fit to all rows; average precision is exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix

from training.calibration import logit
from training.metrics import counted, derivatives, quality, ratio, recalibration

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Figures = Mapping[str, Array]
CLUSTERS = ("pupil", "school")
ENDS = (0.025, 0.975)
# Numbers held at once: 16 million of 8 bytes.
_AT_ONCE = 16_000_000


@dataclass(frozen=True)
class Rows:
    """One approach's pupil-terms and snapshots, of everybody or of a group."""

    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame


def replicates(rows: Mapping[str, Rows], cluster: str, *, times: int, seed: int) -> dict[str, Figures]:
    """Return, for each approach, every figure over the same `times` draws of the clusters.

    Figures are those of `metrics.quality` and `average_precision`, `observed_over_expected`,
    `calibration_intercept` and `calibration_slope`; each has the shape ``(times,)``.

    Parameters
    ----------
    cluster
        'pupil' or 'school': what is drawn whole, with replacement.
    """
    ids = np.unique(
        np.concatenate([part[cluster] for one in rows.values() for part in (one.pupil_terms, one.snapshots)])
    )
    sums = {name: _Sums.of(one, ids, cluster) for name, one in rows.items()}
    widest = max([len(ids), *(one.longest for one in sums.values())], default=1)
    found: dict[str, list[Figures]] = {name: [] for name in rows}
    for weights in draws(len(ids), times, seed, max(1, _AT_ONCE // max(1, widest))):
        for name, one in sums.items():
            found[name].append(one.figures(weights))
    return {
        name: {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} for name, parts in found.items()
    }


def interval(drawn: Array) -> tuple[float, float]:
    """Return the middle 95 % of a figure's draws; NaN where fewer than half of them have the figure."""
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < len(drawn) or not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, ENDS)
    return float(low), float(high)


def draws(clusters: int, times: int, seed: int, at_once: int) -> Iterator[Array]:
    """Yield blocks of draws: how often each cluster was drawn, shape ``(draws, clusters)``."""
    rng = np.random.default_rng(seed)
    for first in range(0, times, at_once):
        size = min(at_once, times - first)
        drawn = rng.integers(0, max(1, clusters), size=(size, clusters)) + np.arange(size)[:, None] * clusters
        yield np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """One approach added up by cluster.

    `terms` has the columns of `metrics.SUMS`; `weeks`: came, expected, and the five derivatives of the
    calibration at `fit`; `right`, `all`: for each score at which a suspension came, how many suspensions
    and how many snapshots of each cluster have it or lie between it and the next higher.
    """

    terms: Array
    weeks: Array
    fit: tuple[float, float]
    right: csr_matrix
    all: csr_matrix

    @classmethod
    def of(cls, rows: Rows, ids: npt.NDArray[np.int64], cluster: str) -> "_Sums":
        terms, weeks = rows.pupil_terms, rows.snapshots
        came, chance = weeks["outcome"].to_numpy(np.float64), weeks["probability"].to_numpy(np.float64)
        place = np.searchsorted(ids, weeks[cluster].to_numpy())
        fit = recalibration(weeks["outcome"].to_numpy(np.int8), chance)
        slope, curve = derivatives(came, logit(chance), np.nan_to_num(np.array(fit)))
        right, all_ = _by_score(chance, came, place, len(ids))
        return cls(
            terms=_added(counted(terms), np.searchsorted(ids, terms[cluster].to_numpy()), len(ids)),
            weeks=_added(np.column_stack([came, chance, slope, curve]), place, len(ids)),
            fit=fit,
            right=right,
            all=all_,
        )

    @property
    def longest(self) -> int:
        """How many scores average precision looks at."""
        return int(self.right.shape[0])

    def figures(self, weights: Array) -> Figures:
        came, expected, *rest = (weights @ self.weeks).T
        up, across, aa, ab, bb = rest
        determinant = aa * bb - ab**2
        right, all_ = (np.asarray(part @ weights.T) for part in (self.right, self.all))
        precision = ratio(right.cumsum(axis=0), all_.cumsum(axis=0))
        return {
            **quality(weights @ self.terms),
            "average_precision": ratio(np.nansum(right * precision, axis=0), right.sum(axis=0)),
            "observed_over_expected": ratio(came, expected),
            "calibration_intercept": self.fit[0] + ratio(bb * up - ab * across, determinant),
            "calibration_slope": self.fit[1] + ratio(aa * across - ab * up, determinant),
        }


def _added(columns: Array, place: Ints, clusters: int) -> Array:
    """Return the columns added up by cluster."""
    found = [np.bincount(place, weights=column, minlength=clusters) for column in columns.T]
    return np.column_stack(found).astype(np.float64)


def _by_score(chance: Array, came: Array, place: Ints, clusters: int) -> tuple[csr_matrix, csr_matrix]:
    scores = np.unique(chance[came == 1])[::-1]
    step = np.searchsorted(-scores, -chance, side="left")
    counts = [(step < len(scores)) & (came == 1), step < len(scores)]
    right, all_ = (
        coo_matrix((np.ones(int(kept.sum())), (step[kept], place[kept])), shape=(len(scores), clusters)).tocsr()
        for kept in counts
    )
    return right, all_
