"""Mapped exports: golden files of three systems, read to rows worked by hand, and what a mapping must not let pass."""

from datetime import date
from pathlib import Path

import pytest

from records.clock import Clock
from records.home import Home
from records.intake.ingest import ingest
from records.intake.summary import IngestSummary
from records.readers import mapped
from records.readers.mapping import MappingRefused
from records.readers.reading import Load
from records.store import Store
from records.text.sheet import FileRefused
from tests import export_files as files
from tests.export_files import ANN, BOB
from tests.judged import TODAY, Fates, home_at, pseudonym_of, read_folder

GOLDEN = Path(__file__).parents[1] / "golden"

SESSIONS = """
system = "Own"
encoding = "utf-8"
dates = "%d.%m.%Y"
delimiter = ";"
[[export]]
name = "register"
files = "own_*.csv"
table = "marks"
known_on = "file"
passed_over = ["Name"]
[export.columns]
school = { constant = "900001" }
upn = "Number"
date = "Day"
session = { heading = "Half", words = { "1" = "AM", "2" = "PM" } }
code = "Mark"
"""
HEADING = "Number;Name;Day;Half;Mark"


def golden(system: str, tmp_path: Path) -> dict[str, Fates]:
    return read_folder(mapped.reader(home_at(tmp_path)), GOLDEN / system)


def own(tmp_path: Path, *lines: str, mapping: str = SESSIONS, encoding: str = "utf-8") -> Path:
    """Put a mapping in the home and a file beside it; return the file's folder."""
    home = home_at(tmp_path)
    home.mappings.mkdir(parents=True, exist_ok=True)
    (home.mappings / "own.toml").write_text(mapping, encoding="utf-8")
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    (folder / "own_1.csv").write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return folder


def only_load(tmp_path: Path, folder: Path) -> Load:
    ((load,), left) = mapped.reader(home_at(tmp_path)).loads(sorted(folder.iterdir()), TODAY)
    assert left == []
    return load


def test_sims(tmp_path):
    found = golden("sims", tmp_path)
    assert found["identities"].told("pupil", "forename", "surname", "date_of_birth", "year_group") == [
        (pseudonym_of(ANN), "Zoë", "Synthetic", "2011-03-04", "9"),
        (pseudonym_of(BOB), "Testbob", "Synthetic, Jr", "2010-10-04", "9"),
    ]
    assert found["enrolments"].told("school", "status", "entry_date", "leaving_date", "known_on") == [
        ("900001", "C", "2022-09-05", "", "2022-09-05"),
        ("900001", "C", "2022-09-05", "2025-02-14", "2025-02-17"),
    ]
    assert found["marks"].told("date", "session", "code", "known_on") == [
        ("2025-03-03", "AM", "/", "2025-03-03"),
        ("2025-03-03", "PM", "N", "2025-03-03"),
        ("2025-03-03", "PM", "I", "2025-03-06"),
    ]
    # 3/3/2025 is not written as the mapping says; a month-first guess would often be wrong without a word.
    assert found["marks"].faults == [(5, "Date", "date must be a date of this format")]
    assert found["behaviour"].told("event_id", "type", "severity", "known_on", "deleted") == [
        ("101", "Disruption", "2", "2025-03-04", "false"),
        ("101", "Disruption", "2", "2025-03-10", "true"),
    ]
    assert found["behaviour"].faults == [(4, "Status", "deleted must be a word of the mapping")]
    assert found["suspensions"].told("start_date", "sessions", "category", "reason1", "reason2", "known_on") == [
        ("2025-03-10", "5", "SUSP", "DB", "VA", "2025-03-07"),  # two and a half days
        ("2025-03-12", "1", "LNCH", "PP", "", "2025-03-12"),
    ]
    assert found["suspensions"].faults == [
        (4, "Days", "sessions must come to a whole number when multiplied by 2"),
    ]


def test_arbor(tmp_path):
    found = golden("arbor", tmp_path)
    assert found["marks"].told("date", "session", "code", "known_on") == [
        ("2025-03-03", "AM", "L", "2025-03-03"),
        ("2025-03-03", "PM", "\\", "2025-03-03"),
    ]
    assert found["marks"].faults == [(4, "Last edited", "known_on must be a date of this format")]
    assert found["behaviour"].told("event_id", "date", "period", "type", "severity", "points", "role", "known_on") == [
        ("a1", "2025-03-03", "2", "Disruption", "2", "1", "Participant", "2025-03-04"),
        ("a2", "2025-03-05", "0", "Theft", "5", "20", "Aggressor", "2025-03-05"),
    ]
    assert found["behaviour"].faults == [
        (4, "Severity", "severity must be a word of the mapping"),  # +3 is praise
        (5, "Behaviour type", "type must be a word of the mapping"),
    ]


