"""Counts of a network's records by week, for pictures: attendance, events, and what comes before a suspension."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.definitions.behaviour import INCIDENTS
from records.codes import AUTHORISED, POSSIBLE, UNAUTHORISED
from records.history import Known, known
from records.home import Home
from records.store import Store

BEFORE_WEEKS = 12
# Years of school begin here; a year group less the year it is in names a cohort that grows up together.
_YEAR_BEGINS = 9
_MARKS = {
    "possible": POSSIBLE,
    "missed": AUTHORISED | UNAUTHORISED,
    "without_permission": UNAUTHORISED,
}


def shards(home: Home, until: pd.Timestamp) -> Iterator[Known]:
    """Yield what was known of each shard's pupils at the start of the day, one in memory at a time."""
    store = Store(home)
    for shard in store.shards:
        yield known(store.history(shard), until.date())


def mondays(days: pd.Series) -> pd.Series:
    """Return the Monday of each day's week."""
    found: pd.Series = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    return found


def records_by_week(home: Home, until: pd.Timestamp) -> pd.DataFrame:
    """Return the network's sessions and behaviour events by Monday; a week without school has no row.

    Columns: sessions `possible`, `missed` and missed `without_permission`, by DfE's arithmetic, and `events`,
    each counted once for every pupil who took part.
    """
    found = []
    for tables in shards(home, until):
        marks = tables["marks"]
        weeks = mondays(marks["date"])
        counts = pd.DataFrame({name: marks["code"].isin(codes).groupby(weeks).sum() for name, codes in _MARKS.items()})
        found.append(counts.assign(events=mondays(_taken_part(tables)["date"]).value_counts()))
    whole: pd.DataFrame = pd.concat(found).groupby(level=0).sum().astype("int64").sort_index()
    return whole[whole["possible"] > 0]


def _taken_part(tables: Known) -> pd.DataFrame:
    rows = tables["behaviour"]
    kept = np.logical_and.reduce([rows[name].isin(codes) for name, codes in INCIDENTS.where.items()])
    return rows[kept]


def _suspensions(tables: Known) -> pd.DataFrame:
    rows = tables["suspensions"]
    return rows[rows["category"].isin(["SUSP", "PERM"])]


@dataclass(frozen=True)
class Before:
    """Behaviour events a pupil a week, 1 to `BEFORE_WEEKS` weeks before a suspension's own week.

    `events` has one row for each number of weeks before, `suspended` and `others`: averages over so many
    `suspensions`. Others are pupils of the same cohort, on roll in that same week, of whom no suspension is
    recorded at all. The suspension's own week is left out: it holds what the pupil was suspended for.
    """

    events: pd.DataFrame
    suspensions: int


def before_suspensions(home: Home, until: pd.Timestamp) -> Before:
    """Return what was recorded before suspensions beside the same weeks of pupils never suspended."""
    found = [_parts(tables, until) for tables in shards(home, until)]
    others, changes, mine, starts = (pd.concat(list(part)) for part in zip(*found, strict=True))
    first = min(others.index.get_level_values("week"), default=until)
    starts = starts[starts["week"] >= first + pd.Timedelta(weeks=BEFORE_WEEKS)]
    # Who was on roll before the first record of all is on roll in its week.
    at = changes.reset_index().assign(week=lambda rows: rows["week"].clip(lower=first))
    on_roll = at.pivot_table(index="week", columns="cohort", values="pupils", aggfunc="sum", fill_value=0)
    on_roll = on_roll.reindex(pd.date_range(first, until, freq="7D"), fill_value=0).cumsum()
    happened = others.groupby(level=["week", "cohort"]).sum().unstack("cohort").reindex(on_roll.index)
    rates = (happened.reindex(columns=on_roll.columns).fillna(0) / on_roll.where(on_roll > 0)).stack()
    rows = {}
    for before in range(1, BEFORE_WEEKS + 1):
        week = starts["week"] - pd.Timedelta(weeks=before)
        own = mine.reindex(pd.MultiIndex.from_arrays([starts["pupil"], week]), fill_value=0)
        theirs = rates.reindex(pd.MultiIndex.from_arrays([week, starts["cohort"]]))
        rows[before] = {"suspended": own.mean(), "others": theirs.mean()}
    return Before(pd.DataFrame.from_dict(rows, orient="index"), len(starts))


def _parts(tables: Known, until: pd.Timestamp) -> tuple[pd.Series, pd.Series, pd.Series, pd.DataFrame]:
    """Return a shard's events of others and changes of its roll by cohort, and events and starts of the suspended."""
    roll = tables["enrolments"].sort_values("entry_date", kind="stable")
    cohorts = _cohorts(roll.drop_duplicates("pupil", keep="last").set_index("pupil"), until)
    suspensions = _suspensions(tables)
    starts = pd.DataFrame({"pupil": suspensions["pupil"], "week": mondays(suspensions["start_date"])})
    events = _taken_part(tables)
    rows = pd.DataFrame({"pupil": events["pupil"], "week": mondays(events["date"])})
    for frame in (rows, starts):
        frame["cohort"] = frame["pupil"].map(cohorts)
    ever = rows["pupil"].isin(starts["pupil"])
    never = roll[~roll["pupil"].isin(starts["pupil"])]
    left = never.dropna(subset="leaving_date")
    changes = pd.concat(
        [
            pd.DataFrame({"cohort": never["pupil"].map(cohorts), "week": mondays(never["entry_date"]), "pupils": 1}),
            pd.DataFrame(
                {
                    "cohort": left["pupil"].map(cohorts),
                    "week": mondays(left["leaving_date"]) + pd.Timedelta(weeks=1),
                    "pupils": -1,
                }
            ),
        ]
    )
    return (
        rows[~ever].groupby(["week", "cohort"]).size(),
        changes.groupby(["week", "cohort"])["pupils"].sum(),
        rows[ever].groupby(["pupil", "week"]).size(),
        starts.dropna(subset="cohort"),
    )


def _cohorts(newest: pd.DataFrame, until: pd.Timestamp) -> pd.Series:
    """Return, by pupil, the year group less the year it is in: it stays as a pupil grows older."""
    seen = newest["leaving_date"].fillna(until)
    year = seen.dt.year - (seen.dt.month < _YEAR_BEGINS)
    group: pd.Series = pd.to_numeric(newest["year_group"].astype("str").replace("R", "0"), errors="coerce") - year
    return group
