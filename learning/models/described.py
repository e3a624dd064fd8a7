"""What a candidate was trained on and tested against, as plain values for its page: no pupil, and no small count.

Counts are the network's own, rounded as the board's policy says; a half-term or a term with a small one is hidden with
whatever would give it away (`fairness.disclosure.hidden_counts`).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd

from fairness.disclosure import hidden_counts, rounded
from fairness.policy import Disclosure
from training.candidate import Candidate
from training.helped import WITHOUT
from training.missed import MISSED
from training.pictures import capacity_points

_DIGITS: Final = 4
_FIGURES: Final = ("recall", "precision", "recall_10", "average_precision", "lead_weeks_50", "recall_never_suspended")
_WITH_ENDS: Final = ("recall", "precision", "recall_gain")


def described(candidate: Candidate, half_terms: Mapping[date, str], rule: Disclosure) -> dict[str, Any]:
    """Return what the page of a model shows, as plain JSON values; shares of 1, and None where not shown.

    Parameters
    ----------
    half_terms
        As-of day of the audit period → the half-term that holds it.

    Returns
    -------
    `approach`, `kind`, `periods`, `horizon_weeks`, `tables` (Delta versions read), `training_sha256`, `settings`,
    `run_id`, `features` (names of its inputs); `comparison`, one row an approach, its own first; `terms` and
    `half_terms`, rows with `name`, `suspended`, `recall`, `precision`; `capacity`, rows with `places`, `recall`,
    `precision`; `bands`, rows with `said`, `came`, `pupil_weeks`; `missed`, what earlier lists had missed: `known` and
    `there` (in these terms), rounded, and `rows` with `approach`, `recall`; `helped`, what support may
    have changed: `any`, `rows`, `pupils`, `listed`, `rate`, `rate_without` of what it learned from; `left_out`,
    `precision`, `precision_without` of the terms tested; `silent`, pupil-weeks by reason.
    """
    said = candidate.bundle.manifest
    return {
        "approach": str(said["approach"]),
        "kind": str(said["kind"]),
        "periods": {name: list(days) for name, days in candidate.periods.items()},
        "horizon_weeks": int(said["horizon_weeks"]),
        "tables": {name: int(version) for name, version in candidate.data.get("tables", {}).items()},
        "training_sha256": str(said["data"].get("training_sha256", "")),
        "settings": str(said["settings_digest"]),
        "run_id": candidate.run_id,
        "features": [str(name) for name in said["feature_names"]],
        "comparison": [_compared(row) for row in candidate.comparison.to_dict("records")],
        "terms": _told(_by_term(candidate.evaluation.pupil_terms), rule),
        "half_terms": _told(_by_half_term(candidate, half_terms), rule),
        "capacity": _capacity(candidate, rule),
        "bands": _bands(candidate.evaluation.bands, rule),
        "missed": _missed(candidate, rule),
        "helped": _helped(candidate, rule),
        "silent": {name: rounded(count, rule) for name, count in candidate.data.get("abstained", {}).items()},
    }


def _compared(row: Mapping[Any, Any]) -> dict[str, Any]:
    ends = [f"{name}_{end}" for name in _WITH_ENDS for end in ("lower", "upper")]
    figures = {name: _number(row.get(name)) for name in (*_FIGURES, "recall_gain", *ends)}
    return {"approach": str(row["approach"]), **figures}


def _by_term(pupil_terms: pd.DataFrame) -> pd.DataFrame:
    """Return each term's pupil-terms: suspended, found in time, listed, and of those listed rightly so."""
    came = pupil_terms["outcome"] == 1
    rows = pd.DataFrame(
        {
            "name": pupil_terms["term"],
            "suspended": came,
            "found": came & (pupil_terms["flagged"] == 1),
            "listed": pupil_terms["flagged_any"] == 1,
        }
    )
    return rows.assign(right=rows["found"] & rows["listed"]).groupby("name", sort=True).sum()


def _by_half_term(candidate: Candidate, half_terms: Mapping[date, str]) -> pd.DataFrame:
    """Return each half-term's pupils: with a suspension ahead of one of its weeks, and flagged in one of those.

    The lists of a half-term are those made in it; what they saw ahead may come after it.
    """
    ground = candidate.ground[["pupil", "as_of", "outcome"]]
    rows = ground.merge(candidate.allocation[["pupil", "as_of", "flagged"]], on=["pupil", "as_of"], how="left")
    names = rows["as_of"].map({pd.Timestamp(day): name for day, name in half_terms.items()})
    ahead, flagged = rows["outcome"] == 1, rows["flagged"].eq(True)
    pupils = (
        pd.DataFrame({"name": names, "pupil": rows["pupil"], "suspended": ahead, "listed": flagged})
        .assign(found=ahead & flagged)
        .groupby(["name", "pupil"])
        .max()
    )
    return pupils.assign(right=pupils["found"]).groupby("name", sort=True).sum()


