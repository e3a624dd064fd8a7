"""Everything fitted, each on its own period: booster, calibrator, base rates, flag rule; and their bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE
from features.matrix import Matrix
from training.bundle import SCHEMA, Bundle, scoring_digest, sha256
from training.calibration import Calibrator, calibrate, logit
from training.dataset import Dataset, Network
from training.evaluate import outcome_array
from training.flags import FlagRule
from training.model import Fitted, fit
from training.rise import rises, usual_spread
from training.settings import Settings
from training.splits import Periods, forward_folds

LEVEL_MOST = 0.9


@dataclass(frozen=True)
class Part:
    """Rows of one period that can be scored and whose outcome is known."""

    matrix: Matrix
    outcomes: npt.NDArray[np.int8]


Refit = Callable[[Part, Fitted], Fitted]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """All that was fitted. `base_rates`: share of snapshots with a suspension ahead, by phase and 'all'."""

    fitted: Fitted
    calibrator: Calibrator
    base_rates: Mapping[str, float]
    rule: FlagRule


def during(keys: pd.DataFrame, days: tuple[date, ...]) -> npt.NDArray[np.bool_]:
    """Return which keys have one of these as-of dates."""
    return keys["as_of"].isin(pd.DatetimeIndex(days).as_unit("s")).to_numpy(bool)


def part_of(data: Dataset, days: tuple[date, ...]) -> Part:
    """Return the rows at these dates that can be scored and whose outcome is known."""
    known, outcomes = outcome_array(data.matrix.keys, data.outcomes)
    mask = known & during(data.matrix.keys, days) & (data.matrix.keys["abstain"] == "").to_numpy(bool)
    return Part(data.matrix.where(mask), outcomes[mask])


def fit_all(
    data: Dataset, train: Part, network: Network, when: Periods, settings: Settings, refit: Refit | None = None
) -> Fit:
    """Return the booster fitted on the training period, and the rest on the calibration period.

    `refit` fits the model elsewhere once its rounds are known (training/cluster.py).
    """
    monotone = {feature.name: feature.monotone for feature in CATALOGUE}
    folds = forward_folds(train.matrix.keys, settings)
    fitted = fit(train.matrix, train.outcomes, folds, settings, monotone)
    if refit is not None:
        fitted = refit(train, fitted)
    booster = lgb.Booster(model_str=fitted.text)
    held = part_of(data, when.calibrate)
    calibrator = calibrate(_raw(booster, held.matrix, settings), held.outcomes, least_outcomes=settings.least_outcomes)
    base_rates = _base_rates((train, held), network)
    level = min(settings.level_times * base_rates["all"], LEVEL_MOST)
    days = (*(day for day in when.gaps if day < when.calibrate[0]), *when.calibrate)
    keys = data.matrix.keys
    rows = data.matrix.where(during(keys, days) & (keys["abstain"] == "").to_numpy(bool))
    spread = _spread(calibrator.logits(_raw(booster, rows, settings)), rows.keys, level, settings)
    rule = FlagRule(
        level_least=level,
        rise_least=settings.rise_noise * spread,
        past_weeks=settings.past_weeks,
        past_least=settings.past_least,
        since_weeks=settings.since_weeks,
        snooze_weeks=settings.snooze_weeks,
        capacity_share=settings.capacity_share,
        capacity_min=settings.capacity_min,
        capacity_max=settings.capacity_max,
    )
    return Fit(fitted=fitted, calibrator=calibrator, base_rates=base_rates, rule=rule)


def _raw(booster: lgb.Booster, matrix: Matrix, settings: Settings) -> npt.NDArray[np.float64]:
    return np.asarray(booster.predict(matrix.values, raw_score=True, num_threads=settings.threads), np.float64)


def _base_rates(parts: tuple[Part, ...], network: Network) -> dict[str, float]:
    schools = pd.concat([part.matrix.keys["school"] for part in parts], ignore_index=True)
    came = pd.Series(np.concatenate([part.outcomes for part in parts]))
    by_phase = came.groupby(schools.map(network.phases).astype("str")).mean()
    return {"all": float(came.mean()), **{str(phase): float(rate) for phase, rate in by_phase.items()}}


def _spread(logits: npt.NDArray[np.float64], keys: pd.DataFrame, level: float, settings: Settings) -> float:
    """Return the usual change from one week to the next among pupils who stand near the level or above it.

    The many at next to no risk hardly move at all: with them the spread would be of nothing.
    """
    pupils = np.unique(keys["pupil"], return_inverse=True)[1]
    weeks = np.unique(keys["as_of"], return_inverse=True)[1]
    found = rises(logits, pupils, weeks, past_weeks=1, past_least=1)
    near = logits >= float(logit(np.array([level / 2]))[0])
    return usual_spread(found[near])


def bundle_of(found: Fit, train: Part, when: Periods, read: Mapping[str, Any], settings: Settings) -> Bundle:
    """Return the bundle: every number that a score or a flag depends on, and where it came from."""
    booster = found.fitted.text.encode("utf-8")
    manifest = {
        "schema": SCHEMA,
        "booster_sha256": sha256(booster),
        "rounds": found.fitted.rounds,
        "calibrator": found.calibrator.as_dict(),
        "flag_rule": found.rule.as_dict(),
        "horizon_weeks": settings.horizon_weeks,
        "lead_days": settings.lead_days,
        "feature_names": list(train.matrix.names),
        "feature_fingerprint": train.matrix.fingerprint,
        "scoring_digest": scoring_digest(),
        "base_rates": dict(found.base_rates),
        "settings": settings.choices(),
        "settings_digest": settings.digest(),
        "data": dict(read),
        "periods": when.as_dict(),
        "lightgbm": str(lgb.__version__),
    }
    return Bundle(manifest, booster)
