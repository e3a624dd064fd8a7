"""The whole flow on one screen: from a network's records to a candidate that the gate may judge."""

import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from features.catalogue import CATALOGUE
from features.proxies import compose
from records.home import Home
from records.store import Store
from training import registry
from training.baselines import baselines, scored
from training.candidate import Candidate
from training.card import model_card
from training.dataset import Dataset, Network, data_digest, dataset, network_of
from training.evaluate import Evaluation, Ground, comparison_row, evaluate, ground
from training.fitting import Fit, Part, Refit, bundle_of, during, fit_all, part_of
from training.flags import FlagRule, allocate
from training.pictures import write_pictures
from training.scorer import Scorer, scores_of
from training.settings import Settings
from training.splits import Periods, network_terms, periods
from training.summary import global_summary, write_summary

MODEL = "model"


@dataclass(frozen=True)
class By:
    """Who trains, and on what: `dask` is a scheduler's address, None this machine."""

    people: tuple[str, ...] = ()
    dask: str | None = None

    def refit(self, settings: Settings) -> Refit | None:
        """Return how the model is fitted once its rounds are known, None for here."""
        if self.dask is None:
            return None
        # A cluster's libraries take a second to load: only who asks for one waits for them.
        from training.cluster import fit_on  # noqa: PLC0415 - see above

        address = self.dask
        return lambda part, fitted: fit_on(address, part, fitted, settings)


NOBODY = By()


class Progress(Protocol):
    """Told what is being done, and how much of it is."""

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Say that `done` of `of` parts of the stage are done."""


def silent(stage: str, done: int, of: int) -> None:
    """Say nothing: the progress of a caller who does not ask."""


def train(
    home: Home,
    settings: Settings,
    *,
    mlruns: Path | None,
    observed_until: date,
    trained_by: tuple[str, ...] = (),
    dask: str | None = None,
    progress: Progress = silent,
) -> Candidate:
    """Return the candidate trained on what is known before `observed_until`; log and register it in MLflow.

    `mlruns` is the folder of the MLflow store; None: nothing is logged.

    Raises
    ------
    InputNotAllowed
        A feature may stand for a protected characteristic and the settings, which the policy makes, do not name it.
    TooFewTerms, MatrixRefused, TooFewOutcomes
        The records do not allow it; each says what is missing.
    """
    compose(CATALOGUE, settings.allow)
    network = network_of(Store(home).history(0), observed_until)
    when = periods(network.calendar, observed_until, settings)

    def shards(done: int, of: int) -> None:
        progress("features and outcomes", done, of)

    shards(0, home.shards)
    data = dataset(home, as_ofs_of(when, settings), settings, observed_until, shards)
    return candidate_of(data, network, when, settings, mlruns=mlruns, by=By(trained_by, dask), progress=progress)


def candidate_of(
    data: Dataset,
    network: Network,
    when: Periods,
    settings: Settings,
    *,
    mlruns: Path | None = None,
    by: By = NOBODY,
    progress: Progress = silent,
) -> Candidate:
    """Return the candidate of a dataset: fit, bundle, flag, judge beside the rules to beat, log."""
    progress("model", 0, 1)
    part = part_of(data, when.train)
    found = fit_all(data, part, network, when, settings, by.refit(settings))
    read = {
        "tables": dict(data.versions),
        "training_sha256": data_digest(part.matrix, part.outcomes),
        "trained_by": list(by.people),
        **({} if by.dask is None else {"fitted_on": "dask"}),
    }
    bundle = bundle_of(found, part, when, read, settings)
    progress("model", 1, 1)
    progress("flags and their worth", 0, 1)
    scores = scores_of(Scorer(bundle, threads=settings.threads), data.matrix)
    on = _ground(data, network, when, part, settings)
    allocation, evaluation = _judge(scores, data, when, found.rule, on)
    comparison = pd.DataFrame(
        [comparison_row(MODEL, allocation, evaluation), *_rules_to_beat(data, when, found.rule, on, part)]
    )
    variants = pd.DataFrame(
        comparison_row(name, *_judge(scores, data, when, rule, on)) for name, rule in _variants(found.rule).items()
    )
    progress("flags and their worth", 1, 1)
    candidate = Candidate(
        bundle=bundle,
        allocation=allocation,
        evaluation=evaluation,
        comparison=comparison,
        variants=variants,
        periods=when.as_dict(),
        data=read,
    )
    if mlruns is None:
        return candidate
    progress("log of the run", 0, 1)
    run_id = _log(mlruns, candidate, found, part, settings)
    progress("log of the run", 1, 1)
    return replace(candidate, run_id=run_id)


def as_ofs_of(when: Periods, settings: Settings) -> tuple[date, ...]:
    """Return every as-of date that training needs features at, ascending."""
    train_days = when.train[:: -settings.train_every]
    # The gap after the audit is not needed: nothing audited looks back on it.
    gaps = tuple(day for day in when.gaps if day < when.audit[-1])
    return tuple(sorted({*train_days, *gaps, *when.calibrate, *when.audit}))


def _ground(data: Dataset, network: Network, when: Periods, part: Part, settings: Settings) -> Ground:
    audited = data.matrix.where(during(data.matrix.keys, when.audit))
    before = audited.values[:, audited.names.index("suspensions_117w")]
    keys = audited.keys.assign(
        suspended_before=(np.nan_to_num(before) > 0).astype("int8"),
        seen=audited.keys["pupil"].isin(set(part.matrix.keys["pupil"])).astype("int8"),
    )
    terms = network_terms(network.calendar)
    return ground(keys, data.outcomes, phases=network.phases, terms=terms, calendar=network.calendar, settings=settings)


def _judge(
    scores: pd.DataFrame, data: Dataset, when: Periods, rule: FlagRule, on: Ground
) -> tuple[pd.DataFrame, Evaluation]:
    """Return the flags of the audit period, each pupil's past scored from the calibration period on."""
    from_day = pd.Timestamp(min((*when.gaps, *when.calibrate)))
    until = pd.Timestamp(when.audit[-1])
    rows = scores[(scores["as_of"] >= from_day) & (scores["as_of"] <= until)]
    allocation = allocate(rows, data.roll, rule, start=when.audit[0])
    return allocation, evaluate(allocation, on)


