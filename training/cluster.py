"""Fitting on a Dask cluster, with LightGBM's own estimator: the same parameters, the same text of a booster.

Each worker finds the bins of its own rows and adds up its own histograms, so the trees are near those
of one machine and not byte for byte the same: a bundle fitted on a cluster has a digest of its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import lightgbm as lgb
import numpy as np
from distributed import Client

from features.catalogue import CATALOGUE
from records.refusal import Refusal
from training.fitting import Part
from training.model import Fitted, check_matrix, parameters
from training.settings import Settings

PATIENCE = "20s"


class NoCluster(Refusal):
    """No Dask scheduler answers at the address, or none of its workers."""


def fit_on(address: str, part: Part, fitted: Fitted, settings: Settings) -> Fitted:
    """Return the booster fitted again by the cluster's workers, its rounds as the forward folds chose them.

    Raises
    ------
    NoCluster
        Nothing answers at the address, or it has no worker.
    """
    check_matrix(part.matrix)
    try:
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]  # Dask has few types
    except (OSError, TimeoutError, ValueError) as error:
        raise NoCluster(
            f"no Dask scheduler answers at {address!r}; start one with `dask scheduler` and workers with `dask worker`"
        ) from error
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise NoCluster(f"the Dask scheduler at {address} has no worker; start one with `dask worker {address}`")
        return replace(fitted, text=_text(client, part, fitted.rounds, settings, workers))


def _text(client: Client, part: Part, rounds: int, settings: Settings, workers: int) -> str:
    directions = {feature.name: feature.monotone for feature in CATALOGUE}
    chosen = _for_many(parameters(settings, [directions.get(name, 0) for name in part.matrix.names]))
    chunk = -(-len(part.matrix) // workers)
    values = da.from_array(part.matrix.values, chunks=(chunk, len(part.matrix.names)))  # type: ignore[no-untyped-call]  # Dask has few types
    outcomes = da.from_array(part.outcomes.astype(np.int64), chunks=chunk)  # type: ignore[no-untyped-call]  # Dask has few types
    model = lgb.DaskLGBMClassifier(client=client, n_estimators=rounds, tree_learner="data", **chosen)
    model.fit(values, outcomes)
    return _named(model.booster_.model_to_string(), part.matrix.names)


def _for_many(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that many machines take: LightGBM's finer ways of keeping a direction need one."""
    left = {name: value for name, value in chosen.items() if name not in ("metric", "num_threads", "seed")}
    return {**left, "monotone_constraints_method": "basic", "random_state": chosen["seed"]}


def _named(text: str, names: Sequence[str]) -> str:
    """Return the booster's text with the features' own names, which arrays do not carry."""
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("feature_names="))
    lines[at] = "feature_names=" + " ".join(names)
    # The text counts the bytes of each tree, none of its head: a longer line of names moves nothing.
    booster = lgb.Booster(model_str="\n".join(lines))
    return str(booster.model_to_string())
