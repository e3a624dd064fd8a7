"""Exact contributions of many pupils: ours beside shap's TreeExplainer and LightGBM's own, on the same rows and cores.

    python -m benchmarks.reasons            # 100,000 rows, models of 31 and of 10 leaves, about 5 minutes
    python -m benchmarks.reasons --city     # 1.2 million pupils scored, every flagged one told why

The rows are made up: counts, shares and measurements with gaps. shap is timed on as many rows as it can
finish and scaled; that all three agree is checked on those rows, and the run fails where they do not.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.measured import load
from features.catalogue import CATALOGUE, fingerprint
from features.matrix import Matrix
from training.bundle import SCHEMA, Bundle, scoring_digest, sha256
from training.calibration import Calibrator
from training.contributions import Explainer, contributions
from training.scorer import Scorer
from training.settings import DEFAULT_BOOSTING, Settings
from training.trees import trees_of
from training.why import why

with warnings.catch_warnings():
    # shap's own plots call what matplotlib is about to withdraw; none is drawn here.
    warnings.simplefilter("ignore")
    import shap

Array = npt.NDArray[np.float64]
CORES = os.cpu_count() or 1
TREES, FEATURES = 400, 120
NEAR = 1e-5
PIECE = 100_000
SINGLES = 60


@dataclass(frozen=True)
class Timed:
    """Rows a second, by the clock and by processor time."""

    rows: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Rows a second by the clock."""
        return self.rows / self.seconds

    @property
    def processor_rate(self) -> float:
        """Rows a second of processor time."""
        return self.rows / self.processor