def _rules_to_beat(data: Dataset, when: Periods, rule: FlagRule, on: Ground, part: Part) -> list[dict[str, object]]:
    rows = []
    for baseline in baselines(part.matrix, part.outcomes):
        plain = replace(rule, level_least=baseline.level_least, rise_least=None)
        scores = scored(data.matrix, baseline.score(data.matrix))
        rows.append(comparison_row(baseline.name, *_judge(scores, data, when, plain, on)))
    return rows


def _variants(rule: FlagRule) -> dict[str, FlagRule]:
    half = None if rule.rise_least is None else rule.rise_least / 2
    return {
        "level_and_rise": rule,
        "level_and_half_the_rise": replace(rule, rise_least=half),
        "level_alone": replace(rule, rise_least=None),
        "rank_alone": replace(rule, rise_least=None, level_least=0.0),
    }


def _log(mlruns: Path, candidate: Candidate, found: Fit, part: Part, settings: Settings) -> str:
    model = candidate.comparison.iloc[0]
    metrics = {str(name): float(value) for name, value in model.items() if name != "approach"}
    with tempfile.TemporaryDirectory() as folder:
        summary = global_summary(candidate.bundle, part.matrix, seed=settings.seed)
        files = {"summary": write_summary(summary, Path(folder))}
        for name in ("comparison", "variants"):
            files[name] = Path(folder) / f"{name}.csv"
            getattr(candidate, name).to_csv(files[name], index=False)
        files["card"] = Path(folder) / "model_card.md"
        files["card"].write_text(model_card(candidate), encoding="utf-8")
        for picture in write_pictures(candidate, Path(folder)):
            files[f"pictures/{picture.stem}"] = picture
        files["folds"] = Path(folder) / "folds.csv"
        found.fitted.folds.to_csv(files["folds"], index=False)
        parameters = {**settings.choices(), "rounds": found.fitted.rounds, "level_least": found.rule.level_least}
        run_id = registry.log_run(mlruns, candidate.bundle, parameters=parameters, metrics=metrics, files=files)
    registry.register(mlruns, candidate.bundle, run_id)
    return run_id
