"""What may be posted: strict types, closed lists, faults that name a field and repeat nothing."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from serving.api.checks import faults
from serving.api.examples import REQUEST
from serving.api.problems import faults_of, place
from serving.api.schemas import MarksString, ScoresRequest

TODAY = date(2026, 6, 22)
SECRET = "Q882100000001"


def request(**pupil: Any) -> str:
    mine = {"id": "a", "school": 990001, "year_group": "9", "entry_date": "2025-09-01", **pupil}
    return json.dumps({"as_of": "2026-06-22", "pupils": [mine]})


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        ScoresRequest.model_validate_json(text)
    return [(fault.field, fault.fault) for fault in faults_of(caught.value.errors())]


def checked(text: str, *, today: date = TODAY, phases: dict[int, str] | None = None) -> list[tuple[str, str]]:
    parsed = ScoresRequest.model_validate_json(text)
    known = {990001: "SS"} if phases is None else phases
    return [(fault.field, fault.fault) for fault in faults(parsed, today=today, phases=known)]


def test_the_published_example_is_a_request_without_a_fault():
    assert checked(json.dumps(REQUEST)) == []


EVENT = {"date": "2026-06-01", "type": "Defiance", "severity": 2}


@pytest.mark.parametrize("severity", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"2"', "2.5", "null", "0", "6"])
def test_a_number_is_a_whole_number_in_its_range(severity):
    text = request(behaviour=[EVENT]).replace('"severity": 2', f'"severity": {severity}')
    [(field, fault)] = refused(text)
    assert field == "pupils[0].behaviour[0].severity"
    assert "must be" in fault


@pytest.mark.parametrize(
    "day", ["2026-02-30", "30/06/2026", "1900-01-01", "2026-06-01T09:00:00", "20260601", "", 1717200000, None, True]
)
def test_a_date_is_a_real_day_written_one_way(day):
    [(field, fault)] = refused(request(behaviour=[{**EVENT, "date": day}]))
    assert field == "pupils[0].behaviour[0].date"
    assert str(day) not in fault or day in ("", None, True)


@pytest.mark.parametrize(
    ("pupil", "field"),
    [
        ({"marks": [{"date": "2026-06-01", "session": "AM", "code": SECRET}]}, "pupils[0].marks[0].code"),
        ({"marks": [{"date": "2026-06-01", "session": SECRET, "code": "/"}]}, "pupils[0].marks[0].session"),
        ({"behaviour": [{**EVENT, "type": SECRET}]}, "pupils[0].behaviour[0].type"),
        ({"behaviour": [{**EVENT, "role": SECRET}]}, "pupils[0].behaviour[0].role"),
        ({"behaviour": [{**EVENT, "outcome": SECRET}]}, "pupils[0].behaviour[0].outcome"),
        ({"suspensions": [{"start_date": "2026-06-01", "category": SECRET}]}, "pupils[0].suspensions[0].category"),
        ({"year_group": SECRET}, "pupils[0].year_group"),
        ({"school": SECRET}, "pupils[0].school"),
        ({"id": SECRET * 6}, "pupils[0].id"),
        ({"entry_date": SECRET}, "pupils[0].entry_date"),
        ({"marks_string": {"start_date": "2026-06-01", "marks": SECRET + "!"}}, "pupils[0].marks_string"),
    ],
)
def test_a_fault_names_the_field_and_never_repeats_the_value(pupil, field):
    [(found, fault)] = refused(request(**pupil))
    assert found == field
    assert SECRET not in fault


def test_an_unknown_field_is_refused_and_named_only_when_it_looks_like_a_field():
    assert refused(request(ethnicity="WBRI")) == [("pupils[0].ethnicity", "is not a field of this request")]
    [(field, _)] = refused(request(**{"Ann Example 2011": 1}))
    assert field == "pupils[0].(a field that Belong does not know)"
    assert place(()) == "(the whole request)"


def test_a_thousand_pupils_and_not_one_more():
    one = {"school": 990001, "year_group": "9", "entry_date": "2025-09-01"}
    many = [{"id": str(at), **one} for at in range(1001)]
    assert refused(json.dumps({"as_of": "2026-06-22", "pupils": many})) == [("pupils", "holds more than 1000 entries")]
    assert (
        len(ScoresRequest.model_validate_json(json.dumps({"as_of": "2026-06-22", "pupils": many[1:]})).pupils) == 1000
    )


def test_a_string_of_marks_is_two_characters_a_day_monday_to_friday():
    marks = MarksString(start_date=date(2026, 6, 18), marks="/\\L-O /U")  # Thursday, Friday, Monday, Tuesday
    assert marks.sessions() == [
        (date(2026, 6, 18), "AM", "/"),
        (date(2026, 6, 18), "PM", "\\"),
        (date(2026, 6, 19), "AM", "L"),
        (date(2026, 6, 22), "AM", "O"),
        (date(2026, 6, 23), "AM", "/"),
        (date(2026, 6, 23), "PM", "U"),
    ]
    assert marks.last_day() == date(2026, 6, 23)


def test_a_string_may_count_every_day_of_the_week():
    marks = MarksString(start_date=date(2026, 6, 19), marks="/\\----/\\", days="every_day")
    assert [day for day, _, _ in marks.sessions()] == [date(2026, 6, 19)] * 2 + [date(2026, 6, 22)] * 2


@pytest.mark.parametrize(
    ("string", "says"),
    [
        ({"start_date": "2026-06-01", "marks": "/\\/"}, "two characters a day"),
        ({"start_date": "2026-06-01", "marks": "/\\/x"}, "character 4"),
        ({"start_date": "2026-06-06", "marks": "/\\"}, "weekend"),
    ],
)
def test_a_string_that_cannot_be_laid_on_days_is_refused(string, says):
    [(field, fault)] = refused(request(marks_string=string))
    assert field == "pupils[0].marks_string"
    assert says in fault


def mark(day: str, session: str = "AM") -> dict[str, str]:
    return {"date": day, "session": session, "code": "/"}


@pytest.mark.parametrize(
    ("pupil", "field", "says"),
    [
        ({"marks": [mark("2026-06-22")]}, "pupils[0].marks[0].date", "on or after as_of"),
        ({"behaviour": [{**EVENT, "date": "2026-06-22"}]}, "pupils[0].behaviour[0].date", "on or after as_of"),
        ({"positives": [{"date": "2026-07-01", "type": "Club"}]}, "pupils[0].positives[0].date", "on or after as_of"),
        ({"suspensions": [{"start_date": "2026-06-22"}]}, "pupils[0].suspensions[0].start_date", "on or after as_of"),
        (
            {"suspensions": [{"start_date": "2026-06-25", "recorded_on": "2026-06-22"}]},
            "pupils[0].suspensions[0].recorded_on",
            "on or after as_of",
        ),
        (
            {"marks_string": {"start_date": "2026-06-19", "marks": "/\\--"}},
            "pupils[0].marks_string.marks",
            "reaches as_of",
        ),
        ({"entry_date": "2026-06-22"}, "pupils[0].entry_date", "not on roll"),
        ({"leaving_date": "2026-06-21"}, "pupils[0].leaving_date", "not on roll"),
        ({"leaving_date": "2025-08-01"}, "pupils[0].leaving_date", "before entry_date"),
        ({"marks": [mark("2025-08-29")]}, "pupils[0].marks[0].date", "before entry_date"),
        ({"marks": [mark("2026-06-01"), mark("2026-06-01")]}, "pupils[0].marks[1]", "already has a mark"),
        ({"suspensions": [{"start_date": "2026-05-01"}] * 2}, "pupils[0].suspensions[1].start_date", "earlier in"),
    ],
)
def test_what_could_not_have_been_known_or_cannot_be_so_is_refused(pupil, field, says):
    [(found, fault)] = checked(request(**pupil))
    assert found == field
    assert says in fault


def test_the_last_day_before_as_of_and_a_suspension_already_decided_are_taken():
    assert checked(request(marks=[mark("2026-06-21")], leaving_date="2026-06-22")) == []
    assert checked(request(suspensions=[{"start_date": "2026-06-25", "recorded_on": "2026-06-19"}])) == []
    # At an earlier school, before this roll.
    assert checked(request(suspensions=[{"start_date": "2025-03-03"}])) == []


def test_as_of_may_be_today_and_not_tomorrow():
    assert checked(request(), today=TODAY) == []
    assert checked(request(), today=date(2026, 6, 21))[0][0] == "as_of"


def test_a_school_that_the_network_does_not_hold_needs_a_calendar_and_a_phase():
    assert [field for field, _ in checked(request(), phases={})] == ["pupils[0].school", "pupils[0].phase"]
    said = json.loads(request(phase="SS"))
    said["calendars"] = [
        {"school": 990001, "half_terms": [{"start_date": "2026-06-01", "end_date": "2026-07-21"}]},
    ]
    assert checked(json.dumps(said), phases={}) == []
    said["calendars"][0]["half_terms"][0]["end_date"] = "2026-05-01"
    assert [field for field, _ in checked(json.dumps(said), phases={})] == ["calendars[0].half_terms[0].end_date"]


def test_one_id_twice_is_refused():
    said = json.loads(request())
    said["pupils"] *= 2
    assert checked(json.dumps(said)) == [("pupils[1].id", "stands twice in this request")]