def timed(rows: int, work: Callable[[], Any]) -> tuple[Any, Timed]:
    """Do the work; return what it gave and how long it took."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, Timed(rows, time.perf_counter() - clock, time.process_time() - processor)


def made_up(rows: int, features: int, seed: int) -> tuple[Array, Array]:
    """Return values with gaps, a third each of counts, shares and measurements that hang together, and outcomes."""
    rng = np.random.default_rng(seed)
    hidden, values = rng.normal(size=(rows, 8)), np.empty((rows, features))
    for at in range(features):
        mixed = 0.7 * hidden[:, at % 8] + rng.normal(size=rows)
        kinds = (rng.poisson(np.exp(0.6 * mixed - 0.3)), np.round(1 / (1 + np.exp(-mixed)), 3), mixed)
        values[:, at] = kinds[at % 3]
    chance = 1 / (1 + np.exp(3 - 0.6 * hidden @ np.linspace(-1, 1, 8) - (values[:, 0] > 2) * values[:, 1]))
    outcome = (rng.random(rows) < chance).astype(np.float64)
    values[rng.random(values.shape) < 0.05] = np.nan
    return values, outcome


def trained(leaves: int, features: int) -> lgb.Booster:
    """Return a booster of `TREES` trees, with the settings that Belong trains with but for its leaves."""
    values, outcome = made_up(40_000, features, seed=1)
    fixed = {"objective": "binary", "seed": 1, "deterministic": True, "num_threads": CORES, "verbosity": -1}
    chosen = {**DEFAULT_BOOSTING, **fixed, "num_leaves": leaves}
    return lgb.train(chosen, lgb.Dataset(values, outcome), TREES)


def compare(leaves: int, rows: int, sample: int) -> tuple[float, float]:
    """Print one model's figures; return ours to shap's rows a second, and milliseconds for one pupil.

    Raises
    ------
    SystemExit
        The three do not agree.
    """
    booster = trained(leaves, FEATURES)
    values, _ = made_up(rows, FEATURES, seed=2)
    few, text = values[:sample], booster.model_to_string()
    tree_explainer = shap.TreeExplainer(booster)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says at every call that the shape of its answer once changed
        theirs, shap_time = timed(sample, lambda: tree_explainer.shap_values(few))
    own, own_time = timed(sample, lambda: booster.predict(few, pred_contrib=True, num_threads=CORES))
    Explainer(trees_of(text), threads=CORES).contributions(few[:2])  # compiles, or reads what was compiled
    explainer, prepared = timed(rows, lambda: Explainer(trees_of(text), threads=CORES))
    ours, our_time = timed(rows, lambda: explainer.contributions(values))
    worst = max(float(np.abs(ours[:sample, :-1] - theirs).max()), float(np.abs(ours[:sample] - own).max()))
    if worst > NEAR:
        raise SystemExit(f"the contributions differ by {worst:.1e}: no figure of this run means anything")
    alone = partial(booster.predict, pred_contrib=True, num_threads=1)
    singles = [timed(1, partial(alone, values[at : at + 1]))[1].seconds for at in range(SINGLES)]
    single = 1000 * float(np.median(singles))
    whole = Timed(rows, prepared.seconds + our_time.seconds, prepared.processor + our_time.processor)
    print(
        f"\n{TREES} trees, {leaves} leaves, {FEATURES} features; {rows:,} rows, shap and LightGBM on {sample:,} of them"
    )
    for name, figure in (
        ("shap.TreeExplainer", shap_time),
        ("LightGBM pred_contrib", own_time),
        ("ours, tables included", whole),
        ("ours, tables made before", our_time),
    ):
        print(f"  {name:26} {figure.rate:9,.0f} rows/s {figure.processor_rate:9,.0f} a second of one processor")
    print(f"  tables: {prepared.seconds:.2f} s, {explainer.bytes / 1e6:.0f} MB, {explainer.deep} leaves without one")
    print(f"  one pupil, pred_contrib, one thread: median {single:.2f} ms, worst {1000 * max(singles):.2f} ms")
    ratio = whole.processor_rate / shap_time.processor_rate
    print(f"  greatest difference {worst:.1e}; ratio by processor time {ratio:.1f}")
    return whole.rate / shap_time.rate, single


def scorer_of(booster: lgb.Booster) -> Scorer:
    """Return a scorer of this booster, under a flag rule as trained and a calibrator that leaves scores be."""
    text, settings = booster.model_to_string().encode(), Settings()
    names = [feature.name for feature in CATALOGUE]
    text = text.replace(" ".join(booster.feature_name()).encode(), " ".join(names).encode())
    rule = {name: getattr(settings, name) for name in ("past_weeks", "past_least", "since_weeks", "snooze_weeks")}
    capacity = {name: getattr(settings, name) for name in ("capacity_share", "capacity_min", "capacity_max")}
    manifest = {
        "schema": SCHEMA,
        "approach": "model",
        "kind": "booster",
        "model_sha256": sha256(text),
        "calibrator": Calibrator(a=1.0, b=1.0, c=0.0).as_dict(),
        "flag_rule": {"level_least": 0.03, "rise": "quartile", "rise_least": 0.2, **rule, **capacity},
        "horizon_weeks": settings.horizon_weeks,
        "feature_names": names,
        "feature_fingerprint": fingerprint(),
        "scoring_digest": scoring_digest(),
        "base_rates": {"all": 0.012},
        "settings": {},
        "settings_digest": settings.digest(),
        "data": {},
        "periods": {},
    }
    return Scorer(Bundle(manifest, text), threads=CORES)


def matrix_of(values: Array, as_of: date) -> Matrix:
    """Return the rows as a matrix of pupils 0, 1, ... at one as-of date."""
    keys = pd.DataFrame({"pupil": np.arange(len(values)), "as_of": pd.Timestamp(as_of), "abstain": ""})
    return Matrix(keys, values, tuple(feature.name for feature in CATALOGUE), fingerprint())


def city(pupils: int) -> None:
    """Print how long a city takes: scoring everyone, telling why of each flagged pupil, and explaining everyone."""
    scorer = scorer_of(trained(int(DEFAULT_BOOSTING["num_leaves"]), len(CATALOGUE)))
    now = matrix_of(made_up(pupils, len(CATALOGUE), seed=3)[0], date(2026, 6, 22))
    chances, scored = timed(pupils, lambda: scorer.probabilities(now))
    flags = round(pupils * Settings().capacity_share)
    flagged = now.where(np.isin(np.arange(pupils), np.argsort(-chances)[:flags]))
    then = matrix_of(made_up(flags, len(CATALOGUE), seed=4)[0], date(2026, 4, 20))
    then.keys["pupil"] = flagged.keys["pupil"]
    told, said = timed(flags, lambda: why(scorer, flagged, then, explain=contributions))
    levers = sum(len(one.levers) for one in told.values())
    changes = sum(len(one.changes) for one in told.values())

    def everyone() -> None:
        explainer = Explainer(trees_of(scorer.bundle.model.decode()), threads=CORES)
        for low in range(0, pupils, PIECE):
            explainer.contributions(now.values[low : low + PIECE])

    _, explained = timed(pupils, everyone)
    model = f"{TREES} trees of {DEFAULT_BOOSTING['num_leaves']:.0f} leaves, {len(CATALOGUE)} features"
    print(f"\na city of {pupils:,} pupils, {model}")
    for name, figure in (
        ("every pupil scored", scored),
        (f"{flags:,} flagged pupils told why", said),
        ("every pupil explained", explained),
    ):
        print(f"  {name:32} {figure.seconds:7.1f} s, {figure.processor:7.1f} s of processors")
    print(f"  {changes:,} changes and {levers:,} levers said")
    print(f"city_s={scored.seconds + said.seconds:.1f} scored_s={scored.seconds:.1f} why_s={said.seconds:.1f}")


def main() -> None:
    """Run the comparison, or the city."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--sample", type=int, default=4_000, help="rows that shap explains")
    asked.add_argument("--city", action="store_true")
    asked.add_argument("--pupils", type=int, default=1_200_000)
    given = asked.parse_args()
    print(f"{CORES} cores, load {load()}")
    if given.city:
        city(given.pupils)
        return
    compare(int(DEFAULT_BOOSTING["num_leaves"]), given.rows, given.sample)
    ratio, single = compare(31, given.rows, given.sample)
    print(f"load {load()}")
    print(f"ratio={ratio:.1f} single_ms={single:.2f}")


if __name__ == "__main__":
    main()
