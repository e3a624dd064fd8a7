"""Flags on small lists worked by hand: level, rise, capacity, ties, snooze, since when."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from training.flags import ALLOCATION, FlagRule, allocate, rule_from
from training.rise import FORMS, last_at_ease, rises, rising_since, usual_spread

FIRST = date(2025, 9, 1)
RULE = FlagRule(
    level_least=0.05,
    rise="quartile",
    rise_least=0.5,
    past_weeks=8,
    past_least=4,
    since_weeks=6,
    snooze_weeks=6,
    capacity_share=0.005,
    capacity_min=2,
    capacity_max=15,
)


def weeks(*chances: dict[int, float], school: int = 900001) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores, one dict of pupil → probability a week, and a roll of 100 in each."""
    rows = [
        {
            "pupil": pupil,
            "as_of": FIRST + timedelta(days=7 * week),
            "school": school,
            "year_group": "9",
            "abstain": "" if np.isfinite(chance) else "too_new",
            "probability": chance,
        }
        for week, list_ in enumerate(chances)
        for pupil, chance in list_.items()
    ]
    scores = pd.DataFrame(rows).astype({"as_of": "datetime64[s]", "school": "int32"})
    roll = scores[["school", "as_of"]].drop_duplicates().assign(roll=100)
    return scores, roll


STEADY = [{1: 0.02, 2: 0.02, 3: 0.02, 4: 0.02, 5: 0.2}] * 4


