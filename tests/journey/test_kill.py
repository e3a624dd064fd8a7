"""SIGKILL at any moment of `belong ingest`: run again, it ends where an undisturbed ingest ends."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from casework.tables_people import PupilRow
from records import delta
from records.home import Home, create_home
from records.tables import TABLES
from tests import export_files as files
from tests.database import job_session, remove_home

SEED = 20261122
CAME_FROM = {"source", "row"}
PUPILS = (files.ANN, files.BOB, files.CAT)


def export(folder: Path) -> Path:
    """Write a small network: every kind of file, rows to hold and to quarantine, and a census."""
    files.write(folder, "schools.csv", "900001,2019999,Test School,SS,2020-09-01,2020-09-01")
    files.write(folder, "calendars.csv", "900001,half_term,Spring 1,2025-01-06,2025-02-14,2024-09-01")
    of_each = {
        "enrolments": files.ENROLMENT,
        "behaviour": files.INCIDENT,
        "positives": files.POSITIVE,
        "suspensions": files.SUSPENSION,
    }
    for kind, row in of_each.items():
        rows = [row.replace(files.ANN, upn).replace(",e1", f",e{n}") for n, upn in enumerate(PUPILS)]
        files.write(folder, f"{kind}_900001_20250701.csv", *rows)
    for day in range(10, 15):
        marks = [files.MARK.replace(files.ANN, upn).replace("2025-03-03", f"2025-03-{day}") for upn in PUPILS]
        faulty = [files.MARK.replace(",/,", ",?,"), files.MARK.replace(files.ANN, "")]
        files.write(folder, f"marks_900001_202503{day}.csv", *marks, *faulty)
    files.golden_census(folder / "2025_spring")
    return folder


@dataclass(frozen=True)
class Kept:
    """Everything an ingest leaves, in an order of its own."""

    tables: dict[str, pd.DataFrame]
    pupils: list[tuple[object, ...]]
    aside: dict[str, object]


def kept(home: Home) -> Kept:
    tables = {}
    for name, table in TABLES.items():
        rows, _ = delta.read(home.protected if table.protected else home.history, table, None)
        columns = sorted(rows.columns, key=lambda column: column not in CAME_FROM)
        tables[name] = rows.sort_values(["source", "row", *columns[2:]], ignore_index=True)
    columns = (PupilRow.pseudonym, PupilRow.upn, PupilRow.surname, PupilRow.year_group, PupilRow.school_urn)
    with job_session(home) as session:
        pupils = sorted(tuple(row) for row in session.execute(select(*columns)))
    aside: dict[str, object] = {
        str(path.relative_to(home.path)): path.read_bytes() for path in home.quarantine.rglob("*.csv")
    }
    aside |= {
        str(path.relative_to(home.path)): pq.read_table(path).to_pydict() for path in home.held.rglob("*.parquet")
    }
    return Kept(tables, pupils, aside)


def belong_ingest(home: Home, source: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "serving.cli", "ingest", str(source), "--home", str(home.path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen[bytes]) -> None:
    said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0, said


def written(home: Home) -> int:
    """Return how many files of the ingest lie in the home: how far it has come, to the file."""
    roots = (home.history, home.protected, home.held, home.quarantine, home.path / "loads")
    return sum(len(names) for root in roots for _, _, names in os.walk(root))


def kill_when(process: subprocess.Popen[bytes], home: Home, more: int, later: float) -> bool:
    """Kill the process `later` seconds after it has written that many more files; False: it ended before."""
    before = written(home)
    while process.poll() is None and written(home) < before + more:
        pass
    time.sleep(later)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return not ended


@pytest.fixture(scope="module")
def source() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="belong-"))
    yield export(folder / "in")
    shutil.rmtree(folder)


def new_home() -> Home:
    return create_home(Path(tempfile.mkdtemp(prefix="belong-")), demo=True, today=files.TODAY, shards=2)


def same_pepper(home: Home, other: Home) -> Home:
    """Two homes give the same pupil the same pseudonym only under the same pepper."""
    pepper = home.secrets / "pepper-v1"
    pepper.write_bytes((other.secrets / pepper.name).read_bytes())
    pepper.chmod(0o600)
    return home


@dataclass(frozen=True)
class Calm:
    """What an undisturbed ingest left, how many files it wrote and how many seconds it took."""

    home: Home
    kept: Kept
    files: int
    seconds: float


@pytest.fixture(scope="module")
def calm(source: Path) -> Iterator[Calm]:
    home = new_home()
    started = time.monotonic()
    finish(belong_ingest(home, source))
    seconds = time.monotonic() - started
    found = kept(home)
    assert all(len(rows) for rows in found.tables.values())
    assert len(found.pupils) == len(PUPILS)
    assert len(found.aside) > 10
    yield Calm(home, found, written(home), seconds)
    remove_home(home)


def assert_same(found: Kept, expected: Kept) -> None:
    for name, rows in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], rows)
    assert found.pupils == expected.pupils
    assert found.aside == expected.aside


def walk(home: Home, source: Path, kills: int, seed: int, most: int) -> int:
    """Kill ingest after ingest at random points of the files it writes, then let one finish."""
    drawn = random.Random(seed)
    killed = 0
    for _ in range(kills):
        killed += kill_when(belong_ingest(home, source), home, drawn.randint(1, most), drawn.uniform(0, 0.02))
    finish(belong_ingest(home, source))
    return killed


def test_three_kills_then_the_rest_lands_and_nothing_twice(source: Path, calm: Calm) -> None:
    home = same_pepper(new_home(), calm.home)
    try:
        assert walk(home, source, 3, SEED, calm.files // 4) == 3
        assert_same(kept(home), calm.kept)
    finally:
        remove_home(home)


@pytest.mark.drill
@pytest.mark.parametrize("turn", range(25))
def test_a_kill_at_any_moment(source: Path, calm: Calm, turn: int) -> None:
    """By the clock, from the first import on: the making of the home's secrets and database included."""
    home = same_pepper(new_home(), calm.home)
    try:
        process = belong_ingest(home, source)
        kill_when(process, home, 0, random.Random(SEED + turn).uniform(0.1, 1.0) * calm.seconds)
        finish(belong_ingest(home, source))
        assert_same(kept(home), calm.kept)
    finally:
        remove_home(home)
