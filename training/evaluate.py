"""What flags were worth on held-out terms, for the model and for every rule beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.calendar import Calendar
from training.matured import MaturedOutcomes
from training.metrics import average_precision, list_quality, observed_over_expected, reliability, share
from training.settings import Settings
from training.splits import NetworkTerm, term_label

PUPIL_TERMS = (
    "pupil",
    "school",
    "phase",
    "term",
    "outcome",
    "flagged",
    "flagged_any",
    "flagged_also",
    "suspended_before",
    "seen",
)
SNAPSHOTS = ("pupil", "as_of", "school", "probability", "outcome")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Held-out flags against what came.

    Attributes
    ----------
    pupil_terms
        One row per pupil and term with at least one as-of date at risk and observed. `outcome`: a
        suspension starts within the horizon of one of them. `flagged`: for those, flagged in time (at
        least `lead_days` open school days before a start within that flag's horizon); for the others,
        flagged at all. `flagged_also`: the same for `lead_days_also`. `flagged_any`: flagged at all.
        `suspended_before`: in the three school years before; `seen`: among the pupils of training.
    snapshots
        One row per (pupil, as_of) scored, at risk and observed.
    summary
        Group of pupil-terms → the numbers of `metrics.list_quality`, and calibration of its snapshots.
    bands
        `metrics.reliability` of the snapshots.
    lead_days
        Median open school days from a right flag to the suspension's start.
    """

    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame
    summary: Mapping[str, Mapping[str, float]]
    bands: pd.DataFrame
    lead_days: float


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What is the same for every approach judged: outcomes with each row's term, phase and history.

    `rows` has the columns of `MaturedOutcomes.frame`, `school`, `phase`, `term`, `suspended_before` and
    `seen`.
    """

    rows: pd.DataFrame
    calendar: Calendar
    settings: Settings


def ground(
    keys: pd.DataFrame,
    outcomes: MaturedOutcomes,
    *,
    phases: Mapping[int, str],
    terms: tuple[NetworkTerm, ...],
    calendar: Calendar,
    settings: Settings,
) -> Ground:
    """Return the common ground of the audit period.

    `keys` are the audited rows: `pupil`, `as_of`, `school`, `suspended_before`, `seen`.
    """
    rows = keys[["pupil", "as_of", "school", "suspended_before", "seen"]].merge(
        outcomes.frame, on=["pupil", "as_of"], how="inner"
    )
    days = {day: term_label(terms, day.date()) for day in rows["as_of"].drop_duplicates()}
    rows["term"] = rows["as_of"].map(days).astype("str")
    rows["phase"] = rows["school"].map(phases).astype("str")
    return Ground(rows=rows, calendar=calendar, settings=settings)


def evaluate(allocation: pd.DataFrame, on: Ground) -> Evaluation:
    """Return what the flags of an allocation log were worth."""
    rows = on.rows.merge(allocation[["pupil", "as_of", "probability", "flagged"]], on=["pupil", "as_of"], how="left")
    rows["flagged"] = rows["flagged"].eq(True)
    lead = _lead(rows, on.calendar)
    rows["in_time"] = rows["flagged"] & (lead >= on.settings.lead_days)
    rows["in_time_also"] = rows["flagged"] & (lead >= on.settings.lead_days_also)
    pupil_terms = _pupil_terms(rows)
    scored = rows[rows["probability"].notna()]
    return Evaluation(
        pupil_terms=pupil_terms,
        snapshots=scored[list(SNAPSHOTS)].reset_index(drop=True),
        summary=_summary(pupil_terms, scored),
        bands=reliability(scored["outcome"].to_numpy(np.int8), scored["probability"].to_numpy(np.float64)),
        lead_days=float(lead[rows["in_time"]].median()) if rows["in_time"].any() else float("nan"),
    )


def _lead(rows: pd.DataFrame, calendar: Calendar) -> pd.Series:
    """Return open school days from a flagged row to its start; -1 where there is no flag or no start."""
    lead = pd.Series(-1, index=rows.index, dtype="int64")
    for index in rows.index[rows["flagged"] & (rows["outcome"] == 1)]:
        at = rows.loc[index]
        lead[index] = calendar.open_between(int(at["school"]), at["as_of"].date(), at["starts_on"].date())
    return lead


def _pupil_terms(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values(["pupil", "as_of"], kind="stable")
    terms = ordered.groupby(["pupil", "term"], sort=True).agg(
        school=("school", "first"),
        phase=("phase", "first"),
        outcome=("outcome", "max"),
        flagged_any=("flagged", "max"),
        in_time=("in_time", "max"),
        in_time_also=("in_time_also", "max"),
        suspended_before=("suspended_before", "first"),
        seen=("seen", "first"),
    )
    terms = terms.reset_index()
    positive = terms["outcome"] == 1
    terms["flagged"] = terms["in_time"].where(positive, terms["flagged_any"])
    terms["flagged_also"] = terms["in_time_also"].where(positive, terms["flagged_any"])
    whole = ["outcome", "flagged", "flagged_any", "flagged_also", "suspended_before", "seen"]
    return terms.astype(dict.fromkeys(whole, "int8"))[list(PUPIL_TERMS)]


def _summary(pupil_terms: pd.DataFrame, scored: pd.DataFrame) -> dict[str, dict[str, float]]:
    everyone = pd.Series(True, index=pupil_terms.index)
    chosen = {
        "all": everyone,
        "never_suspended_before": pupil_terms["suspended_before"] == 0,
        "unseen_pupils": pupil_terms["seen"] == 0,
        **{f"phase_{phase}": pupil_terms["phase"] == phase for phase in sorted(set(pupil_terms["phase"]))},
    }
    found = {name: list_quality(pupil_terms[mask]) for name, mask in chosen.items()}
    snapshots = {
        "all": scored,
        "never_suspended_before": scored[scored["suspended_before"] == 0],
        "unseen_pupils": scored[scored["seen"] == 0],
        **{f"phase_{phase}": part for phase, part in scored.groupby("phase")},
    }
    for name, part in snapshots.items():
        outcomes, chances = part["outcome"].to_numpy(np.int8), part["probability"].to_numpy(np.float64)
        found.setdefault(name, {})["average_precision"] = average_precision(outcomes, chances)
        found[name]["observed_over_expected"] = observed_over_expected(outcomes, chances)
    return found


def comparison_row(approach: str, allocation: pd.DataFrame, found: Evaluation) -> dict[str, object]:
    """Return one row of the comparison: an approach's flags, judged."""
    everyone, new = found.summary["all"], found.summary["never_suspended_before"]
    weeks = allocation["as_of"].nunique()
    return {
        "approach": approach,
        "flags": int(allocation["flagged"].sum()),
        "flags_a_week": share(float(allocation["flagged"].sum()), weeks),
        **everyone,
        "lead_days_median": found.lead_days,
        "recall_never_suspended": new["recall"],
        "precision_never_suspended": new["precision"],
        "positives_never_suspended": new["positives"],
    }


