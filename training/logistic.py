"""Fitting the logistic regression: scikit-learn's, on standardised features with a column for each unknown."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from features.matrix import Matrix
from training.linear import Linear, short, standard

PENALTY = 1.0


def fit_linear(
    matrix: Matrix,
    outcomes: npt.NDArray[np.int8],
    weights: npt.NDArray[np.float64] | None = None,
    *,
    most_steps: int = 100,
) -> Linear:
    """Return the logistic regression fitted to all rows, with scikit-learn's usual penalty.

    `weights` says how many rows each stands for; None: one each.

    Newton's method ends within rounding of the one best fit, whatever the number of threads: a rerun
    gives the same bytes.
    """
    missing = np.isnan(matrix.values)
    # Never known in training: any number will do, because its coefficient stays 0.
    fill = np.array(
        [
            np.median(column[np.isfinite(column)]) if len(column[np.isfinite(column)]) else 0.0
            for column in matrix.values.T
        ]
    )
    filled = np.where(missing, fill, matrix.values)
    mean, scale = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = np.hstack([standard(filled, mean, scale), missing - missing.mean(axis=0)])
    model = LogisticRegression(C=PENALTY, solver="newton-cholesky", tol=1e-9, max_iter=most_steps)
    model.fit(design, outcomes, sample_weight=weights)
    weight, unknown = np.split(model.coef_[0], 2)
    # The share of unknown values lies in the constant, so that a known one adds nothing.
    usual = float(model.intercept_[0] - unknown @ missing.mean(axis=0))
    coefficients = np.vectorize(short)(np.column_stack([fill, mean, scale, weight, unknown]))
    return Linear(matrix.names, coefficients, short(usual))
