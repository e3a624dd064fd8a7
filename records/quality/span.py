"""The grid that counts are laid on: the network's schools, and the days or weeks before a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records import delta
from records.arrow import one_array
from records.calendar import Calendar
from records.identity.links import Links
from records.store import Store
from records.table import Table

# However thin a calendar is, no scan reaches further back.
MOST_DAYS = 300

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One shard of the store, and which numbers in it are one pupil."""

    store: Store
    shard: int
    links: Links

    def rows(self, table: Table, names: list[str], where: pc.Expression) -> tuple[pa.Table, Counts]:
        """Return these columns of the table's rows, and the pupil of each (see `records.identity.joining`)."""
        home = self.store.home
        rows = delta.scan(home.history, table, self.shard, ["pupil", *names], where)
        numbers = integers(rows["pupil"])
        pupils = self.links.of(numbers)
        here = (pupils % home.shards == self.shard) & ~np.isin(numbers, self.links.unproven)
        return (rows, pupils) if here.all() else (rows.filter(pa.array(here)), pupils[here])


@dataclass(frozen=True)
class Span:
    """The grid that is filled: schools and days (marks) or weeks (events), with its first day."""

    schools: npt.NDArray[np.int64]
    first: date
    as_of: date

    @property
    def days(self) -> int:
        return (self.as_of - self.first).days

    def place(self, schools: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return each school's position, -1 where it is none of the network's."""
        if not len(self.schools):
            return np.full(len(schools), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.schools, schools), len(self.schools) - 1)
        return np.where(self.schools[at] == schools, at, -1)

    def day(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return each day's position (days since 1970 given), below 0 or from `days` on where outside."""
        return np.asarray(days - np.datetime64(self.first, "D").astype(np.int64), dtype=np.int64)


def span_of(urns: npt.NDArray[np.int64], calendar: Calendar, as_of: date, weeks: int) -> Span:
    """Return the span of that many school weeks before `as_of`, from a Monday, over every school's calendar."""
    first = min((calendar.back(urn, as_of, weeks) for urn in urns.tolist()), default=as_of)
    first = max(min(first, as_of - timedelta(weeks=weeks)), as_of - timedelta(days=MOST_DAYS))
    return Span(urns, first - timedelta(days=first.weekday()), as_of)


def places(column: pa.ChunkedArray, listed: Sequence[str]) -> Counts:
    """Return each code's position in its list, -1 where it has none."""
    array = one_array(column.unify_dictionaries())
    place = {code: position for position, code in enumerate(listed)}
    moved = np.array([*(place.get(code, -1) for code in array.dictionary.to_pylist()), -1], dtype=np.int64)
    at = pc.fill_null(array.indices.cast(pa.int32()), len(moved) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(moved[at], dtype=np.int64)


def integers(column: pa.ChunkedArray) -> Counts:
    """Return numbers, days since 1970 for dates; -1 where missing."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return np.asarray(pc.fill_null(column.cast(pa.int64()), -1).to_numpy(), dtype=np.int64)
