"""Laws of what was known: rows recorded on a day or later change nothing of what was known on it."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.history import History, known
from tests.factories import history

AS_OF = date(2025, 3, 3)
# Around the edge: an off-by-one hides from days drawn far away.
NEAR = st.integers(-3, 3).map(lambda days: AS_OF + timedelta(days=days))
BEFORE = st.integers(-3, -1).map(lambda days: AS_OF + timedelta(days=days))
LATER = st.integers(0, 3).map(lambda days: AS_OF + timedelta(days=days))
PUPIL = st.integers(1, 2)


def incidents(known_on: st.SearchStrategy[date]) -> st.SearchStrategy[list[dict[str, object]]]:
    row = st.fixed_dictionaries(
        {
            "pupil": PUPIL,
            "event_id": st.sampled_from(["a", "b", "c"]),
            "date": NEAR,
            "known_on": known_on,
            "deleted": st.booleans(),
            "severity": st.integers(1, 5),
            "source": st.sampled_from(["f1", "f2"]),
        }
    )
    return st.lists(row, max_size=6)


def sanctions(known_on: st.SearchStrategy[date]) -> st.SearchStrategy[list[dict[str, object]]]:
    row = {
        "pupil": PUPIL,
        "start_date": NEAR,
        "known_on": known_on,
        "deleted": st.booleans(),
        "sessions": st.integers(1, 9),
    }
    return st.lists(st.fixed_dictionaries(row), max_size=6)


def seen(given_history: History) -> dict[str, pd.DataFrame]:
    now = known(given_history, AS_OF)
    frames = {**now.tables, "coming": now.coming, "schools": now.schools}
    return {
        name: rows.drop(columns="row").sort_values(["source", *rows.columns[:3]], ignore_index=True)
        for name, rows in frames.items()
    }


@settings(max_examples=40, deadline=None)
@given(incidents(BEFORE), sanctions(BEFORE), incidents(LATER), sanctions(LATER))
def test_rows_recorded_on_the_day_or_after_it_change_nothing(
    behaviour, suspensions, later_behaviour, later_suspensions
):
    before = seen(history(behaviour=behaviour, suspensions=suspensions))
    after = seen(history(behaviour=behaviour + later_behaviour, suspensions=suspensions + later_suspensions))
    for name, rows in before.items():
        pd.testing.assert_frame_equal(rows, after[name])


@settings(max_examples=40, deadline=None)
@given(incidents(NEAR))
def test_known_is_what_a_clerk_reading_the_rows_one_by_one_would_say(behaviour):
    newest: dict[str, tuple[date, str, int]] = {}
    for line, row in enumerate(behaviour, start=2):
        told = (row["known_on"], row["source"], line)
        if row["known_on"] < AS_OF and told > newest.get(row["event_id"], (date.min, "", 0)):
            newest[row["event_id"]] = told
    lines = {line for _, _, line in newest.values()}
    expected = {
        line
        for line, row in enumerate(behaviour, start=2)
        if line in lines and not row["deleted"] and row["date"] < AS_OF
    }
    assert set(known(history(behaviour=behaviour), AS_OF)["behaviour"]["row"]) == expected


def test_the_day_itself_is_not_known():
    """A guard of the guards: the edge is where the laws above can fail."""
    on_the_day = {"pupil": 1, "date": AS_OF, "known_on": AS_OF}
    day_before = {"pupil": 1, "date": AS_OF - timedelta(days=1), "known_on": AS_OF - timedelta(days=1)}
    assert len(known(history(marks=[on_the_day]), AS_OF)["marks"]) == 0
    assert len(known(history(marks=[day_before]), AS_OF)["marks"]) == 1


@pytest.mark.parametrize(("start", "coming"), [(AS_OF - timedelta(days=1), 0), (AS_OF, 1)])
def test_a_recorded_suspension_that_starts_on_the_day_is_coming(start, coming):
    rows = [{"pupil": 1, "start_date": start, "known_on": AS_OF - timedelta(days=3)}]
    now = known(history(suspensions=rows), AS_OF)
    assert (len(now.coming), len(now["suspensions"])) == (coming, 1 - coming)
