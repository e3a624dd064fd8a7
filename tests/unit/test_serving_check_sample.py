"""Who is drawn for the check sample: scored, not flagged, not flagged lately; the same on the same night."""

from datetime import date
from types import SimpleNamespace

import pandas as pd

from fairness.policy import CheckSample, read_policy
from serving.capacity import sample_words
from serving.jobs.check_sample import drawn
from serving.scoring import Refused
from tests.database import NORTH, SOUTH

DIGEST = "ab" * 32


def allowing(size):
    sample = CheckSample(pupils_a_school_a_week=size, impact_assessment="DPIA 9", reason="To see what is missed.")
    return read_policy().model_copy(update={"check_sample": sample})


def week(day=date(2026, 6, 22)):
    """Twenty pupils of the north, of whom 1 is flagged and 2 was lately; two of the south, of whom 21 is flagged."""
    pupils = [*range(1, 21), 21, 22]
    allocation = pd.DataFrame({"pupil": pupils, "school": [NORTH] * 20 + [SOUTH] * 2})
    allocation["flagged"] = allocation["pupil"].isin([1, 21])
    allocation["snoozed"] = allocation["pupil"].eq(2)
    return SimpleNamespace(as_of=day, allocation=allocation)


def test_nobody_is_drawn_unless_the_policy_allows_it():
    found = drawn(week(), read_policy(), DIGEST)
    assert (list(found.columns), len(found)) == (["pupil", "school"], 0)


def test_each_schools_draw_is_of_those_at_hand_and_the_same_again():
    found = drawn(week(), allowing(2), DIGEST)
    assert found.groupby("school").size().to_dict() == {NORTH: 2, SOUTH: 1}
    assert not set(found["pupil"]) & {1, 2, 21}
    assert found.equals(drawn(week(), allowing(2), DIGEST))


def test_over_many_weeks_everyone_at_hand_is_drawn():
    weeks = [week(day.date()) for day in pd.date_range("2020-01-06", periods=120, freq="7D")]
    assert {pupil for one in weeks for pupil in drawn(one, allowing(1), DIGEST)["pupil"]} == {*range(3, 21), 22}


def test_the_list_says_nothing_of_a_draw_where_nothing_is_scored_or_none_is_allowed(tmp_path):
    home = SimpleNamespace(path=tmp_path)
    assert sample_words(home, Refused(code="expired", sentence="It ended.")) == ""
