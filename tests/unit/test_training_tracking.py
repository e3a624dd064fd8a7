"""What a run leaves in MLflow: data, pictures, card, and a model that MLflow can load without a pickle."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from tests.deployed import tiny_bundle
from tests.training_factory import made_up
from training import registry
from training.candidate import Candidate
from training.card import HUMAN, model_card
from training.dataset import Dataset
from training.pictures import capacity_points, lead_weeks
from training.run import candidate_of
from training.scorer import Scorer
from training.served import FeaturesRefused, open_scorer, predict
from training.settings import Settings

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20}, rounds_most=30, patience=8, processes=1
)


@dataclass(frozen=True)
class Logged:
    """A candidate of a made-up network, its run's folder of artifacts and what MLflow holds of it."""

    data: Dataset
    candidate: Candidate
    mlruns: Path

    @property
    def artifacts(self) -> Path:
        return self.mlruns / "artifacts" / self.candidate.run_id / "artifacts"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    mlruns = tmp_path_factory.mktemp("mlruns")
    data, network, when = made_up(SETTINGS, pupils=240)
    return Logged(data, candidate_of(data, network, when, SETTINGS, mlruns=mlruns), mlruns)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # MLflow's own
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own
def test_mlflow_s_own_model_scores_as_the_scorer_does(logged: Logged) -> None:
    scorer = Scorer(logged.candidate.bundle)
    matrix = logged.data.matrix.where(np.arange(len(logged.data.matrix)) < 50)
    model = registry.mlflow.pyfunc.load_model(str(logged.artifacts / "pyfunc"))
    rows = pd.DataFrame(matrix.values, columns=list(matrix.names))
    assert rows.isna().any(axis=None)
    np.testing.assert_array_equal(model.predict(rows)["probability"].to_numpy(), scorer.probabilities(matrix))
    with pytest.raises(FeaturesRefused, match="unknown: favourite_colour"):
        model.predict(rows.assign(favourite_colour=1.0))
    assert not list((logged.artifacts / "pyfunc").rglob("*.pkl"))


def test_columns_that_are_not_the_model_s_are_refused() -> None:
    scorer = Scorer(tiny_bundle())
    rows = pd.DataFrame(np.zeros((2, len(scorer.names))), columns=list(scorer.names))
    with pytest.raises(FeaturesRefused, match=f"missing features: {scorer.names[0]}; unknown: none"):
        predict(scorer, rows.drop(columns=scorer.names[0]))
    with pytest.raises(FeaturesRefused, match="not in the model's order"):
        predict(scorer, rows[[*scorer.names[1:], scorer.names[0]]])
    with pytest.raises(FeaturesRefused, match="a value is no number"):
        predict(scorer, rows.astype(object).replace(0.0, "often"))


def test_the_example_is_one_that_the_model_takes(logged: Logged) -> None:
    place = logged.artifacts / "pyfunc"
    said = json.loads((place / "features_example.json").read_text())["dataframe_split"]
    bundle = place / "artifacts" / "bundle"
    assert open_scorer(bundle).bundle.digest == (place / "bundle_digest.txt").read_text()
    assert len(predict(open_scorer(bundle), pd.DataFrame(**said))) == 1


def test_the_run_names_each_table_s_version_and_the_training_rows(logged: Logged) -> None:
    client = MlflowClient(tracking_uri=registry.store_address(logged.mlruns)[0])
    inputs = client.get_run(logged.candidate.run_id).inputs.dataset_inputs
    said = {item.dataset.name: item.dataset.digest for item in inputs}
    assert said["marks"] == "version-3"
    assert said["training_rows"] == logged.candidate.data["training_sha256"][:36]


def test_the_run_keeps_its_pictures_and_its_card(logged: Logged) -> None:
    drawn = {file.name for file in (logged.artifacts / "pictures").rglob("*.png")}
    assert drawn == {"calibration.png", "capacity_curve.png", "lead_time.png", "comparison.png"}
    assert (logged.artifacts / "card" / "model_card.md").read_text() == model_card(logged.candidate)


def test_the_registered_version_says_what_it_is(logged: Logged) -> None:
    digest = logged.candidate.bundle.digest
    registry.tag_version(logged.mlruns, digest, {"verdict": "PASS"})
    client = MlflowClient(tracking_uri=registry.store_address(logged.mlruns)[0])
    tags = client.get_model_version(registry.MODEL, registry.version_of(logged.mlruns, digest)).tags
    assert (tags["bundle_digest"], tags["kind"], tags["verdict"]) == (digest, "model", "PASS")
    assert [run.digest for run in registry.runs(logged.mlruns, 5)] == [digest]


def test_the_card_says_what_people_must_still_write(logged: Logged) -> None:
    card = model_card(logged.candidate)
    assert "It may not be used for" in card
    assert "Never suspended before" in card
    assert "rule_of_thumb" in card
    assert all(line in card for line in HUMAN)


def test_the_card_says_what_is_counted_and_what_was_left_out(logged: Logged) -> None:
    names = logged.candidate.bundle.manifest["feature_names"]
    assert "when a suspension or permanent exclusion starts within" in model_card(logged.candidate)
    changed = tiny_bundle(settings={"outcome": "permanent", "inputs": names[1:]}, feature_names=names)
    card = model_card(replace(logged.candidate, bundle=changed))
    assert "risk of being permanently excluded is **rising**" in card
    assert "when a permanent exclusion starts within 6 school weeks" in card
    assert f"{len(names) - 1} features (1 left out: {names[0]})" in card


def test_a_longer_list_finds_no_fewer_pupils(logged: Logged) -> None:
    points = capacity_points(logged.candidate)
    assert points["recall"].is_monotonic_increasing
    assert points["listed"].is_monotonic_increasing
    assert points["recall"].iloc[-1] > points["recall"].iloc[0]


def test_lead_is_counted_to_the_last_list_before(logged: Logged) -> None:
    """A pupil flagged in the second of four weeks with a suspension ahead had two more lists after it."""
    days = pd.date_range("2025-09-01", periods=5, freq="7D").astype("datetime64[s]")
    snapshots = pd.DataFrame({"pupil": 1, "as_of": days, "outcome": [0, 1, 1, 1, 1]})
    allocation = pd.DataFrame({"pupil": 1, "as_of": days, "flagged": [False, False, True, False, False]})
    evaluation = Made(snapshots)
    assert lead_weeks(Candidates(evaluation, allocation)).to_dict() == {1: 2}


@dataclass(frozen=True)
class Made:
    """As much of an evaluation as lead time reads."""

    snapshots: pd.DataFrame


@dataclass(frozen=True)
class Candidates:
    """As much of a candidate as lead time reads."""

    evaluation: Made
    allocation: pd.DataFrame
