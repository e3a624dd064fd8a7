"""A search for LightGBM's settings with three aims at once: ranking within capacity, the worst-off group, size.

Optuna keeps every trial in one journal file of the home, so a search that was stopped goes on where it
stood. After n finished trials the next draws from a sampler seeded with the settings' seed plus n: ten
trials are the same ten whether they were run at once, in two sittings, or cut off in the middle of one.
Optuna prunes no trial that has several aims, and neither does this: each runs to its end.

Groups are protected data, which training may not read: the worst group's shortfall is a function that
the command line composes from `fairness` and hands in.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd
import rfc8785
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from training.calibration import TooFewOutcomes
from training.dataset import data_digest
from training.fitting import Part
from training.metrics import average_precision, share
from training.model import check_matrix, parameters
from training.settings import Settings
from training.splits import Fold, forward_folds

# `pupil`, `as_of`, `school`, `outcome` and `listed` of every judged row → how far the worst-off group falls short.
Shortfall = Callable[[pd.DataFrame], float]
Told = Callable[[int, int], None]
DIRECTIONS: tuple[Literal["maximize", "minimize"], ...] = ("maximize", "minimize", "minimize")
_STARTING = 8


class NothingToJudge(TooFewOutcomes):
    """No forward fold has both outcomes on both sides: a search would compare noise."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One trial: its settings and what they were worth on the forward folds.

    `number` counts finished trials from 0. `recall` is of judged snapshots with a suspension ahead, the
    share that stood within their school's weekly capacity; `shortfall` what the worst-off group's recall
    lacks of all others'; `leaves` trees times leaves of the last fold. `average_precision` is shown and
    chooses nothing.
    """

    number: int
    boosting: dict[str, float]
    recall: float
    shortfall: float
    leaves: int
    average_precision: float


@dataclass(frozen=True)
class Found:
    """Every finished trial in order, and the numbers of those that no other beats in all three aims."""

    trials: tuple[Tried, ...]
    best: tuple[int, ...]


def search(
    part: Part, settings: Settings, shortfall: Shortfall, *, trials: int, journal: Path, told: Told | None = None
) -> Found:
    """Run `trials` more trials on the training period and return all there are.

    Rounds are chosen, and a trial is judged, on the same folds: good for choosing between settings, too
    rosy as a promise. The audit, on terms that no search saw, is the promise.

    Raises
    ------
    NothingToJudge
        No forward fold has both outcomes on both sides.
    """
    check_matrix(part.matrix)
    folds = [fold for fold in forward_folds(part.matrix.keys, settings) if _both(part, fold)]
    if not folds:
        raise NothingToJudge("no forward fold has suspensions on both sides; load more terms before a search")
    study = _study(part, settings, journal)
    for done in range(trials):
        if told is not None:
            told(done, trials)
        number = len(_finished(study))
        study.sampler = optuna.samplers.TPESampler(seed=settings.seed + number, n_startup_trials=_STARTING)
        trial = study.ask()
        chosen = replace(settings, boosting={**settings.boosting, **_suggest(trial)})
        tried = _try(part, folds, chosen, shortfall, number)
        trial.set_user_attr("average_precision", tried.average_precision)
        trial.set_user_attr("boosting", dict(chosen.boosting))
        study.tell(trial, (tried.recall, tried.shortfall, tried.leaves))
    finished = _finished(study)
    best = {trial.number for trial in study.best_trials}
    # Optuna's own numbers count what was cut off too, and would be others after a stop.
    return Found(
        tuple(_tried(number, trial) for number, trial in enumerate(finished)),
        tuple(number for number, trial in enumerate(finished) if trial.number in best),
    )


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _both(part: Part, fold: Fold) -> bool:
    return all(0 < int(part.outcomes[side].sum()) < len(side) for side in (fold.fit, fold.judge))


def _study(part: Part, settings: Settings, journal: Path) -> optuna.Study:
    """Return the study of these rows and settings: others' trials are never continued."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    said = {**settings.choices(), "rows": data_digest(part.matrix, part.outcomes)}
    study = optuna.create_study(
        study_name=hashlib.sha256(rfc8785.dumps(said)).hexdigest()[:16],
        storage=JournalStorage(JournalFileBackend(str(journal))),
        directions=[*DIRECTIONS],
        load_if_exists=True,
    )
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)  # the run that asked for it was ended
    return study


