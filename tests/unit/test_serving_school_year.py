"""The first weeks of a school year, said from the schools' own term dates."""

from datetime import date

import pytest

from records.home import create_home
from serving.school_days import save_school_days
from serving.school_year import early_words, recorded_dates, year_start
from tests.factories import SCHOOL, frame, term_calendar


@pytest.fixture
def home(tmp_path):
    """A school whose year began on Monday 1 September 2025, a training day, so pupils came on the 2nd."""
    made = create_home(tmp_path, demo=True)
    save_school_days(made, frame("schools", [{}]), frame("calendars", term_calendar()), date(2025, 9, 8))
    return made


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2025, 9, 1), "just beginning"),
        (date(2025, 9, 2), "just beginning"),
        (date(2025, 9, 3), "1 school week old"),
        (date(2025, 9, 8), "1 school week old"),
        (date(2025, 9, 9), "2 school weeks old"),
        # The week of 6 October is the sixth: from its Tuesday on the year is early no more.
        (date(2025, 10, 6), "5 school weeks old"),
        (date(2025, 10, 7), ""),
        (date(2026, 6, 22), ""),
        (date(2026, 8, 31), ""),
    ],
)
def test_a_thin_history_is_said_in_the_first_six_school_weeks(home, today, said):
    words = early_words(home, [SCHOOL], today)
    assert (f"The school year is {said}." in words) if said else words == ""


def test_without_term_dates_nothing_is_said(tmp_path, home):
    assert early_words(create_home(tmp_path / "bare", demo=True), [SCHOOL], date(2025, 9, 8)) == ""
    assert early_words(home, [1], date(2025, 9, 8)) == ""
    assert recorded_dates(home, 1) == ()


def test_a_schools_dates_are_those_the_nightly_job_wrote(home):
    found = recorded_dates(home, SCHOOL)
    assert len(found) == len(term_calendar())
    assert ("inset", date(2025, 9, 1), date(2025, 9, 1)) in [(one.kind, one.start, one.end) for one in found]
    newer = frame("calendars", [row for row in term_calendar() if row["kind"] != "inset"])
    save_school_days(home, frame("schools", [{}]), newer, date(2025, 9, 9))
    assert "inset" not in [one.kind for one in recorded_dates(home, SCHOOL)]


def test_a_school_year_begins_on_the_first_of_september():
    days = [date(2025, 8, 31), date(2025, 9, 1), date(2026, 8, 31)]
    assert [year_start(day) for day in days] == [date(2024, 9, 1), date(2025, 9, 1), date(2025, 9, 1)]