def test_bromcom(tmp_path):
    found = golden("bromcom", tmp_path)
    assert found["marks"].told("school", "date", "session", "code") == [("900001", "2025-03-03", "AM", "C2")]
    assert found["positives"].told("event_id", "date", "type", "points", "known_on", "deleted") == [
        ("7", "2025-03-03", "Excellent Effort", "2", "2025-03-03", "false"),
        ("8", "2025-03-04", "Club", "", "2025-03-05", "true"),
    ]


def test_a_home_s_own_mapping_reads_its_own_words_and_delimiter(tmp_path):
    folder = own(tmp_path, HEADING, f"{ANN};Ann;03.03.2025;1;/", f"{ANN};Ann;03.03.2025;3;/", f"{ANN};Ann;3.3.25;2;?")
    found = read_folder(mapped.reader(home_at(tmp_path)), folder)["marks"]
    # Nothing says when a row was recorded: it is known from the day of ingest.
    assert found.told("school", "date", "session", "code", "known_on") == [
        ("900001", "2025-03-03", "AM", "/", "2025-07-01")
    ]
    assert found.faults == [
        (3, "Half", "session must be a word of the mapping"),
        (4, "Day", "date must be a date of this format"),
        (4, "Mark", "attendance code is not in the list"),
    ]


def test_the_remedy_for_an_unknown_word_is_to_add_it_and_the_word_is_not_told(tmp_path):
    folder = own(tmp_path, HEADING, f"{ANN};Ann;03.03.2025;secret;/")
    ((load,), _) = mapped.reader(home_at(tmp_path)).loads(sorted(folder.iterdir()), TODAY)
    (batch,) = load.read(load.files).batches
    (broken,) = batch.broken
    assert broken.remedy == "add it to words of the column session in the mapping"
    assert "secret" not in broken.value_class + broken.rule


def test_what_is_passed_over_is_kept_nowhere(tmp_path):
    load = only_load(tmp_path, own(tmp_path, HEADING, f"{ANN};Ann;03.03.2025;1;/"))
    (batch,) = load.read(load.files).batches
    assert list(batch.sheet.columns) == ["Number", "Day", "Half", "Mark"]
    assert batch.sheet.source == load.digest()[:16]
    assert load.source == "Own"


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        (f"{HEADING};Comment", "unexpected: Comment"),
        (f"{HEADING};", "unexpected: a heading without a name"),
        ("Number;Name;Day;Half", "missing: Mark"),
        (f"{HEADING};Day", "twice: Day"),
        (HEADING.replace(";", ","), "missing: Day, Half, Mark, Number"),
    ],
)
def test_a_heading_that_the_mapping_does_not_name_refuses_the_file(tmp_path, heading: str, told: str):
    load = only_load(tmp_path, own(tmp_path, heading, ";".join("x" * len(heading.split(";")))))
    with pytest.raises(FileRefused) as refusal:
        load.read(load.files)
    assert refusal.value.place == "line 1"
    assert told in refusal.value.what
    assert "register of own.toml" in refusal.value.what


def test_columns_may_come_in_any_order(tmp_path):
    folder = own(tmp_path, "Mark;Half;Day;Name;Number", f"/;2;03.03.2025;Ann;{ANN}")
    assert read_folder(mapped.reader(home_at(tmp_path)), folder)["marks"].told("session", "code") == [("PM", "/")]


@pytest.mark.parametrize(
    ("lines", "place", "what"),
    [
        ((HEADING, f"{ANN};Zoë;03.03.2025;1;/"), "byte 42", "not utf-8"),
        ((HEADING, f"{ANN};Ann;03.03.2025;1;/\0"), "byte 58", "NUL"),
        ((HEADING, f'{ANN};"Ann;03.03.2025;1;/'), "line 2", "quote"),
        ((HEADING, f"{ANN};Ann;03.03.2025;1;/;/"), "line 2", "6 values where the heading has 5"),
        ((HEADING, f"{ANN};{'x' * 200_000};03.03.2025;1;/"), "line 2", "longer than"),
    ],
)
def test_a_damaged_file_is_refused_whole_and_the_place_named(tmp_path, lines: tuple[str, ...], place: str, what: str):
    load = only_load(tmp_path, own(tmp_path, *lines, encoding="cp1252"))
    with pytest.raises(FileRefused) as refusal:
        load.read(load.files)
    assert refusal.value.place == place
    assert what in refusal.value.what


def test_a_quarrel_between_mappings_is_refused_naming_both(tmp_path):
    folder = own(tmp_path, HEADING)
    home = home_at(tmp_path)
    (home.mappings / "other.toml").write_text(SESSIONS.replace("own_*", "*_1"), encoding="utf-8")
    load = only_load(tmp_path, folder)
    with pytest.raises(FileRefused, match=r"register of other.toml .* and register of own.toml") as refusal:
        load.read(load.files)
    assert refusal.value.place == "name"


