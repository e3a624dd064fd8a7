"""Approaches beside each other: one row each, with intervals, and what the candidate gains over each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from training.evaluate import NEW, Evaluation
from training.helped import WITHOUT
from training.intervals import CLUSTERS, Figures, Rows, interval, replicates
from training.metrics import share
from training.missed import MISSED
from training.settings import Settings

# Column suffix → group of the evaluation's summary.
GROUPS: Mapping[str, str] = {"": "all", "_never_suspended": NEW}
# Figures whose difference from each other approach is said with an interval.
GAINS = ("recall", "recall_10", "precision", "lift", "average_precision")


@dataclass(frozen=True)
class Judged:
    """One approach's flags of the audit period, and what they were worth."""

    allocation: pd.DataFrame
    evaluation: Evaluation

    def rows(self, group: str) -> Rows:
        """Return the rows of everybody ('all') or of those never suspended before."""
        terms, weeks = self.evaluation.pupil_terms, self.evaluation.snapshots
        if group == "all":
            return Rows(terms, weeks)
        return Rows(terms[terms["suspended_before"] == 0], weeks[weeks["suspended_before"] == 0])


def compare(judged: Mapping[str, Judged], settings: Settings) -> pd.DataFrame:
    """Return one row for each approach, in order; the first is the candidate.

    Columns: `approach`, `flags`, `flags_a_week`, the numbers of the evaluation's summary for everybody and,
    with the suffix `_never_suspended`, for pupils never suspended before; for each figure with an interval
    `<figure>_lower` and `_upper` (pupils drawn whole) and `<figure>_lower_school` and `_upper_school` (schools drawn
    whole); for each of `GAINS`, `<figure>_gain` and its ends: the candidate's figure less this approach's, over
    the same draws (NaN for the candidate itself). With the suffix `_missed`: `missed.found_of_missed`;
    with `_without_helped`: `helped.without_helped`.
    """
    found = {name: _counts(name, one) for name, one in judged.items()}
    for suffix, group in GROUPS.items():
        rows = {name: one.rows(group) for name, one in judged.items()}
        for cluster in CLUSTERS if settings.resamples else ():
            drawn = replicates(rows, cluster, times=settings.resamples, seed=settings.seed)
            for name in found:
                found[name] |= _intervals(drawn, name, suffix, "" if cluster == "pupil" else "_school")
        first, *others = ((name, one.evaluation.summary[group]) for name, one in judged.items())
        for name, numbers in (first, *others):
            found[name] |= {f"{figure}{suffix}": value for figure, value in numbers.items()}
        for name, numbers in others:
            found[name] |= {f"{figure}_gain{suffix}": first[1][figure] - numbers[figure] for figure in GAINS}
    for name, one in judged.items():
        for group in (MISSED, WITHOUT):
            numbers = one.evaluation.summary.get(group, {})
            found[name] |= {f"{figure}_{group}": value for figure, value in numbers.items()}
    return pd.DataFrame(found.values())


def _counts(name: str, one: Judged) -> dict[str, object]:
    flags = float(one.allocation["flagged"].sum())
    return {
        "approach": name,
        "flags": int(flags),
        "flags_a_week": share(flags, one.allocation["as_of"].nunique()),
        "lead_days_median": one.evaluation.lead_days,
    }


def _intervals(drawn: Mapping[str, Figures], name: str, suffix: str, by: str) -> dict[str, float]:
    """Return the ends of each figure of an approach and, but for the first approach, of what the first gains."""
    first = next(iter(drawn))
    ends: dict[str, float] = {}
    for figure, values in drawn[name].items():
        ends[f"{figure}_lower{suffix}{by}"], ends[f"{figure}_upper{suffix}{by}"] = interval(values)
    for figure in GAINS:
        gain = drawn[first][figure] - drawn[name][figure] if name != first else np.full(1, np.nan)
        ends[f"{figure}_gain_lower{suffix}{by}"], ends[f"{figure}_gain_upper{suffix}{by}"] = interval(gain)
    return ends


def with_intervals(
    evaluation_summary: Mapping[str, Mapping[str, float]], row: Mapping[Any, Any]
) -> dict[str, dict[str, float]]:
    """Return a summary with the ends of its row of the comparison beside each figure, of pupils drawn whole."""
    found = {group: dict(numbers) for group, numbers in evaluation_summary.items()}
    for suffix, group in GROUPS.items():
        for figure in list(found[group]):
            for end in ("lower", "upper"):
                value = row.get(f"{figure}_{end}{suffix}")
                if isinstance(value, float):
                    found[group][f"{figure}_{end}"] = value
    return found
