"""The same settings with fewer inputs or other weights of the training rows: one booster, one list, one threshold.

A variant changes what a model learns from, and nothing about how it is used: scores are made of the same inputs for
everybody, and a school's list has one order. Whose row weighs how much is handed in by the command line, which may
know groups; training sees numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE
from training.fitting import Part, only
from training.model import Fitted, parameters
from training.sampling import weights
from training.search import NothingToJudge, within_capacity
from training.settings import Settings
from training.splits import Fold, forward_folds

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
# Numbers of training rows → what each weighs, and what it is taught to be (0 or 1).
Weigh = Callable[[Rows], tuple[Array, npt.NDArray[np.int8]]]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is changed: features left out, and rows weighed (None: as they are).

    `name` is short and stable; `words` say what was done, for people and for the bundle.
    """

    name: str
    words: str
    without: tuple[str, ...] = ()
    weigh: Weigh | None = None


def folds_of(part: Part, settings: Settings) -> tuple[Fold, ...]:
    """Return the forward folds that can judge.

    Raises
    ------
    NothingToJudge
        No forward fold has both outcomes on both sides.
    """
    found = tuple(
        fold
        for fold in forward_folds(part.matrix.keys, settings)
        if all(0 < int(part.outcomes[side].sum()) < len(side) for side in (fold.fit, fold.judge))
    )
    if not found:
        raise NothingToJudge("no forward fold has suspensions on both sides; load more terms before a search")
    return found


def judged(part: Part, folds: Sequence[Fold], settings: Settings, variant: Variant) -> pd.DataFrame:
    """Return every judged row with `outcome`, `score` and `listed`, by models fitted before it on other pupils."""
    inputs = tuple(name for name in settings.inputs or part.matrix.names if name not in variant.without)
    mine = replace(part, matrix=only(part.matrix, inputs))
    found = []
    for fold in folds:
        rows = part.matrix.keys.loc[fold.judge, ["pupil", "as_of", "school"]]
        found.append(rows.assign(outcome=part.outcomes[fold.judge], score=_scores(mine, fold, settings, variant)))
    return within_capacity(pd.concat(found, ignore_index=True), part.matrix.keys, settings)


def _scores(part: Part, fold: Fold, settings: Settings, variant: Variant) -> Array:
    chosen = {**parameters(settings, _directions(part)), "metric": "binary_logloss"}
    fitted = _data(part, fold.fit, settings, variant, chosen)
    judge = lgb.Dataset(part.matrix.values[fold.judge], part.outcomes[fold.judge], reference=fitted)
    stop = lgb.early_stopping(settings.patience, verbose=False)
    booster = lgb.train(chosen, fitted, settings.rounds_most, valid_sets=[judge], callbacks=[stop])
    found = booster.predict(part.matrix.values[fold.judge], raw_score=True, num_iteration=booster.best_iteration)
    return np.asarray(found, np.float64)


def _directions(part: Part) -> list[int]:
    monotone = {feature.name: feature.monotone for feature in CATALOGUE}
    return [monotone.get(name, 0) for name in part.matrix.names]


def _data(part: Part, rows: Rows, settings: Settings, variant: Variant, chosen: dict[str, object]) -> lgb.Dataset:
    came, weight = part.outcomes[rows], weights(part.outcomes[rows], settings)
    if variant.weigh is not None:
        times, came = variant.weigh(rows)
        weight = weight * times
    names = list(part.matrix.names)
    return lgb.Dataset(part.matrix.values[rows], came, weight=weight, feature_name=names, params=dict(chosen))


def weighted(part: Part, fitted: Fitted, settings: Settings, variant: Variant) -> Fitted:
    """Return the booster of the variant's weights, with the rounds that the folds chose without them."""
    chosen = parameters(settings, _directions(part))
    everyone = _data(part, np.arange(len(part.outcomes)), settings, variant, chosen)
    booster = lgb.train(chosen, everyone, num_boost_round=fitted.rounds)
    text = booster.model_to_string().replace(f"[num_threads: {settings.threads}]", "[num_threads: 0]")
    return replace(fitted, text=text)
