"""The whole flow on one screen: from a network's records to a candidate that the gate may judge."""

import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE
from features.proxies import compose
from records.home import Home
from records.store import Store
from training import registry
from training.baselines import BESIDE, MODEL, RATE, check_approach, trained
from training.candidate import Candidate
from training.card import model_card
from training.comparison import Judged, compare, with_intervals
from training.dataset import Dataset, Network, data_digest, dataset, network_of
from training.evaluate import Ground, evaluate, ground
from training.fitting import Fit, Part, Refit, bundle_of, during, fit_all, part_of, rule_with
from training.flags import FlagRule, allocate
from training.helped import labels
from training.pictures import write_pictures
from training.rise import FORMS
from training.sampling import weights
from training.scorer import Scorer, scores_of
from training.settings import Settings
from training.splits import Periods, network_terms, periods
from training.summary import global_summary, write_summary
from training.variants import Variant, weighted


@dataclass(frozen=True)
class By:
    """Who trains, on what, and which approach: `dask` is a scheduler's address, None this machine.

    `variant` weighs the training rows (training/variants.py); the bundle says in words what was done.
    """

    people: tuple[str, ...] = ()
    dask: str | None = None
    approach: str = MODEL
    variant: Variant | None = None

    def refit(self, settings: Settings) -> Refit | None:
        """Return how the model is fitted once its rounds are known, None for here."""
        if self.dask is None:
            return self._weighted(settings)
        # A cluster's libraries take a second to load: only who asks for one waits for them.
        from training.cluster import fit_on  # noqa: PLC0415 - see above

        address = self.dask
        return lambda part, fitted: fit_on(address, part, fitted, settings)

    def _weighted(self, settings: Settings) -> Refit | None:
        variant = self.variant
        if variant is None or variant.weigh is None:
            return None
        return lambda part, fitted: weighted(part, fitted, settings, variant)


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
    by: By = NOBODY,
    progress: Progress = silent,
) -> Candidate:
    """Return the candidate trained on what is known before `observed_until`; log and register it in MLflow.

    `mlruns` is the folder of the MLflow store; None: nothing is logged. A transparent rule (`by.approach`)
    learns nothing, so it needs fewer terms than a model.

    Raises
    ------
    InputNotAllowed
        A feature may stand for a protected characteristic and the settings, which the policy makes, do not name it.
    NoApproach
        No bundle may be made of the approach.
    TooFewTerms, MatrixRefused, TooFewOutcomes
        The records do not allow it; each says what is missing.
    """
    chosen = [feature for feature in CATALOGUE if not settings.inputs or feature.name in settings.inputs]
    compose(chosen, {feature.name for feature in chosen} & set(settings.allow))
    check_approach(by.approach)
    network = network_of(Store(home).history(0), observed_until)
    when = periods(network.calendar, observed_until, settings, trained=trained(by.approach))

    def shards(done: int, of: int) -> None:
        progress("features and outcomes", done, of)

    shards(0, home.shards)
    days = as_ofs_of(when, settings)
    data = dataset(home, days, settings, observed_until, shards, by.dask, train=when.train)
    return candidate_of(data, network, when, settings, mlruns=mlruns, by=by, progress=progress)


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
    """Return the candidate of a dataset: fit, bundle, flag, judge beside every other approach, log."""
    progress("model", 0, 1)
    part = part_of(data, when.train or when.calibrate)
    found = fit_all(data, part, network, when, settings, approach=by.approach, refit=by.refit(settings))
    read = {
        "tables": dict(data.versions),
        "training_sha256": data_digest(part.matrix, part.outcomes),
        "training_rows": len(part.outcomes),
        "training_outcomes": int(part.outcomes.sum()),
        "trained_by": list(by.people),
        **({} if by.dask is None else {"fitted_on": "dask"}),
        **({} if by.variant is None else {"mitigation": by.variant.words}),
    }
    bundle = bundle_of(found, part, when, read, settings)
    progress("model", 1, 1)
    progress("flags and their worth", 0, 1)
    scores = scores_of(Scorer(bundle, threads=settings.threads), data.matrix)
    on = ground_of(data, network, when, part, settings)
    mine = judge(scores, data.roll, when, found.rule, on)
    comparison = compare(
        {by.approach: mine, **_others(by.approach, data, network, when, (part, on, settings))}, settings
    )
    variants = pd.concat(
        compare({name: judge(scores, data.roll, when, rule, on)}, replace(settings, resamples=0))
        for name, rule in _variants(found, data, when, settings).items()
    )
    progress("flags and their worth", 1, 1)
    summary = with_intervals(mine.evaluation.summary, comparison.to_dict("records")[0])
    candidate = Candidate(
        bundle=bundle,
        allocation=mine.allocation,
        evaluation=replace(mine.evaluation, summary=summary),
        comparison=comparison,
        variants=variants.reset_index(drop=True),
        ground=on.rows,
        roll=data.roll,
        periods=when.as_dict(),
        data={
            **read,
            "abstained": _abstained(data, when, mine.allocation, found.rule),
            "helped": labels(part.matrix.keys, part.outcomes, _stands_for(part, when, settings), data.hindsight.helped),
        },
    )
    if mlruns is None:
        return candidate
    progress("log of the run", 0, 1)
    run_id = _log(mlruns, candidate, found, part, settings)
    progress("log of the run", 1, 1)
    return replace(candidate, run_id=run_id)


