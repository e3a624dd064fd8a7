"""The numbers a flag list is judged by; a value that cannot be computed is NaN, never zero."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

Array = npt.NDArray[np.float64]


def share(part: float, whole: float) -> float:
    """Return part / whole, NaN when the whole is empty."""
    return part / whole if whole else math.nan


def wilson(part: float, whole: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's interval of a share (95 % as it stands), NaN when the whole is empty."""
    if not whole:
        return math.nan, math.nan
    rate, more = part / whole, z * z / whole
    middle = (rate + more / 2) / (1 + more)
    half = z * math.sqrt(rate * (1 - rate) / whole + more / (4 * whole)) / (1 + more)
    return max(0.0, middle - half), min(1.0, middle + half)


def list_quality(pupil_terms: pd.DataFrame) -> dict[str, float]:
    """Return how good the flags of these pupil-terms are.

    A flag is *right* when a suspension starts within the horizon and at least `lead_days` open school
    days after it. Precision: of pupil-terms flagged at all, those flagged rightly. Recall: of
    pupil-terms with a suspension, those flagged rightly (`recall_10`: by the longer lead). The false
    positive rate: of pupil-terms without one, those flagged.
    """
    positive = pupil_terms["outcome"] == 1
    listed = int(pupil_terms["flagged_any"].sum())
    right = int((pupil_terms["flagged"] * positive).sum())
    right_early = int((pupil_terms["flagged_also"] * positive).sum())
    positives, pupils = int(positive.sum()), len(pupil_terms)
    wrong = int(pupil_terms.loc[~positive, "flagged_any"].sum())
    low, high = wilson(right, listed)
    low_recall, high_recall = wilson(right, positives)
    return {
        "pupil_terms": pupils,
        "positives": positives,
        "flagged": listed,
        "right": right,
        "precision": share(right, listed),
        "precision_lower": low,
        "precision_upper": high,
        "recall": share(right, positives),
        "recall_lower": low_recall,
        "recall_upper": high_recall,
        "recall_10": share(right_early, positives),
        "false_positive_rate": share(wrong, pupils - positives),
    }


def average_precision(outcomes: npt.NDArray[np.int8], scores: Array) -> float:
    """Return the average precision of scored snapshots, NaN without both outcomes."""
    if not 0 < int(outcomes.sum()) < len(outcomes):
        return math.nan
    return float(average_precision_score(outcomes, scores))


def observed_over_expected(outcomes: npt.NDArray[np.int8], probabilities: Array) -> float:
    """Return suspensions that came over suspensions expected, NaN when none was expected."""
    return share(float(outcomes.sum()), float(probabilities.sum()))


def reliability(outcomes: npt.NDArray[np.int8], probabilities: Array, bands: int = 10) -> pd.DataFrame:
    """Return bands of equal expected suspensions: snapshots, expected, observed, mean probability.

    Bands of equal size would put nearly every suspension into the last one: most pupils are at next to
    no risk.
    """
    order = np.argsort(probabilities, kind="stable")
    expected, came = probabilities[order], outcomes[order].astype(np.float64)
    running = np.cumsum(expected)
    total = running[-1] if len(running) else 0.0
    band = np.minimum((running / total * bands - 1e-9).astype(int), bands - 1) if total else np.zeros(0, int)
    rows = pd.DataFrame({"band": band, "expected": expected, "observed": came, "probability": expected})
    found = rows.groupby("band").agg(
        snapshots=("expected", "size"),
        expected=("expected", "sum"),
        observed=("observed", "sum"),
        probability=("probability", "mean"),
    )
    return found.reset_index()
