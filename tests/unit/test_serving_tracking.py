"""Comparing runs, and MLflow's own pages kept to this machine."""

import json
from pathlib import Path

import pytest

from records.home import Home, create_home
from records.refusal import Refusal
from serving.commands.tracking import mlflow_server, runs
from serving.jobs.gatekeeping import DECISION
from tests.deployed import tiny_bundle
from training import registry


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home")


def test_runs_are_told_newest_first_with_how_far_each_came(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mlruns = tmp_path / "mlruns"
    old, new = tiny_bundle(horizon_weeks=5), tiny_bundle(horizon_weeks=6)
    for bundle, recall in ((old, 0.2), (new, 0.3)):
        registry.log_run(mlruns, bundle, parameters={}, metrics={"recall": recall, "flags": 7.0})
    registry.log_search(mlruns, "search", parameters={"trials": 1}, tables={})
    folder = home.candidates / old.digest
    folder.mkdir(parents=True)
    (folder / DECISION).write_text(json.dumps({"verdict": "NOT_SETTLED"}), encoding="utf-8")
    runs(home=home.path, mlruns=mlruns, most=10, metric=["recall"], as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert [(row["digest"], row["state"], row["metrics"]) for row in said] == [
        (new.digest, "not in this home", {"recall": 0.3}),
        (old.digest, "NOT_SETTLED", {"recall": 0.2}),
    ]
    with pytest.raises(Refusal, match="no run logged beauty; there are flags, recall"):
        runs(home=home.path, mlruns=mlruns, most=10, metric=["beauty"], as_json=False)


def test_mlflow_s_pages_stay_on_this_machine_and_tell_nobody(tmp_path: Path) -> None:
    words, settings = mlflow_server(tmp_path / "mlruns", "127.0.0.1", 5005)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--workers") + 1] == "1"
    assert settings["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert settings["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    with pytest.raises(Refusal, match=r"--host 0\.0\.0\.0 is not this machine"):
        mlflow_server(tmp_path / "mlruns", "0.0.0.0", 5005)
