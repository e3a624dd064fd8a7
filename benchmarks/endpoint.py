"""The scoring endpoint beside MLflow's own server, with the same model, loaded in one run.

`python -m benchmarks.endpoint`: a model of the size that Belong trains, of made-up rows, signed and deployed in a home
of its own with its PostgreSQL. Both servers give the same probabilities, which is checked first.

Four figures: processor time a request for one feature row, theirs over ours; the 99th percentile from raw history with
reasons at a hundred requests a second, two workers; 1,000 pupils in one call; from the command to the first 'ready'.
Times of processors are user and system of a server's whole process tree; PostgreSQL's stand beside.
"""

import argparse
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import psutil  # type: ignore[import-untyped]  # it has no type information

from benchmarks.measured import load
from casework.database import migrate
from casework.deployments import record_deployment
from features.catalogue import CATALOGUE, fingerprint
from records.home import Home
from tests.database import remove_home
from tests.deployed import SCHOOL, TODAY, demo_home, put_deployed, tiny_bundle
from tests.journey.api import as_job, grant
from training.bundle import Bundle, sha256
from training.registry import write_pyfunc

TREES, LEAVES, ROWS = 100, 10, 3000
WORKERS, CONNECTIONS = 2, 16
WEEKS = 30
START_LONGEST = 600.0
NAMES = [feature.name for feature in CATALOGUE]


@dataclass(frozen=True)
class Server:
    """A server that answers on a port: its process, and those of its database."""

    port: int
    process: psutil.Process
    database: psutil.Process | None = None

    def cpu_seconds(self) -> float:
        """Return what the process and all it started have taken."""
        return _cpu(self.process)

    def database_seconds(self) -> float:
        """Return what its database has taken, if it has one."""
        return 0.0 if self.database is None else _cpu(self.database)


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        # A child that has ended counts with whoever waited for it.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def main() -> None:
    """Serve, load and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.endpoint", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long a hundred requests a second are sent")
    parser.add_argument("--rows", type=int, default=5000, help="single rows sent to Belong; a tenth of them to MLflow")
    wanted = parser.parse_args()
    print(f"load of the machine {load()}, {os.cpu_count()} processors", flush=True)
    home, keys = demo_home(Path(tempfile.mkdtemp(prefix="belong-")))
    try:
        bundle = _bundle()
        put_deployed(home, bundle, keys)
        migrate(home)
        with as_job(home) as session:
            record_deployment(session, bundle.digest, "a" * 64, datetime.now(UTC))
        token = grant(home, "benchmark", calls_per_minute=60_000)
        with tempfile.TemporaryDirectory(prefix="belong-mlflow-") as folder:
            _compare(home, write_pyfunc(bundle, Path(folder)), token, wanted)
    finally:
        remove_home(home)


def _compare(home: Home, model: Path, token: str, wanted: argparse.Namespace) -> None:
    headers = [f"Authorization: Bearer {token}"]
    with mlflow_served(model) as other:
        with belong_served(home) as (ours, start):
            print(f"start: {start:.2f} s to the first 'ready'", flush=True)
            rows = _rows(200)
            _settled(ours, headers)
            _agree(ours, other, headers, rows)
            cpu = _single_rows(ours, other, headers, rows, wanted.rows)
        # Each side alone from here on: MLflow's server stays, idle, and takes nothing.
        with belong_served(home) as (ours, again):
            p99 = _raw_history(ours, headers, wanted.seconds)
            batch = _batch(ours, headers)
    print(f"cpu_ratio={cpu:.1f} p99_ms={p99:.1f} batch_s={batch:.2f} start_s={max(start, again):.2f}")


def _bundle() -> Bundle:
    """Return a signed-to-be bundle with a model of the size that Belong trains (92 to 151 trees of 10 leaves)."""
    made = np.random.default_rng(20261128)
    values = _values(made, ROWS)
    outcome = (np.nan_to_num(values)[:, :30].sum(axis=1) + made.normal(size=ROWS) * 5 > 20).astype(float)
    data = lgb.Dataset(values, outcome, feature_name=NAMES)
    given: dict[str, Any] = {"objective": "binary", "num_leaves": LEAVES, "min_data_in_leaf": 20, "num_threads": 1}
    given |= {"deterministic": True, "verbosity": -1, "seed": 1}
    text = lgb.train(given, data, TREES).model_to_string().encode()
    return Bundle({**tiny_bundle().manifest, "model_sha256": sha256(text)}, text)


def _values(made: np.random.Generator, rows: int) -> Any:
    values = np.round(made.exponential(size=(rows, len(NAMES))) * 2, 3)
    values[made.random(values.shape) < 0.4] = 0.0
    values[made.random(values.shape) < 0.1] = np.nan
    return values


def _rows(number: int) -> list[list[float | None]]:
    values = _values(np.random.default_rng(7), number)
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]


@contextmanager
def _running(
    command: Sequence[str], port: int, path: str, **environment: str
) -> Iterator[tuple[psutil.Process, float]]:
    """Run a server; give its process, and the seconds until the address answered 200."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=said, stderr=said)
        try:
            while not _answers(port, path):
                if process.poll() is not None or time.perf_counter() - began > START_LONGEST:
                    said.seek(0)
                    raise RuntimeError(f"{' '.join(command[:5])} did not start: {said.read()[-2000:].decode()}")
                time.sleep(0.01)
            yield psutil.Process(process.pid), time.perf_counter() - began
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            process.wait(30)
            psutil.wait_procs(children, timeout=30)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def mlflow_served(model: Path) -> Iterator[Server]:
    """Run `mlflow models serve` on the bundle's own pyfunc, in this environment and without its telemetry."""
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with _running([*command, "--port", str(port)], port, "/ping", PATH=path, PYTHONPATH=os.getcwd(), **quiet) as (
        process,
        _,
    ):
        yield Server(port, process)


