"""Checks: each rule bites on the row that breaks it, and a fault never repeats the value."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from records.arrow import from_arrow
from records.check import Checked, check, value_class
from records.history import empty_frame
from records.readers import network_csv
from records.tables import BEHAVIOUR
from tests import export_files as files
from tests.export_files import ANN, CLOCK


def checked(folder: Path, name: str, *rows: str, table: int = 0) -> Checked:
    """Check rows of one file of the network's format."""
    content = network_csv.read([files.write(folder, name, *rows)])
    return check(content.batches[table], CLOCK.today())


def mark(**changes: str) -> str:
    row = {"upn": ANN, "urn": "900001", "date": "2025-03-03", "session": "AM", "code": "/", "updated_on": "2025-03-03"}
    return ",".join((row | changes).values())


@pytest.mark.parametrize("code", ["/", "\\", "N", "#", "C2", "Y5", "H", "J", "Y"])
def test_codes_of_today_and_withdrawn_codes_are_kept(tmp_path, code):
    found = checked(tmp_path, "marks_900001_20250701.csv", mark(code=code))
    assert not found.bad.any()
    assert found.rows["code"].to_pylist() == [code]


@pytest.mark.parametrize(
    ("changes", "column", "kind", "rule"),
    [
        ({"code": "9"}, "code", "number", "attendance code is not in the list"),
        ({"code": ""}, "code", "empty", "code is required"),
        ({"code": "absent"}, "code", "text of 6 letters", "attendance code is not in the list"),
        ({"session": "am"}, "session", "text of 2 letters", "session is not in the list"),
        ({"date": "03/03/2025"}, "date", "text of 10 characters", "date must be a date of this format"),
        ({"date": "2025-3-3"}, "date", "text of 8 characters", "date must be a date of this format"),
        ({"date": "2025-02-30"}, "date", "text of 10 characters", "date must be a date of this format"),
        ({"date": "1900-01-01"}, "date", "date", "date must be from 1990 to 2099"),
        ({"date": "2025-03-01"}, "date", "date at a weekend", "date must be a Monday to Friday"),
        ({"date": "2025-03-02"}, "date", "date at a weekend", "date must be a Monday to Friday"),
        (
            {"date": "2025-03-04"},
            "date",
            "date after the row was recorded",
            "date must not be after the day the row was recorded",
        ),
        (
            {"updated_on": "2025-07-02"},
            "updated_on",
            "date after today",
            "the row must not be recorded after the day of ingest",
        ),
        ({"urn": "99999"}, "urn", "number", "school must be 100000 to 999999"),
        ({"urn": "9e5"}, "urn", "text of 3 characters", "school must be a whole number"),
        ({"urn": "٩٠٠٠٠١"}, "urn", "text of 6 characters", "school must be a whole number"),
    ],
)
def test_a_row_that_breaks_a_rule(tmp_path, changes, column, kind, rule):
    found = checked(tmp_path, "marks_900001_20250701.csv", mark(), mark(**changes))
    assert found.bad.tolist() == [False, True]
    fault = found.faults.to_dict("records")
    assert [(one["line"], one["column"], one["value_class"], one["rule"]) for one in fault] == [(3, column, kind, rule)]
    assert all(one["remedy"] for one in fault)


def test_the_weekdays_around_a_weekend_are_kept(tmp_path):
    days = ("2025-02-28", "2025-03-03")
    found = checked(tmp_path, "marks_900001_20250701.csv", *(mark(date=day) for day in days))
    assert not found.bad.any()


def test_a_row_that_breaks_two_rules_has_two_faults(tmp_path):
    found = checked(tmp_path, "marks_900001_20250701.csv", mark(code="", session="noon"))
    assert found.faults["rule"].tolist() == ["code is required", "session is not in the list"]


def suspension(start: str, known: str, category: str = "SUSP", reason: str = "DB", sessions: str = "4") -> str:
    return f"{ANN},900001,{start},{sessions},{category},{reason},,,{known},false"


def test_a_suspension_may_start_after_it_was_recorded_and_old_words_are_mapped(tmp_path):
    found = checked(tmp_path, "suspensions_900001_20250701.csv", suspension("2025-03-10", "2025-03-07", "FIXD"))
    assert not found.bad.any()
    assert found.rows["category"].to_pylist() == ["SUSP"]


@pytest.mark.parametrize(("start", "bad"), [("2025-06-16", False), ("2025-06-17", True), ("2052-03-11", True)])
def test_a_suspension_of_a_mistyped_year_is_not_believed(tmp_path, start, bad):
    """Recorded on 8 March 2025, a hundred days before 16 June: 'coming' until 2052, it would end all scoring."""
    found = checked(tmp_path, "suspensions_900001_20250701.csv", suspension(start, "2025-03-08"))
    assert found.bad.tolist() == [bad]
    assert found.faults["value_class"].tolist() == ["date far ahead of the day it was recorded"] * bad


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("behaviour", files.INCIDENT.replace("2025-03-03", "{day}").replace("2025-03-04", "2025-03-04")),
        ("positives", files.POSITIVE.replace("2025-03-03,Ex", "{day},Ex")),
    ],
)
@pytest.mark.parametrize("day", ["1900-01-01", "2025-03-05", "2125-03-03"])
def test_an_event_of_another_century_or_of_tomorrow_is_quarantined(tmp_path, name, row, day):
    found = checked(tmp_path, f"{name}_900001_20250701.csv", row.format(day=day))
    assert found.bad.tolist() == [True]
    assert set(found.faults["column"]) == {"date"}


