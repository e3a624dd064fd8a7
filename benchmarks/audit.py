"""Resampling whole pupils beside Fairlearn's resampling of rows, on the same rows; and the whole audit of a network.

`python -m benchmarks.audit`: 200,000 pupil-terms of 40,000 pupils in 60 schools, six groups, four metrics and
1,000 resamples, by the audit's own rooms and by `MetricFrame(n_boot=...)`, of which three resamples are timed and
scaled. Both sides' values must be equal, and on fewer rows, each a pupil of its own, so must their standard errors be,
as far as chance lets them. Then the whole audit of a network of 120,000 pupils: every attribute and intersection of the
policy, every metric, 2,000 resamples.
"""

import time
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import precision_score

from fairness.audit import audit
from fairness.evaluation import tallies_of
from fairness.gate import decide
from fairness.policy import read_policy
from fairness.resampling import Floats
from fairness.sums import Labels, Sums, sums_of

RESAMPLES, TIMED, PART, PART_RESAMPLES, SEED = 1_000, 3, 6_000, 400, 20261122
GROUPS = ("a", "b", "c", "d", "e", "f")
SHARES = (0.45, 0.2, 0.15, 0.1, 0.06, 0.04)
# Ours → Fairlearn's function of the two columns.
METRICS = {
    "recall": true_positive_rate,
    "fpr_ratio": false_positive_rate,
    "precision_ratio": lambda true, flagged: precision_score(true, flagged, zero_division=0.0),
    "selection_ratio": selection_rate,
}


@dataclass(frozen=True)
class Rows:
    """Pupil-terms, weekly scores (none are needed here) and each pupil's group."""

    terms: pd.DataFrame
    weeks: pd.DataFrame
    labels: Labels


@dataclass(frozen=True)
class Network:
    """Held-out flags, as `fairness.evaluation.Evaluation` has them."""

    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame


def made_rows(pupils: int, each: int, schools: int, rng: np.random.Generator) -> Rows:
    """Return `each` rows of every pupil: 3.6 % with the outcome, 5 % flagged, alike within a pupil."""
    pupil = np.repeat(np.arange(pupils), each)
    group = rng.choice(len(GROUPS), pupils, p=SHARES)
    own = rng.normal(0, 1.2, pupils)[pupil]
    chance = 1 / (1 + np.exp(3.95 - own))
    outcome = (rng.random(len(pupil)) < chance).astype(np.int8)
    flagged = (rng.random(len(pupil)) < np.where(outcome == 1, 0.55, 0.031)).astype(np.int8)
    school = rng.integers(0, schools, pupils)[pupil]
    terms = pd.DataFrame({"pupil": pupil, "school": school, "phase": "SS", "outcome": outcome, "flagged": flagged})
    terms["flagged_any"] = terms["flagged"]
    weeks = pd.DataFrame({"pupil": [0], "school": [0], "outcome": [0], "probability": [0.05]})
    return Rows(terms, weeks, Labels(GROUPS, group.astype(np.int64)))


def ours(rows: Rows, resamples: int) -> dict[str, Sums]:
    """Return the sums of the four metrics with their replicates of pupils."""
    pupils = np.arange(len(rows.labels.of_pupil))
    tallies = [t for t in tallies_of(rows.terms, rows.weeks, pupils, {"SS": 0.036}) if t.name in METRICS]
    found = sums_of(tallies, {"group": rows.labels}, len(pupils), replicates=resamples, seed=SEED)
    return {metric: sums for (_, metric), sums in found.items()}


def fairlearns(rows: Rows, resamples: int | None) -> MetricFrame:
    """Return Fairlearn's frame of the four metrics, with the quantiles of one standard error on each side."""
    extra = {} if resamples is None else {"n_boot": resamples, "ci_quantiles": [0.1587, 0.8413], "random_state": SEED}
    return MetricFrame(
        metrics=METRICS,
        y_true=rows.terms["outcome"].to_numpy(),
        y_pred=rows.terms["flagged"].to_numpy(),
        sensitive_features=np.array(GROUPS)[rows.labels.of_pupil[rows.terms["pupil"]]],
        **extra,
    )


def values(found: dict[str, Sums]) -> Floats:
    """Return (groups, metrics): hits over base."""
    return np.column_stack([found[m].totals[:, 0] / found[m].totals[:, 1] for m in METRICS])


def check_values(rows: Rows, found: dict[str, Sums]) -> None:
    """Both sides' values of every group and metric are equal."""
    theirs = fairlearns(rows, None).by_group[list(METRICS)].to_numpy(np.float64)
    np.testing.assert_allclose(values(found), theirs, rtol=0, atol=1e-12)


