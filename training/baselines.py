"""The ways of choosing pupils that are judged beside each other: the model, and what it must beat.

Every one goes through the same calibration, capacity, snooze and outcomes. All but the last can also be
a candidate of their own: audited, signed and deployed with the same code and pages. School and year
group alone are only there to be beaten: they say nothing of a pupil, and nobody may be flagged by them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.matrix import Matrix
from records.refusal import Refusal
from training.bundle import APPROACHES
from training.calibration import logit
from training.kinds import Model, raw_of
from training.rules import RULES, RuleScore

Array = npt.NDArray[np.float64]
MODEL, LOGISTIC, RATE = "model", "logistic", "school_year_rate"
BESIDE = (LOGISTIC, "rule_of_thumb", "prior_suspensions", RATE)
USUAL_PUPILS = 200.0


class NoApproach(Refusal):
    """No way of choosing pupils has this name, or nobody may be flagged by it."""


@dataclass(frozen=True)
class RateScore:
    """Knows only school and year group: their share of suspensions in training, of small groups drawn to the network's.

    It needs keys as well as values, so it is no `Model` of a bundle.
    """

    known: Mapping[tuple[object, object], float]
    overall: float

    def raw(self, matrix: Matrix) -> Array:
        """Return each row's score in log-odds."""
        keys = zip(matrix.keys["school"], matrix.keys["year_group"], strict=True)
        rate = np.array([self.known.get(key, self.overall) for key in keys], np.float64)
        # Whole classes share a rate; a list needs an order that neither chance nor risk decides, hence
        # the least of differences, by pseudonym. Without it every tie would leave the list empty.
        order = (matrix.keys["pupil"].to_numpy() % 1_000_003) / 1_000_003.0
        return logit(np.clip(rate, 1e-6, 1 - 1e-3)) + 1e-6 * order


def school_year_rate(train: Matrix, outcomes: npt.NDArray[np.int8], stands: Array | None = None) -> RateScore:
    """Return the rates of the training rows, as if `USUAL_PUPILS` more snapshots of each group had the network's.

    `stands` says how many rows each stands for; None: one each.
    """
    rows = np.ones(len(outcomes)) if stands is None else stands
    overall = float((rows * outcomes).sum() / rows.sum())
    table = train.keys[["school", "year_group"]].assign(came=rows * outcomes, rows=rows)
    sums = table.groupby(["school", "year_group"])[["came", "rows"]].sum()
    rates = (sums["came"] + USUAL_PUPILS * overall) / (sums["rows"] + USUAL_PUPILS)
    return RateScore(dict(zip(rates.index, rates.to_numpy(np.float64), strict=True)), overall)


def over(model: Model) -> Callable[[Matrix], Array]:
    """Return a model of values as a function of a matrix."""
    return lambda matrix: raw_of(model, matrix.values)


def rule_score(name: str, train: Matrix) -> RuleScore:
    """Return the transparent rule of this name over the training rows' features."""
    return RuleScore(RULES[name], train.names)


def check_approach(name: str) -> None:
    """Refuse what no bundle may be made of.

    Raises
    ------
    NoApproach
        Unknown, or the rate of school and year group.
    """
    allowed = ", ".join(APPROACHES)
    if name == RATE:
        raise NoApproach(
            f"{RATE} says nothing of a pupil, so nobody is flagged by it: it is there to be beaten; choose {allowed}"
        )
    if name not in APPROACHES:
        raise NoApproach(f"no approach is called {name!r}; choose {allowed}")


def trained(approach: str) -> bool:
    """Whether the approach learns from a training period: a transparent rule does not."""
    return APPROACHES[approach] != "rule"