def test_a_quarrel_with_the_network_s_own_format_is_refused_too(tmp_path):
    folder = own(tmp_path, HEADING, mapping=SESSIONS.replace("own_*", "marks_*"))
    (folder / "own_1.csv").rename(folder / "marks_1.csv.gz")
    load = only_load(tmp_path, folder)
    with pytest.raises(FileRefused, match="the network's own CSV format"):
        load.read(load.files)


def test_a_file_whose_name_does_not_say_the_school_is_refused(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "sims_attendance_all.csv").write_bytes((GOLDEN / "sims/sims_attendance_900001_20250701.csv").read_bytes())
    load = only_load(tmp_path, folder)
    with pytest.raises(FileRefused, match="does not say school"):
        load.read(load.files)


def test_weeks_of_another_system_are_read_by_their_width(tmp_path):
    mapping = """
system = "Own"
encoding = "utf-8"
dates = "%d/%m/%Y"
[[export]]
name = "weeks"
files = "own_*.csv"
table = "marks"
form = "week"
width = 1
[export.columns]
school = { heading = "School", words = { "Hill" = "900001" } }
upn = "UPN"
week_start = "Week"
marks = "Marks"
known_on = "Printed"
"""
    folder = own(
        tmp_path,
        "UPN,School,Week,Marks,Printed",
        f"{ANN},Hill,03/03/2025,/\\/\\L\\  I ,07/03/2025",
        f"{ANN},Dale,10/03/2025,/\\/\\/\\/\\/\\,14/03/2025",
        mapping=mapping,
    )
    found = read_folder(mapped.reader(home_at(tmp_path)), folder)["marks"]
    assert sorted(found.told("date", "session", "code")) == [
        ("2025-03-03", "AM", "/"),
        ("2025-03-03", "PM", "\\"),
        ("2025-03-04", "AM", "/"),
        ("2025-03-04", "PM", "\\"),
        ("2025-03-05", "AM", "L"),
        ("2025-03-05", "PM", "\\"),
        ("2025-03-07", "AM", "I"),
    ]
    assert found.faults == [(3, "School", "school must be a word of the mapping")]


def test_ingest_reads_mapped_files_and_the_network_s_lists_together(tmp_path):
    home: Home = files.make_home(tmp_path / "home")
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (GOLDEN / "sims").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    files.write(folder, "schools.csv", "900001,2019999,Test School,SS,2020-09-01,2020-09-01")
    summary: IngestSummary = ingest(home, folder, clock=Clock(TODAY), save_identities=None)
    assert summary.refused == ()
    assert {name: count.accepted for name, count in summary.tables.items()} == {
        "enrolments": 2,
        "marks": 3,
        "behaviour": 2,
        "suspensions": 2,
        "schools": 1,
        "identities": 2,
    }
    assert Store(home).newest_marks() == {900001: date(2025, 3, 3)}


def test_a_mapping_that_cannot_be_used_stops_an_ingest(tmp_path):
    """Its files would otherwise be left out, which looks like a network where nothing happened."""
    home = files.make_home(tmp_path / "home")
    home.mappings.mkdir()
    (home.mappings / "own.toml").write_text("colour = 1", encoding="utf-8")
    with pytest.raises(MappingRefused, match=r"own.toml cannot be used"):
        ingest(home, tmp_path, clock=Clock(TODAY), save_identities=None)


def test_a_word_added_to_the_mapping_lets_its_rows_in_and_no_other_twice(tmp_path):
    """The remedy that a fault names works: the same file again, and only what was quarantined is new."""
    home = files.make_home(tmp_path / "home")
    home.mappings.mkdir()
    (home.mappings / "own.toml").write_text(SESSIONS, encoding="utf-8")
    folder = own(tmp_path / "elsewhere", HEADING, f"{ANN};Ann;03.03.2025;1;/", f"{ANN};Ann;03.03.2025;noon;/")
    first = ingest(home, folder, clock=Clock(TODAY), save_identities=None)
    assert (first.tables["marks"].landed, first.tables["marks"].quarantined) == (1, 1)
    (home.mappings / "own.toml").write_text(SESSIONS.replace('"2" = "PM"', '"noon" = "PM"'), encoding="utf-8")
    second = ingest(home, folder, clock=Clock(TODAY), save_identities=None)
    assert (second.tables["marks"].landed, second.tables["marks"].quarantined) == (1, 0)
    assert ingest(home, folder, clock=Clock(TODAY), save_identities=None).loaded == ()
