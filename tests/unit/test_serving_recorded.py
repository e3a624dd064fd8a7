"""What pages show of a pupil's records: counts by week and events in words, worked by hand."""

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from pydantic import ValidationError

from records.agreements import Register
from records.history import known
from records.rights.processing_record import as_markdown
from serving.jobs.recorded import recorded
from tests.factories import history, term_calendar

TODAY = date(2026, 6, 22)


def test_counts_by_week_are_the_features_own_and_worked_by_hand():
    """Two weeks: ten sessions with one late, one unauthorised and one ill; then a removal and a suspension."""
    first, second = date(2026, 6, 8), date(2026, 6, 15)
    codes = {(0, "AM"): "L", (1, "AM"): "O", (2, "AM"): "I"}
    marks = [
        {
            "pupil": 1,
            "date": monday + timedelta(days=at),
            "session": s,
            "code": codes.get((at, s), "/") if monday == first else "/",
        }
        for monday in (first, second)
        for at in range(5)
        for s in ("AM", "PM")
    ]
    records = history(
        enrolments=[{"pupil": 1}],
        calendars=term_calendar(),
        schools=[{}],
        marks=marks,
        behaviour=[
            {"pupil": 1, "date": date(2026, 6, 16), "type": "Defiance", "outcome": "Internal Exclusion"},
            {"pupil": 1, "date": date(2026, 6, 17), "type": "Fighting", "role": "Witness", "outcome": None},
            {
                "pupil": 1,
                "date": date(2026, 6, 17),
                "type": "Bullying",
                "role": "Target",
                "outcome": None,
                "location": None,
            },
        ],
        suspensions=[{"pupil": 1, "start_date": date(2026, 6, 18), "sessions": 3}],
        positives=[{"pupil": 1, "date": date(2026, 6, 9), "type": "Club"}],
    )
    found = recorded(known(records, TODAY))
    columns = ["sessions_possible", "sessions_missed", "late_marks", "incidents", "removals", "positives", "suspended"]
    weeks = found.weekly_facts.set_index("week_start")[columns]
    # Illness is neutral: nine possible sessions, not ten.
    assert weeks.loc[pd.Timestamp(first)].tolist() == [9, 1, 1, 0, 0, 1, False]
    assert weeks.loc[pd.Timestamp(second)].tolist() == [10, 0, 0, 1, 1, 0, True]
    events = found.incidents.sort_values(["happened_on", "what"])
    assert events[["kind", "what"]].to_numpy().tolist() == [
        ["positive", "Club"],
        ["incident", "Defiance: Internal Exclusion"],
        ["incident", "Bullying (was the one harmed)"],
        ["suspension", "Suspension"],
    ]
    assert events["sessions"].tolist()[-1] == 3
    assert json.dumps(found.roll.to_dict("records")) == '[{"pupil": 1, "school": 900001, "year_group": "9"}]'


def test_an_absence_made_attendance_later_is_attendance_on_the_page_from_the_day_it_is_known():
    """N on 8 June, found to be present and recorded so on the 15th: the page of the 15th still says missed."""
    monday = date(2026, 6, 8)
    mark = {"pupil": 1, "date": monday, "session": "AM"}
    records = history(
        enrolments=[{"pupil": 1}],
        calendars=term_calendar(),
        schools=[{}],
        marks=[{**mark, "code": "N"}, {**mark, "code": "/", "known_on": date(2026, 6, 15)}],
    )
    missed = {
        day: recorded(known(records, date(2026, 6, day))).weekly_facts["sessions_missed"].tolist() for day in (15, 16)
    }
    assert missed == {15: [1], 16: [0]}


def moved():
    """Left one school on 5 June and joined another on the 8th; both recorded marks, the first an incident as well."""
    return history(
        enrolments=[
            {"pupil": 1, "entry_date": date(2024, 9, 2), "leaving_date": date(2026, 6, 5)},
            {"pupil": 1, "school": 900002, "entry_date": date(2026, 6, 8)},
        ],
        calendars=[*term_calendar(), *term_calendar(900002)],
        schools=[{}, {"school": 900002}],
        marks=[
            {"pupil": 1, "date": date(2026, 6, 3)},
            {"pupil": 1, "school": 900002, "date": date(2026, 6, 9)},
        ],
        behaviour=[{"pupil": 1, "date": date(2026, 6, 3)}],
    )


