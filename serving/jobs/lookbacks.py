"""Look-backs, every night: what opens one, and the weeks before it as they were known at each week's list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from casework.database import connect, scoped
from casework.lookback_opening import Happened, Reconciled, first_list, lists_before, reconcile, to_open
from casework.lookback_words import LONG_SESSIONS, WEEKS
from features.definitions.attendance import LATE, MISSED, POSSIBLE_SESSIONS
from features.definitions.behaviour import INCIDENTS, REMOVALS
from features.measure import Measure
from records.between import rows_between
from records.clock import clock_of
from records.history import History, TablesKnown
from records.home import Home
from records.store import Store
from records.tables import TABLES

MOST_BACK: Final = timedelta(days=365)
_COUNTED: Final[Mapping[str, Measure]] = {
    "possible": POSSIBLE_SESSIONS,
    "missed": MISSED,
    "late": LATE,
    "incidents": INCIDENTS,
    "removals": REMOVALS,
}
_WEEK: Final = timedelta(days=7)


def open_lookbacks(home: Home) -> Reconciled:
    """Open a look-back for every permanent exclusion and every suspension over five school days since the first list.

    What was corrected or deleted since is answered too. Safe to run again. One shard of pupils is in memory at a time,
    and weeks are worked out of those alone of whom a look-back is to be opened.
    """
    today = clock_of(home).today()
    nothing = Reconciled(opened=0, redated=0, withdrawn=0, restored=0)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            first = first_list(session)
        if first is None:
            return nothing
        since = max(first, today - MOST_BACK)
        store = Store(home)
        events: list[Happened] = []
        weeks: dict[tuple[int, int, date], list[dict[str, Any]]] = {}
        for shard in store.shards:
            history = store.history(shard)
            mine = happened(TablesKnown(history, today)["suspensions"], since)
            events += mine
            with scoped(engine, None) as session:
                wanted = to_open(session, mine)
                lists = {one: lists_before(session, one.pupil, one.on) for one in wanted}
            near = _near(history, wanted, today) if wanted else history
            for one in wanted:
                weeks[one.pupil, one.school, one.on] = weeks_before(near, one, lists[one], today)
        with scoped(engine, None) as session:
            return reconcile(session, events, weeks, today)
    finally:
        engine.dispose()


def happened(suspensions: pd.DataFrame, since: date) -> list[Happened]:
    """Return what opens a look-back: permanent exclusions, and suspensions of more than ten sessions."""
    rows = suspensions[suspensions["start_date"] >= pd.Timestamp(since)]
    long = rows["category"].eq("SUSP") & (rows["sessions"].fillna(0) > LONG_SESSIONS)
    kept = rows[(rows["category"].eq("PERM") | long).to_numpy(bool)]
    return [
        Happened(
            pupil=int(pupil), school=int(school), kind="permanent" if category == "PERM" else "long", on=start.date()
        )
        for pupil, school, start, category in zip(
            kept["pupil"], kept["school"], kept["start_date"], kept["category"], strict=True
        )
    ]


def weeks_before(history: History, event: Happened, lists: Mapping[date, str], today: date) -> list[dict[str, Any]]:
    """Return up to twenty school weeks before the event and its own, each as it was known at the next list.

    A week is known as on the day of the first list after it, or, where none came, on the Monday after it. What the
    records say of the same week today is held against it: `later` counts incidents and removals written down since.
    """
    mine = _of_pupil(history, event.pupil)
    monday = event.on - timedelta(days=event.on.weekday())
    starts = [monday - _WEEK * back for back in reversed(range(WEEKS + 1))]
    now = _counts(mine, today, starts, event.school)
    found = []
    for start in starts:
        told_on = next((day for day in sorted(lists) if day >= start + _WEEK), start + _WEEK)
        then = _counts(mine, min(told_on, today), [start], event.school)[start]
        listed = [code for day, code in lists.items() if start <= day < start + _WEEK]
        written = sum(now[start][name] - then[name] for name in ("incidents", "removals"))
        found.append(
            {"start": start.isoformat(), **then, "later": max(written, 0), "belong": listed[-1] if listed else ""}
        )
    return found


def _near(history: History, events: Sequence[Happened], today: date) -> History:
    """Return what a look-back counts, of the pupils of these events, and no day long before the first of them."""
    first = min((one.on for one in events), default=today) - _WEEK * (WEEKS + 2)
    pupils = {one.pupil for one in events}
    tables: dict[str, pd.DataFrame] = {}
    for name in {"suspensions", "fresh_starts", *(measure.table for measure in _COUNTED.values())} & set(
        history.tables
    ):
        by_day = TABLES[name].happened_on in TABLES[name].key
        rows = rows_between(history.tables, name, first, today) if by_day else history.tables[name]
        tables[name] = rows[rows["pupil"].isin(pupils)]
    return replace(history, tables=tables)


def _of_pupil(history: History, pupil: int) -> History:
    tables = {
        name: rows[rows["pupil"] == pupil] if "pupil" in rows.columns else rows for name, rows in history.tables.items()
    }
    return replace(history, tables=tables)


def _counts(history: History, as_of: date, starts: Iterable[date], school: int) -> dict[date, dict[str, Any]]:
    """Return Monday → the counts of the week at the school, as known at the start of the day."""
    there = TablesKnown(history, as_of)
    rows = {name: _rows(there[measure.table], measure, school) for name, measure in _COUNTED.items()}
    away = there["suspensions"]
    away = away[away["category"].isin(["SUSP", "PERM"])]
    found = {}
    for start in starts:
        counts: dict[str, Any] = {
            name: _inside(mine, TABLES[_COUNTED[name].table].happened_on, start) for name, mine in rows.items()
        }
        found[start] = counts | {"suspended": _inside(away, "start_date", start) > 0}
    return found


def _rows(rows: pd.DataFrame, measure: Measure, school: int) -> pd.DataFrame:
    rows = rows[rows["school"] == school]
    for column, codes in measure.where.items():
        rows = rows[rows[column].isin(codes)]
    return rows


def _inside(rows: pd.DataFrame, day: str, start: date) -> int:
    return int(((rows[day] >= pd.Timestamp(start)) & (rows[day] < pd.Timestamp(start + _WEEK))).sum())