def _suggest(trial: Trial) -> dict[str, float]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 63, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 500, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
    }


def _try(part: Part, folds: Sequence[Fold], settings: Settings, shortfall: Shortfall, number: int) -> Tried:
    judged, rounds = [], 0
    for fold in folds:
        scores, rounds = _scores(part, fold, settings)
        rows = part.matrix.keys.loc[fold.judge, ["pupil", "as_of", "school"]]
        judged.append(rows.assign(outcome=part.outcomes[fold.judge], score=scores))
    rows = within_capacity(pd.concat(judged, ignore_index=True), part.matrix.keys, settings)
    came = rows["outcome"].to_numpy() == 1
    return Tried(
        number=number,
        boosting=dict(settings.boosting),
        recall=share(float(rows["listed"].to_numpy()[came].sum()), float(came.sum())),
        shortfall=_plain(shortfall(rows)),
        leaves=int(rounds * settings.boosting["num_leaves"]),
        average_precision=average_precision(rows["outcome"].to_numpy(np.int8), rows["score"].to_numpy(np.float64)),
    )


def _plain(value: float) -> float:
    # Optuna would count a trial without a number as failed; no group large enough to judge is no shortfall seen.
    return 0.0 if math.isnan(value) else float(value)


def _scores(
    part: Part, fold: Fold, settings: Settings
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], int]:
    chosen = {**parameters(settings, [0] * len(part.matrix.names)), "metric": "binary_logloss"}
    fitted = lgb.Dataset(part.matrix.values[fold.fit], part.outcomes[fold.fit], params=dict(chosen))
    judge = lgb.Dataset(part.matrix.values[fold.judge], part.outcomes[fold.judge], reference=fitted)
    stop = lgb.early_stopping(settings.patience, verbose=False)
    booster = lgb.train(chosen, fitted, settings.rounds_most, valid_sets=[judge], callbacks=[stop])
    found = booster.predict(
        part.matrix.values[fold.judge],
        raw_score=True,
        num_iteration=booster.best_iteration,
        num_threads=settings.threads,
    )
    return np.asarray(found, np.float64), int(booster.best_iteration)


def within_capacity(judged: pd.DataFrame, keys: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the judged rows with `listed`: among the first of their school and week that capacity has room for.

    A fold judges a part of a school's pupils, so it has that part of the school's capacity, at least one
    place. `score` needs no scale; equal pupils share the worst rank, as on a real list.
    """
    place = ["school", "as_of"]
    roll = keys.groupby(place, sort=False).size().rename("roll").reset_index()
    sizes = judged.groupby(place, sort=False).size().rename("judged").reset_index().merge(roll, on=place)
    whole = np.clip(settings.capacity_share * sizes["roll"], settings.capacity_min, settings.capacity_max)
    sizes["room"] = np.maximum(1.0, np.ceil(whole * sizes["judged"] / sizes["roll"]))
    rows = judged.merge(sizes[[*place, "room"]], on=place, how="left")
    rank = rows.groupby(place)["score"].rank(method="max", ascending=False)
    return rows.assign(listed=(rank <= rows["room"]).to_numpy(bool))


def _tried(number: int, trial: FrozenTrial) -> Tried:
    recall, shortfall, leaves = trial.values
    return Tried(
        number=number,
        boosting=dict(trial.user_attrs["boosting"]),
        recall=recall,
        shortfall=shortfall,
        leaves=int(leaves),
        average_precision=trial.user_attrs["average_precision"],
    )
