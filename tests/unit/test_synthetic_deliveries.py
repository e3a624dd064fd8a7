"""Exports that come week by week: the same rows as by half-term, each file on the Monday after its last day."""

import csv
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from records.synthetic.deliveries import NotDelivered, deliver, deliveries, stamp_of
from records.synthetic.places import write_places
from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from records.synthetic.support import Asked, Starts, no_support

BEGAN = date(2024, 11, 11)
MONDAYS = [BEGAN + timedelta(weeks=week) for week in range(5)]
PLAN = NetworkPlan(pupils=300, schools=4, years=(2024,), until=MONDAYS[-1], seed=7, mess=0)


def rows(folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of each table, sorted."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found.setdefault(path.name.partition("_")[0], []).extend(tuple(row) for row in csv.reader(file))
    return {table: sorted(set(lines)) for table, lines in found.items()}


@dataclass(frozen=True)
class Delivered:
    """What was written of each table, and the folder of each Monday."""

    written: dict[str, list[tuple[str, ...]]]
    folders: dict[date, Path]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    out = tmp_path_factory.mktemp("weekly") / "out"
    simulate(replace(PLAN, weekly_from=BEGAN), out)
    write_places(out, seed=7)
    written = rows(out)
    deliver(out, MONDAYS)
    return Delivered(written, deliveries(out))


def test_by_the_week_the_rows_are_those_of_the_half_term(tmp_path: Path) -> None:
    until = date(2025, 1, 13)
    simulate(replace(PLAN, until=until), tmp_path / "half")
    simulate(replace(PLAN, until=until, weekly_from=BEGAN), tmp_path / "weeks")
    assert rows(tmp_path / "half") == rows(tmp_path / "weeks")
    stamps = [{stamp_of(file.name) for file in (tmp_path / name).glob("marks_*")} for name in ("half", "weeks")]
    weeks = {"20241110", "20241117", "20241124"}
    assert weeks & stamps[0] == set()
    assert weeks < stamps[1]


def test_each_file_arrives_on_the_first_monday_after_its_day(delivered: Delivered) -> None:
    assert list(delivered.folders) == MONDAYS
    for monday, folder in delivered.folders.items():
        stamps = {stamp_of(file.name) for file in folder.iterdir()}
        days = {date.fromisoformat(stamp) for stamp in stamps if stamp}
        assert days
        assert max(days) < monday
        assert monday == BEGAN or ("" not in stamps and min(days) >= monday - timedelta(weeks=1))
    first = {one.name for one in delivered.folders[BEGAN].iterdir()}
    assert {"schools.csv", "calendars.csv", "census", "places"} < first


def test_nothing_is_lost_on_the_way(delivered: Delivered) -> None:
    arrived: dict[str, set[tuple[str, ...]]] = {}
    for folder in delivered.folders.values():
        for table, lines in rows(folder).items():
            arrived.setdefault(table, set()).update(lines)
    assert {table: sorted(lines) for table, lines in arrived.items()} == delivered.written


def test_where_a_pupil_lives_never_comes_before_the_pupil(delivered: Delivered) -> None:
    """A home of somebody unknown would be put aside."""
    known: set[str] = set()
    for folder in delivered.folders.values():
        of = {table: {line[0] for line in lines} for table, lines in rows(folder).items()}
        known |= of.get("enrolments", set())
        assert of.get("neighbourhoods", set()) <= known
    assert len(known) > 300


def test_a_file_that_nobody_would_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "marks_900001_20241216.csv").write_text("upn\n", encoding="utf-8")
    with pytest.raises(NotDelivered, match=r"marks_900001_20241216\.csv bears 2024-12-16; add a Monday after it"):
        deliver(tmp_path, MONDAYS)
    assert [stamp_of(name) for name in ("marks_1_20241216_again.csv.gz", "schools_003.csv")] == ["20241216", ""]


@dataclass(frozen=True)
class Seen:
    """The files that lay there on each Monday, and those in the end, by name."""

    mondays: dict[date, dict[str, bytes]]
    end: dict[str, bytes]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    out = tmp_path_factory.mktemp("monday") / "out"
    mondays: dict[date, dict[str, bytes]] = {}

    def look(asked: Asked) -> Starts:
        mondays[asked.monday.astype(object)] = {path.name: path.read_bytes() for path in out.glob("*.csv")}
        return no_support(asked)

    simulate(replace(PLAN, until=date(2024, 12, 23), mess=1, weekly_from=BEGAN), out, support=look)
    return Seen(mondays, {path.name: path.read_bytes() for path in out.glob("*.csv")})


class TestWhatLiesThereOnAMonday:
    """A plan of support may live by the exports: on a Monday all files of the weeks before are there, and no other."""

    def test_stays_as_it_is(self, seen: Seen) -> None:
        for files in seen.mondays.values():
            assert files.items() <= seen.end.items()

    def test_is_every_file_of_the_weeks_before(self, seen: Seen) -> None:
        weekly = [monday for monday in seen.mondays if monday >= BEGAN]
        assert len(weekly) > 4
        for monday in weekly:
            assert set(seen.mondays[monday]) == {name for name in seen.end if stamp_of(name) < f"{monday:%Y%m%d}"}
            assert any(name.startswith("enrolments_") for name in seen.mondays[monday])
