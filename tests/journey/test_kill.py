"""SIGKILL at any moment of `belong ingest`: run again, it ends where an undisturbed ingest ends."""

import multiprocessing
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
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from casework.tables_people import PupilRow
from records import delta
from records.history import latest
from records.home import Home, create_home
from records.protected import ProtectedStore
from records.store import Store
from records.tables import TABLES
from tests import export_files as files
from tests.database import job_session, names_by_pupil, remove_home

SEED = 20261122
CAME_FROM = {"source", "row"}
PUPILS = (files.ANN, files.BOB, files.CAT)
FILES = ("enrolments", "marks", "behaviour", "positives", "suspensions")
TEMPORARY = "M80120000500A"
# Seconds for one small ingest, on a machine that does much else.
PATIENCE = 900


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
    # One event is given to each pupil in turn, within a file and then in another.
    moved = files.INCIDENT.replace(files.ANN, files.BOB).replace("2025-03-04,false", "2025-03-10,false")
    files.write(folder, "behaviour_900001_20250703.csv", moved)
    for day in range(10, 15):
        marks = [files.MARK.replace(files.ANN, upn).replace("2025-03-03", f"2025-03-{day}") for upn in PUPILS]
        faulty = [files.MARK.replace(",/,", ",?,"), files.MARK.replace(files.ANN, "")]
        files.write(folder, f"marks_900001_202503{day}.csv", *marks, *faulty)
    # Cat had a temporary number, and Bob another one before: rows to release, and rows of two shards to join.
    linked = files.ENROLMENT.replace("2022-09-05,,2022-09-05", "2024-09-02,,2024-09-02")
    former = [(files.CAT, TEMPORARY), (files.BOB, files.ANN)]
    rows = [linked.replace(f"{files.ANN},,", f"{upn},{old},") for upn, old in former]
    files.write(folder, "enrolments_900001_20250702.csv", *rows)
    files.write(folder, "marks_900001_temporary.csv", files.MARK.replace(files.ANN, TEMPORARY))
    files.golden_census(folder / "2025_spring")
    return folder


@dataclass(frozen=True)
class Kept:
    """Everything an ingest leaves, in an order of its own."""

    tables: dict[str, pd.DataFrame]
    pupils: list[tuple[object, ...]]
    aside: dict[str, object]
    shared: dict[str, int]  # table → events that two pupils have


def kept(home: Home, door: "Door") -> Kept:
    tables = {}
    shared = {}
    protected = ProtectedStore(home)
    for name, table in TABLES.items():
        if table.protected:
            rows = protected.read(name)
        elif table.sharded:
            parts = [Store(home).rows(name, shard)[0] for shard in Store(home).shards]
            rows = pd.concat(parts)
            known = pd.concat([latest(part, table, files.TODAY + timedelta(days=1)) for part in parts])
            shared[name] = int(known.duplicated(list(table.key)).sum())
        else:
            rows, _ = delta.read(home.history, table, None)
        columns = sorted(rows.columns, key=lambda column: column not in CAME_FROM)
        tables[name] = rows.sort_values(["source", "row", *columns[2:]], ignore_index=True)
    pupils = names_kept(home) if door is Belong else []
    aside: dict[str, object] = {
        str(path.relative_to(home.path)): path.read_bytes() for path in home.quarantine.rglob("*.csv")
    }
    aside |= {
        str(path.relative_to(home.path)): pq.read_table(path).to_pydict() for path in home.held.rglob("*.parquet")
    }
    return Kept(tables, pupils, aside, shared)


def names_kept(home: Home) -> list[tuple[object, ...]]:
    names = names_by_pupil(home)
    columns = (PupilRow.id, PupilRow.pseudonym, PupilRow.year_group, PupilRow.school_urn)
    with job_session(home) as session:
        rows = session.execute(select(*columns))
        return sorted((*row[1:], names[row.id].upn, names[row.id].surname) for row in rows)


class Records:
    """An ingest into the record store alone, in a process that has its imports: a tenth of a second, not five."""

    def __init__(self, home: Home, source: Path) -> None:
        forking = multiprocessing.get_context("forkserver")
        forking.set_forkserver_preload([files.__name__])
        self._process = forking.Process(target=files.into_records, args=(home.path, source))
        self._process.start()

    def ended(self) -> bool:
        return not self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def finish(self) -> None:
        self._process.join(PATIENCE)
        assert self._process.exitcode == 0