def check_errors(rng: np.random.Generator) -> float:
    """Return the mean ratio of standard errors (ours over Fairlearn's) on rows that are pupils of their own."""
    rows = made_rows(PART, 1, 20, rng)
    mine = np.sqrt(np.column_stack([ours(rows, PART_RESAMPLES)[m].variance[:, 0] for m in METRICS]))
    low, high = (frame[list(METRICS)].to_numpy(np.float64) for frame in fairlearns(rows, PART_RESAMPLES).by_group_ci)
    theirs = (high - low) / 2
    # A group's quantiles move in steps where few rows count: told apart only where the steps are small.
    ratio = (mine / theirs)[:3]
    # Half the distance of two quantiles of 400 draws errs by about 6 %, a standard deviation by 3.5 %.
    assert np.isfinite(ratio).all()
    assert (abs(ratio - 1) < 0.3).all(), ratio
    assert abs(ratio.mean() - 1) < 0.1, ratio.mean()
    return float(ratio.mean())


def whole_audit(pupils: int, schools: int, rng: np.random.Generator) -> float:
    """Return the seconds that the audit of two terms of a network takes: every attribute, metric and intersection."""
    policy = read_policy()
    groups = pd.DataFrame(
        {
            "sex": rng.choice(["female", "male"], pupils),
            "ethnicity": rng.choice(
                ["Asian", "Black", "Mixed", "White", "Other"], pupils, p=[0.22, 0.2, 0.12, 0.38, 0.08]
            ),
            "sen": rng.choice(["none", "support", "ehcp"], pupils, p=[0.82, 0.13, 0.05]),
            "fsm": rng.choice(["fsm", "not"], pupils, p=[0.35, 0.65]),
            "eal": rng.choice(["eal", "not"], pupils, p=[0.4, 0.6]),
            "care": rng.choice(["looked_after", "social_worker", "none"], pupils, p=[0.01, 0.04, 0.95]),
        },
        index=pd.Index(np.arange(pupils, dtype=np.int64), name="pupil"),
    )
    made = made_rows(pupils, 2, schools, rng).terms
    made["term"] = np.tile(["2025/26 Autumn", "2025/26 Spring"], pupils)
    days = pd.date_range("2025-09-08", periods=25, freq="7D").to_numpy()
    chance = rng.gamma(0.5, 0.04, pupils).clip(0.001, 0.5).repeat(len(days))
    weeks = pd.DataFrame(
        {
            "pupil": np.repeat(np.arange(pupils, dtype=np.int64), len(days)),
            "as_of": np.tile(days, pupils),
            "school": np.repeat(made["school"].to_numpy()[::2], len(days)),
            "probability": chance,
            "outcome": (rng.random(len(chance)) < chance).astype(np.int8),
        }
    )

    names = ("model", *policy.usefulness.must_beat)
    rivals = pd.DataFrame({"approach": names, "recall": [0.55, 0.4, 0.4, 0.4][: len(names)], "precision": 0.4})
    start = time.perf_counter()
    found = audit(
        Network(made, weeks), groups, policy, bundle_digest="0" * 64, comparison=rivals, created_on=date(2026, 3, 2)
    )
    decision = decide(found, policy)
    seconds = time.perf_counter() - start
    print(
        f"whole audit: {pupils:,} pupils, {len(weeks):,} weekly scores, {len(found.cells)} comparisons, "
        f"{decision.verdict}: {seconds:.1f} s"
    )
    return seconds


def main() -> None:
    """Run the comparison, then the whole audit."""
    rng = np.random.default_rng(SEED)
    rows = made_rows(40_000, 5, 60, rng)
    ours(rows, 2)  # nothing is compiled; the first call imports
    start = time.perf_counter()
    found = ours(rows, RESAMPLES)
    mine = time.perf_counter() - start
    check_values(rows, found)
    start = time.perf_counter()
    fairlearns(rows, None)
    once = time.perf_counter() - start
    start = time.perf_counter()
    fairlearns(rows, TIMED)
    theirs = once + (time.perf_counter() - start - once) / TIMED * RESAMPLES
    print(f"{len(rows.terms):,} rows, {len(GROUPS)} groups, {len(METRICS)} metrics, {RESAMPLES:,} resamples")
    print(f"ours, whole pupils: {mine:.2f} s; Fairlearn, rows ({TIMED} timed, scaled): {theirs:,.0f} s")
    print(f"values equal; standard errors over Fairlearn's on rows that are pupils: {check_errors(rng):.3f}")
    whole = whole_audit(120_000, 140, rng)
    print(f"whole_seconds={whole:.1f} seconds={mine:.3f} ratio={theirs / mine:.0f}")


if __name__ == "__main__":
    main()
