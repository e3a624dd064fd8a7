"""The record store: every version of every unprotected record, read one shard at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from records import delta
from records.history import History
from records.home import Home
from records.identity.joining import joined
from records.identity.link_log import settled
from records.intake import loads
from records.precedence import first_hand
from records.shelf import Shelf
from records.tables import MARKS, TABLES


@dataclass(frozen=True)
class Store:
    """The home's `history/` root. Characteristics lie in another root, behind `records.protected`."""

    home: Home

    @property
    def shards(self) -> range:
        """The numbers of the shards; a pupil is in shard pupil % home.shards."""
        return range(self.home.shards)

    def history(self, shard: int) -> History:
        """Return every version of every unprotected record of one shard, and the network's schools.

        A table is read when it is asked for, as it lies now.

        Each pupil stands under one pseudonym, whatever numbers their rows came with (`records.identity.joining`);
        what a census says is left out where the school's own system overrules it (`records.precedence`).

        Raises
        ------
        ValueError
            The home has no such shard.
        """
        if shard not in self.shards:
            raise ValueError(f"shard {shard} is not one of this home's 0 to {self.home.shards - 1}")
        opened = {
            name: delta.opened(self.home.history, table, shard) for name, table in TABLES.items() if not table.protected
        }
        shelf = Shelf(opened, shard, self.home.shards, settled(self.home), loads.second_hand(self.home))
        return History(shard, shelf, {name: at.version for name, at in opened.items() if at.version is not None})

    def rows(self, name: str, shard: int) -> tuple[pd.DataFrame, int | None]:
        """Return every version of every row of one unprotected table in one shard, and the Delta version read.

        Raises
        ------
        KeyError
            No unprotected table has this name.
        """
        table = TABLES[name]
        if table.protected:
            raise KeyError(f"{name!r} is protected: records.protected reads it")
        rows, version = delta.read(self.home.history, table, shard)
        rows = joined(rows, table, settled(self.home), shard, self.home.shards)
        return first_hand(rows, table, loads.second_hand(self.home)), version

    def versions(self) -> Mapping[str, int]:
        """Return the current Delta version of each unprotected table that anything has landed in."""
        opened = {
            name: delta.open_table(self.home.history, table) for name, table in TABLES.items() if not table.protected
        }
        return {name: there.version() for name, there in opened.items() if there is not None}

    def newest_marks(self) -> Mapping[int, date]:
        """Return the newest day of any attendance mark of each school: how old its data are."""
        found = delta.newest(self.home.history, MARKS, "school", "date", self.shards)
        return {school: day.astype(date) for school, day in found.items()}
