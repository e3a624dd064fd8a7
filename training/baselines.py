"""The rules a model must beat, judged through the same capacity, snooze and outcomes as the model.

Each gives a score strictly between 0 and 1 in place of a probability. They are not asked for a rise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.matrix import Matrix

Array = npt.NDArray[np.float64]
# Below this a simple rule does not speak; above it, the further the earlier on the list.
SPEAKS = 0.5
ATTENDANCE_LEAST = 0.90
INCIDENTS_MOST = 3
USUAL_PUPILS = 200.0


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A rule to beat: its name in comparisons, what it says in words, its score and the least it flags at."""

    name: str
    means: str
    score: Callable[[Matrix], Array]
    level_least: float


def _column(matrix: Matrix, name: str) -> Array:
    return np.nan_to_num(matrix.values[:, matrix.names.index(name)], nan=0.0)


def rule_of_thumb(matrix: Matrix) -> Array:
    """Return above 0.5 for attendance below 90 % (12 school weeks) or three incidents in four school weeks.

    Ties are told apart by how far past its limit either is. Illness is left out of attendance, as in
    every feature (docs/decisions.md, 14).
    """
    short = (_column(matrix, "missed_rate_12w") - (1 - ATTENDANCE_LEAST)) / ATTENDANCE_LEAST
    many = (_column(matrix, "incidents_4w") - INCIDENTS_MOST + 1) / (10 * INCIDENTS_MOST)
    speaks = (short > 0) | (many > 0)
    far = np.maximum(np.maximum(short, many), 0.0)
    return np.where(speaks, SPEAKS + 0.49 * far / (far + 0.2), 0.25)


def prior_suspensions(matrix: Matrix) -> Array:
    """Return above 0.5 for any suspension in three school years; more, and more recent, ones stand higher."""
    count = _column(matrix, "suspensions_39w") + 0.25 * _column(matrix, "suspensions_117w")
    recent = 1 - np.minimum(_column(matrix, "days_since_suspension_39w"), 195.0) / 196.0
    far = count + 0.2 * recent
    return np.where(count > 0, SPEAKS + 0.49 * far / (far + 2.0), 0.25)


def school_year_rate(train: Matrix, outcomes: npt.NDArray[np.int8]) -> Callable[[Matrix], Array]:
    """Return the score that knows only school and year group: their share of suspensions in training.

    Small groups are drawn towards the network's share, as if `USUAL_PUPILS` more snapshots had it.
    """
    overall = float(outcomes.mean())
    table = train.keys[["school", "year_group"]].assign(outcome=outcomes)
    sums = table.groupby(["school", "year_group"])["outcome"].agg(["sum", "count"])
    rates = (sums["sum"] + USUAL_PUPILS * overall) / (sums["count"] + USUAL_PUPILS)
    known: Mapping[tuple[object, object], float] = dict(zip(rates.index, rates.to_numpy(np.float64), strict=True))

    def score(matrix: Matrix) -> Array:
        keys = zip(matrix.keys["school"], matrix.keys["year_group"], strict=True)
        rate = np.array([known.get(key, overall) for key in keys], np.float64)
        # Whole classes share a rate; a list needs an order that neither chance nor risk decides, hence
        # the least of differences, by pseudonym. Without it every tie would leave the list empty.
        order = (matrix.keys["pupil"].to_numpy() % 1_000_003) / 1_000_003.0
        return np.clip(rate, 1e-6, 1 - 1e-3) + 1e-7 * order

    return score


def baselines(train: Matrix, outcomes: npt.NDArray[np.int8]) -> tuple[Baseline, ...]:
    """Return the rules to beat, the last fitted on the training period."""
    return (
        Baseline(
            name="rule_of_thumb",
            means="attendance below 90 % or three incidents in four weeks",
            score=rule_of_thumb,
            level_least=SPEAKS,
        ),
        Baseline(
            name="prior_suspensions",
            means="any suspension in the last three school years",
            score=prior_suspensions,
            level_least=SPEAKS,
        ),
        Baseline(
            name="school_year_rate",
            means="the usual share of the pupil's school and year group",
            score=school_year_rate(train, outcomes),
            level_least=0.0,
        ),
    )


def scored(matrix: Matrix, score: Array) -> pd.DataFrame:
    """Return the frame that `flags.allocate` takes, from a matrix and one score per row."""
    return matrix.keys[["pupil", "as_of", "school", "year_group", "abstain"]].assign(probability=score)
