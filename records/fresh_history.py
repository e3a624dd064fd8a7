"""Fresh starts for an engine that looks at many days at once: a history in which they are versions like any other.

`records.history.known` leaves rows out on one day. Here the same is said for every day: each row from before a
fresh start is deleted by a version that is known from the day of the grant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from records.columns import Columned, Columns, of_frame
from records.fresh_starts import LEFT_BEHIND
from records.history import History, typed
from records.shelf import columns_of_table
from records.table import Table
from records.tables import FRESH_STARTS, TABLES

# After every file of its day, whose names are hexadecimal digits or 'belong'.
_LAST_OF_THE_DAY: Final = "~"


def with_fresh_starts(history: History) -> History:
    """Return the history as it is known to anyone who respects its fresh starts; itself where there is none."""
    # Records that the API is posted hold no fresh starts: the caller leaves out what no longer counts.
    rows = history.tables.get(FRESH_STARTS.name)
    if rows is None or rows.empty:
        return history
    granted = rows[~rows["deleted"]]
    since = granted[["known_on", "from_on"]].max(axis=1)
    grants = granted[["pupil", "from_on"]].assign(since=since).sort_values(["pupil", "since", "from_on"])
    return replace(history, tables=_Fresh(history.tables, grants))


@dataclass(frozen=True)
class _Fresh(Mapping[str, pd.DataFrame], Columned):
    """Tables of a shard; those that a fresh start changes are made when they are asked for."""

    of: Mapping[str, pd.DataFrame]
    grants: pd.DataFrame
    _made: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in LEFT_BEHIND:
            return self.of[name]
        if name not in self._made:
            self._made[name] = _changed(self.of[name], TABLES[name], self.grants)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def columns(self, name: str, names: Sequence[str]) -> Columns:
        """Return columns of the table's rows: as they lie where no fresh start changes any."""
        if name not in LEFT_BEHIND:
            return columns_of_table(self.of, name, names)
        return of_frame(self[name], TABLES[name], names)


def _changed(rows: pd.DataFrame, table: Table, grants: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the deletions of every grant, one grant of each pupil after the other."""
    turn = grants.groupby("pupil").cumcount()
    for number in range(int(turn.max()) + 1):
        rows = _one_each(rows, table, grants[turn == number].set_index("pupil"))
    return rows


def _one_each(rows: pd.DataFrame, table: Table, grants: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the deletions of at most one grant of each pupil."""
    day, key = LEFT_BEHIND[table.name], list(table.key)
    since, start = (rows["pupil"].map(grants[name]) for name in ("since", "from_on"))
    past = (rows[day] < start).to_numpy(bool)
    later = (rows["known_on"] > since).to_numpy(bool)
    mine = rows.loc[past & ~later, key].assign(_whose=rows["pupil"], _since=since, _start=start).drop_duplicates()
    # What comes in late, or is corrected later, is of the past as well.
    rows = rows.assign(deleted=rows["deleted"].to_numpy(bool) | (past & later))
    # An event may pass from one pupil to another: its newest version on that day says whose it was, and when.
    standing = rows.merge(mine, on=key)
    standing = standing[standing["known_on"] <= standing["_since"]].sort_values(["known_on", "source", "row"])
    standing = standing.drop_duplicates([*key, "_whose"], keep="last")
    owned = standing["_whose"] == standing["pupil"]
    gone = standing[owned & (standing[day] < standing["_start"]) & ~standing["deleted"]]
    gone = gone.assign(known_on=gone["_since"], deleted=True, source=_LAST_OF_THE_DAY, row=0)
    return typed(pd.concat([rows, gone[rows.columns]], ignore_index=True), table)
