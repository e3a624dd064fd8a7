"""The tables of one shard, read from the store when they are asked for: as frames, or as columns of whole numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from records import delta
from records.columns import Columns, of_frame
from records.identity.joining import joined
from records.identity.links import Links
from records.precedence import RULES, first_hand
from records.table import Table
from records.tables import TABLES

_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Shelf(Mapping[str, pd.DataFrame]):
    """Table name → its rows, typed, each pupil under one pseudonym, what a census repeats left out.

    What is read is what lay in the store when the shelf was made, however late it is asked for.
    """

    opened: Mapping[str, delta.Opened]
    shard: int
    shards: int
    links: Links
    second_hand: frozenset[str]
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            rows = joined(self.opened[name].frame(), TABLES[name], self.links, self.shard, self.shards)
            self._frames[name] = first_hand(rows, TABLES[name], self.second_hand)
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.opened)

    def __len__(self) -> int:
        return len(self.opened)

    def columns(self, name: str, names: Sequence[str]) -> Columns:
        """Return these columns of the table's rows, and those of origin and of the pupil as they are named."""
        table = TABLES[name]
        if name not in self._frames:
            found = self.opened[name].columns(names)
            if self._as_they_lie(found, table):
                return found
        return of_frame(self[name], table, names)

    def _as_they_lie(self, found: Columns, table: Table) -> bool:
        """Whether no link and no census changes a row: then the rows of the store are the pupil's own."""
        if self.second_hand and table.name in RULES:
            return False
        numbered = np.concatenate([self.links.alias, self.links.unproven])
        pupil = found["pupil"]
        # In slices: their temporary copies then stay in the processor's cache.
        for some in (pupil[at : at + _AT_ONCE] for at in range(0, len(pupil), _AT_ONCE)):
            if (some - some // self.shards * self.shards != self.shard).any():
                return False
            if len(numbered) and np.isin(some, numbered).any():
                return False
        return True


def columns_of_table(tables: Mapping[str, pd.DataFrame], name: str, names: Sequence[str]) -> Columns:
    """Return these columns of a table's rows, by the shortest way there is."""
    return tables.columns(name, names) if isinstance(tables, Shelf) else of_frame(tables[name], TABLES[name], names)
