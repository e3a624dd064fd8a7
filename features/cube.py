"""Counting over many windows at once: prefix sums over days, and what was not yet known put right row by row.

The cube of a measure is pupil by day, of the newest version of every row. A window's count is the
difference of two prefix sums. That is wrong only where, at an as_of, a row was not yet known or an
older version still held: those (row, as_of) pairs are few, are listed, and are added or taken away
(docs/decisions.md, 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.feature import WEEKDAY
from features.grid import Edge, Grid, Ints
from features.measure import Measure
from records.table import Table

_ALWAYS = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Pairs:
    """Versions seen from as-of dates: `version` numbers a table's versions, `row` the grid's rows."""

    version: Ints
    row: Ints
    sign: Ints


class Versions:
    """Every version of a table's rows that is not a deletion, with the as-of dates from which it is seen.

    A version is seen at as_of where `first <= as_of <= last`: it had happened and was known before
    as_of, and no newer version was known before as_of.
    """

    def __init__(self, rows: pd.DataFrame, table: Table, grid: Grid) -> None:
        day = rows[table.happened_on].to_numpy().astype("datetime64[D]").astype(np.int64)
        known = rows["known_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
        last = _last_seen(rows, table, known)
        at = np.searchsorted(grid.pupils, rows["pupil"].to_numpy(dtype=np.int64))
        at[at == len(grid.pupils)] = 0
        ours = grid.pupils[at] == rows["pupil"].to_numpy(dtype=np.int64) if len(grid.pupils) else at < 0
        keep = np.flatnonzero(ours & ~rows["deleted"].to_numpy())
        self._rows = rows
        self._keep = keep
        self._grid = grid
        self.day, self.pupil = day[keep], at[keep].astype(np.int64)
        self.first = np.maximum(day, known)[keep] + 1
        self.last = last[keep]
        self._known = known[keep]
        self._columns: dict[str, npt.NDArray[np.int64]] = {}

    def weights(self, measure: Measure | None) -> tuple[Ints, Ints]:
        """Return the versions that the measure counts, and what each adds; every version and 1 for None."""
        if measure is None:
            return np.arange(len(self.day)), np.ones(len(self.day), dtype=np.int64)
        counts = np.ones(len(self.day), dtype=np.bool_)
        for column, codes in measure.where.items():
            categories = self._rows[column].cat.categories
            # An empty value has the integer code -1, which picks the last place: never counted.
            counted = np.array([category in codes for category in categories] + [False])
            counts &= counted[self._column(column)]
        if measure.weekdays:
            # Day 0, 1 January 1970, was a Thursday: weekday 3.
            counts &= np.isin((self.day + 3) % 7, list(measure.weekdays))
        chosen = np.flatnonzero(counts)
        if measure.weight is None:
            return chosen, np.ones(len(chosen), dtype=np.int64)
        return chosen, self._column(measure.weight)[chosen]

    def kinds(self, by: str) -> Ints:
        """Return each version's value of a coded or whole-number column, or its weekday, as a number; -1: missing."""
        if by == WEEKDAY:
            return (self.day + 3) % 7
        values = self._rows[by]
        coded = isinstance(values.dtype, pd.CategoricalDtype)
        numbers = (values.cat.codes if coded else values.fillna(-1)).to_numpy()
        return numbers[self._keep].astype(np.int64)

    def _column(self, name: str) -> Ints:
        if name not in self._columns:
            values = self._rows[name]
            coded = isinstance(values.dtype, pd.CategoricalDtype)
            numbers = (values.cat.codes if coded else values.fillna(0)).to_numpy()
            self._columns[name] = numbers[self._keep].astype(np.int64)
        return self._columns[name]

    @cached_property
    def corrections(self) -> Pairs:
        """Where a cube of the newest versions is wrong, and by how much: 1 or -1 times the row's weight."""
        newest = self.last == _ALWAYS
        late = np.flatnonzero(newest & (self._known > self.day))
        older = np.flatnonzero(~newest)
        not_yet = self._seen_from(late, self.day[late] + 1, self._known[late], -1)
        still = self._seen_from(older, self.first[older], self.last[older], 1)
        return Pairs(*(np.concatenate(both) for both in zip(not_yet, still, strict=True)))

    def seen(self, versions: Ints, longest_days: int) -> Pairs:
        """Return every (version, row) in which the version is seen no more than so many days after it happened."""
        last = np.minimum(self.last[versions], self.day[versions] + longest_days)
        return Pairs(*self._seen_from(versions, self.first[versions], last, 1))

    def _seen_from(self, versions: Ints, first: Ints, last: Ints, sign: int) -> tuple[Ints, Ints, Ints]:
        low = np.searchsorted(self._grid.as_ofs, first, side="left")
        high = np.searchsorted(self._grid.as_ofs, last, side="right")
        times = np.maximum(high - low, 0)
        which = np.repeat(np.arange(len(versions)), times)
        stand = low[which] + np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
        row = self._grid.row_of[stand, self.pupil[versions[which]]].astype(np.int64)
        on_roll = row >= 0
        return versions[which[on_roll]], row[on_roll], np.full(int(on_roll.sum()), sign, dtype=np.int64)

    @property
    def newest(self) -> npt.NDArray[np.bool_]:
        """Which versions no later one replaces."""
        found: npt.NDArray[np.bool_] = self.last == _ALWAYS
        return found


