"""Fitting on a Dask cluster: one worker grows the trees of one machine, two as good ones."""

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest
from distributed import LocalCluster

from features.catalogue import CATALOGUE
from tests.training_factory import made_up
from training import cluster
from training.cluster import fit_on
from training.fitting import Part, part_of
from training.model import Fitted, fit, parameters
from training.settings import Settings

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20}, rounds_most=20, threads=1
)
# Of what a model gains over saying the usual share of everybody, the most that another fit may lose.
MARGIN = 0.1

# LightGBM and Dask warn of ports, of parameters and of each other.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Case:
    """Rows to fit and rows held out, and the model fitted here with directions kept by the basic method."""

    fit: Part
    held: Part
    here: Fitted


@pytest.fixture(scope="module")
def case() -> Case:
    data, _, when = made_up(SETTINGS, pupils=240)
    part = part_of(data, when.train)
    directions = {feature.name: feature.monotone for feature in CATALOGUE}
    here = fit(part.matrix, part.outcomes, (), SETTINGS, directions)
    chosen = parameters(SETTINGS, [directions[name] for name in part.matrix.names])
    rows = lgb.Dataset(part.matrix.values, part.outcomes, feature_name=list(part.matrix.names))
    basic = lgb.train({**chosen, "monotone_constraints_method": "basic"}, rows, num_boost_round=here.rounds)
    return Case(part, part_of(data, when.calibrate), replace(here, text=basic.model_to_string()))


def trees(fitted: Fitted) -> str:
    """Return the model's text up to the parameters that it was fitted with."""
    return fitted.text.split("end of trees")[0]


def log_loss(outcomes: npt.NDArray[np.int8], said: npt.NDArray[np.float64]) -> float:
    return float(-np.mean(np.where(outcomes == 1, np.log(said), np.log(1 - said))))


def test_one_worker_grows_the_trees_of_one_machine(case: Case) -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as workers:
        there = fit_on(workers.scheduler_address, case.fit, case.here, SETTINGS)
    assert trees(there) == trees(case.here)


def test_two_processes_fit_as_good_a_model(case: Case) -> None:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as workers:
        there = fit_on(workers.scheduler_address, case.fit, case.here, SETTINGS)
    assert trees(there) != trees(case.here), "were both processes given rows?"
    boosters = [lgb.Booster(model_str=found.text) for found in (case.here, there)]
    assert boosters[0].feature_name() == boosters[1].feature_name() == list(case.fit.matrix.names)
    assert boosters[1].num_trees() == case.here.rounds
    losses = [log_loss(case.held.outcomes, booster.predict(case.held.matrix.values)) for booster in boosters]
    usual = log_loss(case.held.outcomes, np.full(len(case.held.outcomes), case.fit.outcomes.mean()))
    assert losses[0] < usual
    assert losses[1] < losses[0] + MARGIN * (usual - losses[0])


def test_where_a_model_was_fitted_is_no_part_of_it(case: Case) -> None:
    said = "[machines: 10.0.0.7:41234]\n[local_listen_port: 41234]\n[num_threads: 8]\n[learning_rate: 0.15]"
    text = case.here.text.replace("[num_threads: 1]", said)
    named = cluster._named(text, case.fit.matrix.names)
    assert "10.0.0.7" not in named
    assert "41234" not in named
    assert "[num_threads: 0]" in named
