"""Laws of the flag list, whatever the scores."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from training.flags import FlagRule, allocate

FIRST = date(2025, 9, 1)


@st.composite
def networks(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, FlagRule]:
    """Return scores of a few pupils over some weeks, with ties and gaps, rolls, and a rule."""
    pupils, weeks = draw(st.integers(1, 14)), draw(st.integers(1, 10))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    keys = pd.MultiIndex.from_product([range(pupils), range(weeks)], names=["pupil", "week"]).to_frame(index=False)
    keys["as_of"] = pd.Series([FIRST + timedelta(days=7 * int(week)) for week in keys["week"]]).astype("datetime64[s]")
    keys["school"] = (900001 + keys["pupil"] % 2).astype("int32")
    keys["year_group"] = "8"
    keys["abstain"] = np.where(rng.random(len(keys)) < 0.1, "too_new", "")
    # Few distinct values, so that ties are common.
    keys["probability"] = rng.choice([0.01, 0.05, 0.1, 0.2, 0.4, 0.8], len(keys))
    roll = keys[["school", "as_of"]].drop_duplicates().assign(roll=int(rng.integers(1, 900)))
    forms = [("none", None), *((form, least) for form in ("quartile", "median", "momentum") for least in (0.0, 0.7))]
    rise, rise_least = draw(st.sampled_from(forms))
    rule = FlagRule(
        level_least=draw(st.sampled_from([0.0, 0.05, 0.3])),
        rise=rise,
        rise_least=rise_least,
        past_weeks=draw(st.integers(1, 5)),
        past_least=1,
        since_weeks=draw(st.integers(1, 4)),
        snooze_weeks=draw(st.integers(0, 6)),
        capacity_share=0.005,
        capacity_min=draw(st.integers(0, 2)),
        capacity_max=draw(st.integers(2, 4)),
    )
    return keys.drop(columns="week"), roll, rule


@settings(max_examples=60, deadline=None)
@given(networks())
def test_never_more_flags_than_capacity_and_only_eligible_pupils(
    network: tuple[pd.DataFrame, pd.DataFrame, FlagRule],
) -> None:
    log = allocate(*network)
    rule = network[2]
    lists = log.groupby(["school", "as_of"]).agg(flags=("flagged", "sum"), capacity=("capacity", "first"))
    assert (lists["flags"] <= lists["capacity"]).all()
    assert not (log["flagged"] & ~log["eligible"]).any()
    assert not (log["eligible"] & log["snoozed"]).any()
    flagged = log[log["flagged"]]
    assert (flagged["probability"] >= rule.level_least).all()
    if rule.rise_least is not None:
        assert (flagged["rise"] >= rule.rise_least).all()


@settings(max_examples=40, deadline=None)
@given(networks())
def test_nobody_is_flagged_twice_within_the_snooze(network: tuple[pd.DataFrame, pd.DataFrame, FlagRule]) -> None:
    log = allocate(*network)
    for _, days in log[log["flagged"]].groupby("pupil")["as_of"]:
        weeks = days.sort_values().diff().dt.days.dropna() / 7
        assert (weeks >= max(1, network[2].snooze_weeks)).all()


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(network: tuple[pd.DataFrame, pd.DataFrame, FlagRule], seed: int) -> None:
    scores, roll, rule = network
    shuffled = scores.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(allocate(scores, roll, rule), allocate(shuffled, roll, rule))


@settings(max_examples=40, deadline=None)
@given(networks())
def test_a_week_alone_with_enough_past_says_what_the_long_run_said(
    network: tuple[pd.DataFrame, pd.DataFrame, FlagRule],
) -> None:
    scores, roll, rule = network
    log = allocate(scores, roll, rule)
    now = scores["as_of"].max()
    reach = now - pd.Timedelta(days=7 * (rule.past_weeks + rule.since_weeks))
    recent = scores[scores["as_of"] >= reach]
    earlier = log.loc[log["flagged"] & (log["as_of"] < now), ["pupil", "as_of"]]
    alone = allocate(recent, roll, rule, start=now.date(), earlier_flags=earlier)
    weeks_given = rule.past_weeks + rule.since_weeks
    if weeks_given >= rule.snooze_weeks - 1:
        pd.testing.assert_frame_equal(alone, log[log["as_of"] == now].reset_index(drop=True))
