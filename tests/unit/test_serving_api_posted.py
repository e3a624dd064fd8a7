"""Posted rows become a History: every row on its day, known then, with the right calendar."""

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.compiled import MACHINE
from features.engine import work_out
from features.grid_cohort import REASONS
from features.machine import PLAIN
from features.matrix import concat
from features.reference import reference
from records.history import known
from records.home import Home
from records.tables import TABLES
from serving.api.answers import in_words
from serving.api.posted import posted
from serving.api.schemas import ScoresRequest
from serving.school_days import SchoolDays, read_school_days, save_school_days
from tests.factories import frame, term_calendar

SCHOOL = 990001


def network() -> SchoolDays:
    return SchoolDays(
        as_of=date(2026, 6, 22),
        schools=frame("schools", [{"school": SCHOOL, "phase": "SS"}]),
        calendars=frame("calendars", term_calendar(SCHOOL)),
    )


def request(*pupils: dict[str, Any], **more: Any) -> ScoresRequest:
    full = [
        {"id": str(at), "school": SCHOOL, "year_group": "9", "entry_date": "2025-09-01", **pupil}
        for at, pupil in enumerate(pupils)
    ]
    return ScoresRequest.model_validate_json(json.dumps({"as_of": "2026-06-22", "pupils": full, **more}))


