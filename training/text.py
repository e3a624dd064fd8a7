"""Comparisons in plain text, for a terminal: approaches, flag rules and schools beside each other."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.cohort import ABSTAIN
from training.comparison import GROUPS

_SHOWN = {"precision": "precision", "recall": "recall, in time", "average_precision": "average precision"}
_TITLES = {"": "Everybody", "_never_suspended": "Never suspended before"}
# Fewer suspended pupil-terms than this say nothing of a school.
LEAST_OF_A_SCHOOL = 10


def text_table(comparison: pd.DataFrame) -> str:
    """Return the comparison in plain text: everybody, never suspended, percentages and steadiness, what is gained."""
    parts = [*(_figures(comparison, suffix) for suffix in GROUPS), _chances(comparison)]
    if len(comparison) > 1:
        parts.append(_gained(comparison))
    return "\n\n".join(parts)


def text_variants(variants: pd.DataFrame) -> str:
    """Return the flag rules tried on the candidate's own scores beside each other."""
    figures = ("precision", "recall", "recall_never_suspended", "lead_weeks_50", "list_kept", "list_jaccard")
    lines = [["Other flag rules", "flags", "precision", "recall", "never suspended", "weeks", "kept", "same list"]]
    for row in variants.to_dict("records"):
        lines.append([str(row["approach"]), str(int(row["flags"])), *(_number(row[name]) for name in figures)])
    return _lined_up(lines)


def text_schools(schools: pd.DataFrame) -> str:
    """Return how far schools lie apart in precision and recall within their capacity."""
    told = schools[schools["positives"] >= LEAST_OF_A_SCHOOL]
    title = f"By school ({len(told)} of {len(schools)}: those with {LEAST_OF_A_SCHOOL} suspended pupil-terms or more)"
    lines = [[title, "lowest", "median", "highest"]]
    for name in ("precision", "recall", "recall_10"):
        ends = told[name].quantile([0, 0.5, 1]) if len(told) else [math.nan] * 3
        lines.append([name.replace("_10", ", ten days"), *map(_number, ends)])
    return _lined_up(lines)


def text_abstained(abstained: Mapping[str, int]) -> str:
    """Return how many pupil-weeks nothing was said of, and why: silence is not 'no concern'."""
    words = {**ABSTAIN, "short_past": "Scored, with too few earlier weeks to say whether the figure is rising"}
    lines = [f"  {number:>8,}  {words.get(name, name)}" for name, number in abstained.items()]
    return "\n".join(["Pupil-weeks of the audit in which nobody could be flagged:", *(lines or ["  none"])])


def _figures(comparison: pd.DataFrame, suffix: str) -> str:
    head = [_TITLES[suffix], "flags", *_SHOWN.values(), "lift", "10 days", "weeks"]
    lines = [head]
    for row in comparison.to_dict("records"):
        flags = f"{int(row['flags'])}" if not suffix else f"{int(row[f'flagged{suffix}'])}"
        cells = [_with_ends(row, figure, suffix) for figure in _SHOWN]
        small = [_number(row[f"{figure}{suffix}"]) for figure in ("lift", "recall_10", "lead_weeks_50")]
        lines.append([str(row["approach"]), flags, *cells, *small])
    return _lined_up(lines)


def _chances(comparison: pd.DataFrame) -> str:
    lines = [
        ["Percentages, and steadiness", "slope", "observed/expected", "recall, schools drawn", "kept", "same list"]
    ]
    for row in comparison.to_dict("records"):
        slope, share = (_with_ends(row, name, "") for name in ("calibration_slope", "observed_over_expected"))
        steady = (_number(row.get(name)) for name in ("list_kept", "list_jaccard"))
        lines.append([str(row["approach"]), slope, share, _with_ends(row, "recall", "", by="_school"), *steady])
    return _lined_up(lines)


def _gained(comparison: pd.DataFrame) -> str:
    first = str(comparison["approach"].iloc[0])
    lines = [[f"{first} less", "recall", "recall, never suspended", "average precision"]]
    for row in comparison.iloc[1:].to_dict("records"):
        pairs = (("recall_gain", ""), ("recall_gain", "_never_suspended"), ("average_precision_gain", ""))
        lines.append([str(row["approach"]), *(_with_ends(row, figure, suffix, sign="+") for figure, suffix in pairs)])
    return _lined_up(lines)


def _with_ends(row: Mapping[Any, Any], figure: str, suffix: str, sign: str = "", by: str = "") -> str:
    names = (f"{figure}{suffix}", f"{figure}_lower{suffix}{by}", f"{figure}_upper{suffix}{by}")
    middle, low, high = (_number(row.get(name), sign) for name in names)
    return middle if low == "-" else f"{middle} ({low} {high})"


def _number(value: object, sign: str = "") -> str:
    if not isinstance(value, int | float | np.number) or math.isnan(float(value)):
        return "-"
    number = float(value)
    return f"{number:{sign}.2f}" if abs(number) >= 1 else f"{number:{sign}.3f}"


def _lined_up(lines: list[list[str]]) -> str:
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    padded = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    return "\n".join("  ".join(cells) for cells in padded)
