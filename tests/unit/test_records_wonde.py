"""Wonde's pages: golden pulls worked by hand, versions, deletions, shapes that are not as declared."""

import json
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from records.history import known
from records.home import Home
from records.intake.fates import Judged
from records.intake.ingest import ingest
from records.readers import wonde
from records.readers.json_keys import KeysRefused, read_keys
from records.readers.pulled import NOT_HERE
from records.readers.reading import PassedOver
from records.rows.batch import UNLINKED
from records.store import Store
from records.text.sheet import FileRefused
from tests import export_files as files
from tests.export_files import ANN, BOB
from tests.interchange import PROVER, faults, held, judged, rows

GOLDEN = Path(__file__).parents[1] / "golden" / "wonde"
(PUPILS, _) = PROVER.prove([ANN, BOB])
ZOE, TESTBOB = PUPILS.tolist()
FIRST, SECOND = "2025-03-07", "2025-03-14"


@pytest.fixture(scope="module")
def golden() -> tuple[list[Judged], list[PassedOver]]:
    return judged(wonde.reader(), GOLDEN)


def march(day: int) -> date:
    return date(2025, 3, day)


def test_pupils_and_what_is_protected(golden):
    met, _ = golden
    joined = date(2022, 9, 5)
    assert rows(met, "enrolments") == [
        (ZOE, 900001, joined, None, "9", "C", march(3), False),
        (TESTBOB, 900001, joined, None, "9", "C", march(3), False),
    ]
    assert [row[2:6] for row in rows(met, "identities")] == [
        (ANN, "", "Zoë", "Synthetic"),
        (BOB, "", "Testbob", "Synthetic"),
    ]
    # Bob's are null: the token has no permission for them, and nothing is made up.
    assert rows(met, "characteristics") == [(ZOE, march(3), "F", "WOTH", "ENG", "K", march(3), False)]


def test_a_mark_is_resolved_through_the_codes_and_corrected_by_the_next_pull(golden):
    met, _ = golden
    assert rows(met, "marks") == [
        (ZOE, 900001, march(3), "AM", "/", march(3), False),
        (ZOE, 900001, march(3), "PM", "I", march(10), False),
        (ZOE, 900001, march(3), "PM", "N", march(3), False),
    ]


def test_a_deletion_or_a_pupil_taken_out_of_an_event_is_a_new_version(golden):
    met, _ = golden
    behaviour = [(row[0], row[2], row[-2], row[-1]) for row in rows(met, "behaviour")]
    assert sorted(behaviour, key=lambda row: (row[1], row[2])) == [
        (ZOE, "B1/A1", march(4), False),
        (ZOE, "B1/A1", march(11), False),
        (TESTBOB, "B1/A2", march(4), False),
        (TESTBOB, "B1/A2", march(11), True),
        (ZOE, "B3/A1", march(6), False),
        (ZOE, "B3/A1", march(12), True),
    ]


def test_the_words_of_an_event_are_ours(golden):
    met, _ = golden
    roles = {(row[2], row[5], row[8], row[9], row[10]) for row in rows(met, "behaviour") if row[2] != "B3/A1"}
    assert roles == {
        ("B1/A1", "Bullying", "Corridor", "Aggressor", "Cooling off Period"),
        ("B1/A2", "Bullying", "Corridor", "Target", None),
    }
    assert rows(met, "positives") == [(TESTBOB, 900001, "P1/A2", march(5), "Excellent Effort", 1, march(5), False)]


def test_a_suspension_moved_to_another_day_does_not_stand_twice(golden):
    """It was to start on the 10th; on that day it became the 11th."""
    met, _ = golden
    said = [(row[2], row[3], row[4], row[5:8], row[8], row[9]) for row in rows(met, "suspensions")]
    assert said == [
        (march(10), 4, "SUSP", ("DB", "VA", None), march(10), True),
        (march(10), 4, "SUSP", ("DB", "VA", None), march(7), False),
        (march(11), 4, "SUSP", ("DB", "VA", None), march(10), False),
    ]


