"""Columns of a shard are those of its frames, whatever links and censuses change in a few pupils' rows."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.network_year import TONIGHT, Year, make_home
from features.engine import build
from records import delta
from records.columns import of_frame
from records.history import History
from records.identity.links import Links, no_links
from records.shelf import Shelf
from records.tables import TABLES

SHARDS = 2
COLUMNS = {
    "marks": ("pupil", "school", "date", "session", "code", "known_on", "deleted", "row"),
    "enrolments": ("pupil", "school", "entry_date", "leaving_date", "status", "known_on", "deleted", "row"),
    "behaviour": ("pupil", "school", "date", "type", "severity", "known_on", "deleted", "row"),
    "suspensions": ("pupil", "school", "start_date", "category", "known_on", "deleted", "row"),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    home = make_home(Year(24, SHARDS), tmp_path_factory.mktemp("shelf") / "home", processes=1)
    return {name: delta.opened(home.history, TABLES[name], 0) for name in TABLES if not TABLES[name].protected}


def linked(pupils: np.ndarray) -> Links:
    """The second number is the first pupil's new one, the fourth a temporary one of the third's, the fifth nobody's.

    The sixth is that of a pupil of the other shard: its rows lie where an earlier link had put them.
    """
    proven = np.array(["NaT", "2025-03-03", "NaT"], dtype="datetime64[s]")
    alias, of = pupils[[1, 3, 5]], np.array([pupils[0], pupils[2], 1])
    order = np.argsort(alias)
    return Links(
        alias=alias[order],
        pupil=of[order],
        proven_on=proven[order],
        unproven=pupils[4:5],
        contested=np.empty(0, np.int64),
    )


def rows(columns, names) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in names}).sort_values(list(names), ignore_index=True)


@pytest.mark.parametrize("census", [False, True], ids=["school's own", "some of it a census's"])
@pytest.mark.parametrize("tied", [False, True], ids=["no links", "links"])
def test_columns_are_those_of_the_frames(opened, census, tied):
    marks = opened["marks"].frame()
    links = linked(np.unique(marks["pupil"])) if tied else no_links()
    # Files whose corrections the school's own earlier word overrules: those of the last two weeks.
    latest = marks.sort_values("known_on")["source"].unique()[-2:]
    second_hand = frozenset(latest) if census else frozenset()
    shelf, frames = (Shelf(opened, 0, SHARDS, links, second_hand) for _ in range(2))
    plain = {name: frames[name] for name in TABLES if name in opened}
    for name, names in COLUMNS.items():
        pd.testing.assert_frame_equal(
            rows(shelf.columns(name, names), names), rows(of_frame(plain[name], TABLES[name], names), names)
        )
    assert (len(plain["marks"]) < len(marks)) == (tied or census)
    some = Shelf(opened, 0, SHARDS, links, second_hand).between("marks", date(2025, 1, 6), date(2025, 1, 20))
    names = COLUMNS["marks"]
    there = plain["marks"]["date"].between(pd.Timestamp("2025-01-06"), pd.Timestamp("2025-01-19"))
    pd.testing.assert_frame_equal(rows(some, names), rows(plain["marks"][there], names))
    days = [date(2025, 1, 13), TONIGHT]
    fresh = Shelf(opened, 0, SHARDS, links, second_hand)
    one, other = build(History(0, fresh, {}), days), build(History(0, plain, {}), days)
    pd.testing.assert_frame_equal(one.keys, other.keys)
    np.testing.assert_array_equal(one.values, other.values)


def test_only_those_a_link_names_are_looked_at_as_frames(opened):
    marks = opened["marks"].frame()
    pupils = np.unique(marks["pupil"])
    shelf = Shelf(opened, 0, SHARDS, linked(pupils), frozenset())
    shelf.columns("marks", COLUMNS["marks"])
    assert "marks" not in shelf._frames
    assert set(shelf._few["marks"]["pupil"]) == set(pupils[[0, 2]])


def test_rows_are_picked_by_a_day_only_where_it_is_in_the_key(opened):
    with pytest.raises(ValueError, match="behaviour: the day is not in its key"):
        Shelf(opened, 0, SHARDS, no_links(), frozenset()).between("behaviour", date(2025, 1, 6), date(2025, 1, 20))
