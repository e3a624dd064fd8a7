"""The model card for people: what the model is for, what it saw, how well it does, and for whom it errs."""

import math
from collections.abc import Mapping
from typing import Any

from fairness.documents.document import Block, Document, facts, grid, head, points, words
from fairness.documents.dossier import Dossier
from fairness.documents.figure_blocks import figure_blocks
from fairness.documents.plain_words import VERDICT_WORDS
from fairness.words import approach_words, heading
from training.card import LEAST, LIMITS, NOT_FOR, helped_of
from training.inputs import inputs_of
from training.missed import MISSED, missed_words

_FIELDS = ("owner.team", "owner.contact", "why.need", "why.before", "assessment.consulted", "assessment.completed_on")
_MEASURES = (
    ("precision", "Of pupils flagged, how many in 100 were {happened} after there was time to act"),
    ("recall", "Of pupils who were {happened}, how many in 100 were flagged in time"),
    ("recall_10", "The same, ten school days before"),
)


def model_card(dossier: Dossier) -> Document:
    """Return the card. Figures by group are those of the audit as shown, and hidden where they are hidden there."""
    human, view = dossier.human, dossier.view
    missing = human.missing(*_FIELDS)
    return Document(
        title="Model card",
        subtitle=dossier.subtitle,
        on=dossier.on,
        draft=True,
        missing=missing,
        blocks=(
            head("What it is for"),
            *words(
                f"It flags pupils whose risk of being {dossier.happened} is rising, so that a person looks and offers "
                "help. It ranks within what each school can look at in a week, and decides nothing."
            ),
            *facts(_about(dossier)),
            head("What it may not be used for"),
            *points(NOT_FOR),
            head("What it saw"),
            *facts(_saw(dossier)),
            head("How well it does, on terms it had not learned from"),
            *_quality(dossier),
            *words(missed_words(dossier.candidate.evaluation.summary.get(MISSED, {}))),
            head("What support may have changed"),
            *words(*helped_of(dossier.candidate)),
            head("Beside rules that anyone can apply"),
            *_beside(dossier),
            head("For whom it errs"),
            *words(
                f"The audit's result: {VERDICT_WORDS[view['verdict']]}. {view['first']['sentence']}",
                *view["first"]["for_pupils"],
            ),
            *(block for at, one in enumerate(view["figures"]) for block in figure_blocks(one, f"card-{at}", level=2)),
            head("Limits"),
            *points(LIMITS),
            head("Written by people"),
            *facts([(name, human.text(field)) for name, field in _WRITTEN]),
        ),
    )


_WRITTEN = (
    ("Who answers for it", "owner.team"),
    ("How to reach them", "owner.contact"),
    ("Why it is needed", "why.need"),
    ("What was tried before", "why.before"),
    ("Who was consulted", "assessment.consulted"),
    ("Impact assessment", "assessment.completed_on"),
)


def _about(dossier: Dossier) -> list[tuple[str, str]]:
    said = dossier.candidate.bundle.manifest
    return [
        ("Kind", heading(approach_words(str(said["approach"])))),
        (
            "Outcome",
            f"{heading(dossier.policy.population.outcome)} within {said['horizon_weeks']} school weeks",
        ),
        ("In time", f"at least {dossier.policy.population.lead_school_days} school days before"),
        ("Usual share of weekly scores", f"{said['base_rates']['all']:.1%}"),
        ("Digest of the bundle (SHA-256)", dossier.digest),
    ]


def _saw(dossier: Dossier) -> list[tuple[str, str]]:
    bundle = dossier.candidate.bundle
    data = bundle.manifest["data"]
    tables = ", ".join(f"{name} (version {version})" for name, version in sorted(data.get("tables", {}).items()))
    return [
        ("Record tables", tables),
        ("Inputs", f"{len(inputs_of(bundle))}, all declared with what they stand for; no protected characteristic"),
        ("Rows learned from", f"{data['training_rows']:,} weekly scores" if "training_rows" in data else ""),
        *dossier.periods,
    ]


def _quality(dossier: Dossier) -> tuple[Block, ...]:
    groups = {"all": "Everyone", "never_suspended_before": "Never suspended before", "unseen_pupils": "Unseen pupils"}
    summary = dossier.candidate.evaluation.summary
    shown = [(name, title) for name, title in groups.items() if name in summary]
    rows = [
        (title.format(happened=dossier.happened), *(_in_100(summary[name], measure) for name, _ in shown))
        for measure, title in _MEASURES
    ]
    heads = ("", *(title for _, title in shown))
    return grid("", heads, rows, numeric=tuple(range(1, len(heads))), widths=(4, *(2 for _ in shown)))


def _beside(dossier: Dossier) -> tuple[Block, ...]:
    rows = [
        (
            heading(approach_words(str(row["approach"]))),
            _in_100(row, "recall"),
            _in_100(row, "precision"),
        )
        for row in dossier.candidate.comparison.to_dict("records")
    ]
    heads = ("Way of choosing pupils", "Found in time, in 100", "Flags that were right, in 100")
    return grid("", heads, rows, numeric=(1, 2), widths=(5, 2, 2))


def _in_100(numbers: Mapping[Any, Any], measure: str) -> str:
    value = numbers.get(measure, math.nan)
    if numbers.get("positives", LEAST) < LEAST or numbers.get("flagged", LEAST) < LEAST:
        return "too few"
    if value is None or math.isnan(value):
        return "not measured"
    ends = [numbers.get(f"{measure}_{end}", math.nan) for end in ("lower", "upper")]
    spread = "" if any(map(math.isnan, ends)) else f" ({100 * ends[0]:.0f} to {100 * ends[1]:.0f})"
    return f"{100 * value:.0f}{spread}"
