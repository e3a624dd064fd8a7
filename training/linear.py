"""Logistic regression: what any data scientist would build first, kept as coefficients in JSON, never a pickle.

Each feature is filled with its median where unknown, standardised, cut off at `MOST` standard
deviations, and multiplied by its coefficient; that it was unknown has a coefficient of its own.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# A value so far from all others is an error or an exception, and must not decide a score by itself.
MOST = 8.0
# The last digits depend on how many threads add up; they decide nobody's place.
DIGITS = 9
_COLUMNS = ("fill", "mean", "scale", "weight", "unknown")


class LinearRefused(ValueError):
    """The text does not hold a logistic regression of these features."""


class Linear:
    """A logistic regression of named features.

    `coefficients` has a row for each feature: what fills an unknown value, mean and scale of the
    standardisation, the coefficient, and what being unknown adds; `usual` is the score of a row whose
    every part is as usual.
    """

    def __init__(self, names: Sequence[str], coefficients: Array, usual: float) -> None:
        self.names, self.coefficients, self.usual = tuple(names), coefficients, usual

    def raw(self, values: Array) -> Array:
        """Return each row's score in log-odds."""
        return np.asarray(self.contributions(values).sum(axis=1), np.float64)

    def contributions(self, values: Array) -> Array:
        """Return what each feature adds, the last column the usual score; a row adds up to its score, exactly.

        Coefficient times standardised value: exact Shapley values of a sum, against the average row.
        """
        fill, mean, scale, weight, unknown = self.coefficients.T
        missing = np.isnan(values)
        parts = weight * standard(np.where(missing, fill, values), mean, scale) + unknown * missing
        return np.column_stack([parts, np.full(len(values), self.usual)])

    def text(self) -> str:
        """Return the regression as JSON: the bytes that a bundle holds."""
        rows = {
            name: dict(zip(_COLUMNS, map(short, row), strict=True))
            for name, row in zip(self.names, self.coefficients.tolist(), strict=True)
        }
        return json.dumps({"usual": short(self.usual), "features": rows}, indent=1) + "\n"


def linear_from(text: str, names: Sequence[str]) -> Linear:
    """Return the regression that this text declares.

    Raises
    ------
    LinearRefused
        It is not one, or not of these features in this order.
    """
    try:
        said: dict[str, Any] = json.loads(text)
        rows = said["features"]
        coefficients = np.array([[float(row[name]) for name in _COLUMNS] for row in rows.values()])
        found = Linear(tuple(rows), coefficients.reshape(-1, len(_COLUMNS)), float(said["usual"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LinearRefused(f"no logistic regression of Belong's ({type(error).__name__}); train again") from error
    if found.names != tuple(names):
        raise LinearRefused("the regression's features are not those its manifest names; train again")
    return found


def standard(values: Array, mean: Array, scale: Array) -> Array:
    """Return values in standard deviations from the mean, cut off at `MOST`."""
    return np.asarray(np.clip((values - mean) / scale, -MOST, MOST), np.float64)


def short(value: float) -> float:
    """Return the number to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")
