"""From the booster's raw score to a probability that means what it says.

Beta calibration (Kull, Silva Filho and Flach, 2017) on the raw score: with z the raw score,
logit(p) = a ln s(z) - b ln(1 - s(z)) + c, s the logistic function, a and b positive. It is strictly
increasing, so no two pupils' order is lost on a plateau (an isotonic map has them, which would leave
places in a short list to chance), and it is three numbers in JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Array = npt.NDArray[np.float64]
LEAST_SLOPE = 0.05


class TooFewOutcomes(Exception):
    """Too few pupils were suspended in the calibration period to say how likely anything is."""


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """A strictly increasing map from raw score to probability; `a` and `b` are at least `LEAST_SLOPE`."""

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        if not (self.a >= LEAST_SLOPE and self.b >= LEAST_SLOPE and np.isfinite([self.a, self.b, self.c]).all()):
            raise ValueError(
                f"a calibrator needs slopes of at least {LEAST_SLOPE}, not a={self.a}, b={self.b}, c={self.c}"
            )

    def logits(self, raw: Array) -> Array:
        """Return the calibrated log-odds of raw scores, any shape."""
        return -self.a * np.logaddexp(0.0, -raw) + self.b * np.logaddexp(0.0, raw) + self.c

    def probabilities(self, raw: Array) -> Array:
        """Return the calibrated probabilities of raw scores, any shape."""
        return sigmoid(self.logits(raw))

    def as_dict(self) -> dict[str, float | str]:
        """Return the calibrator as plain values."""
        return {"kind": "beta", "a": self.a, "b": self.b, "c": self.c}


def calibrator_from(said: Mapping[str, float | str]) -> Calibrator:
    """Return the calibrator that plain values describe; ValueError for another kind."""
    if said.get("kind") != "beta":
        raise ValueError(f"calibrator of kind {said.get('kind')!r}; only 'beta' is known")
    return Calibrator(a=float(said["a"]), b=float(said["b"]), c=float(said["c"]))


def sigmoid(logits: Array) -> Array:
    """Return 1 / (1 + exp(-logits)) without overflow."""
    # exp(-softplus(-x)) is the logistic function and never overflows.
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), np.float64)


def logit(probabilities: Array) -> Array:
    """Return the log-odds of probabilities strictly between 0 and 1 (NaN stays NaN)."""
    return np.asarray(np.log(probabilities) - np.log1p(-probabilities), np.float64)


def calibrate(raw: Array, outcomes: npt.NDArray[np.int8], *, least_outcomes: int) -> Calibrator:
    """Return the calibrator fitted to raw scores and what came of them.

    Parameters
    ----------
    raw
        One raw score per (pupil, as_of), shape ``(n,)``, finite.
    outcomes
        0 or 1, same length and order.
    least_outcomes
        How many of either outcome there must be.

    Raises
    ------
    TooFewOutcomes
        Fewer of either: the upper end would be guesswork.
    """
    positives = int(outcomes.sum())
    if min(positives, len(outcomes) - positives) < least_outcomes:
        raise TooFewOutcomes(
            f"the calibration period has {positives} snapshots with a suspension among {len(outcomes)}; "
            f"{least_outcomes} are needed. Load more terms, or pool networks"
        )
    low, high = np.logaddexp(0.0, -raw), np.logaddexp(0.0, raw)
    truth = outcomes.astype(np.float64)
    start = np.array([1.0, 1.0, 0.0])

    def loss(at: Array) -> tuple[float, Array]:
        logits = -at[0] * low + at[1] * high + at[2]
        miss = sigmoid(logits) - truth
        # One outcome's worth of pull towards the identity, so that few outcomes cannot bend the ends.
        pull = at - start
        pull[2] = 0.0
        value = np.logaddexp(0.0, logits).sum() - (truth * logits).sum() + 0.5 * (pull @ pull)
        slope = np.array([-(miss @ low), miss @ high, miss.sum()]) + pull
        return float(value), slope

    bounds = [(LEAST_SLOPE, None), (LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-13})
    a, b, c = (float(value) for value in found.x)
    return Calibrator(a=a, b=b, c=c)