@contextmanager
def belong_served(home: Home) -> Iterator[tuple[Server, float]]:
    """Run `belong serve` with its workers; give it, and the seconds until it said that it may score."""
    port = _free_port()
    command = [sys.executable, "-m", "serving.cli", "serve", "--home", str(home.path), "--port", str(port)]
    with _running([*command, "--workers", str(WORKERS)], port, "/api/v1/health/ready") as (process, start):
        [postmaster] = home.path.rglob("postmaster.pid")
        database = psutil.Process(int(postmaster.read_text().split()[0]))
        yield Server(port, process, database), start


def _load(server: Server, path: str, headers: Sequence[str], bodies: Sequence[str], **how: Any) -> dict[str, Any]:
    """Load the server from a process of its own; return what that found, with milliseconds of processors a request."""
    plan = {"port": server.port, "path": path, "headers": list(headers), "bodies": list(bodies), "rate": 0, **how}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        before = server.cpu_seconds(), server.database_seconds()
        command = [sys.executable, "-m", "benchmarks.load_generator", file.name]
        found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        after = server.cpu_seconds(), server.database_seconds()
    if set(found["statuses"]) != {"200"}:
        raise RuntimeError(f"{path} answered {found['statuses']}: {found['odd']}")
    found["cpu_ms"], found["database_ms"] = (
        1000 * (late - early) / found["requests"] for early, late in zip(before, after, strict=True)
    )
    return found