def last(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log's last week, by pupil."""
    return log[log["as_of"] == log["as_of"].max()].set_index("pupil")


def test_level_and_rise_must_both_hold_and_capacity_is_two() -> None:
    now = {1: 0.30, 2: 0.20, 3: 0.10, 4: 0.04, 5: 0.21}
    log = allocate(*weeks(*STEADY, now), RULE)
    assert tuple(log.columns) == ALLOCATION
    found = last(log)
    # 4 rises but stands under the level; 5 stands high, as ever.
    assert found["eligible"].to_dict() == {1: True, 2: True, 3: True, 4: False, 5: False}
    assert found["flagged"].to_dict() == {1: True, 2: True, 3: False, 4: False, 5: False}
    assert found["rank"].to_dict() == {1: 1, 2: 2, 3: 3, 4: 0, 5: 0}
    assert found["cut_off"].tolist() == pytest.approx([0.15] * 5), "between 0.20, last in, and 0.10, first out"
    assert found.loc[1, "rise"] == pytest.approx(np.log(0.30 / 0.70) - np.log(0.02 / 0.98))
    assert found.loc[1, "rise_margin"] == pytest.approx(found.loc[1, "rise"] - 0.5)


def test_fewer_flags_when_few_hold_and_no_cut_off_when_nobody_is_out() -> None:
    found = last(allocate(*weeks(*STEADY, {1: 0.3, 2: 0.02, 3: 0.02, 4: 0.02, 5: 0.2}), RULE))
    assert found["flagged"].sum() == 1
    assert found["cut_off"].isna().all()


def test_equal_pupils_share_the_worst_rank_and_none_goes_in_by_chance() -> None:
    found = last(allocate(*weeks(*STEADY, {1: 0.3, 2: 0.1, 3: 0.1, 4: 0.02, 5: 0.2}), RULE))
    assert found["rank"].to_dict() == {1: 1, 2: 3, 3: 3, 4: 0, 5: 0}
    assert found["flagged"].to_dict() == {1: True, 2: False, 3: False, 4: False, 5: False}


def test_three_earlier_weeks_are_too_few_for_a_rise_and_four_are_enough() -> None:
    now = {1: 0.3, 2: 0.02, 3: 0.02, 4: 0.02, 5: 0.2}
    assert not last(allocate(*weeks(*STEADY[:3], now), RULE))["flagged"].any()
    assert last(allocate(*weeks(*STEADY[:4], now), RULE))["flagged"].any()


def test_a_week_not_scored_is_not_a_week_of_past_and_is_not_in_the_log() -> None:
    unknown = {**STEADY[0], 1: float("nan")}
    log = allocate(*weeks(*STEADY[:3], unknown, {1: 0.3, 2: 0.3, 3: 0.02, 4: 0.02, 5: 0.2}), RULE)
    assert last(log)["flagged"].to_dict() == {1: False, 2: True, 3: False, 4: False, 5: False}
    assert ((log["pupil"] == 1) & (log["as_of"] == pd.Timestamp(2025, 9, 22))).sum() == 0


def test_a_flag_snoozes_for_six_school_weeks() -> None:
    high = [{1: 0.02 * (week + 4), 2: 0.02} for week in range(9)]
    log = allocate(*weeks(*[{1: 0.02, 2: 0.02}] * 4, *high), RULE)
    flagged = log.loc[log["flagged"], "as_of"].dt.date.tolist()
    assert flagged == [FIRST + timedelta(days=7 * 4), FIRST + timedelta(days=7 * 10)]
    between = log[(log["pupil"] == 1) & log["snoozed"]]
    assert len(between) == 5 + 2
    assert not between["eligible"].any()


def test_flags_given_before_snooze_too() -> None:
    now = {1: 0.3, 2: 0.02, 3: 0.02, 4: 0.02, 5: 0.2}
    scores, roll = weeks(*STEADY, now)
    earlier = pd.DataFrame({"pupil": [1, 77], "as_of": pd.Series([FIRST, FIRST]).astype("datetime64[s]")})
    start = FIRST + timedelta(days=28)
    found = allocate(scores, roll, RULE, start=start, earlier_flags=earlier).set_index("pupil")
    assert found.loc[1, "snoozed"]
    assert not found["flagged"].any()
    assert set(found["as_of"].dt.date) == {start}


def test_rising_since_is_the_first_week_of_the_unbroken_rise() -> None:
    climb = [{1: chance} for chance in (0.02, 0.02, 0.02, 0.02, 0.06, 0.02, 0.08, 0.09, 0.10)]
    found = last(allocate(*weeks(*climb), RULE))
    assert found.loc[1, "rising_since"].date() == FIRST + timedelta(days=7 * 6)


def rooms(rule: FlagRule, roll: int, *, school: int = 900001, weeks: int = 200) -> list[int]:
    """Return a school's capacity in each of so many weeks that follow each other."""
    days = np.datetime64(FIRST) + 7 * np.arange(weeks)
    return rule.capacity(np.full(weeks, roll), np.full(weeks, school), days).tolist()


@pytest.mark.parametrize(("roll", "capacity"), [(10, {2}), (400, {2}), (600, {3}), (2900, {14, 15}), (9000, {15})])
def test_capacity_is_half_a_per_cent_of_the_roll_at_least_two_at_most_fifteen(roll: int, capacity: set[int]) -> None:
    assert set(rooms(RULE, roll)) == capacity


@pytest.mark.parametrize("roll", [1, 60, 100, 199, 300, 861, 1234, 2900])
@pytest.mark.parametrize("school", [900001, 900002, 136000])
def test_what_is_less_than_a_pupil_is_carried_over_so_that_every_school_has_its_share(roll: int, school: int) -> None:
    found = rooms(replace(RULE, capacity_min=0), roll, school=school)
    assert max(found) - min(found) <= 1
    so_far = np.cumsum(found)
    assert np.abs(so_far - 0.005 * roll * np.arange(1, 201)).max() < 1 + 1e-6, "never a whole pupil before or behind"


def test_room_for_half_a_pupil_is_room_for_one_every_second_week_and_not_everywhere_in_the_same() -> None:
    rule = replace(RULE, capacity_min=0)
    found = [rooms(rule, 100, school=urn, weeks=6) for urn in range(900001, 900021)]
    assert {tuple(weeks) for weeks in found} == {(0, 1, 0, 1, 0, 1), (1, 0, 1, 0, 1, 0)}
    assert 5 <= sum(weeks[0] for weeks in found) <= 15


def test_every_day_of_a_week_has_the_week_s_capacity() -> None:
    rule, days = replace(RULE, capacity_min=0), np.datetime64("2025-09-01") + np.arange(14)
    assert days[0].astype(object).weekday() == 0
    found = rule.capacity(np.full(14, 100), np.full(14, 900001), days).tolist()
    assert found[:7] == found[:1] * 7
    assert found[7:] == [1 - found[0]] * 7


def test_each_school_has_its_own_list() -> None:
    now = {1: 0.3, 2: 0.25, 3: 0.2, 4: 0.02, 5: 0.2}
    here, roll_here = weeks(*STEADY, now)
    there, roll_there = weeks(*[{pupil + 10: 0.02 for pupil in now}] * 4, {11: 0.4, 12: 0.02}, school=900002)
    found = last(allocate(pd.concat([here, there]), pd.concat([roll_here, roll_there]), RULE))
    assert found.index[found["flagged"]].tolist() == [1, 2, 11]


def test_a_certain_probability_and_a_missing_roll_are_refused() -> None:
    scores, roll = weeks({1: 1.0})
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        allocate(scores, roll, RULE)
    scores, roll = weeks({1: 0.5})
    with pytest.raises(ValueError, match="has no roll"):
        allocate(scores, roll.iloc[:0], RULE)


def test_the_rule_is_plain_values_and_says_what_is_missing() -> None:
    assert rule_from(RULE.as_dict()) == RULE
    with pytest.raises(ValueError, match="snooze_weeks"):
        rule_from({key: value for key, value in RULE.as_dict().items() if key != "snooze_weeks"})


def test_the_level_at_ease_is_the_lower_quartile_of_the_weeks_within_reach() -> None:
    logits = np.array([9.0, 1.0, 2.0, 3.0, 10.0, 5.0])
    one, when = np.zeros(6, np.intp), np.arange(6)
    found = rises(logits, one, when, past_weeks=4, past_least=3)
    # Weeks 0 to 2: too little past. Week 3: a quarter of the way through 1, 2, 9. Week 4: through 1, 2, 3, 9.
    # Week 5: through 1, 2, 3, 10.
    assert np.isnan(found[:3]).all()
    assert found[3:].tolist() == [3 - 1.5, 10 - 1.75, 5 - 1.75]


def test_last_at_ease_is_the_latest_week_at_or_below_that_level() -> None:
    logits = np.array([9.0, 1.0, 2.0, 3.0, 10.0, 5.0, 4.0])
    found = last_at_ease(logits, np.zeros(7, np.intp), np.arange(7), past_weeks=4, past_least=3)
    # Week 3: of 9, 1, 2 at most 1.5 is week 1. Week 4: at most 1.75, week 1. Week 5: of 1, 2, 3, 10, week 1.
    # Week 6: of 2, 3, 10, 5 at most 2.75 is week 2.
    assert found.tolist() == [-1, -1, -1, 1, 1, 1, 2]
    # Weeks that are all alike: the latest.
    assert last_at_ease(np.ones(5), np.zeros(5, np.intp), np.arange(5), past_weeks=4, past_least=3).tolist()[3:] == [
        2,
        3,
    ]


def test_a_week_without_a_score_is_never_the_week_at_ease() -> None:
    found = last_at_ease(
        np.array([3.0, 1.0, 1.0, 5.0]), np.zeros(4, np.intp), np.array([0, 1, 4, 6]), past_weeks=6, past_least=3
    )
    assert found.tolist() == [-1, -1, -1, 4]


def test_a_rise_is_followed_back_no_further_than_agreed() -> None:
    holds = np.ones(10, bool)
    found = rising_since(holds, np.zeros(10, np.intp), np.arange(10), since_weeks=3)
    assert found.tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]


