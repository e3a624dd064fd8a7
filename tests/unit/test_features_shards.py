"""The same work over shards wherever it is done: here, in processes, on a cluster, on one that loses a worker."""

import os
import signal
import time
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster

from benchmarks.network_year import Year, make_home
from features.matrix import Matrix
from features.shards import NoCluster, over_shards
from records.home import Home
from serving.jobs.matrices import shard_matrix
from training.dataset import data_digest, dataset
from training.settings import Settings

DAY = date(2025, 3, 24)
SHARDS = 4


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    return make_home(Year(40, SHARDS), tmp_path_factory.mktemp("shards") / "home", processes=1)


@pytest.fixture(scope="module")
def here(home) -> list[Matrix]:
    return list(over_shards(partial(shard_matrix, home, DAY), SHARDS))


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as found:
        yield found


def noted_matrix(home: Home, notes: Path, shard: int) -> Matrix:
    """Say which process works on the shard, and hold the last one's first worker up until it is gone."""
    alone = not any(notes.glob(f"{SHARDS - 1}-*"))
    (notes / f"{shard}-{os.getpid()}").touch()
    if shard == SHARDS - 1 and alone:
        time.sleep(60)
    return shard_matrix(home, DAY, shard)


def assert_same(one: list[Matrix], other: list[Matrix]) -> None:
    assert len(one) == len(other) == SHARDS
    for mine, theirs in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(mine.keys, theirs.keys)
        np.testing.assert_array_equal(mine.values, theirs.values)


def test_a_cluster_builds_the_rows_that_training_would_build_here(home, cluster):
    settings, until = Settings(processes=1), date(2025, 7, 1)
    here, there = (
        dataset(home, [DAY], settings, until, dask=address, train=[DAY])
        for address in (None, cluster.scheduler_address)
    )
    assert data_digest(here.matrix, here.outcomes.frame["outcome"].to_numpy(np.int8)) == data_digest(
        there.matrix, there.outcomes.frame["outcome"].to_numpy(np.int8)
    )
    assert len(here.outcomes.frame)


def test_a_cluster_gives_the_same_and_a_worker_killed_in_the_middle_loses_nothing(home, here, cluster, tmp_path):
    found = []
    for matrix in over_shards(partial(noted_matrix, home, tmp_path), SHARDS, dask=cluster.scheduler_address):
        found.append(matrix)
        if len(found) == 1:
            held = _noted(tmp_path, SHARDS - 1)
            os.kill(held, signal.SIGKILL)
    assert_same(found, here)
    assert len(list(tmp_path.glob(f"{SHARDS - 1}-*"))) == 2, "the killed worker's shard was worked on by another"


def _noted(notes: Path, shard: int) -> int:
    """Return the number of the process that works on the shard, once one does."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for note in notes.glob(f"{shard}-*"):
            return int(note.name.partition("-")[2])
        time.sleep(0.05)
    raise AssertionError(f"no worker began shard {shard}")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "not an address"])
def test_an_address_where_nobody_answers_is_refused_with_what_to_do(monkeypatch, address):
    monkeypatch.setattr("features.shards.SECONDS_TO_ANSWER", 0.5)
    with pytest.raises(NoCluster, match=f"no Dask scheduler answers at '{address}'; start one"):
        list(over_shards(str, 2, dask=address))


def test_a_scheduler_without_workers_is_refused_and_not_waited_for():
    empty = LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0")
    with empty, pytest.raises(NoCluster, match="has no worker; start one with"):
        list(over_shards(str, 2, dask=empty.scheduler_address))


def test_processes_of_this_machine_give_the_shards_in_order():
    assert list(over_shards(str, 3, processes=2)) == list(over_shards(str, 3)) == ["0", "1", "2"]
