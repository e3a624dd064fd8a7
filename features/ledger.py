"""Every version of a table's rows, lined up pupil by pupil, with the as-of dates from which each is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from features.feature import WEEKDAY
from features.loops import ALWAYS, KINDS, Ints, Kinds, Small, Tiny
from features.machine import Machine
from features.measure import Measure
from records.columns import MISSING, Columns
from records.history import History
from records.shelf import columns_of_table
from records.tables import TABLES

_FILE: Final = ("source", "row")
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
    kind
        Each version's kind (`Lined`).
    """

    start: Small
    day: Small
    first: Small
    last: Small
    turn: Tiny
    kind: Kinds
    _columns: Columns
    _rows: Small
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


# In slices, whose temporary copies stay in the processor's cache.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Told:
    """How measures tell the rows of a table apart.

    Attributes
    ----------
    coded, numbers
        The columns they ask; for each code of each its number among those told apart, the last for a missing one.
    codes
        The codes of each *kind* of row in these columns, shape (kinds, columns), -1 where a code is missing. Codes that
        no measure tells apart are one.
    """

    coded: tuple[str, ...]
    numbers: tuple[Kinds, ...]
    codes: Small

    def kind(self, found: Columns) -> Kinds:
        """Return each row's kind."""
        kind = np.zeros(len(found), dtype=np.uint16)
        for name, number in zip(self.coded, self.numbers, strict=True):
            times = number.max() + np.uint16(1)
            for at in range(0, len(kind), _AT_ONCE):
                some = slice(at, at + _AT_ONCE)
                kind[some] = kind[some] * times + number[found[name][some]]
        return kind


@dataclass
class Lined:
    """A table's rows lined up pupil by pupil, of which some pupils' ledger is made at a time."""

    table: str
    _history: History
    _machine: Machine
    _columns: Columns
    _stamps: Ints
    _rows: Small
    _start: Small
    _until: Small
    _others: Small
    _file: tuple[Small, Small]

    def ledger(self, first: int, end: int) -> Ledger:
        """Return the ledger of the pupils from the first to before the end."""
        some = slice(self._start[first], self._start[end])
        start = self._start[first : end + 1] - self._start[first]
        given = (self._stamps[some], self._rows[some], start, self._until, self._others)
        versions = self._machine.versions(*given, *self._file)
        if versions[-1]:
            # Two files of one day speak of one thing, which is rare: only then is it asked which is which.
            told = columns_of_table(self._history.tables, self.table, ("pupil", *_FILE))
            self._file = told["source"].astype(np.int32, copy=False), told["row"].astype(np.int32, copy=False)
            versions = self._machine.versions(*given, *self._file)
        start, rows, kind, happened, since, last, turn, _ = versions
        return Ledger(start, happened, since, last, turn, kind, self._columns, rows)


def lined_up(
    history: History,
    name: str,
    columns: Sequence[str],
    pupils: Ints,
    machine: Machine,
    told: Told | None = None,
) -> Lined:
    """Return the rows of a table for these pupils, ascending, lined up.

    `columns` are those that will be asked for; `told` is how the measures that will count its versions part them.
    """
    table, told = TABLES[name], told or _NOTHING
    turn, of_pupils, wanted = _wanted(name, (*columns, *told.coded))
    found = columns_of_table(history.tables, name, wanted)
    at = machine.place(pupils, found["pupil"])
    kind = told.kind(found)
    turns = found[turn].astype(np.int8, copy=False) if turn else np.zeros(len(at), dtype=np.int8)
    day, known = found[table.happened_on], found["known_on"]
    stamps, rows, start = machine.order(at, day, turns, known, found["deleted"], kind, len(pupils))
    others = [found[key] for key in table.key if key not in ("pupil", table.happened_on, turn)] if of_pupils else []
    same = others[0].reshape(1, -1) if len(others) == 1 else np.array(others).reshape(len(others), len(at))
    return Lined(
        table=name,
        _history=history,
        _machine=machine,
        _columns=Columns({column: found[column] for column in dict.fromkeys(("known_on", *columns))}),
        _stamps=stamps,
        _rows=rows,
        _start=start,
        _until=_NONE if of_pupils else _replaced(found, table.key),
        _others=same.astype(np.int32, copy=False),
        _file=(_NONE, _NONE),
    )


@cache
def _wanted(name: str, columns: tuple[str, ...]) -> tuple[str, bool, tuple[str, ...]]:
    """Return the column that parts a day, if any; whether rows stay with their pupil; every column that is needed."""
    table = TABLES[name]
    turn = "session" if any(column.name == "session" for column in table.columns) else ""
    of_pupils = "pupil" in table.key and table.happened_on in table.key
    wanted = ["pupil", table.happened_on, *table.key, "known_on", "deleted", *columns]
    wanted += [*([turn] if turn else []), *(() if of_pupils else _FILE)]
    return turn, of_pupils, tuple(dict.fromkeys(wanted))


def ledger_of(history: History, name: str, columns: Sequence[str], pupils: Ints, machine: Machine) -> Ledger:
    """Return the ledger of a table for these pupils, ascending; `columns` are those that will be asked for."""
    return lined_up(history, name, columns, pupils, machine).ledger(0, len(pupils))


_NONE = np.empty(0, dtype=np.int32)
_NOTHING = Told((), (), np.empty((1, 0), dtype=np.int32))


def told_by(table: str, measures: Sequence[Measure]) -> Told:
    """Return how the measures tell the rows of their table apart."""
    coded = sorted({column for measure in measures for column in measure.where})
    numbers, codes = [], np.empty((1, 0), dtype=np.int32)
    for name in coded:
        listed = [measure.where[name] for measure in measures if name in measure.where]
        told = [tuple(code in some for some in listed) for code in _codes(table, name)]
        # A missing code is -1, which picks the last place: never counted.
        told.append((False,) * len(listed))
        distinct = list(dict.fromkeys(told))
        numbers.append(np.array([distinct.index(of) for of in told], dtype=np.uint16))
        if len(codes) * len(distinct) > KINDS:
            raise ValueError(f"{table}: measures tell more than {KINDS:,} kinds of rows apart; name fewer columns")
        one_of = np.array([told.index(of) for of in distinct], dtype=np.int32)
        one_of[one_of == len(told) - 1] = -1
        codes = np.concatenate([np.repeat(codes, len(distinct), axis=0), np.tile(one_of, len(codes))[:, None]], axis=1)
    return Told(tuple(coded), tuple(numbers), codes)


def _replaced(found: Columns, key: Sequence[str]) -> Small:
    """Return for each row the day it was replaced, of things that may pass to another pupil: events, by their number.

    `ALWAYS` where it still is.
    """
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
