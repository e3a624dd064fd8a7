"""The model card: what a run's model is for, what it saw, how well it did and where it must not be used."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from training.approaches import approach_words
from training.bundle import Bundle
from training.candidate import Candidate
from training.helped import WITHOUT, helped_words
from training.inputs import inputs_of
from training.missed import MISSED, missed_words
from training.settings import counted

LEAST = 10
# What a machine cannot know: the people who answer for the model write it in the policy and the approval.
HUMAN = (
    "Who answers for this model, and how they are reached",
    "Why the network needs it, and what was tried before",
    "Who was consulted: pupils, parents, staff",
    "The data-protection impact assessment and its date",
)
_FOR = """It flags pupils whose risk of being {happened} is **rising**, so that a person looks and offers help. It ranks
within what each school can look at in a week."""
NOT_FOR = (
    "Any sanction, or any decision about a pupil without a person who has looked for themselves.",
    "Admissions, attainment, police or immigration matters, or ranking schools or staff.",
    "Schools or year groups unlike those it was trained on, until their own audit has passed.",
    "Saying why something happened: its reasons are patterns, not causes.",
)
LIMITS = (
    "It learns from suspensions as they were given: where practice is unfair, the record is too.",
    "What is not recorded (home, health, friendship) it cannot see.",
    "Figures are of held-out terms of the same network; another year may differ.",
    "Pupils with too short a past are not flagged, and it says so.",
)
_SHOWN = (
    ("precision", "Precision"),
    ("recall", "Recall, in time"),
    ("recall_10", "Recall, ten days' notice"),
    ("average_precision", "Average precision"),
    ("observed_over_expected", "Observed over expected"),
)


def model_card(candidate: Candidate) -> str:
    """Return the card as Markdown; it holds no pupil, and no figure that rests on fewer than ten."""
    said = candidate.bundle.manifest
    settings = said["settings"]
    parts = [
        f"# Model card: {candidate.bundle.digest[:12]}",
        _FOR.format(happened=counted(settings).happened),
        _section("It may not be used for", NOT_FOR),
        _section("What it saw", _saw(candidate)),
        "## What counts as the outcome",
        (
            f"It counts when {counted(settings).words} within {said['horizon_weeks']} school weeks of the day of "
            f"scoring. A flag counts as in time {settings.get('lead_days', 5)} open school days before it, or more. "
            f"Usual share: {said['base_rates']['all']:.1%} of weekly scores."
        ),
        "## How well, on held-out terms",
        _quality(candidate.evaluation.summary),
        "## What earlier lists missed",
        missed_words(candidate.evaluation.summary.get(MISSED, {})),
        "## What support may have changed",
        " ".join(helped_of(candidate)),
        "## Beside the rules it must beat",
        _beside(candidate.comparison),
        "## Who bears the errors",
        "Not on this card: the audit says it group by group (`belong audit`), and no model serves without it.",
        _section("Limits", LIMITS),
        _section("Missing: people must write this", HUMAN),
    ]
    return "\n\n".join(parts) + "\n"


def helped_of(candidate: Candidate) -> tuple[str, ...]:
    """Return what support may have changed in what the candidate learned from and was tested on, in sentences."""
    summary = candidate.evaluation.summary
    return helped_words(candidate.data.get("helped", {}), summary.get("all", {}), summary.get(WITHOUT, {}))


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join((f"## {title}", "", *(f"- {line}" for line in lines)))


def _saw(candidate: Candidate) -> list[str]:
    said = candidate.bundle.manifest
    tables = ", ".join(f"{name} v{version}" for name, version in sorted(candidate.data.get("tables", {}).items()))
    spans = [f"{name}: {days[0]} to {days[1]}" for name, days in candidate.periods.items() if len(days) > 1]
    return [
        f"Record tables: {tables}",
        f"Training rows: SHA-256 {str(candidate.data.get('training_sha256', ''))[:16]}",
        f"{_features(candidate.bundle)}, catalogue {said['feature_fingerprint'][:16]}",
        "No protected characteristic",
        *spans,
    ]


def _features(bundle: Bundle) -> str:
    read, every = inputs_of(bundle), bundle.manifest["feature_names"]
    if bundle.manifest["kind"] == "rule":
        return f"It reads {len(read)} of {len(every)} features: {', '.join(read)}"
    closed = [name for name in every if name not in read]
    return f"{len(read)} features" + (f" ({len(closed)} left out: {', '.join(closed)})" if closed else "")


def _quality(summary: Mapping[str, Mapping[str, float]]) -> str:
    groups = {"all": "Everyone", "never_suspended_before": "Never suspended before", "unseen_pupils": "Unseen pupils"}
    shown = [(name, title) for name, title in groups.items() if name in summary]
    lines = ["| | " + " | ".join(title for _, title in shown) + " |", "|---" * (len(shown) + 1) + "|"]
    lines += [
        f"| {title} | " + " | ".join(_figure(summary[name], measure) for name, _ in shown) + " |"
        for measure, title in _SHOWN
    ]
    return "\n".join(lines)


def _beside(comparison: pd.DataFrame) -> str:
    lines = ["| Approach | Precision | Recall | Recall, never suspended before |", "|---|---|---|---|"]
    for row in comparison.to_dict("records"):
        new = {"positives": row["positives_never_suspended"], "recall": row["recall_never_suspended"]}
        cells = (_figure(row, "precision"), _figure(row, "recall"), _figure(new, "recall"))
        name = approach_words(str(row["approach"]))
        lines.append(f"| {name[:1].upper()}{name[1:]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _figure(numbers: Mapping[Any, Any], measure: str) -> str:
    value = numbers.get(measure, math.nan)
    if numbers.get("positives", 0) < LEAST or numbers.get("flagged", LEAST) < LEAST:
        return "too few"
    if math.isnan(value):
        return "-"
    ends = [numbers.get(f"{measure}_{end}", math.nan) for end in ("lower", "upper")]
    return f"{value:.3f}" if any(map(math.isnan, ends)) else f"{value:.3f} ({ends[0]:.3f} to {ends[1]:.3f})"
