"""What pages show of a pupil's records: counts by week and events in words, worked by hand."""

import json
from datetime import date, timedelta

import pandas as pd

from records.history import known
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


def test_what_another_school_recorded_is_not_shown_here():
    records = history(
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
    found = recorded(known(records, TODAY))
    assert found.roll["school"].tolist() == [900002]
    assert found.weekly_facts["week_start"].tolist() == [pd.Timestamp(2026, 6, 8)]
    assert found.incidents.empty