def test_rows_and_a_string_of_marks_say_the_same():
    rows = [
        {"date": "2026-06-18", "session": "AM", "code": "/"},
        {"date": "2026-06-18", "session": "PM", "code": "\\"},
        {"date": "2026-06-19", "session": "AM", "code": "O"},
    ]
    found = posted(
        request({"marks": rows}, {"marks_string": {"start_date": "2026-06-18", "marks": "/\\O-"}}), network()
    )
    marks = found.history.tables["marks"].drop(columns="row")
    one, two = (marks[marks["pupil"] == number].drop(columns="pupil").reset_index(drop=True) for number in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert found.first_mark == (date(2026, 6, 18), date(2026, 6, 18))


def test_a_row_is_known_from_the_day_after_it_happened():
    sent = request(
        {
            "marks": [{"date": "2026-06-19", "session": "AM", "code": "/"}],
            "behaviour": [{"date": "2026-06-18", "type": "Defiance", "severity": 3, "outcome": "Detention"}],
            "positives": [{"date": "2026-06-17", "type": "Club"}],
        }
    )
    history = posted(sent, network()).history
    now = known(history, date(2026, 6, 22))
    assert {name: len(now[name]) for name in ("marks", "behaviour", "positives", "enrolments")} == {
        "marks": 1,
        "behaviour": 1,
        "positives": 1,
        "enrolments": 1,
    }
    then = known(history, date(2026, 6, 18))
    assert {name: len(then[name]) for name in ("marks", "behaviour", "positives")} == {
        "marks": 0,
        "behaviour": 0,
        "positives": 1,
    }
    event = now["behaviour"].iloc[0]
    assert (event["type"], event["severity"], event["outcome"], event["role"]) == (
        "Defiance",
        3,
        "Detention",
        "Participant",
    )


def test_a_suspension_already_decided_is_coming_and_not_past():
    coming = {"start_date": "2026-06-25", "recorded_on": "2026-06-19"}
    history = posted(request({"suspensions": [{"start_date": "2025-11-12", "sessions": 4}, coming]}), network()).history
    now = known(history, date(2026, 6, 22))
    assert now["suspensions"]["start_date"].tolist() == [pd.Timestamp(2025, 11, 12)]
    assert now.coming["start_date"].tolist() == [pd.Timestamp(2026, 6, 25)]
    # On the day it was recorded it was not yet known.
    assert known(history, date(2026, 6, 19)).coming.empty


def test_the_fast_engine_reads_of_posted_columns_what_the_plain_one_reads_of_their_frames():
    """Every kind of record, a school of the network and one of the request: equal in every feature at every week."""
    days = pd.bdate_range("2026-04-20", "2026-06-19")
    events = [
        {"date": str(day.date()), "type": "Disruption", "severity": 1 + at % 5} for at, day in enumerate(days[::4])
    ]
    events[1] |= {"outcome": "Detention", "location": "Classroom", "period": 3, "points": 2}
    mine = {"school": 990002, "half_terms": [{"start_date": "2026-04-13", "end_date": "2026-07-17"}]}
    sent = request(
        {
            "marks_string": {"start_date": "2026-04-20", "marks": "/\\U/-OL\\/\\/\\NC" * 6},
            "behaviour": events,
            "suspensions": [{"start_date": "2026-05-06", "sessions": 3}],
        },
        {
            "school": 990002,
            "phase": "SS",
            "marks": [{"date": str(day.date()), "session": "PM", "code": "U"} for day in days[::3]],
            "positives": [{"date": "2026-06-17", "type": "Club", "points": 4}, {"date": "2026-06-02", "type": "Club"}],
        },
        calendars=[mine],
    )
    found = posted(sent, network())
    weeks = found.standing.as_ofs(6)
    assert weeks[-1] == sent.as_of
    for machine in (PLAIN, MACHINE):
        worked = work_out(found.history, weeks, machine=machine, kept=found.standing.kept)
        plain = concat([reference(known(found.history, day)) for day in weeks])
        np.testing.assert_allclose(worked.values, plain.values, rtol=0, atol=1e-9)
        assert [REASONS[number] for number in worked.abstain] == plain.keys["abstain"].tolist()
        assert worked.rows.pupils[worked.rows.pupil].tolist() == plain.keys["pupil"].tolist()


def test_school_days_are_worked_out_once_for_a_day_until_their_file_changes(tmp_path):
    home = Home(path=tmp_path)
    saved = network()
    save_school_days(home, saved.schools, saved.calendars, saved.as_of)
    first = posted(request({}), read_school_days(home)).standing
    assert posted(request({}), read_school_days(home)).standing is first
    fewer = saved.calendars[saved.calendars["name"] != "2025/26 Summer 2"]
    save_school_days(home, saved.schools, fewer, saved.as_of)
    again = posted(request({}), read_school_days(home)).standing
    summer = (date(2026, 6, 1), date(2026, 7, 1))
    assert again.calendar.open_between(SCHOOL, *summer) == 0 < first.calendar.open_between(SCHOOL, *summer)


def test_every_unprotected_table_is_there_and_typed():
    tables = posted(request({}), network()).history.tables
    assert set(tables) == {name for name, table in TABLES.items() if not table.protected}
    for name, rows in tables.items():
        assert rows.dtypes.equals(frame(name).dtypes), name


def test_a_calendar_in_the_request_replaces_the_networks_for_that_school():
    mine = {
        "school": SCHOOL,
        "half_terms": [{"name": "Summer 2", "start_date": "2026-06-01", "end_date": "2026-06-19"}],
        "days_closed": ["2026-06-03"],
    }
    calendar = known(posted(request({}, calendars=[mine]), network()).history, date(2026, 6, 22)).calendar
    # Three weeks of five days, one of them closed.
    assert calendar.open_between(SCHOOL, date(2026, 1, 1), date(2027, 1, 1)) == 14


def test_a_school_that_the_network_does_not_hold_brings_phase_and_calendar():
    mine = {"school": 990002, "half_terms": [{"start_date": "2026-06-01", "end_date": "2026-06-19"}]}
    found = posted(request({"school": 990002, "phase": "PS"}, calendars=[mine]), None)
    assert found.phases == {990002: "PS"}
    assert (
        known(found.history, date(2026, 6, 22)).calendar.open_between(990002, date(2026, 6, 1), date(2026, 7, 1)) == 15
    )


def test_school_days_come_back_as_they_were_saved(tmp_path):
    home = Home(path=tmp_path)
    assert read_school_days(home) is None
    saved = network()
    save_school_days(home, saved.schools, saved.calendars, saved.as_of)
    read = read_school_days(home)
    assert read is not None
    assert read.phases == {SCHOOL: "SS"}
    days = (date(2024, 9, 1), date(2026, 8, 1))
    assert read.calendar().open_between(SCHOOL, *days) == saved.calendar().open_between(SCHOOL, *days) > 300


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0004, "fewer than 1 in 100"),
        (0.0099, "fewer than 1 in 100"),
        (0.01, "about 1 in 100"),
        (0.083, "about 8 in 100"),
        (0.296, "about 30 in 100"),
        (0.99, "about 99 in 100"),
        (0.995, "more than 99 in 100"),
    ],
)
def test_a_chance_is_said_as_people_out_of_a_hundred(probability, words):
    assert in_words(probability) == words