def totals(versions: Versions, measure: Measure | None, starts: Mapping[Edge, Ints], grid: Grid) -> dict[Edge, Ints]:
    """Return, for each named window, the measure added up over [start, as_of) for each row of the grid.

    `measure` None counts every row of the table: only the cohort's question 'is the register up to
    date?' may ask that.
    """
    chosen, weight = versions.weights(measure)
    if not len(grid):
        return {name: np.zeros(0, dtype=np.int64) for name in starts}
    first_day = min(int(start.min()) for start in starts.values())
    prefix = _prefix(versions, chosen, weight, (len(grid.pupils), first_day, int(grid.as_ofs[-1])))
    base = grid.pupil * prefix.shape[1] - first_day
    flat = prefix.ravel()
    until = flat[base + grid.end]
    fixes = _weighted(versions, chosen, weight)
    return {
        name: (until - flat[base + start]).astype(np.int64) + _fixed(versions, fixes, start)
        for name, start in starts.items()
    }


def _prefix(versions: Versions, chosen: Ints, weight: Ints, shape: tuple[int, int, int]) -> npt.NDArray[np.int32]:
    """Return for each pupil and day the sum over days before it, from the cube's first day on."""
    pupils, first_day, last_day = shape
    days = last_day - first_day
    inside = versions.newest[chosen] & (versions.day[chosen] >= first_day) & (versions.day[chosen] < last_day)
    cell = versions.pupil[chosen[inside]] * days + versions.day[chosen[inside]] - first_day
    added = np.bincount(cell, weights=weight[inside], minlength=pupils * days)
    prefix = np.zeros((pupils, days + 1), dtype=np.int32)
    prefix[:, 1:] = np.cumsum(added.reshape(pupils, days).astype(np.int32), axis=1)
    return prefix


def _weighted(versions: Versions, chosen: Ints, weight: Ints) -> tuple[Pairs, Ints]:
    by_version = np.zeros(len(versions.day), dtype=np.int64)
    by_version[chosen] = weight
    pairs = versions.corrections
    adds = by_version[pairs.version] * pairs.sign
    counted = adds != 0
    return Pairs(pairs.version[counted], pairs.row[counted], pairs.sign[counted]), adds[counted]


def _fixed(versions: Versions, fixes: tuple[Pairs, Ints], start: Ints) -> Ints:
    pairs, adds = fixes
    inside = versions.day[pairs.version] >= start[pairs.row]
    return np.bincount(pairs.row[inside], weights=adds[inside], minlength=len(start)).astype(np.int64)


def _last_seen(rows: pd.DataFrame, table: Table, known: Ints) -> Ints:
    """Return the last as_of (day number) at which each version is still the newest known one."""
    last = np.full(len(rows), _ALWAYS, dtype=np.int64)
    many = np.flatnonzero(rows.duplicated(subset=list(table.key), keep=False).to_numpy())
    if len(many):
        # The same order as records.history.latest: the later file and line wins within a day.
        ordered = rows.iloc[many].assign(_at=many, _known=known[many])
        ordered = ordered.sort_values(["known_on", "source", "row"], kind="stable")
        following = ordered.groupby(list(table.key), observed=True)["_known"].shift(-1)
        last[ordered["_at"].to_numpy()] = following.fillna(_ALWAYS).to_numpy(dtype=np.int64)
    return last
