"""Labels that support may have changed, read both ways: counted as they are, and left out.

Whoever is flagged, helped and then not suspended may be a false alarm, or help that worked: nobody can tell one from
the other pupil by pupil. So no figure rests on one reading alone. Rows of helped pupils stay in what a model learns
from: left out only where nothing happened, they would teach it that help is a risk (docs/decisions.md, 107).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.metrics import list_quality, observed_over_expected, share

WITHOUT: Final = "without_helped"
LEAST: Final = 10
_FIGURES: Final = ("precision", "false_positive_rate")


def is_helped(rows: pd.DataFrame, helped: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows (`pupil`, `as_of`) are among those of `matured.Hindsight.helped`."""
    return _among(rows, helped, ["pupil", "as_of"])


def _among(rows: pd.DataFrame, named: pd.DataFrame, columns: list[str]) -> npt.NDArray[np.bool_]:
    """Return which rows have a pair of the others; pairs are made of those pupils' rows alone, who are few."""
    found = rows["pupil"].isin(named["pupil"]).to_numpy(bool, copy=True)
    few = pd.MultiIndex.from_frame(rows.loc[found, columns])
    found[found] = few.isin(pd.MultiIndex.from_frame(named[columns]))
    return found


def without_helped(rows: pd.DataFrame, pupil_terms: pd.DataFrame, helped: pd.DataFrame) -> dict[str, float]:
    """Return what lists are worth with helped pupils left out who were flagged and not suspended.

    Parameters
    ----------
    rows
        Judged rows: `pupil`, `as_of`, `term`, `flagged`, `outcome`, `probability`.
    pupil_terms
        As `Evaluation.pupil_terms`.
    helped
        As `matured.Hindsight.helped`.

    Returns
    -------
    `left_out`, how many pupil-terms; `precision` and `false_positive_rate` of the rest (recall is the same in both
    readings); `observed_over_expected` of weekly scores without those of helped pupils to whom nothing happened.
    """
    mine = is_helped(rows, helped) & (rows["outcome"] == 0).to_numpy(bool)
    flagged = rows[mine & rows["flagged"].to_numpy(bool)]
    out = _among(pupil_terms, flagged, ["pupil", "term"]) & (
        (pupil_terms["flagged_any"] == 1) & (pupil_terms["outcome"] == 0)
    ).to_numpy(bool)
    found = list_quality(pupil_terms[~out])
    scored = rows[rows["probability"].notna().to_numpy(bool) & ~mine]
    chances = scored["probability"].to_numpy(np.float64)
    return {
        "left_out": float(out.sum()),
        **{name: found[name] for name in _FIGURES},
        "observed_over_expected": observed_over_expected(scored["outcome"].to_numpy(np.int8), chances),
    }


def labels(
    keys: pd.DataFrame, outcomes: npt.NDArray[np.int8], stands_for: npt.NDArray[np.float64], helped: pd.DataFrame
) -> dict[str, float]:
    """Return how support may have changed the labels that a model learned from.

    Parameters
    ----------
    keys, outcomes
        `pupil`, `as_of` of each row, and its label.
    stands_for
        How many rows each stands for (`sampling.weights`).

    Returns
    -------
    `rows`; `helped`, rows with support in the weeks ahead in which nothing happened; `pupils`, of how many pupils those
    are, and `listed`, how many of these had been on a list of Belong's; `rate` and `rate_without`, the share of rows
    with the outcome as counted and with those left out.
    """
    mine = is_helped(keys, helped) & (outcomes == 0)
    given = is_helped(keys, helped[helped["listed"].to_numpy(bool)]) & mine
    came = float(stands_for[outcomes == 1].sum())
    return {
        "rows": float(len(keys)),
        "helped": float(mine.sum()),
        "pupils": float(keys.loc[mine, "pupil"].nunique()),
        "listed": float(keys.loc[given, "pupil"].nunique()),
        "rate": share(came, float(stands_for.sum())),
        "rate_without": share(came, float(stands_for[~mine].sum())),
    }


def helped_words(said: Mapping[str, Any], everyone: Mapping[str, Any], without: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what support may have changed, in sentences; nothing that rests on fewer than ten.

    Parameters
    ----------
    said
        As `labels`.
    everyone, without
        The evaluation's summaries 'all' and `WITHOUT`.
    """
    helped, left_out = said.get("helped", 0), without.get("left_out", 0)
    if not helped and not left_out:
        return ("No support is recorded that could have changed what it learned from or was tested on.",)
    return (_learned(said), _tested(everyone, without))


def _learned(said: Mapping[str, Any]) -> str:
    pupils, listed = (int(said.get(name, 0)) for name in ("pupils", "listed"))
    if pupils < LEAST:
        return "What it learned from holds fewer than ten pupils who had support in the weeks ahead of a score."
    rest = pupils - listed
    known = (listed == 0 or listed >= LEAST) and (rest == 0 or rest >= LEAST)
    return (
        f"Of the {said['rows']:,.0f} weekly scores it learned from, {said['helped']:,.0f} were of {pupils:,} pupils "
        "who had support in the weeks ahead, and nothing happened in them."
        + (f" {listed:,} of these pupils had been on a list of Belong's." if known else "")
        + f" Counted as they are, the outcome came after {said['rate']:.2%} of scores; with them left out, after "
        f"{said['rate_without']:.2%}."
    )


def _tested(everyone: Mapping[str, Any], without: Mapping[str, Any]) -> str:
    if without.get("left_out", 0) < LEAST:
        return "In the terms it was tested on, fewer than ten pupils were flagged, helped and not suspended."
    counted, rest = (float(one.get("precision", math.nan)) for one in (everyone, without))
    return (
        f"In the terms it was tested on, {without['left_out']:,.0f} pupils were flagged, helped and not suspended. "
        f"Counted as false alarms, {counted:.0%} of flags were right; with them left out, {rest:.0%}."
    )
