"""LightGBM, so that a rerun gives the same bytes: the model is text, and its digest is what is signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.matrix import Matrix
from training.sampling import weights
from training.settings import STOP_BY, Settings
from training.splits import Fold

Array = npt.NDArray[np.float64]
Outcomes = npt.NDArray[np.int8]


ROUNDS_LEAST = 5


class MatrixRefused(ValueError):
    """A matrix that the model must not see: infinite values, no rows, or only one outcome."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted booster as text, its number of rounds, and how each forward fold did.

    `folds` has one row per fold: rows and positives on either side, best_rounds, average_precision,
    log_loss.
    """

    text: str
    rounds: int
    folds: pd.DataFrame


def parameters(settings: Settings, monotone: Sequence[int]) -> dict[str, Any]:
    """Return LightGBM's parameters; with these a rerun on any number of threads gives the same text."""
    return {
        "objective": "binary",
        # The first decides when a fold stops.
        "metric": sorted(STOP_BY.values(), key=lambda name: name != STOP_BY[settings.stop_by]),
        "boosting": "gbdt",
        "deterministic": True,
        "force_row_wise": True,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "verbosity": -1,
        "monotone_constraints": list(monotone) if any(monotone) else None,
        "monotone_constraints_method": "advanced" if any(monotone) else "basic",
        **settings.boosting,
    }


def check_matrix(matrix: Matrix) -> None:
    """Refuse rows that LightGBM would score in silence: infinite values (NaN means unknown and may stay).

    Raises
    ------
    MatrixRefused
        Naming the features concerned, never a pupil.
    """
    check_values(matrix.values, matrix.names)


def check_values(values: Array, names: Sequence[str]) -> None:
    """Refuse as `check_matrix` does; the columns in the order of the names."""
    infinite = np.flatnonzero(np.isinf(values).any(axis=0))
    if len(infinite):
        names = [names[int(at)] for at in infinite]
        raise MatrixRefused(
            f"infinite values in {', '.join(names)}; a rate with an empty denominator is NaN, correct the feature"
        )


def check_outcomes(outcomes: Outcomes) -> None:
    """Refuse training rows of one outcome only. Raises MatrixRefused."""
    if not 0 < int(outcomes.sum()) < len(outcomes):
        raise MatrixRefused(
            f"{len(outcomes)} training rows with {int(outcomes.sum())} suspensions; both outcomes must occur. "
            "Load more terms, or check that suspensions were ingested"
        )


def fit(
    matrix: Matrix, outcomes: Outcomes, folds: Sequence[Fold], settings: Settings, monotone: Mapping[str, int]
) -> Fitted:
    """Return the booster fitted to all rows, its rounds chosen by the folds.

    Parameters
    ----------
    matrix, outcomes
        Features and 0 or 1 of the training period, in the same order.
    folds
        From `splits.forward_folds`; none: half of the most rounds are run.
    monotone
        Feature → 1 or -1 where it declares a direction; others are free.

    Raises
    ------
    MatrixRefused
        Infinite values, or outcomes of one kind only.
    """
    check_matrix(matrix)
    check_outcomes(outcomes)
    chosen = parameters(settings, [monotone.get(name, 0) for name in matrix.names])
    tried = [_try(matrix, outcomes, fold, chosen, settings) for fold in folds if _both(outcomes, fold)]
    # The last fold has the most data and is the most like the whole; the earlier ones show how it varies.
    rounds = max(ROUNDS_LEAST, int(tried[-1]["best_rounds"]) if tried else settings.rounds_most // 2)
    everyone = _data(matrix, outcomes, np.arange(len(outcomes)), chosen, settings)
    booster = lgb.train(chosen, everyone, num_boost_round=rounds)
    # The text ends with the parameters used. How many threads worked changes no tree, so it stays out of the digest.
    text = booster.model_to_string().replace(f"[num_threads: {settings.threads}]", "[num_threads: 0]")
    return Fitted(text=text, rounds=rounds, folds=pd.DataFrame(tried))


def _both(outcomes: Outcomes, fold: Fold) -> bool:
    return all(0 < int(outcomes[side].sum()) < len(side) for side in (fold.fit, fold.judge))


def _data(
    matrix: Matrix, outcomes: Outcomes, rows: npt.NDArray[np.intp], chosen: dict[str, Any], settings: Settings
) -> lgb.Dataset:
    came = outcomes[rows]
    # Without weights where all are 1: LightGBM's sums would differ in the last digit, and with them the digest.
    weight = weights(came, settings) if settings.others_share < 1 else None
    return lgb.Dataset(matrix.values[rows], came, weight=weight, feature_name=list(matrix.names), params=dict(chosen))


def _try(
    matrix: Matrix, outcomes: Outcomes, fold: Fold, chosen: dict[str, Any], settings: Settings
) -> dict[str, float]:
    fitted, judged = (_data(matrix, outcomes, rows, chosen, settings) for rows in (fold.fit, fold.judge))
    judged.set_reference(fitted)
    stop = lgb.early_stopping(settings.patience, first_metric_only=True, verbose=False)
    booster = lgb.train(
        chosen,
        fitted,
        num_boost_round=settings.rounds_most,
        valid_sets=[judged],
        valid_names=["judge"],
        callbacks=[stop],
    )
    scores = booster.best_score["judge"]
    return {
        "fit_rows": len(fold.fit),
        "fit_positives": int(outcomes[fold.fit].sum()),
        "judge_rows": len(fold.judge),
        "judge_positives": int(outcomes[fold.judge].sum()),
        "best_rounds": booster.best_iteration,
        "average_precision": scores["average_precision"],
        "log_loss": scores["binary_logloss"],
    }