def _stands_for(part: Part, when: Periods, settings: Settings) -> npt.NDArray[np.float64]:
    """Return how many rows each that was learned from stands for; without a training period none is thinned."""
    return weights(part.outcomes, settings) if when.train else np.ones(len(part.outcomes))


def _abstained(data: Dataset, when: Periods, allocation: pd.DataFrame, rule: FlagRule) -> dict[str, int]:
    """Return how many of the audit's pupil-weeks were not judged, by reason (`features.cohort.ABSTAIN`).

    'short_past': scored, and with too few earlier weeks for the rise that the rule asks for.
    """
    why = data.matrix.keys.loc[during(data.matrix.keys, when.audit), "abstain"]
    found = {str(name): int(number) for name, number in why[why != ""].value_counts().sort_index().items()}
    short = 0 if rule.rise_least is None else int(allocation["rise"].isna().sum())
    return {**found, **({"short_past": short} if short else {})}


def as_ofs_of(when: Periods, settings: Settings) -> tuple[date, ...]:
    """Return every as-of date that training needs features at, ascending."""
    train_days = when.train[:: -settings.train_every]
    # The gap after the audit is not needed: nothing audited looks back on it.
    gaps = tuple(day for day in when.gaps if day < when.audit[-1])
    return tuple(sorted({*train_days, *gaps, *when.calibrate, *when.audit}))


def ground_of(data: Dataset, network: Network, when: Periods, part: Part, settings: Settings) -> Ground:
    """Return what every approach is judged on: the audit period's rows, their outcomes and their terms."""
    # The one column and the keys: a copy of the audited features would be gigabytes in a large network.
    mask = during(data.matrix.keys, when.audit)
    before, audited = data.matrix.column("suspensions_117w")[mask], data.matrix.keys[mask].reset_index(drop=True)
    keys = audited.assign(
        suspended_before=(np.nan_to_num(before) > 0).astype("int8"),
        seen=audited["pupil"].isin(set(part.matrix.keys["pupil"])).astype("int8"),
    )
    terms = network_terms(network.calendar)
    return ground(
        keys,
        data.outcomes,
        phases=network.phases,
        terms=terms,
        calendar=network.calendar,
        settings=settings,
        hindsight=data.hindsight,
    )


def judge(scores: pd.DataFrame, roll: pd.DataFrame, when: Periods, rule: FlagRule, on: Ground) -> Judged:
    """Return the flags of the audit period and their worth; pupils' past is scored from the calibration period on."""
    from_day = pd.Timestamp(min((*when.gaps, *when.calibrate)))
    until = pd.Timestamp(when.audit[-1])
    rows = scores[(scores["as_of"] >= from_day) & (scores["as_of"] <= until)]
    allocation = allocate(rows, roll, rule, start=when.audit[0])
    return Judged(allocation, evaluate(allocation, on))


def _others(
    approach: str, data: Dataset, network: Network, when: Periods, on: tuple[Part, Ground, Settings]
) -> dict[str, Judged]:
    """Return every other approach, judged; those that learn are left out where there is no training period."""
    part, common, settings = on
    found = {}
    for name in BESIDE:
        if name == approach or (not when.train and name != RATE and trained(name)):
            continue
        fit = fit_all(data, part, network, when, settings, approach=name)
        chances = fit.calibrator.probabilities(fit.raw(data.matrix))
        keys = data.matrix.keys[["pupil", "as_of", "school", "year_group", "abstain"]]
        found[name] = judge(keys.assign(probability=chances), data.roll, when, fit.rule, common)
    return found


def _variants(found: Fit, data: Dataset, when: Periods, settings: Settings) -> dict[str, FlagRule]:
    """Return other flag rules for the same scores: each form of a rise, half of it, and none."""
    if found.rule.rise_least is None:
        return {"level_alone": found.rule, "rank_alone": replace(found.rule, level_least=0.0)}
    forms = {
        f"rise_{name}": rule_with(found, data, when, replace(settings, rise=name, past_weeks=form.past_weeks))
        for name, form in FORMS.items()
    }
    half = replace(found.rule, rise_least=found.rule.rise_least / 2)
    return {**forms, "half_the_rise": half, "rank_alone": replace(forms["rise_none"], level_least=0.0)}


def _log(mlruns: Path, candidate: Candidate, found: Fit, part: Part, settings: Settings) -> str:
    model = candidate.comparison.iloc[0]
    metrics = {str(name): float(value) for name, value in model.items() if name != "approach"}
    metrics |= {f"labels_{name}": float(value) for name, value in candidate.data["helped"].items()}
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
        parameters = {**settings.choices(), "approach": found.approach, "level_least": found.rule.level_least}
        if found.fitted is not None:
            files["folds"] = Path(folder) / "folds.csv"
            found.fitted.folds.to_csv(files["folds"], index=False)
            parameters["rounds"] = found.fitted.rounds
        run_id = registry.log_run(mlruns, candidate.bundle, parameters=parameters, metrics=metrics, files=files)
    registry.register(mlruns, candidate.bundle, run_id)
    return run_id
