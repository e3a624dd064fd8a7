"""Which steps of the continuum went beyond what a place's own past and chance allow.

The rule, the same for every place and step: of all pupils that were counted in a step now and in up to six terms
before, how many would fall into this term by chance? If nothing had changed, each would fall there in proportion to the
pupils at the place (the conditional test of two rates: Przyborowski and Wilenski 1940, Biometrika 31). Each term counts
as large as the step is usual in it at the other places, so that neither a season nor what happens everywhere is a
drift of one school. Practice differs from term to term by more than chance; by how much is read off the terms before
(Pearson's chi-squared over its degrees of freedom, as for funnel plots: Spiegelhalter 2005, Statistics in Medicine 24)
and widens the binomial to a beta-binomial of that variance. All places and steps of a term are judged together by
Holm's method: in a term in which nothing drifts, one in twenty networks is told of a drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import betabinom, binom

from casework.continuum import DOWN, STEPS, SUSPENDED, UP, Drift
from fairness.gate import holm

ALPHA: Final = 0.05
LEAST_TERMS, MOST_TERMS = 2, 6
# A change by less than a quarter is no drift, however sure it is.
LEAST_RATIO: Final = 1.25
# Below so many of a step at the other places, their course says more of chance than of the season.
LEAST_OTHERS: Final = 40
_NONE: Final = 1.0000001

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Compared:
    """One place and step: pupils counted now, those to be expected, of how many in all, and the share due to now."""

    cut: str
    place: str
    step: str
    now: float
    all: float
    share: float

    @property
    def ratio(self) -> float:
        """This term's rate over the past's."""
        past = self.all - self.now
        return self.now * (1 - self.share) / (past * self.share) if past else float("inf")


def drifts(terms: Sequence[pd.DataFrame], cuts: Sequence[str]) -> tuple[tuple[Drift, ...], int]:
    """Return what drifted in the last of the terms, and among how many comparisons it was found.

    Every step is looked at for a rise; suspensions for a fall as well.

    Parameters
    ----------
    terms
        The oldest first; each has a row for each pupil and school: a text column for each cut, every step 0 or 1, or
        missing where the school did not record it.
    """
    if len(terms) <= LEAST_TERMS:
        return (), 0
    compared: list[_Compared] = []
    spread: dict[str, float] = {}
    for step in STEPS:
        mine = [found for cut in cuts for found in _of_cut(terms, cut, step)]
        # How much practice differs from term to term is read off schools, or whatever cut comes first.
        spread[step] = _spread(terms, cuts[0], step)
        compared += mine
    tests = [(one, way) for one in compared for way in ((UP, DOWN) if one.step == SUSPENDED else (UP,)) if one.all > 0]
    adjusted = holm([_chance(one, way, spread[one.step]) for one, way in tests])
    found = tuple(
        Drift(cut=one.cut, place=one.place, step=one.step, way=way)
        for (one, way), chance in zip(tests, adjusted, strict=True)
        if chance < ALPHA and (one.ratio >= LEAST_RATIO if way == UP else one.ratio <= 1 / LEAST_RATIO)
    )
    return found, len(tests)


def _of_cut(terms: Sequence[pd.DataFrame], cut: str, step: str) -> list[_Compared]:
    counts, sizes = _by_place(terms, cut, step)
    season = _season(counts, sizes)
    found = []
    for at, place in enumerate(counts.index):
        past = np.flatnonzero(sizes.to_numpy()[at, :-1] > 0)[-MOST_TERMS:]
        size_now = sizes.to_numpy()[at, -1]
        if size_now == 0 or len(past) < LEAST_TERMS:
            continue
        weights = sizes.to_numpy()[at] * season[at]
        mine = counts.to_numpy()[at]
        share = weights[-1] / (weights[-1] + weights[past].sum())
        found.append(_Compared(cut, str(place), step, mine[-1], mine[-1] + mine[past].sum(), float(share)))
    return found


def _by_place(terms: Sequence[pd.DataFrame], cut: str, step: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return place x term: pupils in the step, and pupils of whom it is known."""
    parts = [term.groupby(cut)[step].agg(["sum", "count"]) for term in terms]
    counts, sizes = (
        pd.concat([part[name] for part in parts], axis=1).fillna(0).astype("float64").sort_index()
        for name in ("sum", "count")
    )
    return counts, sizes


def _season(counts: pd.DataFrame, sizes: pd.DataFrame) -> Floats:
    """Return place x term: how usual the step was at the other places, 1 throughout where they have too few of it."""
    others, pupils = (frame.sum(axis=0).to_numpy() - frame.to_numpy() for frame in (counts, sizes))
    few = (others.sum(axis=1, keepdims=True) < LEAST_OTHERS) | (others.min(axis=1, keepdims=True) <= 0)
    usual = np.divide(others, pupils, out=np.ones_like(others), where=pupils > 0)
    return np.where(few, 1.0, usual)


def _spread(terms: Sequence[pd.DataFrame], cut: str, step: str) -> float:
    """Return how many times chance's own variance the counts of the terms before have; never under 1."""
    counts, sizes = _by_place(terms[:-1], cut, step)
    weights = sizes.to_numpy() * _season(counts, sizes)
    whole = weights.sum(axis=1, keepdims=True)
    share = np.divide(weights, whole, out=np.zeros_like(weights), where=whole > 0)
    due = counts.to_numpy().sum(axis=1, keepdims=True) * share
    freedom = int((due > 0).sum() - (due.sum(axis=1) > 0).sum())
    if freedom < 1:
        return 1.0
    squared = np.divide((counts.to_numpy() - due) ** 2, due, out=np.zeros_like(due), where=due > 0)
    return max(1.0, float(squared.sum()) / freedom)


def _chance(one: _Compared, way: str, spread: float) -> float:
    """Return how likely a count at least as high (or as low) is if nothing changed."""
    inside = min((spread - 1) / (one.all - 1), 0.999) if one.all > 1 else 0.0
    if spread <= _NONE or inside <= 0:
        law = binom(one.all, one.share)
    else:
        both = 1 / inside - 1
        law = betabinom(one.all, one.share * both, (1 - one.share) * both)
    return float(law.sf(one.now - 1) if way == UP else law.cdf(one.now))
