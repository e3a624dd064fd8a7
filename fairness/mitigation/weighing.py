"""Weights of training rows by group: known while a model learns, and never when it scores.

- *Reweighing* (Kamiran and Calders 2012, Knowledge and Information Systems 33, 1-33): a row weighs what its group and
  its outcome would be worth were they independent.
- *Reductions* (Agarwal et al. 2018, arXiv 1803.02453): Fairlearn's ExponentiatedGradient looks for the price of unequal
  recall, offline, with small models at the cost of the flag rule's own level. What it finds is a mixture of models
  drawn by lot, which could serve nobody. Taken from it are its prices: what each group's missed row should weigh. A
  weight that falls below nought teaches the opposite label, as the method says.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.reductions import ErrorRate, ExponentiatedGradient, TruePositiveRateParity
from pandas.errors import Pandas4Warning

from training.variants import Array, Rows, Weigh

Outcomes = npt.NDArray[np.int8]
Labels = npt.NDArray[np.int64]
MOST_ROWS = 20_000
MOST_WEIGHT = 20.0
_ROUNDS, _STEP = 16, 0.5


def reweighing(labels: Labels, outcomes: Outcomes) -> Weigh:
    """Return Kamiran and Calders' weights: P(group) P(outcome) / P(group and outcome), over the rows asked for."""

    def weigh(rows: Rows) -> tuple[Array, Outcomes]:
        group, came = labels[rows], outcomes[rows]
        cells = pd.DataFrame({"group": group, "came": came})
        of_group = cells.groupby("group")["came"].transform("size").to_numpy(np.float64)
        of_came = cells.groupby("came")["group"].transform("size").to_numpy(np.float64)
        both = cells.groupby(["group", "came"])["came"].transform("size").to_numpy(np.float64)
        return of_group * of_came / (both * len(cells)), came

    return weigh


@dataclass(frozen=True)
class Reduction:
    """Prices of unequal recall: `times` is what a row with the outcome weighs, by group, beside 1 for all others."""

    times: dict[int, float]

    def softer(self, strength: float) -> "Reduction":
        """Return a part of the way from no weights (0) to these (1): one model needs less than a mixture's mean."""
        return Reduction({group: 1 + strength * (times - 1) for group, times in self.times.items()})

    def weigh(self, labels: Labels, outcomes: Outcomes) -> Weigh:
        """Return the weights and labels of rows: under nought turns the label."""

        def weights(rows: Rows) -> tuple[Array, Outcomes]:
            came = outcomes[rows]
            times = np.array([self.times.get(int(group), 1.0) for group in labels[rows]])
            signed = np.where(came == 1, times, -1.0)
            return np.minimum(np.abs(signed), MOST_WEIGHT), (signed > 0).astype(np.int8)

        return weights


def reduced(values: Array, outcomes: Outcomes, labels: Labels, *, level: float, slack: float, seed: int) -> Reduction:
    """Return the prices that Fairlearn's ExponentiatedGradient finds on at most `MOST_ROWS` rows.

    Parameters
    ----------
    level
        The chance from which a row is worth a flag: a false alarm costs `level`, a miss 1 - `level`.
    slack
        How far each group's recall may lie from everyone's, 0 to 1.
    """
    rows = _drawn(outcomes, seed)
    came, group = pd.Series(outcomes[rows].astype(int)), pd.Series(labels[rows])
    costs = {"fp": level, "fn": 1 - level}
    small = lgb.LGBMClassifier(
        n_estimators=30, num_leaves=8, max_bin=63, min_child_samples=20, n_jobs=1, verbosity=-1, random_state=seed
    )
    search = ExponentiatedGradient(
        small,
        TruePositiveRateParity(difference_bound=slack),
        objective=ErrorRate(costs=costs),
        eps=0.05,
        # Fairlearn's own step of 2 makes the prices swing from one group to the other and back.
        eta0=_STEP,
        max_iter=_ROUNDS,
        run_linprog_step=False,
    )
    asked = TruePositiveRateParity(difference_bound=slack)
    with warnings.catch_warnings():
        # Fairlearn 0.15 grows a Series by .at, which pandas 3 announces to refuse one day.
        warnings.simplefilter("ignore", Pandas4Warning)
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        search.fit(values[rows], came, sensitive_features=group)
        asked.load_data(values[rows], came, sensitive_features=group)
    prices: Any = search.lambda_vecs_EG_.iloc[:, 1:].mean(axis=1)  # the first is where every search begins
    signed = asked.signed_weights(prices).to_numpy(np.float64)
    times = {
        int(one): float(1 + signed[(group == one).to_numpy() & (came == 1).to_numpy()].mean() / costs["fn"])
        for one in sorted(group[came == 1].unique())
    }
    return Reduction(times)


def _drawn(outcomes: Outcomes, seed: int) -> Rows:
    """Return every row with the outcome and as many others as fit, by the seed."""
    rng = np.random.default_rng([seed, 13])
    came, others = np.flatnonzero(outcomes == 1), np.flatnonzero(outcomes == 0)
    most = max(MOST_ROWS - len(came), len(came))
    kept = rng.choice(others, min(most, len(others)), replace=False)
    return np.sort(np.concatenate([came, kept]))
