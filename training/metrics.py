"""The numbers a flag list is judged by; a value that cannot be computed is NaN, never zero."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

from training.calibration import logit, sigmoid

Array = npt.NDArray[np.float64]


def share(part: float, whole: float) -> float:
    """Return part / whole, NaN when the whole is empty."""
    return part / whole if whole else math.nan


# What is added up over pupil-terms; every figure of a list follows from these sums.
SUMS = (
    "pupil_terms",
    "positives",
    "flagged",
    "right",
    "right_early",
    "wrong",
    "suspended",
    "suspended_right",
    "permanent",
    "permanent_right",
)


def counted(pupil_terms: pd.DataFrame) -> Array:
    """Return what each pupil-term adds to each of `SUMS`, shape ``(len(pupil_terms), len(SUMS))``.

    A flag is *right* when a suspension starts within the horizon and at least `lead_days` open school
    days after it; *right early* likewise by the longer lead.
    """
    positive = pupil_terms["outcome"].to_numpy() == 1
    suspended, permanent = (pupil_terms[name].to_numpy() == 1 for name in ("suspended", "permanent"))
    listed = pupil_terms["flagged_any"].to_numpy() == 1
    right = (pupil_terms["flagged"].to_numpy() == 1) & positive
    early = (pupil_terms["flagged_also"].to_numpy() == 1) & positive
    columns = [positive | True, positive, listed, right, early, listed & ~positive]
    columns += [suspended, suspended & right, permanent, permanent & right]
    return np.column_stack(columns).astype(np.float64) if len(pupil_terms) else np.zeros((0, len(SUMS)))


def quality(sums: Array) -> dict[str, Array]:
    """Return how good lists are, from sums of shape ``(..., len(SUMS))``; NaN where nothing was counted.

    Precision: of pupil-terms flagged at all, those flagged rightly. Lift: precision over the share of all
    pupil-terms with a suspension. Recall: of pupil-terms with a suspension, those flagged rightly
    (`recall_10`: by the longer lead; `recall_suspended`, `recall_permanent`: of those with a suspension, and with
    a permanent exclusion). The
    false-positive rate: of pupil-terms without a suspension, those flagged.
    """
    at = {name: sums[..., place] for place, name in enumerate(SUMS)}
    precision = ratio(at["right"], at["flagged"])
    return {
        "precision": precision,
        "lift": ratio(precision, ratio(at["positives"], at["pupil_terms"])),
        "recall": ratio(at["right"], at["positives"]),
        "recall_10": ratio(at["right_early"], at["positives"]),
        "recall_suspended": ratio(at["suspended_right"], at["suspended"]),
        "recall_permanent": ratio(at["permanent_right"], at["permanent"]),
        "false_positive_rate": ratio(at["wrong"], at["pupil_terms"] - at["positives"]),
    }


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Array:
    """Return part / whole, element by element; NaN where the whole is nothing."""
    over, under = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.asarray(np.divide(over, np.where(under == 0, np.nan, under)), np.float64)


def list_quality(pupil_terms: pd.DataFrame) -> dict[str, float]:
    """Return the counts of these pupil-terms and how good their flags are (`quality`)."""
    sums = counted(pupil_terms).sum(axis=0)
    whole = {name: int(value) for name, value in zip(SUMS, sums, strict=True)}
    return {**whole, **{name: float(value) for name, value in quality(sums).items()}}


def recalibration(outcomes: npt.NDArray[np.int8], probabilities: Array) -> tuple[float, float]:
    """Return intercept and slope of the outcomes' log-odds on those given: 0 and 1 where percentages are true.

    A slope under 1: high ones are too high and low ones too low. NaN without both outcomes or any difference
    between probabilities, and where no slope is the best (probabilities that part the outcomes for sure).
    """
    logits, came = logit(probabilities), outcomes.astype(np.float64)
    if not 0 < came.sum() < len(came) or np.ptp(logits) == 0:
        return math.nan, math.nan
    at = np.array([0.0, 1.0])
    for _ in range(_MOST_STEPS):
        slope, curve = derivatives(came, logits, at)
        square = _square(curve.sum(axis=0))
        if not np.linalg.cond(square) < _FLAT:
            break
        step = np.linalg.solve(square, slope.sum(axis=0))
        # A whole step can overshoot where few probabilities are extreme: halved until nothing is lost by it.
        while _likelihood(came, logits, at + step) < _likelihood(came, logits, at) and np.abs(step).max() > _STILL:
            step = step / 2
        at = at + step
        if np.abs(step).max() < _STILL:
            return float(at[0]), float(at[1])
    return math.nan, math.nan


_MOST_STEPS, _STILL, _FLAT = 100, 1e-8, 1e14


def _likelihood(came: Array, logits: Array, at: Array) -> float:
    said = at[0] + at[1] * logits
    return float((came * said - np.logaddexp(0.0, said)).sum())


def derivatives(came: Array, logits: Array, at: Array) -> tuple[Array, Array]:
    """Return each row's part of the likelihood's slope at (intercept, slope), and of its curvature: aa, ab, bb."""
    chance = sigmoid(at[0] + at[1] * logits)
    miss, weight = came - chance, chance * (1 - chance)
    return np.column_stack([miss, miss * logits]), np.column_stack([weight, weight * logits, weight * logits**2])


def _square(curve: Array) -> Array:
    return np.array([[curve[0], curve[1]], [curve[1], curve[2]]])


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
