"""Ingest: three fates, once only, whole or nothing, and no name in the record store."""

import csv
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from records import delta
from records.clock import Clock
from records.history import known
from records.home import Home
from records.identity.identities import Identities
from records.intake.ingest import ingest
from records.intake.summary import IngestSummary
from records.protected import ProtectedStore
from records.pseudonym import pseudonyms, read_pepper
from records.store import Store
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT, CLOCK

MARKS = "marks_900001_20250701.csv"
TEMPORARY = "M80120000500A"


def run(home: Home, source: Path, given: list[Identities] | None = None, clock: Clock = CLOCK) -> IngestSummary:
    return ingest(home, source, clock=clock, save_identities=None if given is None else given.append)


def everything(home: Home) -> dict[str, pd.DataFrame]:
    """Return every stored row of every table, in an order of its own."""
    parts = [Store(home).history(shard).tables for shard in Store(home).shards]
    found = {name: pd.concat([part[name] for part in parts]).drop_duplicates() for name in parts[0]}
    found |= {table.name: ProtectedStore(home).read(table.name) for table in ProtectedStore(home).tables()}
    return {
        name: rows.sort_values(["source", "row", *rows.columns[:2]], ignore_index=True) for name, rows in found.items()
    }


def whole_export(folder: Path) -> Path:
    files.write(folder, "schools.csv", "900001,2019999,Test School,SS,2020-09-01,2020-09-01")
    files.write(folder, "calendars.csv", "900001,half_term,Spring 1,2025-01-06,2025-02-14,2024-09-01")
    files.write(folder, "enrolments_900001_20250701.csv", files.ENROLMENT)
    files.write(folder, MARKS, files.MARK)
    files.write(folder, "behaviour_900001_20250701.csv", files.INCIDENT)
    files.write(folder, "positives_900001_20250701.csv", files.POSITIVE)
    files.write(folder, "suspensions_900001_20250701.csv", files.SUSPENSION)
    return folder


def test_no_file_is_left_out_in_silence(tmp_path):
    """A zipped or renamed export does not land, and the summary says so; hidden files of the system are nobody's."""
    source = whole_export(tmp_path / "in")
    for name in ("marks_900001.zip", "marks_900001_a.txt", ".DS_Store"):
        (source / name).write_bytes(b"x")
    files.write(source, "marks_900001_20250702.csv", files.MARK).rename(source / "behavior_900001.csv")
    summary = run(files.make_home(tmp_path / "home"), source)
    assert sorted(item.file for item in summary.passed_over) == ["marks_900001.zip", "marks_900001_a.txt"]
    assert [refusal.file for refusal in summary.refused] == ["behavior_900001.csv"]
    assert "marks_900001.zip" in summary.as_text()


def test_every_kind_of_file_lands_in_its_table(tmp_path):
    home = files.make_home(tmp_path / "home")
    given: list[Identities] = []
    summary = run(home, whole_export(tmp_path / "in"), given)
    assert {name: count.accepted for name, count in summary.tables.items()} == dict.fromkeys(
        ("enrolments", "marks", "behaviour", "positives", "suspensions", "schools", "calendars", "identities"), 1
    )
    assert summary.exit_code == 0
    pupil = int(pseudonyms([ANN], read_pepper(home))[0])
    history = Store(home).history(pupil % 2)
    kinds = ("enrolments", "marks", "behaviour", "positives", "suspensions", "schools", "calendars")
    assert {name: len(rows) for name, rows in history.tables.items() if len(rows)} == dict.fromkeys(kinds, 1)
    assert history.tables["suspensions"].iloc[0][
        ["pupil", "start_date", "sessions", "category", "known_on"]
    ].to_dict() == {
        "pupil": pupil,
        "start_date": pd.Timestamp(2025, 3, 10),
        "sessions": 4,
        "category": "SUSP",
        "known_on": pd.Timestamp(2025, 3, 7),
    }
    other = Store(home).history(1 - pupil % 2)
    assert [len(other.tables[name]) for name in ("marks", "schools", "calendars")] == [0, 1, 1]
    assert history.versions == Store(home).versions()
    assert Store(home).newest_marks() == {900001: date(2025, 3, 3)}
    (identities,) = given
    assert identities.rows[["pupil", "upn", "forename"]].values.tolist() == [[pupil, ANN, "Testann"]]


