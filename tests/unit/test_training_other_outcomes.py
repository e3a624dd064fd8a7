"""Other outcomes that an audit looks at, by hand, from short records (the calendar of test_training_outcomes)."""

from datetime import date, timedelta

import pandas as pd
import pytest

from tests.factories import history, term_calendar
from training.outcomes import OTHERS, mature_others
from training.settings import Settings

AS_OF = date(2025, 3, 10)
LAST = date(2025, 5, 2)


def came(name, *, enrolments=None, **tables):
    """Return (outcome, first start) of the one pupil, [] when not observed."""
    rolls = [{"pupil": 1}] if enrolments is None else enrolments
    past = history(calendars=term_calendar(), enrolments=rolls, **tables)
    keys = pd.DataFrame({"pupil": [1], "as_of": pd.Series([AS_OF]).astype("datetime64[s]"), "school": [900001]})
    found = mature_others(past, keys, settings=Settings(), observed_until=date(2025, 7, 1), names=[name])[name].frame
    return [(int(row.outcome), None if pd.isna(row.starts_on) else row.starts_on.date()) for row in found.itertuples()]


def marks(absent, present, code="O"):
    """So many sessions absent, then so many present, two a day from the as-of date on."""
    days = [day for day in (AS_OF + timedelta(days=n) for n in range(60)) if day.weekday() < 5]
    slots = [(day, session) for day in days for session in ("AM", "PM")][: absent + present]
    return [
        {"pupil": 1, "date": day, "session": session, "code": code if at < absent else "/"}
        for at, (day, session) in enumerate(slots)
    ]


@pytest.mark.parametrize(
    ("absent", "present", "code", "expected"),
    [
        (20, 20, "O", [(1, LAST)]),  # a half is severe
        (19, 21, "O", [(0, None)]),
        (20, 20, "I", [(1, LAST)]),  # whatever the reason
        (20, 20, "D", [(0, None)]),  # due elsewhere: no possible session here
        (10, 9, "O", []),  # under two weeks' sessions: not seen for long enough
    ],
)
def test_severe_absence_is_half_of_all_possible_sessions_ahead(absent, present, code, expected):
    assert came("severe_absence", marks=marks(absent, present, code)) == expected


def test_a_suspension_and_a_permanent_exclusion_each_alone():
    rows = [
        {"pupil": 1, "start_date": date(2025, 3, 12)},
        {"pupil": 1, "start_date": date(2025, 4, 2), "category": "PERM"},
    ]
    assert came("suspended", suspensions=rows) == [(1, date(2025, 3, 12))]
    assert came("permanent", suspensions=rows) == [(1, date(2025, 4, 2))]
    assert came("permanent", suspensions=rows[:1]) == [(0, None)]


def test_a_placement_elsewhere_counts_from_its_first_day():
    placed = {"pupil": 1, "entry_date": date(2025, 4, 1), "setting": "OTH", "sessions_a_week": 10}
    assert came("alternative_provision", alternative_provision=[placed]) == [(1, date(2025, 4, 1))]
    earlier = {**placed, "entry_date": date(2025, 3, 3)}
    assert came("alternative_provision", alternative_provision=[earlier]) == [(0, None)]


@pytest.mark.parametrize(
    ("rolls", "expected"),
    [
        # leaves in the middle of March, and is not on any roll again
        ([{"leaving_date": date(2025, 3, 20)}], [(1, date(2025, 3, 20))]),
        # a managed move to another school of the network
        (
            [{"leaving_date": date(2025, 3, 20)}, {"school": 900002, "entry_date": date(2025, 3, 21)}],
            [(1, date(2025, 3, 20))],
        ),
        # a gap of a week on the same roll is a correction, not a leaving
        ([{"leaving_date": date(2025, 3, 20)}, {"entry_date": date(2025, 3, 27)}], [(0, None)]),
        # a second registration that ends
        ([{}, {"school": 900002, "leaving_date": date(2025, 3, 20), "status": "S"}], [(0, None)]),
    ],
)
def test_leaving_a_roll(rolls, expected):
    assert came("left_roll", enrolments=[{"pupil": 1, **roll} for roll in rolls]) == expected


def test_the_end_of_the_school_s_calendar_is_no_leaving():
    """Whoever leaves on the last day, after which the school is not open for weeks, leaves as everybody does."""
    past = history(calendars=term_calendar(), enrolments=[{"pupil": 1, "leaving_date": date(2025, 7, 22)}])
    keys = pd.DataFrame({"pupil": [1], "as_of": pd.Series([AS_OF]).astype("datetime64[s]"), "school": [900001]})
    found = mature_others(past, keys, settings=Settings(), observed_until=date(2025, 9, 1), names=["left_roll"])
    assert found["left_roll"].frame["outcome"].tolist() == [0]


def test_every_outcome_says_what_it_is():
    assert all(words for words in OTHERS.values())
