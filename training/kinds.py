"""The kinds of model that a bundle may hold, and the only place where a model's bytes are parsed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.linear import linear_from
from training.rules import RuleScore, declared_rule
from training.single_row import single_row

Array = npt.NDArray[np.float64]
ROWS_AT_ONCE = 1 << 17

# Kind of model → what it is, in words; a rule has its own (`rules.Rule.means`).
KINDS: Mapping[str, str] = {
    "booster": "A statistical model that learned from past records, made of many small trees",
    "logistic": "A statistical model that learned from past records, a weighted sum of recorded facts",
}


class KindRefused(ValueError):
    """A model of another kind than its manifest says, or of other features."""


class Model(Protocol):
    """What turns features into a raw score, and says what each of them added."""

    def raw(self, values: Array) -> Array:
        """Return each row's raw score in log-odds, not yet calibrated, shape ``(len(values),)``."""

    def contributions(self, values: Array) -> Array:
        """Return what each feature adds, the last column the usual score; a row adds up to its raw score."""


def raw_of(model: Model, values: Array) -> Array:
    """Return each row's raw score, worked out some rows at a time: a whole network's copies would not fit in memory."""
    parts = [model.raw(values[at : at + ROWS_AT_ONCE]) for at in range(0, len(values), ROWS_AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


class Booster:
    """LightGBM's trees."""

    def __init__(self, text: str, names: Sequence[str], threads: int) -> None:
        self._booster, self._threads = lgb.Booster(model_str=text), threads
        if tuple(self._booster.feature_name()) != tuple(names):
            raise KindRefused("the model's features are not those its manifest names; train again")
        self.raw_of_one = single_row(self._booster, len(names))

    def raw(self, values: Array) -> Array:
        """Return each row's raw score."""
        return np.asarray(self._booster.predict(values, raw_score=True, num_threads=self._threads), np.float64)

    def contributions(self, values: Array) -> Array:
        """Return exact TreeSHAP values."""
        return np.asarray(self._booster.predict(values, pred_contrib=True, num_threads=self._threads), np.float64)


def model_of(kind: str, approach: str, content: bytes, names: Sequence[str], *, threads: int = 1) -> Model:
    """Return the model in these bytes, which must have been proven to be those that were signed.

    Raises
    ------
    KindRefused, RuleRefused, LinearRefused
        The bytes do not hold a model of the kind and approach, or one of other features.
    """
    text = content.decode("utf-8")
    if kind == "rule":
        rule = declared_rule(text)
        if rule.name != approach:
            raise KindRefused(f"the bundle is called {approach!r} and holds the rule {rule.name!r}; train again")
        return RuleScore(rule, names)
    if kind == "logistic":
        return linear_from(text, names)
    if kind == "booster":
        return Booster(text, names, threads)
    raise KindRefused(f"a model of kind {kind!r}; there are booster, logistic and rule")
