"""Point values by group through Fairlearn: a second way to the same number, compared on every audit."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import precision_score

Values = npt.ArrayLike
_TOLERANCE = 1e-9


class AuditError(Exception):
    """Two ways to the same number disagree: the audit is wrong and must not be used."""


def _precision(y_true: Values, y_pred: Values, sample_weight: Values | None = None) -> float:
    return float(precision_score(y_true, y_pred, sample_weight=sample_weight, zero_division=0.0))


def _false_omission(y_true: Values, y_pred: Values, sample_weight: Values | None = None) -> float:
    return _precision(y_true, 1 - np.asarray(y_pred), sample_weight)


# Metric → (what was true, what was predicted, Fairlearn's or scikit-learn's function of the two).
_POINTS: dict[str, tuple[str, str, Callable[..., float]]] = {
    "recall": ("outcome", "flagged", true_positive_rate),
    "fpr_ratio": ("outcome", "flagged_any", false_positive_rate),
    "precision_ratio": ("caught", "flagged_any", _precision),
    "selection_ratio": ("outcome", "flagged_any", selection_rate),
    "false_omission": ("outcome", "flagged", _false_omission),
}


def point_values(pupil_terms: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Return one row for each group and one column for each metric of pupil-terms.

    A group that a metric cannot be computed for shows 0.0 here, as Fairlearn has it; callers ask the
    base first. Equal rows are counted once with a weight: the same values, and MetricFrame stays quick
    on any number of pupils.
    """
    columns = ["outcome", "flagged", "flagged_any"]
    counted = pupil_terms[columns].assign(label=labels.to_numpy())
    cells = counted.groupby(["label", *columns], observed=True, sort=True).size().rename("weight").reset_index()
    cells["caught"] = cells["outcome"] * cells["flagged"]
    found: dict[str, pd.Series] = {}
    for name, (true, predicted, function) in _POINTS.items():
        frame = MetricFrame(
            metrics={name: function},
            y_true=cells[true].to_numpy(),
            y_pred=cells[predicted].to_numpy(),
            sensitive_features=cells["label"].to_numpy(),
            sample_params={name: {"sample_weight": cells["weight"].to_numpy()}},
        )
        found[name] = frame.by_group[name].astype("float64")
    # False alarms for each pupil suspended are the false-positive rate times (1 - p) / p.
    base = MetricFrame(
        metrics=selection_rate,
        y_true=cells["outcome"].to_numpy(),
        y_pred=cells["outcome"].to_numpy(),
        sensitive_features=cells["label"].to_numpy(),
        sample_params={"sample_weight": cells["weight"].to_numpy()},
    ).by_group.astype("float64")
    found["false_alarms"] = found["fpr_ratio"] * (1 - base) / base.where(base > 0)
    return pd.DataFrame(found)


def check_points(points: pd.DataFrame, own: Mapping[tuple[str, str], float]) -> None:
    """Compare (group, metric) → our value with Fairlearn's.

    Raises
    ------
    AuditError
        They differ by more than rounding.
    """
    for (group, metric), value in own.items():
        found = points[metric].to_dict()[group]
        if abs(found - value) > _TOLERANCE:
            raise AuditError(f"{metric} of {group!r}: Fairlearn has {found}, the audit has {value}")
