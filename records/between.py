"""A table's rows of some days, and no others read: where the tables lie in a store, and where they are frames."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date

import pandas as pd

from records.table import Table
from records.tables import TABLES


class ByDay(ABC):
    """Tables of which some days can be read without the others."""

    @abstractmethod
    def between(self, name: str, first: date, end: date) -> pd.DataFrame:
        """Return the table's rows that happened on days from `first` to the day before `end`."""


def rows_between(tables: Mapping[str, pd.DataFrame], name: str, first: date, end: date) -> pd.DataFrame:
    """Return the rows of `ByDay.between`, by the shortest way there is."""
    if isinstance(tables, ByDay):
        return tables.between(name, first, end)
    return within(tables[name], TABLES[name], first, end)


def within(rows: pd.DataFrame, table: Table, first: date, end: date) -> pd.DataFrame:
    """Return the rows that happened on these days."""
    day = rows[table.happened_on]
    return rows[(day >= pd.Timestamp(first)) & (day < pd.Timestamp(end))]