def _ask(server: Server, path: str, headers: Sequence[str], body: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    given = dict(header.split(": ", 1) for header in headers) | {"Content-Type": "application/json"}
    connection.request("POST", path, body, given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {content[:500].decode()}")
    return json.loads(content)


def _to_mlflow(rows: Sequence[Sequence[float | None]]) -> str:
    return json.dumps({"dataframe_split": {"columns": NAMES, "data": rows}})


def _to_belong(rows: Sequence[Sequence[float | None]]) -> str:
    return json.dumps({"fingerprint": fingerprint(), "names": NAMES, "rows": rows, "reasons": False})


def _agree(ours: Server, other: Server, headers: Sequence[str], rows: Sequence[Sequence[float | None]]) -> None:
    """Raise unless both give the same probabilities, for many rows at once and for one."""
    theirs = [row["probability"] for row in _ask(other, "/invocations", [], _to_mlflow(rows))["predictions"]]
    together = _ask(ours, "/api/v1/rows", headers, _to_belong(rows))["probabilities"]
    one_by_one = [_ask(ours, "/api/v1/rows", headers, _to_belong([row]))["probabilities"][0] for row in rows]
    np.testing.assert_allclose(together, theirs, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one_by_one, theirs, rtol=0, atol=1e-9)
    print(f"{len(rows)} probabilities agree to 1e-9, between {min(theirs):.4f} and {max(theirs):.4f}", flush=True)


def _single_rows(
    ours: Server, other: Server, headers: Sequence[str], rows: Sequence[Sequence[float | None]], number: int
) -> float:
    """Return how often MLflow's processor time a request holds ours."""
    few = number // 10
    mine, theirs = [_to_belong([row]) for row in rows], [_to_mlflow([row]) for row in rows]
    _load(other, "/invocations", [], theirs, requests=min(few, 100), connections=2)
    _load(ours, "/api/v1/rows", headers, mine, requests=min(number, 1000), connections=2)
    slow = _load(other, "/invocations", [], theirs, requests=few, connections=2)
    fast = _load(ours, "/api/v1/rows", headers, mine, requests=number, connections=2)
    for name, found in (("MLflow", slow), ("Belong", fast)):
        _say(f"one row, {name}", found)
    return float(slow["cpu_ms"] / fast["cpu_ms"])


def _raw_history(ours: Server, headers: Sequence[str], seconds: int) -> float:
    """Return the 99th percentile, in milliseconds since a request was due, of a pupil's raw history with reasons."""
    _settled(ours, headers)
    bodies = [_pupils(1, seed) for seed in range(200)]
    _load(ours, "/api/v1/scores", headers, bodies, requests=400, connections=CONNECTIONS, rate=100)
    found = _load(ours, "/api/v1/scores", headers, bodies, requests=100 * seconds, connections=CONNECTIONS, rate=100)
    _say("raw history with reasons, 100 a second", found)
    return float(found["p99_ms"])


def _settled(ours: Server, headers: Sequence[str]) -> None:
    """Let every worker load its machine code, so that what starting costs is in no request's time."""
    some = [_pupils(25, seed) for seed in range(8)]  # so many pupils wait for it
    _load(ours, "/api/v1/scores", headers, some, requests=32, connections=CONNECTIONS)


def _batch(ours: Server, headers: Sequence[str]) -> float:
    """Return the slowest of three calls of 1,000 pupils, in seconds."""
    found = _load(ours, "/api/v1/scores", headers, [_pupils(1000, 1)], requests=3, connections=1)
    _say("1,000 pupils in one call", found)
    return float(found["worst_ms"] / 1000)


def _say(what: str, found: dict[str, Any]) -> None:
    of = f"{found['cpu_ms']:.3f} ms of processors each (PostgreSQL {found['database_ms']:.3f}, "
    of += f"generator {found['own_cpu_ms']:.3f})"
    took = f"median {found['p50_ms']:.1f} ms, 99th percentile {found['p99_ms']:.1f}, worst {found['worst_ms']:.1f}"
    print(f"{what}: {found['requests']} requests in {found['seconds']:.1f} s, {of}; {took}", flush=True)


def _pupils(number: int, seed: int) -> str:
    """Return a request: pupils with thirty weeks of marks and, the livelier they are, incidents and praise."""
    made = random.Random(seed)  # made-up pupils, no secrets
    return json.dumps({"as_of": TODAY.isoformat(), "pupils": [_pupil(made, at) for at in range(number)]})


def _pupil(made: random.Random, number: int) -> dict[str, Any]:
    start = TODAY - timedelta(weeks=WEEKS, days=TODAY.weekday())
    lively = made.random()
    marks = "".join(
        made.choices("/LUIO-", (90, 3 * lively, 6 * lively, 3, 3 * lively, 2))[0] for _ in range(10 * WEEKS)
    )
    days = [start + timedelta(days=7 * week + made.randrange(5)) for week in range(WEEKS)]
    return {
        "id": f"row-{number}",
        "school": SCHOOL,
        "year_group": str(made.randrange(7, 12)),
        "entry_date": date(2024, 9, 3).isoformat(),
        "marks_string": {"start_date": start.isoformat(), "marks": marks},
        "behaviour": [
            {"date": day.isoformat(), "type": "Disruption", "severity": made.randrange(1, 5), "outcome": "Detention"}
            for day in days
            if made.random() < lively
        ],
        "positives": [{"date": day.isoformat(), "type": "Club", "points": 1} for day in days if made.random() > lively],
        "suspensions": [{"start_date": "2025-11-12", "sessions": 4}] if lively > 0.8 else [],
    }


if __name__ == "__main__":
    main()
