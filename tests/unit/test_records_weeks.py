"""Weeks as strings: a golden file worked by hand, and what breaks a week or only one of its sessions."""

from pathlib import Path

import pytest

from records.clock import Clock
from records.intake.ingest import ingest
from records.readers import network_csv
from records.store import Store
from records.text.sheet import FileRefused
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT
from tests.judged import TODAY, Fates, pseudonym_of, read_folder

GOLDEN = Path(__file__).parents[1] / "golden" / "weeks"


@pytest.fixture(scope="module")
def marks() -> Fates:
    return read_folder(network_csv.READER, GOLDEN)["marks"]


def of(marks: Fates, upn: str, known_on: str) -> list[str]:
    """Return 'MM-DD session code' of a pupil's marks recorded on a day, in order of the week."""
    rows = marks.rows[(marks.rows["pupil"] == pseudonym_of(upn)) & (marks.rows["known_on"] == known_on)]
    return sorted(f"{day[5:]} {session} {code}" for day, session, code in rows[["date", "session", "code"]].to_numpy())


def test_each_session_of_the_week_is_a_mark(marks):
    assert of(marks, ANN, "2025-03-07") == [
        "03-03 AM /",
        "03-03 PM \\",
        "03-04 AM /",
        "03-04 PM \\",
        "03-05 AM L",
        "03-05 PM \\",
        "03-06 AM I",
        "03-06 PM I",
    ]  # no session on Friday


def test_a_later_week_corrects_every_session_that_it_holds(marks):
    assert "03-06 AM M" in of(marks, ANN, "2025-03-14")
    assert len(of(marks, ANN, "2025-03-14")) == 8


def test_a_code_of_no_list_breaks_its_session_only_and_is_named(marks):
    assert (4, "marks (Tuesday AM)", "attendance code is not in the list") in marks.faults
    found = of(marks, BOB, "2025-03-07")
    assert len(found) == 9
    assert "03-06 AM C2" in found
    assert not any(mark.startswith("03-04 AM") for mark in found)


def test_a_week_that_is_not_whole_lands_nothing_and_says_why(marks):
    assert sorted(fault for fault in marks.faults if fault[0] > 4) == [
        (5, "week_start", "the week must start on a Monday"),  # a Saturday
        (6, "marks", "the week must be 20 characters, 2 for each session"),
        (7, "week_start", "date must be a date of this format"),
    ]
    assert not (marks.rows["pupil"] == pseudonym_of(CAT)).any()
    assert of(marks, BOB, "2025-03-14") == []


def test_a_pupil_who_is_not_proven_is_held(marks):
    assert dict(marks.held) == {"UPN is temporary": 2}


def test_weeks_land_and_what_does_not_is_kept_once(tmp_path):
    home = files.make_home(tmp_path / "home")
    summary = ingest(home, GOLDEN, clock=Clock(TODAY), save_identities=None)
    assert summary.refused == ()
    count = summary.tables["marks"]
    assert (count.accepted, count.landed, count.quarantined, count.held.total()) == (25, 25, 4, 2)
    (rows,) = home.quarantine.glob("*/rows.csv")
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 1 + 4
    assert ingest(home, GOLDEN, clock=Clock(TODAY), save_identities=None).already == ("weeks_all_20250701.csv.gz",)


@pytest.mark.parametrize("marks_text", ["", " " * 20])
def test_a_week_without_sessions(tmp_path, marks_text: str):
    """Twenty blanks are a week without school; nothing at all is a week that lost its blanks on the way."""
    files.weeks(tmp_path, "weeks_1.csv", f"{ANN},900001,2025-03-03,{marks_text},2025-03-07")
    found = read_folder(network_csv.READER, tmp_path)
    faults = found["marks"].faults if found else []
    assert [rule for _, _, rule in faults] == (
        [] if marks_text else ["the week must be 20 characters, 2 for each session"]
    )


def test_another_heading_is_refused(tmp_path):
    (tmp_path / "weeks_1.csv").write_text("upn,urn,week,marks,updated_on\n", encoding="utf-8")
    ((load,), _) = network_csv.loads([tmp_path / "weeks_1.csv"], TODAY)
    with pytest.raises(FileRefused, match="missing: week_start; unexpected: week"):
        load.read(load.files)


def test_held_weeks_land_session_by_session_once_their_pupil_is_proven(tmp_path):
    """Two sessions of one row, each in a batch of its own: none of them may take the other's place."""
    home = files.make_home(tmp_path / "home", shards=1)
    ingest(home, GOLDEN, clock=Clock(TODAY), save_identities=None)
    proven = files.ENROLMENT.replace(f"{ANN},,", f"{CAT},M80120000500A,")
    files.write(tmp_path / "in", "enrolments_900001_20250701.csv", proven)
    ingest(home, tmp_path / "in", clock=Clock(TODAY), save_identities=None)
    marks = Store(home).history(0).tables["marks"]
    assert len(marks) == 25 + 2
    assert sorted(marks[marks["row"] == 8]["session"]) == ["AM", "PM"]
