"""The tables of one shard, read from the store when they are asked for: as frames, or as columns of whole numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from records.between import ByDay, within
from records.columns import Columned, Columns, declared, of_frame
from records.identity.joining import joined
from records.identity.links import Links
from records.precedence import RULES, first_hand
from records.table import Table
from records.tables import TABLES

if TYPE_CHECKING:
    # The web process works with columns and opens no store: it need not load what reads one.
    from records.delta import Opened

_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Shelf(Mapping[str, pd.DataFrame], Columned, ByDay):
    """Table name → its rows, typed, each pupil under one pseudonym, what a census repeats left out.

    What is read is what lay in the store when the shelf was made, however late it is asked for.
    """

    opened: "Mapping[str, Opened]"
    shard: int
    shards: int
    links: Links
    second_hand: frozenset[str]
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _few: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self._frames[name] = self._whole(self.opened[name].frame(), TABLES[name])
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.opened)

    def __len__(self) -> int:
        return len(self.opened)

    def between(self, name: str, first: date, end: date) -> pd.DataFrame:
        """Return the table's rows that happened on days from `first` to the day before `end`, and no others read.

        Of tables whose key holds the day: elsewhere a version may lie outside whose newest lies within.
        """
        table = TABLES[name]
        if table.happened_on not in table.key:
            raise ValueError(f"{name}: the day is not in its key, so versions of one row may lie on either side")
        if name in self._frames:
            return within(self._frames[name], table, first, end)
        day = pc.field(table.happened_on)
        return self._whole(self.opened[name].frame((day >= first) & (day < end)), table)

    def columns(self, name: str, names: Sequence[str]) -> Columns:
        """Return these columns of the table's rows, and those of origin and of the pupil as they are named.

        Rows of pupils whom a link or a census may change are looked at as frames, all others taken as they lie.
        """
        table = TABLES[name]
        if name in self._frames or "pupil" not in names:
            return of_frame(self[name], table, names)
        found = self.opened[name].columns(names)
        numbers = self._looked_at(table)
        plain = self._as_they_lie(found["pupil"], numbers)
        if plain.all():
            return found
        texts = any(column.kind == "text" and column.name != "source" for column in declared(table, names))
        if "pupil" not in table.key or texts:
            # An event may pass from one pupil to another, and a text's number stands for it in one table only. Files
            # are told apart within one thing, which is one pupil's.
            return of_frame(self[name], table, names)
        if name not in self._few:
            few = self.opened[name].frame(pc.field("pupil").isin(numbers))
            self._few[name] = self._whole(few, table)
        beside = of_frame(self._few[name], table, names)
        return Columns({column: np.concatenate([found[column][plain], beside[column]]) for column in names})

    def _whole(self, rows: pd.DataFrame, table: Table) -> pd.DataFrame:
        return first_hand(joined(rows, table, self.links, self.shard, self.shards), table, self.second_hand)

    def _looked_at(self, table: Table) -> npt.NDArray[np.int64]:
        """Return every number of the pupils of whose rows in the table a link or a census may change one."""
        repeated = np.empty(0, dtype=np.int64)
        if self.second_hand and table.name in RULES:
            repeated = np.unique(self.opened[table.name].pupils(pc.field("source").isin(sorted(self.second_hand))))
        pupils = np.concatenate([self.links.pupil, self.links.of(repeated)])
        others = self.links.alias[np.isin(self.links.pupil, pupils)]
        return np.unique(np.concatenate([pupils, others, self.links.unproven]))

    def _as_they_lie(self, pupil: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which rows are not under these numbers, and in the shard of their pupil."""
        found, looked_at = np.empty(len(pupil), dtype=np.bool_), pd.Index(numbers)
        # In slices: their temporary copies then stay in the processor's cache.
        for at in range(0, len(pupil), _AT_ONCE):
            some = pupil[at : at + _AT_ONCE]
            found[at : at + _AT_ONCE] = some - some // self.shards * self.shards == self.shard
            if len(numbers):
                found[at : at + _AT_ONCE] &= looked_at.get_indexer(pd.Index(some)) < 0
        return found


def columns_of_table(tables: Mapping[str, pd.DataFrame], name: str, names: Sequence[str]) -> Columns:
    """Return these columns of a table's rows, by the shortest way there is."""
    return tables.columns(name, names) if isinstance(tables, Columned) else of_frame(tables[name], TABLES[name], names)
