"""The picture of what the model uses, over many pupils: for the run's record and the model card."""

import warnings
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE
from features.matrix import Matrix
from training.bundle import Bundle
from training.scorer import Scorer

with warnings.catch_warnings():
    # shap's own plots call what matplotlib is about to withdraw; we draw none of them.
    warnings.simplefilter("ignore")
    import shap

SAMPLE = 1500


def explain(bundle: Bundle, matrix: Matrix) -> npt.NDArray[np.float64]:
    """Return shap's own values, shape ``(len(matrix), len(names))``, in log-odds: the reference for reasons."""
    booster = lgb.Booster(model_str=bundle.model.decode("utf-8"))
    with warnings.catch_warnings():
        # It says at every call that the shape of its answer once changed; both shapes are handled.
        warnings.simplefilter("ignore")
        found = shap.TreeExplainer(booster).shap_values(matrix.values)
    return np.asarray(found[1] if isinstance(found, list) else found, np.float64)


def _own(bundle: Bundle, matrix: Matrix) -> npt.NDArray[np.float64]:
    """Return the contributions of a rule or a regression, which are exact by definition."""
    return Scorer(bundle).contributions(matrix)[:, :-1]


def global_summary(bundle: Bundle, matrix: Matrix, *, seed: int) -> pd.DataFrame:
    """Return each feature's mean absolute contribution over a sample of rows, the largest first."""
    rows = np.arange(len(matrix))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    mask = np.zeros(len(matrix), bool)
    mask[rows] = True
    parts = (
        explain(bundle, matrix.where(mask))
        if bundle.manifest["kind"] == "booster"
        else _own(bundle, matrix.where(mask))
    )
    sizes = np.abs(parts).mean(axis=0)
    groups = {feature.name: feature.group for feature in CATALOGUE}
    table = pd.DataFrame(
        {"feature": matrix.names, "group": [groups.get(name, "") for name in matrix.names], "mean": sizes}
    )
    return table.sort_values(["mean", "feature"], ascending=[False, True], ignore_index=True)


def write_summary(table: pd.DataFrame, folder: Path) -> Path:
    """Write the summary as a CSV file, with no pupil in it, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "feature_summary.csv"
    table.to_csv(file, index=False)
    return file
