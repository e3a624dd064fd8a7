"""Fitting on a Dask cluster, with LightGBM's own estimator: the same parameters, the same text of a booster.

Rows are dealt to the workers in order. One worker grows the very trees of one machine that keeps directions by
the same method. Two find the bins of their own rows, and which of them is the first is Dask's to say, so their
trees are others, about as good: docs/decisions.md, 40.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from dask.delayed import delayed
from distributed import Client

from features.catalogue import CATALOGUE
from features.shards import connected
from training.fitting import Part
from training.model import Fitted, check_matrix, parameters
from training.sampling import weights
from training.settings import Settings

_PLACES = {"machines": "", "local_listen_port": "12400", "num_threads": "0"}  # LightGBM's own defaults
_SAID = re.compile(rf"^\[({'|'.join(_PLACES)}): .*\]$", re.MULTILINE)


def fit_on(address: str, part: Part, fitted: Fitted, settings: Settings) -> Fitted:
    """Return the booster fitted again by the cluster's workers, its rounds as the forward folds chose them.

    Raises
    ------
    NoCluster
        Nothing answers at the address, or it has no worker.
    """
    check_matrix(part.matrix)
    with connected(address) as client, client.as_current():
        workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        return replace(fitted, text=_text(client, part, fitted.rounds, settings, workers))


def _text(client: Client, part: Part, rounds: int, settings: Settings, workers: Sequence[str]) -> str:
    directions = {feature.name: feature.monotone for feature in CATALOGUE}
    chosen = _for_many(parameters(settings, [directions.get(name, 0) for name in part.matrix.names]))
    values = _dealt(client, part.matrix.values, workers)
    outcomes = _dealt(client, part.outcomes.astype(np.int64), workers)
    model = lgb.DaskLGBMClassifier(client=client, n_estimators=rounds, tree_learner="data", **chosen)
    stands = _dealt(client, weights(part.outcomes, settings), workers)
    model.fit(values, outcomes, sample_weight=stands)
    return _named(model.booster_.model_to_string(), part.matrix.names)


def _dealt(client: Client, values: npt.NDArray[Any], workers: Sequence[str]) -> Any:
    """Return the rows as a Dask array, the first part at the first worker and so on.

    Left to itself Dask puts a part wherever there is room, and where it lies decides bins and sums.
    """
    parts = np.array_split(values, len(workers))
    held = [client.scatter(rows, workers=[worker]) for rows, worker in zip(parts, workers, strict=True)]  # type: ignore[no-untyped-call]  # Dask has few types
    return da.concatenate(  # type: ignore[no-untyped-call]  # as above
        [
            da.from_delayed(delayed(one), shape=rows.shape, dtype=rows.dtype)  # type: ignore[no-untyped-call]  # as above
            for one, rows in zip(held, parts, strict=True)
        ]
    )


def _for_many(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that many machines take: LightGBM's finer ways of keeping a direction need one."""
    left = {name: value for name, value in chosen.items() if name not in ("metric", "num_threads", "seed")}
    return {**left, "monotone_constraints_method": "basic", "random_state": chosen["seed"]}


def _named(text: str, names: Sequence[str]) -> str:
    """Return the booster's text with the features' own names, and without where and on how many threads it was made.

    Arrays carry no names. Addresses and ports are no part of a model, and would change its digest.
    """
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("feature_names="))
    lines[at] = "feature_names=" + " ".join(names)
    # The text counts the bytes of each tree, none of its head: a longer line of names moves nothing.
    booster = lgb.Booster(model_str="\n".join(lines))
    return _SAID.sub(lambda found: f"[{found[1]}: {_PLACES[found[1]]}]", str(booster.model_to_string()))