def transfers(**changes):
    """Return what a register with one transfer agreement from the first school to the second shares today."""
    said = {
        "id": "moving",
        "title": "Pupils who move",
        "leaving": [900001],
        "joining": [900002],
        "purpose": "go on with support",
        "lawful_basis": "public task",
        "starts": date(2026, 1, 1),
        "ends": TODAY,
        "impact_assessment": "DPIA 7",
        "assessed_on": date(2026, 1, 1),
        "tables": ["marks"],
    }
    network = {"name": "A network", "contact": "the office", "data_protection_officer": "the officer"}
    return Register.model_validate({"network": network, "agreement": [], "transfer": [said | changes]})


def test_what_another_school_recorded_is_not_shown_here():
    found = recorded(known(moved(), TODAY))
    assert found.roll["school"].tolist() == [900002]
    assert found.weekly_facts["week_start"].tolist() == [pd.Timestamp(2026, 6, 8)]
    assert found.incidents.empty


def test_an_earlier_schools_records_are_shown_as_far_as_the_transfer_agreement_covers():
    """Marks are covered and behaviour is not: the week of 1 June has its one mark, and no incident is told."""
    found = recorded(known(moved(), TODAY), transfers().shares(TODAY))
    assert found.weekly_facts["week_start"].tolist() == [pd.Timestamp(2026, 6, 1), pd.Timestamp(2026, 6, 8)]
    assert found.weekly_facts["incidents"].tolist() == [0, 0]
    assert found.incidents.empty
    both = recorded(known(moved(), TODAY), transfers(tables=["marks", "behaviour"]).shares(TODAY))
    assert both.weekly_facts["incidents"].tolist() == [1, 0]
    assert both.incidents["happened_on"].tolist() == [pd.Timestamp(2026, 6, 3)]


@pytest.mark.parametrize(
    "changes",
    [
        {"ends": date(2026, 6, 21)},
        {"starts": date(2026, 6, 23), "ends": date(2026, 7, 31)},
        {"impact_assessment": "", "assessed_on": None},
        {"leaving": [900002], "joining": [900001]},
        {"joining": [900003]},
        {"tables": ["suspensions"]},
    ],
)
def test_an_agreement_that_does_not_stand_or_is_about_others_shares_nothing(changes):
    found = recorded(known(moved(), TODAY), transfers(**changes).shares(TODAY))
    assert found.weekly_facts["week_start"].tolist() == [pd.Timestamp(2026, 6, 8)]


def test_a_school_where_a_pupil_is_registered_as_well_is_no_earlier_school():
    """On both rolls since 2024, the second the newer: what the first records meanwhile is no record of the past."""
    records = history(
        enrolments=[
            {"pupil": 1, "entry_date": date(2024, 9, 2)},
            {"pupil": 1, "school": 900002, "entry_date": date(2024, 9, 9)},
        ],
        calendars=[*term_calendar(), *term_calendar(900002)],
        schools=[{}, {"school": 900002}],
        marks=[{"pupil": 1, "date": date(2026, 6, 9)}, {"pupil": 1, "school": 900002, "date": date(2026, 6, 16)}],
    )
    found = recorded(known(records, TODAY), transfers().shares(TODAY))
    assert found.weekly_facts["week_start"].tolist() == [pd.Timestamp(2026, 6, 15)]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tables": []}, "it shares nothing"),
        ({"tables": ["characteristics"]}, "tables"),
        ({"ends": date(2025, 1, 1)}, "is before starts"),
        ({"assessed_on": None}, "go together"),
    ],
)
def test_a_transfer_agreement_that_cannot_be_is_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        transfers(**changes)


def test_the_record_of_processing_says_what_is_shared_when_a_pupil_moves():
    page = as_markdown(transfers(cases=True), TODAY)
    for said in (
        "Pupils who move",
        "| Of pupils who leave | URN 900001 |",
        "| Records shown | marks |",
        "goes on, with its reviews",
    ):
        assert said in page
    assert "'moving' ends on 2026-06-22, in 0 days." in page
