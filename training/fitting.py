"""Everything fitted, each on its own period: model, calibrator, base rates, flag rule; and their bundle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE
from features.matrix import Matrix
from training.baselines import MODEL, RATE, over, rule_score, school_year_rate
from training.bundle import APPROACHES, SCHEMA, Bundle, scoring_digest, sha256
from training.calibration import Calibrator, calibrate, logit
from training.dataset import Dataset, Network
from training.evaluate import outcome_array
from training.flags import FlagRule
from training.kinds import model_of
from training.logistic import fit_linear
from training.model import Fitted, check_matrix, check_outcomes, fit
from training.rise import FORMS, rises, usual_spread
from training.sampling import weights
from training.settings import Settings
from training.splits import Periods, forward_folds

LEVEL_MOST = 0.9


@dataclass(frozen=True)
class Part:
    """Rows of one period that can be scored and whose outcome is known."""

    matrix: Matrix
    outcomes: npt.NDArray[np.int8]


Refit = Callable[[Part, Fitted], Fitted]
Raw = Callable[[Matrix], npt.NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """All that was fitted of one approach.

    `content` is the model's text (empty for what no bundle may hold), `raw` its raw scores of a matrix;
    `base_rates`: share of snapshots with a suspension ahead, by phase and 'all'; `fitted` the booster's
    rounds and folds.
    """

    approach: str
    content: bytes
    raw: Raw
    fitted: Fitted | None
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
    data: Dataset,
    train: Part,
    network: Network,
    when: Periods,
    settings: Settings,
    *,
    approach: str = MODEL,
    refit: Refit | None = None,
) -> Fit:
    """Return the approach's model fitted on the training period, and the rest on the calibration period.

    `refit` fits the booster elsewhere once its rounds are known (training/cluster.py).
    """
    content, raw, fitted = _model(approach, train, settings, refit)
    held = part_of(data, when.calibrate)
    calibrator = calibrate(raw(held.matrix), held.outcomes, least_outcomes=settings.least_outcomes)
    counted = [(train, weights(train.outcomes, settings))] if when.train else []
    base_rates = _base_rates([*counted, (held, np.ones(len(held.outcomes)))], network)
    found = Fit(
        approach=approach,
        content=content,
        raw=raw,
        fitted=fitted,
        calibrator=calibrator,
        base_rates=base_rates,
        rule=_no_rise(0.0, settings),
    )
    return replace(found, rule=rule_with(found, data, when, settings))


def _no_rise(level: float, settings: Settings) -> FlagRule:
    return FlagRule(
        level_least=level,
        rise="none",
        rise_least=None,
        past_weeks=settings.past_weeks,
        past_least=settings.past_least,
        since_weeks=settings.since_weeks,
        snooze_weeks=settings.snooze_weeks,
        capacity_share=settings.capacity_share,
        capacity_min=settings.capacity_min,
        capacity_max=settings.capacity_max,
    )


def _model(approach: str, train: Part, settings: Settings, refit: Refit | None) -> tuple[bytes, Raw, Fitted | None]:
    """Return the model's text, its raw scores of a matrix, and how the booster was fitted."""
    check_matrix(train.matrix)
    stands = weights(train.outcomes, settings)
    if approach == RATE:
        return b"", school_year_rate(train.matrix, train.outcomes, stands).raw, None
    kind, fitted, names = APPROACHES[approach], None, train.matrix.names
    if kind == "booster":
        monotone = {feature.name: feature.monotone for feature in CATALOGUE}
        mine = only(train.matrix, settings.inputs)
        fitted = fit(mine, train.outcomes, forward_folds(train.matrix.keys, settings), settings, monotone)
        fitted = fitted if refit is None else refit(replace(train, matrix=mine), fitted)
        text = fitted.text
    elif kind == "logistic":
        check_outcomes(train.outcomes)
        text = fit_linear(only(train.matrix, settings.inputs), train.outcomes, stands).text()
    else:
        text = rule_score(approach, train.matrix).rule.text()
    content = text.encode("utf-8")
    # Read back from the text: what is calibrated is what the bundle holds, to the last digit.
    return content, over(model_of(kind, approach, content, names, threads=settings.threads)), fitted


def only(matrix: Matrix, inputs: tuple[str, ...]) -> Matrix:
    """Return the matrix with all other features unknown: nothing can be learned from them, and scoring needs no change.

    A tree never splits on a feature that is always unknown, and its coefficient in a regression stays nought.
    """
    if not inputs:
        return matrix
    return replace(matrix, values=np.where([name in inputs for name in matrix.names], matrix.values, np.nan))


def rule_with(found: Fit, data: Dataset, when: Periods, settings: Settings) -> FlagRule:
    """Return who is flagged by an approach's scores under these settings.

    A rule's own limit is its level, and a rate speaks of everybody: neither asks for a rise. A model's
    level is a multiple of the base rate; its least rise is a multiple of the usual change between weeks.
    """
    if found.approach == RATE:
        return _no_rise(0.0, settings)
    if APPROACHES[found.approach] == "rule":
        return _no_rise(float(found.calibrator.probabilities(np.zeros(1))[0]), settings)
    level = min(settings.level_times * found.base_rates["all"], LEVEL_MOST)
    plain = _no_rise(level, settings)
    if settings.rise == "none":
        return plain
    days = (*(day for day in when.gaps if day < when.calibrate[0]), *when.calibrate)
    keys = data.matrix.keys
    rows = data.matrix.where(during(keys, days) & (keys["abstain"] == "").to_numpy(bool))
    spread = _spread(found.calibrator.logits(found.raw(rows)), rows.keys, level, settings)
    least = settings.rise_noise * FORMS[settings.rise].noise * spread
    return replace(plain, rise=settings.rise, rise_least=least)


def _base_rates(parts: Sequence[tuple[Part, npt.NDArray[np.float64]]], network: Network) -> dict[str, float]:
    """Return the share of rows with a suspension ahead; each row stands for so many."""
    schools = pd.concat([part.matrix.keys["school"] for part, _ in parts], ignore_index=True)
    stands = np.concatenate([weight for _, weight in parts])
    rows = pd.DataFrame({"came": stands * np.concatenate([part.outcomes for part, _ in parts]), "rows": stands})
    sums = rows.groupby(schools.map(network.phases).astype("str")).sum()
    rates = {"all": rows.sum(), **{str(phase): one for phase, one in sums.iterrows()}}
    return {name: float(one["came"] / one["rows"]) for name, one in rates.items()}


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
    rounds = {} if found.fitted is None else {"rounds": found.fitted.rounds}
    manifest = {
        "schema": SCHEMA,
        "approach": found.approach,
        "kind": APPROACHES[found.approach],
        "model_sha256": sha256(found.content),
        **rounds,
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
        "made_with": {name: version(name) for name in ("lightgbm", "scikit-learn")},
    }
    return Bundle(manifest, found.content)