class Belong:
    """`belong ingest`, the database and everything."""

    def __init__(self, home: Home, source: Path) -> None:
        command = [sys.executable, "-m", "serving.cli", "ingest", str(source), "--home", str(home.path)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def finish(self) -> None:
        said = self._process.communicate(timeout=PATIENCE)[0].decode()
        assert self._process.returncode == 0, said


Door = type[Records] | type[Belong]


def written(home: Home) -> int:
    """Return how many files of the ingest lie in the home: how far it has come, to the file."""
    roots = (home.history, home.protected, home.held, home.quarantine, home.path / "loads", home.path / "links")
    return sum(len(names) for root in roots for _, _, names in os.walk(root))


def kill_when(process: Records | Belong, home: Home, more: int, later: float) -> bool:
    """Kill the process `later` seconds after it has written that many more files; False: it ended before."""
    before = written(home)
    while not process.ended() and written(home) < before + more:
        time.sleep(0.0005)  # the machine has other things to do
    time.sleep(later)
    ended = process.ended()
    process.kill()
    return not ended


@pytest.fixture(scope="module")
def source() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="belong-"))
    yield export(folder / "in")
    shutil.rmtree(folder)


def new_home() -> Home:
    return create_home(Path(tempfile.mkdtemp(prefix="belong-")), demo=True, today=files.TODAY, shards=2)


def gone(home: Home, door: Door) -> None:
    if door is Belong:
        remove_home(home)
    else:
        shutil.rmtree(home.path)


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


def undisturbed(source: Path, door: Door) -> Iterator[Calm]:
    home = new_home()
    started = time.monotonic()
    door(home, source).finish()
    seconds = time.monotonic() - started
    found = kept(home, door)
    landed = {name for name, rows in found.tables.items() if len(rows)}
    assert landed == {*FILES, "schools", "calendars", "characteristics", "sen_needs", "fsm_periods"}
    assert found.tables["marks"]["pupil"].nunique() == len(PUPILS) - 1
    assert len(found.aside) > 10
    yield Calm(home, found, written(home), seconds)
    gone(home, door)


@pytest.fixture(scope="module")
def calm(source: Path) -> Iterator[Calm]:
    yield from undisturbed(source, Belong)


@pytest.fixture(scope="module")
def calm_records(source: Path) -> Iterator[Calm]:
    yield from undisturbed(source, Records)


def assert_same(found: Kept, expected: Kept) -> None:
    for name, rows in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], rows)
    assert found.pupils == expected.pupils
    assert found.aside == expected.aside


def assert_whole_or_nothing(found: Kept, expected: Kept) -> None:
    """Of each file, each table holds every line that it ever will, or none: what a kill may leave.

    A line counts once: the deletion for the pupil whom an event was taken from bears the line that took it
    away, and where that line landed first it comes with a later file (records/intake/reassigned.py).
    """
    assert not any(found.shared.values()), found.shared
    line = ["source", "row"]
    for name, rows in expected.tables.items():
        whole = rows.drop_duplicates(line).groupby("source").size().to_dict()
        there = found.tables[name].drop_duplicates(line).groupby("source").size().to_dict()
        assert there.items() <= whole.items(), name


def test_five_kills_then_the_rest_lands_and_nothing_twice(source: Path, calm_records: Calm) -> None:
    """At random points of the files it writes, ingest after ingest; then one may finish."""
    home = same_pepper(new_home(), calm_records.home)
    drawn = random.Random(SEED)
    try:
        for _ in range(5):
            more = drawn.randint(1, calm_records.files // 6)
            assert kill_when(Records(home, source), home, more, drawn.uniform(0, 0.02))
            assert_whole_or_nothing(kept(home, Records), calm_records.kept)
        Records(home, source).finish()
        assert_same(kept(home, Records), calm_records.kept)
    finally:
        gone(home, Records)


@pytest.mark.drill
@pytest.mark.parametrize("turn", range(50))
def test_a_kill_at_any_moment(source: Path, calm: Calm, turn: int) -> None:
    """By the clock, from the first import on: the making of the home's secrets and database included."""
    home = same_pepper(new_home(), calm.home)
    try:
        process = Belong(home, source)
        kill_when(process, home, 0, random.Random(SEED + turn).uniform(0.1, 1.0) * calm.seconds)
        assert_whole_or_nothing(kept(home, Records), calm.kept)
        Belong(home, source).finish()
        found = kept(home, Belong)
        assert_same(found, calm.kept)
        assert len(found.pupils) == len(PUPILS) - 1
    finally:
        remove_home(home)