def test_a_median_is_another_measure_of_the_own_past() -> None:
    logits, one, when = np.array([9.0, 1.0, 2.0, 3.0]), np.zeros(4, np.intp), np.arange(4)
    assert rises(logits, one, when, past_weeks=3, past_least=3, form="median")[3] == 3.0 - 2.0


def test_momentum_is_a_fast_average_less_a_slow_one() -> None:
    fast, slow = FORMS["momentum"].half_lives or (0.0, 0.0)
    logits, one, when = np.array([-3.0, -2.0, 0.0]), np.zeros(3, np.intp), np.arange(3)
    [*_, found] = rises(logits, one, when, past_weeks=2, past_least=2, form="momentum")
    averages = []
    for half_life in (fast, slow):
        weights = [0.5 ** (2 / half_life), 0.5 ** (1 / half_life), 1.0]
        averages.append((weights[0] * -3.0 + weights[1] * -2.0) / sum(weights))
    assert found == pytest.approx(averages[0] - averages[1])
    assert found > 0
    # A week without a score has no weight; a level that never moves has no momentum.
    gap = rises(logits[[0, 2]], one[:2], when[[0, 2]], past_weeks=2, past_least=1, form="momentum")[1]
    assert gap == pytest.approx(-3.0 / (1 + 2 ** (2 / fast)) + 3.0 / (1 + 2 ** (2 / slow)))
    assert rises(np.full(5, -2.0), np.zeros(5, np.intp), np.arange(5), past_weeks=4, past_least=1, form="momentum")[
        4
    ] == pytest.approx(0.0)


def test_momentum_moves_by_noise_as_much_as_it_says() -> None:
    """White noise: what the form moves, for each unit of the change between two weeks."""
    logits = np.random.default_rng(3).normal(size=40_000)
    pupils, weeks = np.divmod(np.arange(40_000), 40)
    found = rises(logits, pupils, weeks, past_weeks=12, past_least=12, form="momentum")
    changes = np.diff(logits.reshape(-1, 40), axis=1)
    assert np.nanstd(found) / changes.std() == pytest.approx(FORMS["momentum"].noise, rel=0.03)


def test_a_form_that_is_not_one_and_a_rise_without_its_least_are_refused() -> None:
    for changes in ({"rise": "twice"}, {"rise": "none"}, {"rise_least": None}):
        with pytest.raises(ValueError, match="rise is one of quartile, median, momentum, none, and only 'none' goes"):
            rule_from({**RULE.as_dict(), **changes})


def test_the_usual_spread_does_not_heed_a_few_great_rises() -> None:
    # Distances from the median 0: 2, 1, 0, 1, 2 and 900: their median is 1.
    assert usual_spread(np.array([-2.0, -1.0, 0.0, 0.0, 1.0, 900.0, np.nan])) == pytest.approx(1.4826)
