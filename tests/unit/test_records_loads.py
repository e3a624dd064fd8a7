"""The life of a load: read again while a reason may pass, never twice, one ingest at a time, on a failing disk."""

import itertools
import multiprocessing
import resource
import signal
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from records import delta
from records.clock import Clock
from records.history import latest
from records.home import Home
from records.intake import loads
from records.intake.ingest import CannotWrite, ingest
from records.intake.loads import NOTHING_ACCEPTED, Fates, again
from records.intake.lock import IngestRunning, only_ingest
from records.intake.summary import IngestSummary
from records.rows.row_rules import AFTER_INGEST
from records.store import Store
from records.tables import ENROLMENTS, MARKS, SUSPENSIONS
from records.text.delimited import digest_of
from tests import export_files as files
from tests.export_files import ANN, BOB, CLOCK

TOMORROW = Clock(date(2025, 7, 2))
NAME = "marks_900001_20250701.csv"


def run(home: Home, source: Path, clock: Clock = CLOCK) -> IngestSummary:
    return ingest(home, source, clock=clock, save_identities=None)


def mark(upn: str = ANN, day: str = "2025-03-03", code: str = "/", on: str = "2025-03-03") -> str:
    return f"{upn},900001,{day},AM,{code},{on}"


def stored(home: Home) -> pd.DataFrame:
    return delta.read(home.history, MARKS, None)[0].sort_values(["source", "row"], ignore_index=True)


def counts(summary: IngestSummary, table: str = "marks") -> tuple[int, int, int, int]:
    count = summary.tables[table]
    return count.read, count.accepted, count.repeated, count.quarantined


def test_rows_recorded_after_the_day_of_ingest_land_when_that_day_has_come(tmp_path):
    home = files.make_home(tmp_path / "home")
    rows = [mark(), mark(BOB, on="2025-07-02"), mark(BOB, day="2025-03-04", on="2025-07-03"), mark(code="?")]
    source = files.write(tmp_path, NAME, *rows)
    assert counts(run(home, source)) == (4, 1, 0, 3)
    # The same day it changes nothing; the next, one row passes, and only what was put aside is looked at.
    assert counts(run(home, source)) == (3, 0, 0, 3)
    assert counts(run(home, source, TOMORROW)) == (3, 1, 0, 2)
    (entry,) = (loads.find(home, path.stem) for path in (home.path / "loads").glob("*.json"))
    assert entry is not None
    assert entry.tables == {"marks": Fates(read=4, accepted=2, repeated=0, held=0, quarantined=2)}
    assert (entry.reader, entry.day, entry.again) == ("network CSV", date(2025, 7, 2), AFTER_INGEST)
    assert counts(run(home, source, Clock(date(2025, 7, 3)))) == (2, 1, 0, 1)
    # What is left breaks a rule that no day changes.
    assert run(home, source, Clock(date(2025, 7, 4))).already == (NAME,)
    assert stored(home)["row"].tolist() == [2, 3, 4]


def test_an_export_of_which_nothing_was_accepted_is_not_already_loaded_for_ever(tmp_path):
    home = files.make_home(tmp_path / "home")
    source = files.write(tmp_path, NAME, mark(code="?"), mark(code="??"))
    for _ in range(2):
        assert counts(run(home, source)) == (2, 0, 0, 2)
    assert stored(home).empty


@pytest.mark.parametrize(
    ("fates", "rules", "why"),
    [
        ((3, 3, 0, 0, 0), [], ""),
        ((3, 1, 0, 0, 2), ["a code"], ""),
        ((3, 0, 0, 1, 2), ["a code"], ""),
        ((3, 0, 1, 0, 2), ["a code"], ""),
        ((3, 0, 0, 0, 3), ["a code"], NOTHING_ACCEPTED),
        ((0, 0, 0, 0, 0), [], ""),
        ((3, 2, 0, 0, 1), ["a code", AFTER_INGEST], AFTER_INGEST),
    ],
)
def test_when_a_load_is_worth_reading_again(fates, rules, why):
    names = ("read", "accepted", "repeated", "held", "quarantined")
    assert again({"marks": Fates(**dict(zip(names, fates, strict=True)))}, rules) == why


