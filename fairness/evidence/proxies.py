"""Whether a group can be told from the model's inputs: by a classifier judged at schools it was not fitted at.

No input is a protected characteristic, but together they may give one away, and a model could then treat it as one.
The area under the curve is a Mann-Whitney share of pairs, each pair within one fold (and, given the outcome,
of one outcome), with the variance of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845. One row a
pupil, so pupils are independent; folds hold schools whole, so no classifier can learn which school a group goes to.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata
from sklearn.model_selection import GroupKFold

from fairness.evaluation import labels_of
from fairness.exhibits import ProxyInput, ProxyTest
from fairness.policy import Policy
from fairness.resampling import Floats, Ints
from features.matrix import Matrix

Bools = npt.NDArray[np.bool_]
ALERT = 0.70
MOST_PUPILS = 8_000
MOST_INPUTS = 5
_FOLDS, _ROUNDS = 5, 50
# A few thousand rows: more threads wait for each other longer than they work.
_THREADS = 1
_SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 8,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True, kw_only=True)
class Auc:
    """An area under the curve and its standard error."""

    value: float
    error: float

    def limits(self, alpha: float) -> tuple[float, float]:
        """Return one-sided limits at `alpha` on each side, within 0 and 1."""
        reach = NormalDist().inv_cdf(1 - alpha) * self.error
        return max(0.0, self.value - reach), min(1.0, self.value + reach)


def area(scores: Floats, mine: Floats, stratum: Ints) -> Auc | None:
    """Return the share of pairs of one stratum in which the pupil of the group scores higher; ties count half.

    None: no stratum holds two of each.
    """
    won = pairs = spread = 0.0
    for at in np.unique(stratum):
        here = stratum == at
        one, other = scores[here & (mine == 1)], scores[here & (mine == 0)]
        m, n = len(one), len(other)
        if min(m, n) < 2:
            continue
        both = rankdata(np.concatenate([one, other]))
        above = (both[:m] - rankdata(one)) / n  # of the others, the share under each pupil of the group
        under = 1 - (both[m:] - rankdata(other)) / m
        variance = float(above.var(ddof=1) / m + under.var(ddof=1) / n)
        won, pairs, spread = won + float(above.sum()) * n, pairs + m * n, spread + (m * n) ** 2 * variance
    return Auc(value=won / pairs, error=math.sqrt(spread) / pairs) if pairs else None


def drawn(matrix: Matrix, outcomes: Floats, seed: int) -> tuple[Matrix, Floats]:
    """Return one row of each pupil, of at most `MOST_PUPILS` pupils, chosen by the seed."""
    order = np.random.default_rng([seed, 11]).permutation(len(matrix))
    pupils = matrix.keys["pupil"].to_numpy(np.int64)[order]
    _, first = np.unique(pupils, return_index=True)
    chosen = np.sort(order[np.sort(first)[:MOST_PUPILS]])
    mask = np.zeros(len(matrix), bool)
    mask[chosen] = True
    return matrix.where(mask), outcomes[mask]


def proxy_tests(
    matrix: Matrix, outcomes: Floats, groups: pd.DataFrame, policy: Policy, risks: Mapping[str, str]
) -> tuple[ProxyTest, ...]:
    """Return a test for each declared group of each single attribute.

    Parameters
    ----------
    matrix, outcomes
        Features of pupils on audited days that could be scored, and 0 or 1 of each row, shape (n,). Features that
        the model may not use are unknown (NaN) throughout.
    risks
        Feature → what it is declared to stand for.
    """
    rows, came = drawn(matrix, outcomes, policy.inference.seed)
    fitter = _Fitter.of(rows, policy)
    pupils, place_of = np.unique(rows.keys["pupil"].to_numpy(np.int64), return_inverse=True)
    asked: list[tuple[tuple[str, str], Floats, Bools]] = []
    for attribute in policy.attributes:
        if len(attribute.columns) > 1:
            continue
        of_row = labels_of(attribute, groups, pupils).of_pupil[place_of]
        known = of_row < len(attribute.groups)  # those of whom nothing is known are no one's 'others'
        # To tell one of two groups is to tell the other.
        fitted = attribute.groups[:1] if len(attribute.groups) == 2 else attribute.groups
        for place, group in enumerate(fitted):
            asked.append(((attribute.name, group), (of_row == place).astype(np.float64), known))
    # A fit has one thread, so each core has one of its own; which is done first changes no number.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tests = pool.map(lambda one: _test(one[0], one[1], (one[2], came), fitter, (policy, risks)), asked)
        return tuple(both for test in tests for both in _both(test, policy.attribute(test.attribute).groups))


def _both(test: ProxyTest, groups: Sequence[str]) -> Iterator[ProxyTest]:
    yield test
    if len(groups) == 2:
        yield replace(test, group=groups[1], of_group=test.pupils - test.of_group)


@dataclass(frozen=True)
class _Fitter:
    """The rows, binned once for every group and fold, with their folds of whole schools."""

    values: Floats
    names: tuple[str, ...]
    school: Ints
    fold: Ints
    binned: lgb.Dataset
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, rows: Matrix, policy: Policy) -> "_Fitter":
        school = rows.keys["school"].to_numpy(np.int64)
        used: Bools = np.asarray(~np.isnan(rows.values).all(axis=0))
        fold = np.zeros(len(rows), np.int64)
        splits = min(_FOLDS, len(np.unique(school)))
        if splits > 1:
            split = GroupKFold(n_splits=splits, shuffle=True, random_state=policy.inference.seed % 2**31)
            for number, (_, held) in enumerate(split.split(rows.values, groups=school)):
                fold[held] = number
        names = tuple(name for name, use in zip(rows.names, used, strict=True) if use)
        settings = {**_SETTINGS, "seed": policy.inference.seed % 2**31, "num_threads": _THREADS}
        values = rows.values[:, used]
        binned = lgb.Dataset(values, np.zeros(len(rows)), params=settings, free_raw_data=False).construct()
        return cls(values, names, school, fold, binned, settings)

    def scores(self, mine: Floats, known: Bools) -> tuple[Floats, Floats]:
        """Return each known row's score by a classifier fitted at other schools, and each input's share of the gain."""
        scores, gain = np.full(len(mine), np.nan), np.zeros(len(self.names))
        for number in np.unique(self.fold):
            fit, held = known & (self.fold != number), known & (self.fold == number)
            if not held.any() or not 0 < mine[fit].sum() < fit.sum():
                continue
            # Made first: what is not made yet would take its labels from the whole.
            data = self.binned.subset(np.flatnonzero(fit).tolist()).construct().set_label(mine[fit])
            booster = lgb.train(dict(self.settings), data, num_boost_round=_ROUNDS)
            scores[held] = booster.predict(self.values[held], raw_score=True, num_threads=_THREADS)
            gain += booster.feature_importance("gain")
        return scores, gain / max(gain.sum(), 1e-12)


def _test(
    place: tuple[str, str],
    mine: Floats,
    rows: tuple[Bools, Floats],
    fitter: _Fitter,
    context: tuple[Policy, Mapping[str, str]],
) -> ProxyTest:
    known, came = rows
    policy, risks = context
    attribute, group = place
    size, schools = int(mine[known].sum()), len(np.unique(fitter.school[known]))
    bare = ProxyTest(attribute=attribute, group=group, pupils=int(known.sum()), of_group=size, schools=schools)
    least = policy.inference.min_positives
    if min(size, int(known.sum()) - size) < least:
        return _because(bare, f"under {least} pupils on one side")
    if schools < 2:
        return _because(bare, "one school: nowhere else to judge the classifier")
    scores, gain = fitter.scores(mine, known)
    usable = known & ~np.isnan(scores)
    fold = fitter.fold[usable]
    overall = area(scores[usable], mine[usable], fold)
    given = area(scores[usable], mine[usable], 2 * fold + came[usable].astype(np.int64))
    if overall is None or given is None:
        return _because(bare, "too few schools hold pupils of both sides")
    alpha = policy.inference.alpha
    return ProxyTest(
        attribute=attribute,
        group=group,
        pupils=bare.pupils,
        of_group=size,
        schools=schools,
        auc=overall.value,
        lower=overall.limits(alpha)[0],
        upper=overall.limits(alpha)[1],
        auc_given_outcome=given.value,
        given_lower=given.limits(alpha)[0],
        given_upper=given.limits(alpha)[1],
        alert=max(overall.value, given.value) > ALERT,
        inputs=tuple(_inputs(fitter, gain, mine, known, risks)),
    )


def _because(test: ProxyTest, why: str) -> ProxyTest:
    return replace(test, why=why)


def _inputs(
    fitter: _Fitter,
    gain: Floats,
    mine: Floats,
    known: Bools,
    risks: Mapping[str, str],
) -> Iterator[ProxyInput]:
    order: Sequence[int] = np.argsort(-gain, kind="stable")[:MOST_INPUTS].tolist()
    for at in order:
        if gain[at] <= 0:
            return
        # Unknown stands below every value, so that not being known counts as something to tell by.
        values = np.nan_to_num(fitter.values[known, at], nan=-np.inf)
        alone = area(values, mine[known], np.zeros(int(known.sum()), np.int64))
        found = 0.5 if alone is None else alone.value
        yield ProxyInput(
            feature=fitter.names[at],
            share=float(gain[at]),
            auc_alone=max(found, 1 - found),
            declared=risks.get(fitter.names[at], ""),
        )
