"""A bundle as a function of a frame of features: what `mlflow models serve` answers with.

For data scientists on their own machine. Schools are served by `belong serve`, which asks for an audit
and signatures; this asks only that the bytes are whole.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.matrix import Matrix
from training.bundle import MANIFEST_FILE, Bundle, read_verified, sha256
from training.scorer import Scorer


class FeaturesRefused(ValueError):
    """The columns are not the model's features, in its order, or a value is no number."""


def open_scorer(folder: Path) -> Scorer:
    """Return the scorer of the bundle in the folder, whose model must be the one its manifest names.

    The digest that was signed is not known here: compare `scorer.bundle.digest` with it.
    """
    digest = sha256((folder / MANIFEST_FILE).read_bytes())
    return Scorer(read_verified(folder, digest))


def predict(scorer: Scorer, rows: Any) -> pd.DataFrame:
    """Return `probability` for each row of features; null or NaN is 'unknown', as in training.

    Raises
    ------
    FeaturesRefused
        A feature is missing, unknown or out of order, or a value is no number.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    _check(tuple(map(str, frame.columns)), scorer.names)
    try:
        values = frame.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise FeaturesRefused("a value is no number; give numbers, and null where a feature is unknown") from error
    keys = pd.DataFrame({"abstain": np.full(len(frame), "", object)})
    matrix = Matrix(keys, values, scorer.names, str(scorer.bundle.manifest["feature_fingerprint"]))
    return pd.DataFrame({"probability": scorer.probabilities(matrix)})


def _check(given: tuple[str, ...], names: tuple[str, ...]) -> None:
    if given == names:
        return
    missing, unknown = sorted(set(names) - set(given)), sorted(set(given) - set(names))
    if missing or unknown:
        raise FeaturesRefused(
            f"missing features: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}. Give the "
            "model's own, as features_example.json lists them"
        )
    raise FeaturesRefused("the features are not in the model's order; take it from features_example.json")


def input_example(bundle: Bundle) -> dict[str, Any]:
    """Return one row with nothing known, in the form that MLflow's server takes."""
    names = list(bundle.manifest["feature_names"])
    return {"dataframe_split": {"columns": names, "data": [[None] * len(names)]}}