def test_a_re_export_says_again_what_is_known_and_adds_only_what_is_new(tmp_path):
    """The school exports its whole year each week: two rows are the same, one is a correction, one is new."""
    home = files.make_home(tmp_path / "home")
    first = [mark(), mark(BOB), mark(day="2025-03-04", on="2025-03-04")]
    run(home, files.write(tmp_path / "1", NAME, *first))
    corrected, new = mark(day="2025-03-04", code="I", on="2025-03-06"), mark(day="2025-03-05", on="2025-03-05")
    second = [mark(BOB), mark(), corrected, new]
    summary = run(home, files.write(tmp_path / "2", NAME, *second))
    assert counts(summary) == (4, 2, 2, 0)
    rows = stored(home)
    known = pd.concat([latest(Store(home).rows("marks", shard)[0], MARKS, date(2025, 4, 1)) for shard in (0, 1)])
    assert len(known) == 4
    # Of two equal rows the one of the higher digest is needed, should one more version of that day come.
    sources = sorted(rows["source"].unique())
    higher_is_second = rows.loc[rows["known_on"] == "2025-03-06", "source"].iloc[0] == sources[1]
    assert len(rows) == (7 if higher_is_second else 5)


def test_ten_equal_exports_do_not_fill_the_store(tmp_path):
    home = files.make_home(tmp_path / "home")
    for number in range(10):
        extra = mark(BOB, day="2025-03-04", on=f"2025-04-{number + 1:02}")
        same = [mark(day=f"2025-02-{day:02}") for day in (3, 4, 5)]
        summary = run(home, files.write(tmp_path / str(number), NAME, *same, extra))
        assert counts(summary) == (4, 1 if number else 4, 3 if number else 0, 0)
    assert len(stored(home)) < 10 + 3 * 6  # 10 corrections; of 10 equal rows, 2.9 are kept on average


def test_of_equal_rows_the_one_that_decides_between_versions_of_a_day_is_never_spared(tmp_path):
    """Files 1 and 3 say present, 2 says ill, all on one day; by digest 2 lies between them. Any order ends alike."""
    made = itertools.count()

    def export(code: str) -> tuple[str, Path]:
        number = next(made)
        # Another row, so that equal words make files of other digests.
        path = files.write(
            tmp_path / str(number), NAME, mark(code=code), mark(BOB, day="2025-02-03", on=f"2025-02-{3 + number:02}")
        )
        return digest_of(path), path

    first, third = sorted(export("/") for _ in range(2))
    between = next(found for found in (export("I") for _ in range(25)) if first[0] < found[0] < third[0])
    ends = set()
    for order in itertools.permutations([first[1], between[1], third[1]]):
        home = files.make_home(tmp_path / f"home{next(made)}", shards=1)
        for path in order:
            run(home, path)
        known = latest(Store(home).rows("marks", 0)[0], MARKS, date(2025, 4, 1))
        ends.add(tuple(known.sort_values("date")[["code", "source", "row"]].iloc[-1]))
    assert ends == {("/", third[0][:16], 2)}


def test_a_withdrawn_suspension_is_not_revived_by_a_census_that_still_lists_it(tmp_path):
    """In the school's own system on 15 January, withdrawn on the 20th; the census made on the 30th lists it."""
    own = f"{ANN},900001,2025-01-14,10,SUSP,DB,,,2025-01-15,false"
    for order in ((0, 1), (1, 0)):
        home = files.make_home(tmp_path / f"home{order[0]}", shards=1)
        withdrawn = own.replace("2025-01-15,false", "2025-01-20,true")
        sources = (
            files.write(tmp_path / "own", "suspensions_900001_20250701.csv", own, withdrawn),
            files.golden_census(tmp_path / "2025_spring"),
        )
        for place in order:
            run(home, sources[place])
        rows, _ = Store(home).rows("suspensions", 0)
        known = {day: len(latest(rows, SUSPENSIONS, date(2025, 1, day))) for day in (15, 16, 21, 31)}
        assert known == {15: 0, 16: 1, 21: 0, 31: 0}