def test_what_cannot_be_used_is_named_and_what_is_not_kept_is_said(golden):
    met, passed = golden
    assert faults(met) == [
        ("attendance_1.json", 3, "attendance_code_id", "number of no attendance code"),
        ("behaviours_1.json", 1, "points", "text"),  # "1", in quotes
    ]
    assert held(met) == {("marks", UNLINKED): 1}
    assert [one.file for one in passed] == ["contacts_1.json", f"100001/{SECOND}/deletions_1.json"]
    assert passed[1].why == NOT_HERE


def test_it_lands_whole_and_the_next_pull_alone(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    landing = tmp_path / "in"
    copytree(GOLDEN / "100001" / FIRST, landing / "school" / FIRST)
    (landing / "school" / "school.json").write_bytes((GOLDEN / "100001" / "school.json").read_bytes())
    first = ingest(home, landing, clock=files.CLOCK, save_identities=None)
    assert first.loaded == (f"school/{FIRST}",)
    assert first.exit_code == 0
    copytree(GOLDEN / "100001" / SECOND, landing / "school" / SECOND)
    second = ingest(home, landing, clock=files.CLOCK, save_identities=None)
    assert (second.loaded, second.already) == ((f"school/{SECOND}",), (f"school/{FIRST}",))
    at_the_end = known(Store(home).history(0), date(2025, 3, 20))
    assert at_the_end["suspensions"]["start_date"].dt.day.tolist() == [11]
    assert at_the_end["behaviour"]["event_id"].tolist() == ["B1/A1"]
    before = known(Store(home).history(0), date(2025, 3, 10))
    assert sorted(before["behaviour"]["event_id"]) == ["B1/A1", "B1/A2", "B3/A1"]


def edited(folder: Path, page: str, change: Any) -> Path:
    """Return a copy of the golden school with one page changed in place by a function of its data."""
    copytree(GOLDEN / "100001", folder / "100001")
    path = folder / "100001" / page
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
    return folder


def test_another_shape_is_refused_naming_the_keys_found(tmp_path):
    def other(page: Any) -> None:
        for record in page["data"]:
            record["starts"] = record.pop("start_date")
            record["not a plain key: Zoë"] = 1

    source = edited(tmp_path, f"{FIRST}/exclusions_1.json", other)
    with pytest.raises(FileRefused) as refused:
        judged(wonde.reader(), source)
    assert str(refused.value) == (
        "exclusions_1.json, data[0]: there is no start_date; it has the keys id, student, type, sessions, reason, "
        "reason_2, reason_3, updated_at, starts and 1 more; correct this endpoint's table of keys (mappings/keys)"
    )


def test_a_network_corrects_the_keys(tmp_path):
    def other(page: Any) -> None:
        for record in page["data"]:
            record["starts"] = record.pop("start_date")["date"][:10]
            record["student"] = {"data": {"id": record["student"]}}

    home: Home = files.make_home(tmp_path / "home")
    (home.mappings / "keys").mkdir(parents=True)
    own = home.mappings / "keys" / "wonde.toml"
    own.write_text(
        '[exclusions]\nid = "id"\nfixed = { category = "SUSP" }\n[exclusions.columns]\n'
        'student = "student.data.id"\nstart_date = "starts"\nsessions = "sessions"\nreason1 = "reason"\n'
        'known_on = "updated_at"\n[exclusions.words.reason1]\nDB = "PP"\n'
    )
    source = edited(tmp_path / "in", f"{FIRST}/exclusions_1.json", other)
    (source / "100001" / SECOND / "exclusions_1.json").unlink()
    met, _ = judged(wonde.reader(home.mappings), source)
    assert [row[2:8] for row in rows(met, "suspensions")] == [(march(10), 4, "SUSP", "PP", None, None)]
    for said, message in (
        ("[exclusions", "it is not TOML"),
        ("[classes]\nid = 'id'\ncolumns = {}", "Belong reads no endpoint classes; write any of school, students"),
        ("[exclusions]\nid = 'id'\ncolumns = { student = 'a b' }", "exclusions.columns.student: String should match"),
    ):
        own.write_text(said)
        with pytest.raises(KeysRefused, match=message):
            read_keys("wonde", home.mappings)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("7", "text"), (True, "true or false"), ([7], "list"), ({"n": 7}, "object")],
)
def test_a_number_that_is_no_number_quarantines_its_row(tmp_path, value, kind):
    def other(page: Any) -> None:
        page["data"][0]["sessions"] = value

    met, _ = judged(wonde.reader(), edited(tmp_path, f"{FIRST}/exclusions_1.json", other))
    assert ("exclusions_1.json", 0, "sessions", kind) in faults(met)


