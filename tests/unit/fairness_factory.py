"""Held-out flags of an invented network, with as much unfairness as a test asks for."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from fairness.audit import audit
from fairness.findings import Audit
from fairness.policy import Policy

TERMS = ("2025/26 Autumn", "2025/26 Spring")


@dataclass(frozen=True)
class MadeEvaluation:
    """Pupil-terms and weekly scores, as `training.candidate` hands them over."""

    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame


def made_network(
    *, pupils: int = 2000, schools: int = 24, base_rate: float = 0.1, false_alarms: float = 0.03, **unfair: float
) -> tuple[MadeEvaluation, pd.DataFrame]:
    """Return an evaluation and the groups frame.

    `recall_<ethnicity>` sets the share of that group's suspended pupils who are flagged (else 0.6);
    `fpr_<ethnicity>` likewise of the others (else `false_alarms`).
    """
    rng = np.random.default_rng(5)
    ids = 7_000_000_000_000_000_000 + np.arange(pupils, dtype=np.int64)  # as long as real pseudonyms
    groups = pd.DataFrame(
        {
            "sex": rng.choice(["female", "male"], pupils),
            "ethnicity": rng.choice(["Asian", "Black", "Mixed", "White", "Other"], pupils, p=[0.2, 0.2, 0.1, 0.4, 0.1]),
            "sen": rng.choice(["none", "support", "ehcp"], pupils, p=[0.7, 0.2, 0.1]),
            "fsm": rng.choice(["fsm", "not"], pupils, p=[0.35, 0.65]),
            "eal": rng.choice(["eal", "not"], pupils, p=[0.4, 0.6]),
            "care": rng.choice(["none", "social_worker", "looked_after"], pupils, p=[0.93, 0.05, 0.02]),
        },
        index=pd.Index(ids, name="pupil"),
    )
    school = rng.integers(100_000, 100_000 + schools, pupils).astype(np.int32)
    recall = np.array([unfair.get(f"recall_{group}", 0.6) for group in groups["ethnicity"]])
    fpr = np.array([unfair.get(f"fpr_{group}", false_alarms) for group in groups["ethnicity"]])
    frames = []
    for term in TERMS:
        outcome = (rng.random(pupils) < base_rate).astype(np.int8)
        flagged = (rng.random(pupils) < np.where(outcome == 1, recall, fpr)).astype(np.int8)
        frames.append(
            pd.DataFrame(
                {
                    "pupil": ids,
                    "school": school,
                    "phase": np.where(school % 2 == 0, "SS", "AT"),
                    "term": term,
                    "outcome": outcome,
                    "flagged": flagged,
                    "flagged_any": flagged,
                }
            )
        )
    weeks = []
    for day in pd.date_range("2026-01-05", periods=4, freq="7D"):
        probability = rng.uniform(0.02, 0.18, pupils)
        weeks.append(
            pd.DataFrame(
                {
                    "pupil": ids,
                    "as_of": day.to_datetime64().astype("datetime64[s]"),
                    "school": school,
                    "probability": probability,
                    "outcome": (rng.random(pupils) < probability).astype(np.int8),
                }
            )
        )
    return MadeEvaluation(pd.concat(frames, ignore_index=True), pd.concat(weeks, ignore_index=True)), groups


def comparison(model: float = 0.6, rules: float = 0.4) -> pd.DataFrame:
    """Return the comparison of the model with the three rules."""
    names = ["model", "rule_of_thumb", "prior_suspensions", "school_year_rate"]
    return pd.DataFrame({"approach": names, "recall": [model, rules, rules, rules], "precision": 0.2, "flags": 100})


def passed_audit(policy: Policy, on: date) -> Audit:
    """Return an audit of a made-up network that passes."""
    evaluation, groups = made_network(pupils=9000, base_rate=0.2, false_alarms=0.1)
    quick = policy.model_copy(update={"inference": policy.inference.model_copy(update={"replicates": 300})})
    made = audit(evaluation, groups, quick, bundle_digest="b" * 64, comparison=comparison(), created_on=on)
    floor = policy.usefulness.precision_floor_times_base_rate
    # The base rate of this network is far too high for four times it; that is not what its users ask.
    cells = tuple(replace(c, lower=floor + 1, p_outside=1.0) if c.metric == "precision_lift" else c for c in made.cells)
    return replace(made, policy_digest=policy.digest, cells=cells)
