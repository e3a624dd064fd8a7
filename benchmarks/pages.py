"""How long pages take in a network of 120,000 pupils and 200 schools, with 20 people at work at once.

`python -m benchmarks.pages` fills a home's own PostgreSQL through the ordinary publication, serves it as
`belong serve` does, and sends 20 signed-in users of different schools to their lists and pupils from
another process. Two loads: people who read a moment (a second on average) between pages, and people who
never stop. The last line is of the first; the number of queries a page makes must not grow with its rows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psutil  # type: ignore[import-untyped]  # it has no type information
from sqlalchemy import Engine, event

from benchmarks.measured import load
from benchmarks.pages_network import Network, identities, publication
from casework.database import connect, migrate, scoped
from casework.deployments import record_deployment
from casework.people import NewPerson, add_person, save_identities
from casework.permissions import Role
from casework.publishing import publish
from casework.sessions import start_session
from records.home import Home
from serving.app import create_app
from serving.jobs.web import HOST
from serving.scoring import open_deployed
from tests.database import superuser
from tests.deployed import TODAY, demo_home, put_deployed, tiny_bundle
from tests.journey.client import running
from tests.site import free_port

USERS = 20
COOKIE = "belong_session"


@dataclass(frozen=True)
class Site:
    """Where the site is served, and by how many processes."""

    port: int
    workers: int


@dataclass(frozen=True)
class Loaded:
    """What one load showed: milliseconds by kind of page, and processor milliseconds a page."""

    took: dict[str, list[float]]
    web_ms: float
    database_ms: float

    def of(self, kind: str, share: float) -> float:
        """Return the quantile of a kind of page, in milliseconds."""
        return float(np.quantile(self.took[kind], share)) * 1000

    @property
    def p95(self) -> float:
        """The slower page's 95th percentile, in milliseconds."""
        return max(self.of(kind, 0.95) for kind in self.took)


def fill(home: Home, network: Network, digest: str) -> None:
    """Save pupils and publish one night, by the same code as any night."""
    migrate(home)
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        save_identities(session, identities(network))
    began = time.perf_counter()
    with scoped(engine, None) as session:
        publish(session, publication(network, digest, TODAY))
        found = open_deployed(home, TODAY)
        record_deployment(session, digest, found.approval.id, datetime(2026, 6, 19, 9, tzinfo=UTC))  # type: ignore[union-attr]  # a refusal has no approval, and fails here
    engine.dispose()
    print(f"published in {time.perf_counter() - began:.0f} s (load {load()})", flush=True)
    settle(home)


def settle(home: Home) -> None:
    """Do at once what the database does by itself between a night and its morning: tidy up after a large load."""
    began = time.perf_counter()
    with superuser(home) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    print(f"settled in {time.perf_counter() - began:.0f} s", flush=True)