def _told(counts: pd.DataFrame, rule: Disclosure) -> list[dict[str, Any]]:
    """Return rows of shares, hidden together with what would give a small count away."""
    values = {str(name): {key: int(n) for key, n in row.items()} for name, row in counts.to_dict("index").items()}
    parts = {
        name: {
            "found": row["found"],
            "missed": row["suspended"] - row["found"],
            "right": row["right"],
            "wrong": row["listed"] - row["right"],
        }
        for name, row in values.items()
    }
    hidden = hidden_counts([(("time", name), row) for name, row in parts.items()], rule)
    return [
        {
            "name": name,
            "suspended": None if ("time", name) in hidden else rounded(row["suspended"], rule),
            "recall": None if ("time", name) in hidden else _share(row["found"], row["suspended"]),
            "precision": None if ("time", name) in hidden else _share(row["right"], row["listed"]),
        }
        for name, row in values.items()
    ]


def _missed(candidate: Candidate, rule: Disclosure) -> dict[str, Any]:
    """Return what each approach's lists make of those whom earlier lists missed."""
    counts = candidate.evaluation.summary.get(MISSED, {})
    known, there = (int(counts.get(name, 0)) for name in ("known", "positives"))
    rows = []
    for row in candidate.comparison.to_dict("records"):
        found = int(row[f"found_{MISSED}"]) if there else 0
        parts = {"found": found, "not": there - found}
        told = there >= rule.primary and not hidden_counts([((MISSED, "all"), parts)], rule)
        rows.append({"approach": str(row["approach"]), "recall": _share(found, there) if told else None})
    return {"known": _count(known, rule), "there": _count(there, rule), "rows": rows}


def _helped(candidate: Candidate, rule: Disclosure) -> dict[str, Any]:
    """Return both readings of the labels that support may have changed: counted as they are, and left out."""
    learned, summary = candidate.data.get("helped", {}), candidate.evaluation.summary
    pupils, listed = (int(learned.get(name, 0)) for name in ("pupils", "listed"))
    told = pupils and not hidden_counts([(("helped", "all"), {"listed": listed, "not": pupils - listed})], rule)
    everyone, without = summary.get("all", {}), summary.get(WITHOUT, {})
    left_out, right = int(without.get("left_out", 0)), int(everyone.get("right", 0))
    wrong = int(everyone.get("flagged", 0)) - right - left_out
    both = left_out and not hidden_counts([(("helped", "all"), {"left": left_out, "right": right, "not": wrong})], rule)
    return {
        "any": bool(pupils or left_out),
        "rows": rounded(learned["rows"], rule) if pupils >= rule.primary else None,
        "pupils": _count(pupils, rule),
        "listed": rounded(listed, rule) if told else None,
        "rate": _number(learned["rate"]) if pupils >= rule.primary else None,
        "rate_without": _number(learned["rate_without"]) if pupils >= rule.primary else None,
        "left_out": rounded(left_out, rule) if both else None,
        "precision": _share(right, everyone["flagged"]) if both else None,
        "precision_without": _share(right, everyone["flagged"] - left_out) if both else None,
    }


def _count(count: int, rule: Disclosure) -> int | None:
    return None if 0 < count < rule.primary else rounded(count, rule)


def _capacity(candidate: Candidate, rule: Disclosure) -> list[dict[str, Any]]:
    points = capacity_points(candidate).to_dict("records")
    return [
        {"places": int(row["flags_a_week"]), "recall": round(row["recall"], 2), "precision": round(row["precision"], 2)}
        for row in points
        if row["pupils"] >= rule.primary
    ]


def _bands(bands: pd.DataFrame, rule: Disclosure) -> list[dict[str, Any]]:
    """Return bands of equal expectation: what was said, and the share to whom it came."""
    rows = bands.to_dict("records")
    counts = [
        (("band", str(at)), {"came": int(row["observed"]), "not": int(row["snapshots"] - row["observed"])})
        for at, row in enumerate(rows)
    ]
    hidden = hidden_counts(counts, rule)
    return [
        {
            "said": _number(row["probability"]),
            "came": None if ("band", str(at)) in hidden else _share(row["observed"], row["snapshots"]),
            "pupil_weeks": rounded(row["snapshots"], rule),
        }
        for at, row in enumerate(rows)
    ]


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 2) if whole else None


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and math.isfinite(value)
    return round(float(value), _DIGITS) if known else None  # type: ignore[arg-type]  # known to be a number


def half_terms_of(days: Sequence[date], starts: Mapping[date, str]) -> dict[date, str]:
    """Return each day with the half-term that it lies in, or follows: `starts` are first days and names."""
    found = {}
    for day in days:
        before = [start for start in starts if start <= day]
        if before:
            found[day] = starts[max(before)]
    return found
