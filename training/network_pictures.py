"""Pictures of the records themselves: attendance by week, and what is recorded before a suspension."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from records.history import History, known
from records.home import Home
from records.store import Store
from training.plain import BLUE, COLOURS, LEAST, LINES, MARKERS, canvas

WEEKS = 12


def counts_by_week(home: Home, table: str, until: pd.Timestamp) -> pd.Series:
    """Return how many rows of a record table, as known on a day, fall in each week, Mondays as index."""
    store = Store(home)
    found = [_mondays(history, table, until) for history in map(store.history, store.shards)]
    counts: pd.Series = pd.concat(found).value_counts().sort_index()
    return counts


def _mondays(history: History, table: str, until: pd.Timestamp) -> pd.Series:
    days = known(history, until.date())[table]["date"]
    mondays: pd.Series = days - pd.to_timedelta(days.dt.dayofweek, unit="D")
    return mondays


def records_by_week(home: Home, until: pd.Timestamp, tables: Iterable[str] = ("behaviour",)) -> Figure:
    """Return recorded rows by week; weeks without school are gaps in the line, not noughts."""
    figure, axes = canvas("What is recorded, week by week (holidays are gaps)", across="Week", up="Rows recorded")
    for at, table in enumerate(tables):
        counts = counts_by_week(home, table, until)
        weeks = pd.date_range(counts.index[0], counts.index[-1], freq="7D")
        drawn = counts.reindex(weeks).where(lambda found: found >= LEAST)
        axes.plot(weeks, drawn, color=COLOURS[at], linestyle=LINES[at], label=table)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    return figure


def before_suspension(home: Home, until: pd.Timestamp) -> Figure:
    """Return incidents a week before a suspension, the suspension at week 0."""
    store = Store(home)
    sums, starts = np.zeros(WEEKS), 0
    for shard in store.shards:
        tables = known(store.history(shard), until.date())
        behaviour, suspensions = tables["behaviour"], tables["suspensions"]
        pairs = behaviour[["pupil", "date"]].merge(suspensions[["pupil", "start_date"]], on="pupil")
        before = (pairs["start_date"] - pairs["date"]).dt.days // 7
        sums += before[before.between(0, WEEKS - 1)].value_counts().reindex(range(WEEKS), fill_value=0).to_numpy()
        starts += len(suspensions)
    figure, axes = canvas(
        "Behaviour records rise in the weeks before a suspension",
        across="Weeks before the suspension starts (0: the last seven days)",
        up="Records for each suspension",
    )
    if starts >= LEAST:
        axes.plot(-np.arange(WEEKS), sums / starts, color=BLUE, marker=MARKERS[0], label="before a suspension")
    axes.legend(frameon=False)
    return figure