def text_table(comparison: pd.DataFrame) -> str:
    """Return the comparison as a table in plain text, for a terminal or a log."""
    wanted = {
        "approach": "approach",
        "flags": "flags",
        "precision": "precision",
        "recall": "recall",
        "recall_10": "recall, 10 days",
        "recall_never_suspended": "recall, first-timers",
        "average_precision": "av. precision",
        "lead_days_median": "days' notice",
    }
    head = list(wanted.values())
    lines = [head, *([_word(row[name]) for name in wanted] for _, row in comparison.iterrows())]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    padded = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    for row, line in zip(padded, lines, strict=True):
        row[0] = line[0].ljust(widths[0])
    return "\n".join("  ".join(row) for row in padded)


def _word(value: object) -> str:
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    if np.isnan(number):
        return "-"
    return f"{number:.0f}" if number > 1 else f"{number:.3f}"


def outcome_array(keys: pd.DataFrame, outcomes: MaturedOutcomes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
    """Return which keys have an outcome and, for all keys in order, the outcome (0 where there is none)."""
    merged = keys[["pupil", "as_of"]].merge(
        outcomes.frame[["pupil", "as_of", "outcome"]], on=["pupil", "as_of"], how="left"
    )
    known = merged["outcome"].notna().to_numpy(bool)
    return known, merged["outcome"].fillna(0).to_numpy(np.int8)
