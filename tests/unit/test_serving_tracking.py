"""Comparing runs, and MLflow's own pages kept to this machine."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from records.home import Home, create_home
from records.refusal import Refusal
from serving.commands import tracking
from serving.commands.tracking import mlflow_server, runs
from serving.jobs.children import until_ended
from serving.jobs.gatekeeping import DECISION
from tests.deployed import tiny_bundle
from training import registry


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home")


def test_runs_are_told_newest_first_with_how_far_each_came(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digests are whole however narrow the terminal: people copy them from here, and eight digits are the least."""
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
    monkeypatch.setattr(tracking, "out", Console(width=80))
    runs(home=home.path, mlruns=mlruns, most=10, metric=None, as_json=False)
    table = capsys.readouterr().out
    assert old.digest[:12] in table
    assert new.digest[:12] in table
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


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups of this kind")
def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    """MLflow's server starts another process; ended by a termination, neither may be left."""
    told = tmp_path / "child"
    words = [sys.executable, "-c", PARENT, str(told)]
    run = f"from serving.jobs.children import until_ended; raise SystemExit(until_ended({words!r}, {{}}))"
    with subprocess.Popen([sys.executable, "-c", run]) as belong:
        until(lambda: told.is_file() and told.read_text() != "")
        belong.send_signal(signal.SIGTERM)
        assert belong.wait(30) == 0
    child = int(told.read_text())
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it did not come about within half a minute")


def test_a_program_that_fails_says_with_what_code() -> None:
    assert until_ended([sys.executable, "-c", "raise SystemExit(7)"], {}) == 7
