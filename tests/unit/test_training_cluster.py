"""A model fitted by two processes of a Dask cluster is near the one fitted here, and refuses where none answers."""

import lightgbm as lgb
import numpy as np
import pytest
from distributed import LocalCluster

from features.catalogue import CATALOGUE
from tests.training_factory import made_up
from training import cluster
from training.cluster import NoCluster, fit_on
from training.fitting import part_of
from training.model import fit
from training.settings import Settings

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20}, rounds_most=20, threads=1
)


@pytest.mark.filterwarnings("ignore")  # LightGBM and Dask warn of ports, of parameters and of each other
def test_two_processes_fit_nearly_the_same_model() -> None:
    data, _, when = made_up(SETTINGS, pupils=240)
    part = part_of(data, when.train)
    directions = {feature.name: feature.monotone for feature in CATALOGUE}
    here = fit(part.matrix, part.outcomes, (), SETTINGS, directions)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as workers:
        there = fit_on(workers.scheduler_address, part, here, SETTINGS)
    boosters = [lgb.Booster(model_str=found.text) for found in (here, there)]
    assert boosters[0].feature_name() == boosters[1].feature_name() == list(part.matrix.names)
    assert boosters[1].num_trees() == here.rounds
    one, other = (booster.predict(part.matrix.values) for booster in boosters)
    assert np.corrcoef(one, other)[0, 1] > 0.97
    assert abs(one.mean() - other.mean()) < 0.002


def test_an_address_where_nothing_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", "1s")
    data, _, when = made_up(SETTINGS, pupils=60)
    part = part_of(data, when.train)
    here = fit(part.matrix, part.outcomes, (), SETTINGS, {})
    with pytest.raises(NoCluster, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        fit_on("tcp://127.0.0.1:9", part, here, SETTINGS)
