"""The Common Transfer File: a golden file worked by hand, schools, positions of marks, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from records.history import known
from records.home import Home
from records.intake.fates import Judged
from records.intake.ingest import ingest
from records.pseudonym import WRONG_LETTER
from records.readers import ctf
from records.readers.ctf_marks import Positions, read_positions, spell_out
from records.readers.json_keys import KeysRefused
from records.rows.batch import UNKNOWN_SCHOOL
from records.store import Store
from records.text.sheet import FileRefused
from tests import export_files as files
from tests.export_files import ANN
from tests.interchange import ORIGIN, PROVER, faults, held, judged, rows

GOLDEN = Path(__file__).parents[1] / "golden" / "ctf"
NAME = "2019999_CTF_2018888_001.xml"
SENT = date(2025, 3, 14)
(PUPILS, _) = PROVER.prove([ANN])
PUPIL = int(PUPILS[0])


@pytest.fixture(scope="module")
def golden() -> list[Judged]:
    return judged(ctf.reader(), GOLDEN)[0]


def test_who_the_pupil_is_and_where(golden):
    assert rows(golden, "enrolments") == [
        (PUPIL, 900001, date(2022, 9, 5), SENT, "9", "C", SENT, False),
    ]
    assert rows(golden, "identities") == [
        (
            PUPIL,
            900001,
            ANN,
            "M80120000500A",
            "Zoë",
            "Synthetic",
            date(2011, 3, 4),
            date(2022, 9, 5),
            SENT,
            "9",
            SENT,
            False,
        )
    ]


def test_what_is_protected(golden):
    assert rows(golden, "characteristics") == [(PUPIL, SENT, "F", "WOTH", "PNJ", "E", SENT, False)]
    assert rows(golden, "sen_needs") == [(PUPIL, SENT, 1, "SEMH", SENT, False)]
    assert rows(golden, "fsm_periods") == [(PUPIL, date(2023, 9, 5), None, "ENG", SENT, False)]
    assert rows(golden, "care") == [(PUPIL, "CLA", SENT, None, SENT, False)]


def test_each_mark_stands_in_its_session(golden):
    """Thursday 13 February and the Friday; five days of #; then -Y, a blank and @ on Tuesday, L and the last \\."""
    days = [(13, 2, "AM", "/"), (13, 2, "PM", "\\"), (14, 2, "AM", "H"), (14, 2, "PM", "J")]
    days += [(24, 2, "PM", "Y"), (26, 2, "AM", "L"), (26, 2, "PM", "\\")]
    expected = [(PUPIL, 900001, date(2025, month, day), session, code) for day, month, session, code in days]
    assert rows(golden, "marks", without=(*ORIGIN, "known_on", "deleted")) == expected


def test_what_is_wrong_is_named_by_element_and_the_pupils_number(golden):
    """@ has no meaning until the network declares one; a string cannot start on a Saturday."""
    strings = "Attendance/YearData/AttendSessions"
    assert faults(golden) == [
        (NAME, 1, f"{strings}/AttendanceMarks", "text of 1 character"),
        (NAME, 2, f"{strings}/AttendanceStartDate", "start of a string of marks"),
    ]


def test_who_or_where_is_not_proven_is_held(golden):
    """Bob's check letter is wrong; the primary school of another authority is not of this network."""
    assert held(golden) == {
        ("marks", UNKNOWN_SCHOOL): 2,
        **{(table, WRONG_LETTER): 1 for table in ("enrolments", "identities", "characteristics")},
    }