def sign_in(home: Home, network: Network) -> list[str]:
    """Return the cookies of users at different schools, signed in."""
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        people = [
            add_person(
                session,
                NewPerson(
                    issuer="https://issuer.invalid",
                    subject=f"user-{urn}",
                    name=f"Example Staff {urn}",
                    roles=(Role(name="school_staff", school=urn),),
                    training_on=TODAY - timedelta(days=30),
                ),
            )
            for urn in network.urns()[:: max(1, network.schools // USERS)][:USERS]
        ]
    engine.dispose()
    engine = connect(home, "app")
    with scoped(engine, frozenset()) as session:
        cookies = [f"{COOKIE}={start_session(session, person, datetime.now(UTC)).token}" for person in people]
    engine.dispose()
    return cookies


@contextmanager
def served(home: Home, port: int, workers: int) -> Iterator[psutil.Process]:
    """Serve the home by `belong serve` in processes of its own."""
    arguments = [sys.executable, "-m", "serving.cli", "serve", "--home", str(home.path), "--port", str(port)]
    with subprocess.Popen([*arguments, "--workers", str(workers)]) as process:  # our own arguments
        try:
            _wait_until_ready(port)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"http://{HOST}:{port}/sign-in", trust_env=False, timeout=60).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def measured(home: Home, web: psutil.Process, plan: dict[str, object]) -> Loaded:
    """Send the users, and return what they saw and what it cost the site and its database."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        before = _spent(web), _spent(_postmaster(home))
        arguments = [sys.executable, "-m", "benchmarks.pages_load", file.name]
        said = subprocess.run(arguments, capture_output=True, text=True, check=False)  # our own
        after = _spent(web), _spent(_postmaster(home))
    if said.returncode:
        raise RuntimeError(said.stderr)
    took = json.loads(said.stdout.splitlines()[-1])
    pages = sum(map(len, took.values()))
    web_ms, database_ms = ((b - a) / pages * 1000 for a, b in zip(before, after, strict=True))
    return Loaded(took, web_ms, database_ms)


def _postmaster(home: Home) -> psutil.Process:
    return psutil.Process(int((home.postgres / "postmaster.pid").read_text().splitlines()[0]))


def _spent(process: psutil.Process) -> float:
    """Return the processor seconds of a process and its children so far."""
    spent = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        spent += times.user + times.system
    return spent


def queries(home: Home, cookie: str) -> dict[str, int]:
    """Return how many statements each page makes, the list's for all of its pupils and for a year group's.

    Raises
    ------
    AssertionError
        The list of more pupils takes more statements.
    """
    engine = connect(home, "app")
    counted = {}
    port = free_port()
    address = f"http://{HOST}:{port}"
    app = create_app(home, address=address, engine=engine)
    with (
        running(app, port),
        httpx.Client(base_url=address, headers={"cookie": cookie}, trust_env=False, timeout=60) as client,
    ):
        text = client.get("/pupils").text
        pupil = text.split('href="/pupils/')[1].split('"')[0]
        for name, path in (("list", "/pupils"), ("short_list", "/pupils?year=7"), ("pupil", f"/pupils/{pupil}")):
            counted[name] = _statements(engine, client, path)
    engine.dispose()
    assert counted["list"] == counted["short_list"], f"a longer list takes more statements: {counted}"
    return counted


def _statements(engine: Engine, client: httpx.Client, path: str) -> int:
    seen: list[str] = []
    note = lambda *said: seen.append(said[2])  # noqa: E731  # a listener that can be taken off again
    event.listen(engine, "before_cursor_execute", note)
    assert client.get(path).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def main() -> None:
    """Fill, serve, load, count."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pupils", type=int, default=120_000)
    asked.add_argument("--schools", type=int, default=200)
    asked.add_argument("--listed", type=int, default=20, help="pupils on each school's list")
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--workers", type=int, default=2, help="the site's processes, one for each core")
    asked.add_argument("--port", type=int, default=8765)
    asked.add_argument("--home", type=Path, help="keep the home here, and use it again; default: a passing one")
    given = asked.parse_args()
    network = Network(pupils=given.pupils, schools=given.schools, listed=given.listed)
    with tempfile.TemporaryDirectory(prefix="belong-pages-") as passing:
        run(given.home or Path(passing) / "home", network, given.seconds, Site(given.port, given.workers))


def run(path: Path, network: Network, seconds: float, site: Site) -> None:
    """Measure a home at this path, making and filling it first where there is none."""
    bundle = tiny_bundle()
    new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    home, keys = demo_home(path)
    if new:
        put_deployed(home, bundle, keys)
        fill(home, network, bundle.digest)
    cookies = sign_in(home, network)
    shown = {}
    with served(home, site.port, site.workers) as web:
        plan = {"port": site.port, "cookies": cookies}
        # The first pages open the door and fill caches, and what is loaded beside the site is loaded meanwhile.
        measured(home, web, {**plan, "seconds": 20, "reading": 0.2})
        for name, pause in (("reading", 1.0), ("never stopping", 0.0)):
            found = measured(home, web, {**plan, "seconds": seconds, "reading": pause})
            shown[name] = found
            for kind, took in sorted(found.took.items()):
                print(
                    f"{name}: {kind} {len(took)} pages, p50 {found.of(kind, 0.5):.0f} ms, "
                    f"p95 {found.of(kind, 0.95):.0f} ms, p99 {found.of(kind, 0.99):.0f} ms"
                )
            print(f"{name}: {found.web_ms:.1f} + {found.database_ms:.1f} ms of processor a page (load {load()})")
    counted = queries(home, cookies[0])
    reading, busy = shown["reading"], shown["never stopping"]
    print(
        f"p95_ms={reading.p95:.0f} busy_p95_ms={busy.p95:.0f} web_cpu_ms={busy.web_ms:.1f} "
        f"database_cpu_ms={busy.database_ms:.1f} list_queries={counted['list']} pupil_queries={counted['pupil']}"
    )


if __name__ == "__main__":
    main()
