"""The same model fitted again with fewer inputs, judged on the same ground as the candidate: what would it change?

Rounds are the candidate's own, so a difference is the inputs' and not that of another stop. Calibration and flag
rule are made again, because a model without an input has other scores.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from features.catalogue import CATALOGUE
from records.home import Home
from records.refusal import Refusal
from records.store import Store
from training.baselines import over
from training.bundle import APPROACHES
from training.calibration import calibrate
from training.candidate import Candidate
from training.dataset import Dataset, Network, data_digest, dataset, network_of
from training.evaluate import Ground, flagged_terms
from training.fitting import Fit, Part, only, part_of, rule_with
from training.flags import allocate
from training.kinds import model_of
from training.model import fit
from training.run import as_ofs_of, ground_of
from training.scorer import Scorer
from training.settings import Settings, settings_from
from training.splits import Periods, periods

Told = Callable[[int, int], None]


class NotAgain(Refusal):
    """This candidate cannot be fitted again from the records of today."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """All that one more fit needs, made once."""

    candidate: Candidate
    data: Dataset
    part: Part
    network: Network
    when: Periods
    settings: Settings
    on: Ground

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features that the candidate may learn from."""
        return self.settings.inputs or self.part.matrix.names


def bench_of(home: Home, candidate: Candidate, today: date, threads: int = 2) -> Bench:
    """Return the bench of a candidate.

    Raises
    ------
    NotAgain
        It is no LightGBM model, or the records or the day have moved on since it was trained.
    """
    manifest = candidate.bundle.manifest
    if APPROACHES[manifest["approach"]] != "booster":
        raise NotAgain(
            f"candidate {candidate.bundle.digest[:12]} is {manifest['approach'].replace('_', ' ')}, not a model that "
            "learned from many inputs; leaving one out says nothing of it"
        )
    settings = settings_from({**manifest["settings"], "threads": threads})
    network = network_of(Store(home).history(0), today)
    when = periods(network.calendar, today, settings)
    moved = "the records or the day have moved on since candidate {} was trained; train again, and audit that one"
    if when.as_dict() != candidate.periods:
        raise NotAgain(moved.format(candidate.bundle.digest[:12]))
    data = dataset(home, as_ofs_of(when, settings), settings, today, train=when.train)
    part = part_of(data, when.train)
    if data_digest(part.matrix, part.outcomes) != manifest["data"]["training_sha256"]:
        raise NotAgain(moved.format(candidate.bundle.digest[:12]))
    return Bench(
        candidate=candidate,
        data=data,
        part=part,
        network=network,
        when=when,
        settings=settings,
        on=ground_of(data, network, when, part, settings),
    )


def terms_without(bench: Bench, names: Collection[str]) -> pd.DataFrame:
    """Return the pupil-terms (`Evaluation.pupil_terms`) of a model that was fitted without these features."""
    inputs = tuple(name for name in bench.inputs if name not in names)
    found = _fit(bench, inputs)
    keys = bench.data.matrix.keys
    # As `training.run.judge`: pupils' past is scored from the calibration period on.
    from_day = pd.Timestamp(min((*bench.when.gaps, *bench.when.calibrate)))
    days = keys["as_of"]
    shown = ((days >= from_day) & (days <= pd.Timestamp(bench.when.audit[-1]))).to_numpy(bool)
    rows = bench.data.matrix.where(shown)
    chances = found.calibrator.probabilities(found.raw(rows))
    scores = rows.keys[["pupil", "as_of", "school", "year_group", "abstain"]].assign(
        probability=np.where((rows.keys["abstain"] == "").to_numpy(bool), chances, np.nan)
    )
    allocation = allocate(scores, bench.data.roll, found.rule, start=bench.when.audit[0])
    return flagged_terms(allocation, bench.on)


def _fit(bench: Bench, inputs: tuple[str, ...]) -> Fit:
    rounds = int(bench.candidate.bundle.manifest["rounds"])
    # Without a fold, half of the most rounds are run.
    settings = replace(bench.settings, inputs=inputs, rounds_most=2 * rounds)
    monotone = {feature.name: feature.monotone for feature in CATALOGUE}
    fitted = fit(only(bench.part.matrix, inputs), bench.part.outcomes, (), settings, monotone)
    content = fitted.text.encode("utf-8")
    raw = over(model_of("booster", "model", content, bench.part.matrix.names, threads=settings.threads))
    held = part_of(bench.data, bench.when.calibrate)
    scorer = Scorer(bench.candidate.bundle)
    found = Fit(
        approach="model",
        content=content,
        raw=raw,
        fitted=fitted,
        calibrator=calibrate(raw(held.matrix), held.outcomes, least_outcomes=settings.least_outcomes),
        base_rates=scorer.base_rates,
        rule=scorer.rule,
    )
    return replace(found, rule=rule_with(found, bench.data, bench.when, bench.settings))