def test_three_fates(tmp_path):
    home = files.make_home(tmp_path / "home")
    rows = [
        files.MARK,
        files.MARK,  # the same again: collapses
        files.MARK.replace(ANN, TEMPORARY),
        files.MARK.replace(ANN, ""),
        files.MARK.replace(ANN, "A201100018042"),
        files.MARK.replace(",/,", ",?,"),
        files.MARK.replace(",/,", ",?,").replace(ANN, ""),  # no pupil and a broken rule: quarantined
    ]
    source = files.write(tmp_path / "in", MARKS, *rows)
    summary = run(home, source)
    count = summary.tables["marks"]
    assert (count.read, count.accepted, count.repeated, count.held.total(), count.quarantined) == (7, 1, 1, 3, 2)
    assert dict(count.held) == {
        "UPN is temporary": 1,
        "UPN is empty": 1,
        "UPN's check letter does not match its digits": 1,
    }
    assert dict(count.rules) == {"attendance code is not in the list": 2}
    (faults,) = home.quarantine.glob("*/faults.csv")
    with faults.open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert [(one["file"], one["line"], one["column"], one["value_class"]) for one in told] == [
        (MARKS, "7", "code", "text of 1 character"),
        (MARKS, "8", "code", "text of 1 character"),
    ]
    kept = (faults.parent / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert kept[0] == '"line","upn","urn","date","session","code","updated_on"'
    assert kept[1] == f'7,"{ANN}","900001","2025-03-03","AM","?","2025-03-03"'
    (held,) = home.held.glob("*/marks.parquet")
    assert pq.read_table(held)["line"].to_pylist() == [4, 5, 6]
    assert home.held.stat().st_mode & 0o077 == 0
    assert home.quarantine.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cell", ["=cmd()", "@SUM(1)", "+1", "-1", "\t=1", "\uff1dcmd()", "\uff20SUM(1)", "\uff0b1"])
def test_a_cell_that_a_spreadsheet_would_run_is_kept_as_text(tmp_path, cell):
    """The wide ones are what some spreadsheets read as their plain twins."""
    home = files.make_home(tmp_path / "home")
    named = files.ENROLMENT.replace("Testann", cell).replace("900001", "school", 1)
    run(home, files.write(tmp_path / "in", "enrolments_900001_20250701.csv", named))
    (rows,) = home.quarantine.glob("*/rows.csv")
    assert f'"\'{cell}"' in rows.read_text(encoding="utf-8")


def test_the_same_file_twice_changes_nothing_and_says_so(tmp_path):
    home = files.make_home(tmp_path / "home")
    source = whole_export(tmp_path / "in")
    run(home, source)
    before, versions = everything(home), Store(home).versions()
    summary = run(home, source, clock=Clock(date(2025, 7, 2)))
    assert summary.loaded == ()
    assert len(summary.already) == 7
    told = "already loaded, nothing changed: 7 exports (enrolments_900001_20250701.csv, "
    assert told in summary.as_text()
    assert summary.exit_code == 0
    assert Store(home).versions() == versions
    for name, rows in everything(home).items():
        pd.testing.assert_frame_equal(rows, before[name])


def test_a_copy_under_another_name_changes_nothing(tmp_path):
    home = files.make_home(tmp_path / "home")
    run(home, files.write(tmp_path / "in", MARKS, files.MARK))
    summary = run(home, files.write(tmp_path / "again", "marks_900001_20250702.csv", files.MARK))
    assert summary.already == ("marks_900001_20250702.csv",)


@pytest.mark.parametrize("dies_after", [0, 1, 2, 3])
def test_killed_on_the_way_it_lands_the_rest_and_nothing_twice(tmp_path, monkeypatch, dies_after):
    source = whole_export(tmp_path / "in")
    files.golden_census(source / "census")
    calm = files.make_home(tmp_path / "calm")
    run(calm, source, [])
    home = files.make_home(tmp_path / "home")
    (home.secrets / "pepper-v1").write_bytes((calm.secrets / "pepper-v1").read_bytes())
    (home.secrets / "pepper-v1").chmod(0o600)
    real, commits = delta.append, []

    def dying(*args):
        if len(commits) == dies_after:
            raise KeyboardInterrupt
        commits.append(args)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(delta, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            run(home, source, [])
    assert len(Store(home).versions()) + len(ProtectedStore(home).versions()) == dies_after
    given: list[Identities] = []
    run(home, source, given)
    assert len(given) == 1
    expected = everything(calm)
    for name, rows in everything(home).items():
        pd.testing.assert_frame_equal(rows, expected[name])


def test_a_refused_file_does_not_stop_the_others(tmp_path):
    home = files.make_home(tmp_path / "home")
    folder = whole_export(tmp_path / "in")
    (folder / "marks_900002_20250701.csv").write_bytes(b"upn,urn,date,session,code,updated_on\nx,\x00")
    (folder / "positives_900002_20250701.csv").write_text("upn,event_id,colour\n")
    (folder / "pictures.csv").write_text("a,b\n1,2\n")
    (folder / "readme.txt").write_text("not an export")
    summary = run(home, folder)
    assert len(summary.loaded) == 7
    assert summary.exit_code == 2
    told = {refusal.file: str(refusal) for refusal in summary.refused}
    assert told.keys() == {"marks_900002_20250701.csv", "positives_900002_20250701.csv", "pictures.csv"}
    assert "byte 39: there is a NUL byte" in told["marks_900002_20250701.csv"]
    assert (
        "missing: urn, date, type, points, updated_on, deleted; unexpected: colour"
        in told["positives_900002_20250701.csv"]
    )
    assert "no reader knows" in told["pictures.csv"]


def test_columns_in_another_order_are_another_format(tmp_path):
    path = tmp_path / MARKS
    path.write_text("urn,upn,date,session,code,updated_on\n")
    summary = run(files.make_home(tmp_path / "home"), path)
    assert [refusal.place for refusal in summary.refused] == ["line 1"]
    assert "the order differs" in str(summary.refused[0])


@pytest.mark.parametrize("name", ["nothing", "absent"])
def test_nothing_to_read_is_refused_input(tmp_path, name):
    (tmp_path / "nothing").mkdir()
    assert run(files.make_home(tmp_path / "home"), tmp_path / name).exit_code == 2


def test_a_correction_and_a_deletion_are_versions(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    files.write(tmp_path / "in", MARKS, files.MARK, files.MARK.replace("/,2025-03-03", "N,2025-03-06"))
    deleted = files.INCIDENT.replace("2025-03-04,false", "2025-03-10,true")
    files.write(tmp_path / "in", "behaviour_900001_20250701.csv", files.INCIDENT, deleted)
    run(home, tmp_path / "in")
    history = Store(home).history(0)
    codes = {day: known(history, date(2025, 3, day))["marks"]["code"].tolist() for day in (3, 4, 6, 7)}
    assert codes == {3: [], 4: ["/"], 6: ["/"], 7: ["N"]}
    incidents = {day: len(known(history, date(2025, 3, day))["behaviour"]) for day in (4, 5, 10, 11)}
    assert incidents == {4: 0, 5: 1, 10: 1, 11: 0}


def test_identities_come_once_ordered_so_that_the_last_row_is_the_newest(tmp_path):
    newer = files.ENROLMENT.replace("2022-09-05,,2022-09-05", "2024-09-02,,2024-09-02").replace("900001,9", "900000,10")
    files.write(tmp_path / "in", "enrolments_900000_20250701.csv", newer)
    files.write(tmp_path / "in", "enrolments_900001_20250701.csv", files.ENROLMENT)
    given: list[Identities] = []
    run(files.make_home(tmp_path / "home"), tmp_path / "in", given)
    assert given[0].rows["school"].tolist() == [900001, 900000]


def test_no_name_and_no_number_in_any_file_of_the_record_store(tmp_path):
    home = files.make_home(tmp_path / "home")
    files.golden_census(whole_export(tmp_path / "in") / "census")
    run(home, tmp_path / "in", [])
    secret = [word.encode() for word in (ANN, BOB, CAT, "Testann", "Testbob", "Testcat", "Synthetic", "2011-03-04")]
    stored = [path for root in (home.history, home.protected) for path in root.rglob("*") if path.is_file()]
    assert len(stored) > 10
    for path in stored:
        parts = [path.read_bytes(), str(path.relative_to(home.path)).encode()]
        if path.suffix == ".parquet":  # compressed: look at the values too
            parts.append(str(pq.ParquetFile(path).read().to_pydict()).encode())
        assert not [word for word in secret if any(word in part for part in parts)], path.name


def test_only_the_protected_door_and_ingest_name_the_protected_root():
    rooms = Path(delta.__file__).parent
    naming = {path.name for path in rooms.rglob("*.py") if "home.protected" in path.read_text(encoding="utf-8")}
    # Ingest writes there, rehoming moves rows within it, rights take rows out of it.
    assert naming == {"protected.py", "landing.py", "rehoming.py", "present.py", "retention.py"}
