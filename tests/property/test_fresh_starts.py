"""Laws of a fresh start: nothing that was left behind reaches a feature, and nothing else moves."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.engine import build
from features.reference import reference
from records.fresh_starts import LEFT_BEHIND
from records.history import History, known
from records.tables import TABLES
from tests.factories import frame
from tests.property.histories import PUPILS, cases
from tests.property.test_features_laws import assert_same, fewer, with_tables
from training.outcomes import mature
from training.settings import Settings

DAYS = st.sampled_from((0, 1, 2, 7, 30, 200))


def granted(*starts: tuple[int, date, date]) -> pd.DataFrame:
    return frame(
        "fresh_starts", [{"pupil": who, "from_on": day, "known_on": known_on} for who, day, known_on in starts]
    )


def with_grants(records: History, as_of: date, apart: int, again: int) -> History:
    """Return the history with a fresh start of two pupils, and a second one of the first."""
    one, two = as_of - timedelta(days=apart), as_of - timedelta(days=again)
    starts = [(PUPILS[0], one, one), (PUPILS[1], one, one)] + ([(PUPILS[0], two, two)] if two != one else [])
    return with_tables(records, fresh_starts=granted(*starts))


@fewer
@given(cases(), DAYS, DAYS)
def test_the_engines_agree_before_on_and_after_the_day_of_the_grant(case, apart, again):
    records, as_of = case
    records = with_grants(records, as_of, apart, again)
    days = sorted({as_of, as_of - timedelta(days=apart), as_of - timedelta(days=apart - 1)})
    fast = build(records, days)
    for day in days:
        mine = fast.where((fast.keys["as_of"] == pd.Timestamp(day)).to_numpy())
        assert_same(mine, reference(known(records, day)))


@fewer
@given(cases(), st.sampled_from((1, 7, 30)))
def test_nothing_from_before_a_fresh_start_reaches_a_feature(case, apart):
    """However the past is rewritten: taken away, or made ten times worse."""
    records, as_of = case
    start = as_of - timedelta(days=apart)
    records = with_tables(records, fresh_starts=granted(*((pupil, start, start) for pupil in PUPILS)))
    rng = random.Random(apart)
    gone, worse = {}, {}
    for name, day in LEFT_BEHIND.items():
        rows = records.tables[name]
        # A row corrected to a day of after the start is not of the past: only things all of whose versions are.
        table_key = [column for column in ("pupil", "school", "event_id", "start_date", "category") if column in rows]
        key = ["school", "event_id"] if "event_id" in rows else [c for c in table_key if c != "event_id"]
        past = rows.groupby(key, observed=True)[day].transform("max") < pd.Timestamp(start)
        gone[name] = rows[~past]
        more = rows[past].assign(deleted=False, known_on=pd.Timestamp(start - timedelta(days=rng.choice((0, 1)))))
        if "event_id" in more:
            more = more.assign(event_id=more["event_id"] + "x", severity=5)
        worse[name] = pd.concat([rows, more], ignore_index=True).astype(rows.dtypes)
    assert any(len(gone[name]) < len(records.tables[name]) for name in gone), "the past is empty: nothing is tested"
    expected = build(with_tables(records, **gone), [as_of])
    assert_same(build(records, [as_of]), expected)
    assert_same(build(with_tables(records, **worse), [as_of]), expected)


@fewer
@given(cases(), DAYS)
def test_no_outcome_moves_and_no_day_before_the_grant(case, apart):
    records, as_of = case
    fresh = with_grants(records, as_of, apart, apart)
    earlier = as_of - timedelta(days=apart)
    assert_same(build(fresh, [earlier]), build(records, [earlier]))
    keys = build(records, [earlier]).keys
    until = as_of + timedelta(days=60)
    one, other = (mature(made, keys, settings=Settings(), observed_until=until) for made in (fresh, records))
    pd.testing.assert_frame_equal(one.frame, other.frame)


@fewer
@given(cases(), DAYS, DAYS)
def test_what_is_known_since_a_day_is_what_is_known_without_the_days_before(case, apart, back):
    """However it is read: by the day alone, from a table worked out before, or from plain frames."""
    records, as_of = case
    records, first = with_grants(records, as_of, apart, 1), as_of - timedelta(days=back)
    whole = known(records, as_of)
    for table in whole.tables:
        expected = whole[table][whole[table][TABLES[table].happened_on] >= pd.Timestamp(first)]
        for there in (known(records, as_of), whole, replace(whole, tables=dict(whole.tables))):
            found = there.since(table, first)
            pd.testing.assert_frame_equal(
                *(rows.sort_values(["source", "row"], ignore_index=True) for rows in (found, expected))
            )