@pytest.mark.parametrize(("start", "bad"), [("2020-08-31", False), ("2020-09-01", True)])
def test_reason_other_ended_with_2019_20(tmp_path, start, bad):
    found = checked(tmp_path, "suspensions_900001_20250701.csv", suspension(start, "2020-09-10", reason="OT"))
    assert found.bad.tolist() == [bad]
    assert found.faults["column"].tolist() == ["reason1"] * bad


def test_every_rule_that_a_row_breaks_is_told_at_once(tmp_path):
    """A Saturday and a withdrawn reason. Of a row with a date that cannot be read only that is told."""
    two = suspension("2025-03-08", "2025-03-07", reason="OT")
    unread = suspension("8 March", "2025-03-07", reason="OT")
    found = checked(tmp_path, "suspensions_900001_20250701.csv", two, unread)
    assert found.bad.tolist() == [True, True]
    told = found.faults[["line", "value_class"]].to_numpy().tolist()
    assert told == [[2, "withdrawn code"], [2, "date at a weekend"], [3, "text of 7 characters"]]


@pytest.mark.parametrize(
    ("sessions", "bad"), [("1", False), ("90", False), ("0", True), ("91", True), ("4.0", True), ("-1", True)]
)
def test_a_suspension_lasts_1_to_90_sessions(tmp_path, sessions, bad):
    row = suspension("2025-03-10", "2025-03-07", sessions=sessions)
    assert checked(tmp_path, "suspensions_900001_20250701.csv", row).bad.tolist() == [bad]


@pytest.mark.parametrize(("text", "deleted"), [("", False), ("false", False), ("True", True), ("1", True)])
def test_deletion_is_a_version(tmp_path, text, deleted):
    row = files.POSITIVE.removesuffix("false") + text
    found = checked(tmp_path, "positives_900001_20250701.csv", row)
    assert not found.bad.any()
    assert found.rows["deleted"].to_pylist() == [deleted]


@pytest.mark.parametrize(
    ("changed", "table", "column"),
    [
        (("2022-09-05,,", "2022-09-05,2022-09-04,"), 0, "leaving_date"),
        (("2011-03-04", "1991-03-04"), 1, "date_of_birth"),
        (("2011-03-04", "2022-03-04"), 1, "date_of_birth"),
        (("Testann", ""), 1, "forename"),
        (("Testann", "x" * 201), 1, "forename"),
        ((",9,", ",15,"), 0, "year_group"),
    ],
)
def test_enrolments_are_checked(tmp_path, changed, table, column):
    row = files.ENROLMENT.replace(*changed)
    assert row != files.ENROLMENT
    found = checked(tmp_path, "enrolments_900001_20250701.csv", row, table=table)
    assert found.faults["column"].tolist() == [column]


def test_the_frame_has_the_tables_own_types(tmp_path):
    found = checked(tmp_path, "behaviour_900001_20250701.csv", files.INCIDENT, files.INCIDENT.replace(",1,", ",,"))
    frame = from_arrow(found.rows, BEHAVIOUR)
    assert frame.dtypes.astype(str).to_dict() == empty_frame(BEHAVIOUR).dtypes.astype(str).to_dict()
    first = frame.iloc[0]
    assert (first["date"], first["known_on"]) == (pd.Timestamp(2025, 3, 3), pd.Timestamp(2025, 3, 4))
    assert frame["points"].isna().tolist() == [False, True]
    assert frame["row"].tolist() == [2, 3]


def test_no_fault_repeats_a_value(tmp_path):
    found = checked(tmp_path, "marks_900001_20250701.csv", mark(code="Testann", session="Synthetic", date="Testbob"))
    said = found.faults.to_csv()
    assert len(found.faults) == 3
    assert not any(word in said for word in ("Testann", "Synthetic", "Testbob", ANN))


def test_value_classes():
    form = network_csv.FORM
    told = {text: value_class(text, form) for text in ("", " ", "7", "-1.5", "a", "2025-03-03", "a b")}
    assert told == {
        "": "empty",
        " ": "only spaces",
        "7": "number",
        "-1.5": "number",
        "a": "text of 1 letter",
        "2025-03-03": "date",
        "a b": "text of 3 characters",
    }


def test_dates_after_the_file_are_judged_by_the_clock_not_the_wall(tmp_path):
    content = network_csv.read([files.write(tmp_path, "marks_900001_20250701.csv", mark())])
    assert check(content.batches[0], date(2025, 3, 3)).bad.tolist() == [False]
    assert check(content.batches[0], date(2025, 3, 2)).bad.tolist() == [True]