def test_the_networks_schools_are_known_by_lea_and_estab(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    source = tmp_path / "in"
    files.write(source, "schools.csv", "900009,2027777,Other School,PS,2015-09-01,2015-09-01")
    ingest(home, source, clock=files.CLOCK, save_identities=None)
    (source / NAME).write_bytes((GOLDEN / NAME).read_bytes())
    summary = ingest(home, source, clock=files.CLOCK, save_identities=None)
    assert summary.tables["marks"].held.total() == 0
    marks = Store(home).history(0).tables["marks"]
    assert sorted(set(marks["school"])) == [900001, 900009]
    assert len(marks) == 9
    again = ingest(home, source, clock=files.CLOCK, save_identities=None)
    assert NAME in again.already


def test_a_network_declares_what_positions_mean(tmp_path):
    home = files.make_home(tmp_path / "home")
    (home.mappings / "keys").mkdir(parents=True)
    own = home.mappings / "keys" / "ctf.toml"
    own.write_text('weekdays = ["Sunday", "Monday"]\nno_session = "-"\ncodes = { "@" = "L" }\n')
    positions = read_positions(home.mappings)
    assert positions == Positions(weekdays=(0, 6), no_session=frozenset("-"), codes={"@": "L"})
    marks = spell_out("2025-03-02", "@-/\\", positions)
    assert list(zip(marks.dates, marks.sessions, marks.codes, strict=True)) == [
        ("2025-03-02", "AM", "L"),
        ("2025-03-03", "AM", "/"),
        ("2025-03-03", "PM", "\\"),
    ]
    for said in ('weekdays = ["Someday"]', "sessions = 3", "weekdays = []", "codes = ["):
        own.write_text(said)
        with pytest.raises(KeysRefused, match=r"mappings/keys/ctf.toml cannot be used; it may say weekdays"):
            ctf.reader(home)


@pytest.mark.parametrize("start", ["", "03/03/2025", "20250303", "2025-W10-1", "2025-02-30", "2025-03-01"])
def test_a_string_that_starts_on_no_school_day_has_no_marks_that_can_be_placed(start):
    marks = spell_out(start, "/\\", Positions())
    assert list(marks.dates) == [start, start]
    assert len(marks.wrong) == 1


def test_a_string_that_runs_past_the_end_of_time_ends_with_it():
    assert spell_out("9998-12-31", "/\\", Positions()).wrong == ()


def test_the_schools_own_word_stands_before_what_the_file_repeats(tmp_path):
    """The register said C2 that morning; one character can only say C. Of the afternoon nothing else is known."""
    home = files.make_home(tmp_path / "home", shards=1)
    source = write(tmp_path / "in", "<AttendanceMarks>/", "<AttendanceMarks>C")
    files.write(source, "marks_900001_20250213.csv", f"{ANN},900001,2025-02-13,AM,C2,2025-02-13")
    ingest(home, source, clock=files.CLOCK, save_identities=None)
    marks = known(Store(home).history(0), date(2025, 4, 1))["marks"]
    that_day = marks[marks["date"] == "2025-02-13"].set_index("session")["code"]
    assert that_day.to_dict() == {"AM": "C2", "PM": "\\"}


def test_a_blank_is_a_position_even_at_the_start(tmp_path):
    met, _ = judged(ctf.reader(), write(tmp_path / "in", "<AttendanceMarks>/", "<AttendanceMarks> "))
    assert rows(met, "marks")[0][2:5] == (date(2025, 2, 13), "PM", "\\")


def write(folder: Path, old: str, new: str) -> Path:
    folder.mkdir(exist_ok=True)
    text = (GOLDEN / NAME).read_text(encoding="utf-8")
    assert old in text
    (folder / "a.xml").write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2025-03-14T16:20:00", "14/03/2025", "element Header/DateTime: it is not a date and time"),
        ("<Estab>9999</Estab>\n      <URN>", "<URN>", "element Header/SourceSchool: it has no LEA of three digits"),
        ("CTfile", "SchoolCensus", "the first element: it is not CTfile; only the Common Transfer File is read as XML"),
        ("Header>", "Heading>", "element Pupil: a pupil stands before the header"),
        ("CTFpupilData>", "CTFpupilData", "it is not well-formed"),
    ],
)
def test_a_file_that_does_not_say_when_and_where_is_refused(tmp_path, old, new, message):
    with pytest.raises(FileRefused, match=message):
        judged(ctf.reader(), write(tmp_path / "in", old, new))


def test_a_header_of_two_schools_is_refused(tmp_path):
    source = write(tmp_path / "in", "<URN>900001</URN>", "<URN>900002</URN>")
    loads, _ = ctf.loads([source / "a.xml"], date.max, schools=lambda: {"2019999": "900001"}, positions=Positions())
    with pytest.raises(FileRefused, match="its URN is not that of the network's school with this LEA and Estab"):
        loads[0].read(loads[0].files)


def test_without_its_urn_a_sender_that_is_not_known_is_held(tmp_path):
    met, _ = judged(ctf.reader(), write(tmp_path / "in", "<URN>900001</URN>", ""))
    assert rows(met, "enrolments") == []
    assert held(met)["enrolments", UNKNOWN_SCHOOL] == 1


def test_no_xml_is_left_out_in_silence(tmp_path):
    home: Home = files.make_home(tmp_path / "home")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "census.XML").write_text("<Message/>")
    summary = ingest(home, tmp_path / "in", clock=files.CLOCK, save_identities=None)
    assert [refusal.file for refusal in summary.refused] == ["census.XML"]
    assert summary.exit_code == 2
