"""The only door to protected characteristics: for auditing, impact and a pupil's own file, never for features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from records import delta
from records.history import latest
from records.home import Home
from records.identity.joining import joined
from records.identity.link_log import settled
from records.table import Table
from records.tables import TABLES


@dataclass(frozen=True)
class ProtectedStore:
    """The home's `protected/` root. Imported only by fairness, learning and casework.privacy."""

    home: Home

    def tables(self) -> tuple[Table, ...]:
        """Return the protected tables."""
        return tuple(table for table in TABLES.values() if table.protected)

    def read(self, name: str, shard: int | None = None) -> pd.DataFrame:
        """Return every version of every row of a protected table; of all shards where `shard` is None.

        Raises
        ------
        KeyError
            No protected table has this name.
        """
        by_name = {table.name: table for table in self.tables()}
        if name not in by_name:
            raise KeyError(f"{name!r} is not a protected table; they are {', '.join(by_name)}")
        table, shards = by_name[name], self.home.shards
        links = settled(self.home)
        parts = [
            joined(delta.read(self.home.protected, table, one)[0], table, links, one, shards)
            for one in (range(shards) if shard is None else [shard])
        ]
        return pd.concat(parts, ignore_index=True)

    def versions(self) -> Mapping[str, int]:
        """Return the current Delta version of each protected table that anything has landed in."""
        opened = {table.name: delta.open_table(self.home.protected, table) for table in self.tables()}
        return {name: there.version() for name, there in opened.items() if there is not None}

    def known_protected(self, as_of: date, shard: int | None = None) -> Mapping[str, pd.DataFrame]:
        """Return the latest version of each row known before `as_of` that had happened before it.

        A pupil's needs are those of their newest census: a rank that the newest census no longer lists
        is a need that ended.
        """
        day = pd.Timestamp(as_of)
        found = {}
        for table in self.tables():
            rows = latest(self.read(table.name, shard), table, as_of)
            found[table.name] = rows[rows[table.happened_on] < day].sort_values(list(table.key), ignore_index=True)
        needs = found["sen_needs"]
        newest = needs.groupby("pupil")["census_date"].transform("max")
        found["sen_needs"] = needs[needs["census_date"] == newest].reset_index(drop=True)
        return found


@dataclass(frozen=True)
class ReadOnce(ProtectedStore):
    """The same, with each table read from disk once: for whoever asks what was known on several days."""

    _kept: dict[tuple[str, int | None], pd.DataFrame] = field(default_factory=dict, repr=False)

    def read(self, name: str, shard: int | None = None) -> pd.DataFrame:
        """Return the rows as they lay when they were first asked for. Raises KeyError, as `ProtectedStore.read`."""
        if (name, shard) not in self._kept:
            self._kept[name, shard] = super().read(name, shard)
        return self._kept[name, shard]
