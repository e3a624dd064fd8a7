"""Every version of a table's rows, lined up pupil by pupil, with the as-of dates from which each is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from features.feature import WEEKDAY
from features.loops import ALWAYS, Ints, Small
from features.machine import Machine
from features.measure import Measure
from records.columns import MISSING, Columns
from records.history import History
from records.shelf import columns_of_table
from records.tables import TABLES

_ORIGIN: Final = ("known_on", "deleted", "source", "row")
# More measures of a table than a whole number has bits are counted in two goes.
MOST_MEASURES = 62


@dataclass(frozen=True)
class Ledger:
    """One table's versions but for deletions: pupil by pupil, a pupil's by day, then session.

    A version is seen at as_of where `first <= as_of <= last`: it had happened and was known before as_of, and no
    newer version was known before as_of.

    Attributes
    ----------
    start
        Where each pupil's versions begin, shape (pupils + 1,).
    day, first, last
        Day numbers of each version.
    turn
        Morning or afternoon, of a register's marks; 0 elsewhere.
    """

    start: Small
    day: Small
    first: Small
    last: Small
    turn: Small
    _columns: Columns
    _rows: Small
    _table: str
    _made: dict[str, Small] = field(default_factory=dict, repr=False, compare=False)

    @property
    def known(self) -> Small:
        """The day each version became known."""
        return self.column("known_on")

    def column(self, name: str) -> Small:
        """Return a column's value of each version; the day of the week for 'weekday'."""
        if name == WEEKDAY:
            return (self.day + 3) % 7
        if name not in self._made:
            self._made[name] = self._columns[name][self._rows].astype(np.int32)
        return self._made[name]

    def kinds(self, columns: Sequence[str]) -> tuple[Small, npt.NDArray[np.int32]]:
        """Return each version's kind, and each kind's codes, shape (kinds, columns): -1 where a code is missing."""
        sizes = [len(_codes(self._table, name)) + 1 for name in columns]
        every = np.zeros(len(self._rows), dtype=np.int32)
        for name, size in zip(columns, sizes, strict=True):
            every *= size
            every += self._columns[name][self._rows] + 1
        distinct, kind = np.arange(int(np.prod(sizes))), every
        if len(distinct) > _MOST_KINDS:
            distinct, at = np.unique(every, return_inverse=True)
            kind = at.astype(np.int32)
        codes = np.empty((len(distinct), len(columns)), dtype=np.int32)
        rest = distinct
        for place in range(len(columns) - 1, -1, -1):
            codes[:, place] = rest % sizes[place] - 1
            rest = rest // sizes[place]
        return kind, codes


_MOST_KINDS = 4096


def ledger_of(history: History, name: str, columns: Sequence[str], pupils: Ints, machine: Machine) -> Ledger:
    """Return the ledger of a table for these pupils, ascending; `columns` are those that will be asked for."""
    table = TABLES[name]
    turn = "session" if any(column.name == "session" for column in table.columns) else ""
    wanted = dict.fromkeys(("pupil", table.happened_on, *table.key, *_ORIGIN, *columns, *([turn] if turn else [])))
    found = columns_of_table(history.tables, name, tuple(wanted))
    day, known = found[table.happened_on], found["known_on"]
    at = machine.place(pupils, found["pupil"])
    turns = (day - day.min(initial=0)).astype(np.int32)
    if turn:
        turns *= 2
        turns += found[turn].astype(np.int32)
    rows, start = machine.order(at, turns, len(pupils), int(turns.max(initial=0)) + 1)
    if "pupil" in table.key and table.happened_on in table.key:
        others = [key for key in table.key if key not in ("pupil", table.happened_on, turn)]
        same = np.array([found[key] for key in others], dtype=np.int32).reshape(len(others), len(at))
        last = machine.replaced(rows, start, turns[rows], same, known, found["source"], found["row"])
    else:
        last = _replaced(found, table.key)
    kept = ~found["deleted"][rows].astype(bool)
    if not kept.all():
        rows, start = rows[kept], np.concatenate([[0], np.cumsum(kept)])[start].astype(np.int32)
    first = np.maximum(day, known)[rows].astype(np.int32)
    first += 1
    turn_of = found[turn][rows].astype(np.int32) if turn else np.zeros(len(rows), dtype=np.int32)
    return Ledger(
        start=start,
        day=day[rows].astype(np.int32),
        first=first,
        last=last[rows],
        turn=turn_of,
        _columns=found,
        _rows=rows,
        _table=name,
    )


def _replaced(found: Columns, key: Sequence[str]) -> Small:
    """Return `loops.replaced` for things that may pass from one pupil to another: events, by their own number."""
    things = [found[name] for name in key]
    order = np.lexsort((found["row"], found["source"], found["known_on"], *things))
    last = np.full(len(order), ALWAYS, dtype=np.int32)
    if len(order) > 1:
        again = np.logical_and.reduce([thing[order[1:]] == thing[order[:-1]] for thing in things])
        last[order[:-1][again]] = found["known_on"][order[1:][again]]
    return last


def masks_of(codes: npt.NDArray[np.int32], columns: Sequence[str], measures: Sequence[Measure | None]) -> Ints:
    """Return for each kind and day of the week the measures that count it, a bit each, shape (kinds, 7)."""
    masks = np.zeros((len(codes), 7), dtype=np.int64)
    for bit, measure in enumerate(measures):
        counts = np.ones(len(codes), dtype=np.bool_)
        where: Mapping[str, frozenset[str]] = {} if measure is None else measure.where
        for column, wanted in where.items():
            assert measure is not None
            # A missing code is -1, which picks the last place: never counted.
            listed = np.array([code in wanted for code in _codes(measure.table, column)] + [False])
            counts &= listed[codes[:, list(columns).index(column)]]
        days = sorted(measure.weekdays) if measure is not None and measure.weekdays else list(range(7))
        masks[np.ix_(np.flatnonzero(counts), np.array(days))] |= 1 << bit
    return masks


def weights_of(ledger: Ledger, name: str) -> Small:
    """Return what each version adds to a measure of this weight: nothing where it is missing."""
    values = ledger.column(name)
    return np.where(values == MISSING, 0, values)


def _codes(table: str, column: str) -> tuple[str, ...]:
    codes = TABLES[table].column(column).codes
    if codes is None:
        raise TypeError(f"{table}.{column} has no codes; a measure that was checked when made names coded columns")
    return codes.codes
