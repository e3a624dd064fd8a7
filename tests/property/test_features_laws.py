"""Laws that hold for every feature, whatever the records."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings

from features.catalogue import CATALOGUE
from features.engine import build
from features.matrix import Matrix
from features.reference import reference
from records.codes import SUSPENSION_OUTCOMES
from records.history import History, known
from tests.property.histories import cases

# No shrinking: a history is one number, its seed, and a smaller number is no smaller history.
few = settings(max_examples=12, deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate))
fewer = settings(few, max_examples=6)
EXACT_KINDS = {
    "count", "weeks", "maximum", "days", "since", "distinct", "after", "spells", "brief", "longest", "run", "context",
}  # fmt: skip


def assert_same(one: Matrix, other: Matrix) -> None:
    pd.testing.assert_frame_equal(one.keys, other.keys)
    assert one.names == other.names
    assert one.fingerprint == other.fingerprint
    for column, feature in enumerate(CATALOGUE):
        tolerance = 0.0 if feature.kind in EXACT_KINDS else 1e-9
        np.testing.assert_allclose(
            one.values[:, column], other.values[:, column], rtol=0, atol=tolerance, err_msg=feature.name
        )


def with_tables(records: History, **tables: pd.DataFrame) -> History:
    return History(records.shard, {**records.tables, **tables}, records.versions)


def before(records: History, as_of: date) -> History:
    """Return the history without any row known on or after as_of: changes, additions and deletions alike."""
    kept = {name: rows[rows["known_on"] < pd.Timestamp(as_of)] for name, rows in records.tables.items()}
    return with_tables(records, **kept)


@few
@given(cases())
def test_the_engines_agree(case):
    records, as_of = case
    days = [as_of, as_of + timedelta(days=1)]
    fast = build(records, days)
    for day in days:
        mine = fast.where((fast.keys["as_of"] == pd.Timestamp(day)).to_numpy())
        assert_same(mine, reference(known(records, day)))


@few
@given(cases())
def test_what_is_known_on_or_after_as_of_changes_nothing_in_the_fast_engine(case):
    """The point-in-time law, for every feature, key and abstention at once."""
    records, as_of = case
    assert_same(build(records, [as_of]), build(before(records, as_of), [as_of]))


@fewer
@given(cases())
def test_what_is_known_on_or_after_as_of_changes_nothing_in_the_reference(case):
    records, as_of = case
    assert_same(reference(known(records, as_of)), reference(known(before(records, as_of), as_of)))


@fewer
@given(cases())
def test_other_as_of_dates_beside_it_change_nothing(case):
    """A row already corrected by the last as_of must still be seen as it stood at the first."""
    records, as_of = case
    many = build(records, [as_of + timedelta(days=30), as_of, as_of - timedelta(days=40), as_of])
    alone = many.where((many.keys["as_of"] == pd.Timestamp(as_of)).to_numpy())
    assert_same(alone, build(records, [as_of]))
    assert many.keys["as_of"].is_monotonic_increasing


@fewer
@given(cases())
def test_the_order_of_rows_does_not_matter(case):
    records, as_of = case
    turned = with_tables(records, **{name: rows.iloc[::-1] for name, rows in records.tables.items()})
    assert_same(build(records, [as_of]), build(turned, [as_of]))


@fewer
@given(cases())
def test_scoring_one_pupil_equals_scoring_all(case):
    records, as_of = case
    everyone = build(records, [as_of])
    for pupil in (11, 12):
        rows = {
            name: frame[frame["pupil"] == pupil]
            for name, frame in records.tables.items()
            # An event moved from one pupil to another has versions under both: it is not one pupil's own.
            if "pupil" in frame.columns and "event_id" not in frame.columns
        }
        rows |= {name: _own_events(records.tables[name], pupil) for name in ("behaviour", "positives")}
        alone = build(with_tables(records, **rows), [as_of])
        assert_same(alone, everyone.where((everyone.keys["pupil"] == pupil).to_numpy()))


def _own_events(rows: pd.DataFrame, pupil: int) -> pd.DataFrame:
    ever_mine = rows.loc[rows["pupil"] == pupil, ["school", "event_id"]].drop_duplicates()
    return rows.merge(ever_mine, on=["school", "event_id"])


@fewer
@given(cases())
def test_neither_e_marks_nor_suspension_outcomes_reach_a_feature(case):
    """The label's own traces: take them away and no feature may move."""
    records, as_of = case
    marks, behaviour = records.tables["marks"], records.tables["behaviour"]
    # Another neutral code instead: a missing mark would let an older version of the same session speak.
    silent = marks.assign(code=marks["code"].mask(marks["code"] == "E", "I"))
    lessons = records.tables["lesson_marks"]
    silent_lessons = lessons.assign(code=lessons["code"].mask(lessons["code"] == "E", "I"))
    cleaned = behaviour.assign(outcome=behaviour["outcome"].where(~behaviour["outcome"].isin(SUSPENSION_OUTCOMES)))
    assert_same(
        build(records, [as_of]),
        build(with_tables(records, marks=silent, lesson_marks=silent_lessons, behaviour=cleaned), [as_of]),
    )


@pytest.mark.parametrize("when", [[], ()])
def test_no_as_of_date_is_refused(when):
    with pytest.raises(ValueError, match="at least one as-of date"):
        build(History(0, {}, {}), when)