def test_a_number_as_large_as_a_json_number_can_be_is_a_fault_and_not_a_crash(tmp_path):
    source = edited(tmp_path, f"{FIRST}/exclusions_1.json", lambda page: None)
    path = source / "100001" / FIRST / "exclusions_1.json"
    for number in ("1e999", "9" * 5_000, "4.5"):
        path.write_text(path.read_text().replace('"sessions": 4', f'"sessions": {number}'))
        met, _ = judged(wonde.reader(), source)
        assert [fault[2] for fault in faults(met) if fault[0] == path.name] == ["sessions"]
        path.write_text(path.read_text().replace(f'"sessions": {number}', '"sessions": 4'))


def test_a_nul_in_a_name_quarantines_the_name(tmp_path):
    def other(page: Any) -> None:
        page["data"][0]["forename"] = "Zo\x00"

    met, _ = judged(wonde.reader(), edited(tmp_path, f"{FIRST}/students_1.json", other))
    assert ("students_1.json", 0, "forename", "text with a control character") in faults(met)
    assert len(rows(met, "enrolments")) == 2


@pytest.mark.parametrize(
    ("page", "change", "message"),
    [
        ("students_1.json", lambda page: page.pop("data"), "there is no list of records under data"),
        ("students_1.json", lambda page: page.update(data=[3]), r"data\[0\]: there is no id; it has no keys: it is no"),
        ("students_1.json", lambda page: page["data"][0].update(id=None), r"data\[0\]: its id is no number or text"),
        ("students_1.json", lambda page: page["data"][0].update(id=1.5), r"data\[0\]: its id is no number or text"),
        ("behaviours_1.json", lambda page: page["data"][0].update(students={}), r"data\[0\]: its students is no list"),
        (
            "behaviours_1.json",
            lambda page: page["data"][0].update(type="x" * 200_000),
            r"data\[0\]: its type is longer than 10000 characters",
        ),
        (
            "students_1.json",
            lambda page: page["meta"]["pagination"].update(more=True),
            "more pages follow, and none is",
        ),
    ],
)
def test_a_page_of_another_shape_lets_nothing_of_its_pull_land(tmp_path, page, change, message):
    home = files.make_home(tmp_path / "home")
    source = edited(tmp_path / "in", f"{FIRST}/{page}", change)
    with pytest.raises(FileRefused, match=message):
        judged(wonde.reader(), source)
    summary = ingest(home, source, clock=files.CLOCK, save_identities=None)
    assert f"100001/{FIRST}" not in summary.loaded
    assert summary.exit_code == 2


def test_a_missing_page_is_a_pull_that_is_not_whole(tmp_path):
    copytree(GOLDEN / "100001", tmp_path / "100001")
    (tmp_path / "100001" / FIRST / "attendance_1.json").rename(tmp_path / "100001" / FIRST / "attendance_2.json")
    with pytest.raises(FileRefused, match="100001/2025-03-07/attendance, its pages: the pages are not 1 to 1"):
        judged(wonde.reader(), tmp_path)


def test_a_page_by_itself_is_refused_because_nothing_says_whose_it_is(tmp_path):
    home = files.make_home(tmp_path / "home")
    summary = ingest(home, GOLDEN / "100001" / FIRST / "students_1.json", clock=files.CLOCK, save_identities=None)
    (refusal,) = summary.refused
    assert "nothing beside it says which school it is about" in str(refusal)


@pytest.mark.parametrize("urn", [None, "", "nine", {"urn": 900001}])
def test_a_school_without_its_number_is_refused(tmp_path, urn):
    source = edited(tmp_path, "school.json", lambda found: found["data"].update(urn=urn))
    with pytest.raises(FileRefused, match=r"school.json, data.urn: the school's unique reference number is not"):
        judged(wonde.reader(), source)
