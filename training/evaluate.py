"""What flags were worth on held-out terms, for the model and for every rule beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.calendar import Calendar
from training.helped import WITHOUT, without_helped
from training.matured import Hindsight, MaturedOutcomes
from training.metrics import (
    average_precision,
    list_quality,
    observed_over_expected,
    recalibration,
    reliability,
)
from training.missed import MISSED, found_of_missed
from training.settings import Settings
from training.splits import NetworkTerm, term_label
from training.stability import stability

PUPIL_TERMS = (
    "pupil",
    "school",
    "phase",
    "term",
    "outcome",
    "suspended",
    "permanent",
    "flagged",
    "flagged_any",
    "flagged_also",
    "suspended_before",
    "seen",
)
NEW = "never_suspended_before"
SNAPSHOTS = ("pupil", "as_of", "school", "probability", "outcome", "suspended_before")
FIRST_FLAGS = ("pupil", "school", "as_of", "starts_on", "lead_days", "suspended_before")
DAYS_A_WEEK = 5
# Shares of the first flags before which so much time was left.
QUARTILES = {"lead_weeks_25": 0.25, "lead_weeks_50": 0.5, "lead_weeks_75": 0.75}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Held-out flags against what came.

    Attributes
    ----------
    pupil_terms
        One row per pupil and term with at least one as-of date at risk and observed. `outcome`: a
        suspension or permanent exclusion starts within the horizon of one of them; `suspended`, `permanent`: each
        alone. `flagged`:
        for those with the outcome, flagged in time (at least `lead_days` open school days before a start
        within that flag's horizon); for the others, flagged at all. `flagged_also`: the same for
        `lead_days_also`. `flagged_any`: flagged at all. `suspended_before`: in the three school years
        before; `seen`: among the pupils of training.
    snapshots
        One row per (pupil, as_of) scored, at risk and observed.
    first_flags
        One row per suspension that a flag came before: the first flag within whose horizon it started, and
        the open school days (`lead_days`) from that flag to its start, however few.
    schools
        `metrics.list_quality` of each school's pupil-terms.
    summary
        Group of pupil-terms → the numbers of `metrics.list_quality`, and calibration of its snapshots;
        of 'all', how steady the list is (`stability`); quartiles of the school weeks from a first flag;
        of 'missed', `missed.found_of_missed`; of 'without_helped', the other reading (`helped.without_helped`).
    bands
        `metrics.reliability` of the snapshots.
    lead_days
        Median open school days from a right flag to the suspension's start.
    """

    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame
    first_flags: pd.DataFrame
    schools: pd.DataFrame
    summary: Mapping[str, Mapping[str, float]]
    bands: pd.DataFrame
    lead_days: float


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What is the same for every approach judged: outcomes with each row's term, phase and history.

    `rows` has the columns of `MaturedOutcomes.frame`, `school`, `phase`, `term`, `suspended_before` and
    `seen`; `hindsight` what only later was known of the same pupils.
    """

    rows: pd.DataFrame
    calendar: Calendar
    settings: Settings
    hindsight: Hindsight = field(default_factory=Hindsight)


def ground(
    keys: pd.DataFrame,
    outcomes: MaturedOutcomes,
    *,
    phases: Mapping[int, str],
    terms: tuple[NetworkTerm, ...],
    calendar: Calendar,
    settings: Settings,
    hindsight: Hindsight | None = None,
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
    return Ground(rows=rows, calendar=calendar, settings=settings, hindsight=hindsight or Hindsight())


def evaluate(allocation: pd.DataFrame, on: Ground) -> Evaluation:
    """Return what the flags of an allocation log were worth."""
    rows = _with_flags(allocation, on)
    lead = rows["lead"]
    pupil_terms = _pupil_terms(rows)
    scored = rows[rows["probability"].notna()]
    first = _first_flags(rows.assign(lead_days=lead))
    summary = _summary(pupil_terms, scored, first)
    return Evaluation(
        pupil_terms=pupil_terms,
        snapshots=scored[list(SNAPSHOTS)].reset_index(drop=True),
        first_flags=first,
        schools=_schools(pupil_terms),
        summary={
            **summary,
            "all": {**summary["all"], **stability(allocation)},
            MISSED: found_of_missed(rows, on.hindsight.missed, on.calendar, on.settings),
            WITHOUT: without_helped(rows, pupil_terms, on.hindsight.helped),
        },
        bands=reliability(scored["outcome"].to_numpy(np.int8), scored["probability"].to_numpy(np.float64)),
        lead_days=float(lead[rows["in_time"]].median()) if rows["in_time"].any() else float("nan"),
    )


def flagged_terms(allocation: pd.DataFrame, on: Ground) -> pd.DataFrame:
    """Return `Evaluation.pupil_terms` alone: for an audit of the same flags against another outcome."""
    return _pupil_terms(_with_flags(allocation, on))


def _with_flags(allocation: pd.DataFrame, on: Ground) -> pd.DataFrame:
    rows = on.rows.merge(allocation[["pupil", "as_of", "probability", "flagged"]], on=["pupil", "as_of"], how="left")
    rows["flagged"] = rows["flagged"].eq(True)
    rows["lead"] = _lead(rows, on.calendar)
    rows["in_time"] = rows["flagged"] & (rows["lead"] >= on.settings.lead_days)
    rows["in_time_also"] = rows["flagged"] & (rows["lead"] >= on.settings.lead_days_also)
    return rows


def _lead(rows: pd.DataFrame, calendar: Calendar) -> pd.Series:
    """Return open school days from a flagged row to its start; -1 where there is no flag or no start."""
    lead = pd.Series(-1, index=rows.index, dtype="int64")
    for index in rows.index[rows["flagged"] & (rows["outcome"] == 1)]:
        at = rows.loc[index]
        lead[index] = calendar.open_between(int(at["school"]), at["as_of"].date(), at["starts_on"].date())
    return lead


def _first_flags(rows: pd.DataFrame) -> pd.DataFrame:
    ahead = rows[rows["flagged"] & (rows["outcome"] == 1)].sort_values(["pupil", "as_of"], kind="stable")
    return ahead.drop_duplicates(["pupil", "starts_on"])[list(FIRST_FLAGS)].reset_index(drop=True)


def _schools(pupil_terms: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"school": int(str(school)), **list_quality(part)} for school, part in pupil_terms.groupby("school", sort=True)
    )


def _pupil_terms(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values(["pupil", "as_of"], kind="stable")
    terms = ordered.groupby(["pupil", "term"], sort=True).agg(
        school=("school", "first"),
        phase=("phase", "first"),
        outcome=("outcome", "max"),
        suspended=("suspended", "max"),
        permanent=("permanent", "max"),
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
    whole = ["outcome", "suspended", "permanent", "flagged", "flagged_any", "flagged_also", "suspended_before", "seen"]
    return terms.astype(dict.fromkeys(whole, "int8"))[list(PUPIL_TERMS)]


def _summary(pupil_terms: pd.DataFrame, scored: pd.DataFrame, first: pd.DataFrame) -> dict[str, dict[str, float]]:
    everyone = pd.Series(True, index=pupil_terms.index)
    phases = sorted(set(pupil_terms["phase"]))
    chosen = {
        "all": (everyone, scored),
        NEW: (pupil_terms["suspended_before"] == 0, scored[scored["suspended_before"] == 0]),
        "unseen_pupils": (pupil_terms["seen"] == 0, scored[scored["seen"] == 0]),
        **{f"phase_{phase}": (pupil_terms["phase"] == phase, scored[scored["phase"] == phase]) for phase in phases},
    }
    found = {name: {**list_quality(pupil_terms[mask]), **_chances(part)} for name, (mask, part) in chosen.items()}
    for name, flags in (("all", first), (NEW, first[first["suspended_before"] == 0])):
        weeks = flags["lead_days"] / DAYS_A_WEEK
        found[name] |= {quartile: float(weeks.quantile(at)) for quartile, at in QUARTILES.items()}
    return found


def _chances(scored: pd.DataFrame) -> dict[str, float]:
    """Return what the probabilities of these snapshots are worth."""
    outcomes, chances = scored["outcome"].to_numpy(np.int8), scored["probability"].to_numpy(np.float64)
    intercept, slope = recalibration(outcomes, chances)
    return {
        "average_precision": average_precision(outcomes, chances),
        "observed_over_expected": observed_over_expected(outcomes, chances),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
    }


def outcome_array(keys: pd.DataFrame, outcomes: MaturedOutcomes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
    """Return which keys have an outcome and, for all keys in order, the outcome (0 where there is none)."""
    merged = keys[["pupil", "as_of"]].merge(
        outcomes.frame[["pupil", "as_of", "outcome"]], on=["pupil", "as_of"], how="left"
    )
    known = merged["outcome"].notna().to_numpy(bool)
    return known, merged["outcome"].fillna(0).to_numpy(np.int8)