def test_a_census_is_believed_where_the_schools_own_system_says_nothing(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    run(home, files.golden_census(tmp_path / "2025_spring"))
    run(home, files.write(tmp_path / "own", "suspensions_900001_20250701.csv", files.SUSPENSION))
    rows, _ = Store(home).rows("suspensions", 0)
    assert len(latest(rows, SUSPENSIONS, date(2025, 3, 30))) == 2


def test_a_census_still_moves_a_pupil_up_a_year_but_does_not_bring_back_a_withdrawn_enrolment(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    year_8 = files.ENROLMENT.replace(",9,C,", ",8,C,")
    run(home, files.write(tmp_path / "own", "enrolments_900001_20250701.csv", year_8))
    run(home, files.golden_census(tmp_path / "2025_spring"))
    rows, _ = Store(home).rows("enrolments", 0)
    assert "9" in latest(rows, ENROLMENTS, date(2025, 2, 1))["year_group"].tolist()


def _hold(path: Path, held: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with only_ingest(Home(path=path)):
        held.set()
        done.wait(30)


def test_a_second_ingest_at_once_is_refused_and_says_so(tmp_path):
    home = files.make_home(tmp_path / "home")
    spawn = multiprocessing.get_context("fork")
    held, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(home.path, held, done))
    other.start()
    assert held.wait(30)
    source = files.write(tmp_path, NAME, mark())
    with pytest.raises(IngestRunning, match=r"another `belong ingest` is writing into .*wait until it has ended"):
        run(home, source)
    done.set()
    other.join(30)
    assert run(home, source).loaded == (NAME,)


def _ingest_on_a_full_disk(home: Path, source: Path, said: "multiprocessing.queues.Queue[str]") -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
    try:
        run(Home(path=home, shards=2, demo=True), source)
        said.put("")
    except CannotWrite as error:
        said.put(str(error))


@pytest.mark.parametrize(("code", "landed"), [("/", 151), ("?", 1)])
def test_a_full_disk_is_a_clear_error_and_leaves_nothing_half_written(tmp_path, code, landed):
    """Full where rows land, and full where rows that break a rule are put aside."""
    home = files.make_home(tmp_path / "home")
    run(home, files.write(tmp_path, NAME, mark()))
    before = stored(home)
    days = pd.bdate_range("2024-09-02", periods=150).strftime("%Y-%m-%d")
    many = [mark(day=day, on="2025-06-30", code=code) for day in days]
    source = files.write(tmp_path, "marks_900002_20250701.csv", *many)
    spawn = multiprocessing.get_context("spawn")
    said = spawn.Queue()
    child = spawn.Process(target=_ingest_on_a_full_disk, args=(home.path, source, said))
    child.start()
    told = said.get(timeout=60)
    child.join(30)
    assert "cannot be written" in told
    assert "run `belong ingest` again" in told
    assert ANN not in told
    pd.testing.assert_frame_equal(stored(home), before)
    assert not list(home.path.rglob("*.partial"))
    assert run(home, source).tables["marks"].read == 150
    assert len(stored(home)) == landed


@pytest.mark.parametrize("room", ["write", "ledger"])
def test_a_read_only_disk_is_a_clear_error_and_reads_work(tmp_path, monkeypatch, room):
    home = files.make_home(tmp_path / "home")
    run(home, files.write(tmp_path, NAME, mark()))
    refused = OSError(30, "Read-only file system")

    def refuse(*_: object, **__: object) -> None:
        raise refused

    with monkeypatch.context() as patch:
        patch.setattr(*{"write": (delta, "write_deltalake"), "ledger": (loads.os, "replace")}[room], refuse)
        with pytest.raises(CannotWrite, match="Read-only file system"):
            run(home, files.write(tmp_path / "2", NAME, mark(BOB)))
        assert len(Store(home).rows("marks", 0)[0]) + len(Store(home).rows("marks", 1)[0]) in (1, 2)
    run(home, tmp_path / "2")
    assert len(stored(home)) == 2
    assert not list((home.path / "loads").glob("*.partial"))


def test_the_same_bytes_twice_in_one_folder_are_one_load(tmp_path):
    home = files.make_home(tmp_path / "home")
    files.write(tmp_path / "in", NAME, mark())
    (tmp_path / "in" / "marks_900001_again.csv").write_bytes((tmp_path / "in" / NAME).read_bytes())
    summary = run(home, tmp_path / "in")
    assert (summary.loaded, summary.already) == ((NAME,), ("marks_900001_again.csv",))
    assert counts(summary) == (1, 1, 0, 0)
    assert len(stored(home)) == 1
