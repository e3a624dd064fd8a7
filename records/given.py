"""Tables made of plain values that no store holds: columns at once, a frame only where somebody asks for one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from records.columns import MISSING, Columned, Columns, Numbers, of_frame, type_of
from records.history import empty_frame, typed
from records.table import ORIGIN, Table
from records.tables import TABLES

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Given(Mapping[str, pd.DataFrame], Columned):
    """Every unprotected table: those of `of` as given, and the frames of `frames`; the rest without rows."""

    of: Mapping[str, Columns]
    frames: Mapping[str, pd.DataFrame]
    _made: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name in self.frames:
            return self.frames[name]
        if name not in self.of:
            return _empty_frames()[name]
        if name not in self._made:
            self._made[name] = _frame(self.of[name], TABLES[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_empty_frames())

    def __len__(self) -> int:
        return len(_empty_frames())

    def columns(self, name: str, names: Sequence[str]) -> Columns:
        """Return these columns of the table's rows."""
        if name in self.of:
            return self.of[name]
        return of_frame(self.frames[name], TABLES[name], names) if name in self.frames else _empty_columns(name)


def columns_of(table: Table, rows: int, values: Mapping[str, Sequence[Any] | Numbers]) -> Columns:
    """Return a table's columns: each as an array that holds what `Columns` says, or as plain values.

    Plain values are dates, codes, whole numbers or None. A column that is not named is missing everywhere, but rows of
    nothing else are numbered 0, 1, 2 ... and not deleted.
    """
    given = {"source": np.zeros(rows, np.int32), "row": np.arange(rows, dtype=np.int32), **values}
    return Columns({shape.name: _numbers(given.get(shape.name), shape, rows) for shape in _shapes(table.name)})


@dataclass(frozen=True)
class _Shape:
    """A column's type and what says 'missing' in it; the place of each code."""

    name: str
    type: type[np.generic]
    missing: int
    places: Mapping[str | None, int] | None
    date: bool


@cache
def _shapes(table: str) -> tuple[_Shape, ...]:
    found = []
    for column in (*TABLES[table].columns, *ORIGIN):
        kind = type_of(column)
        places = None if column.codes is None else {code: at for at, code in enumerate(column.codes.codes)} | {None: -1}
        missing = -1 if places is not None else 0 if kind is np.bool_ else MISSING
        found.append(_Shape(column.name, kind, missing, places, column.kind == "date"))
    return tuple(found)


def _numbers(values: Sequence[Any] | Numbers | None, shape: _Shape, rows: int) -> Numbers:
    if values is None:
        return np.full(rows, shape.missing, shape.type)
    if isinstance(values, np.ndarray):
        return values.astype(shape.type, copy=False)
    if shape.places is not None:
        return np.array([shape.places[code] for code in values], shape.type)
    if shape.date:
        return np.array([MISSING if day is None else day.toordinal() - _EPOCH for day in values], shape.type)
    return np.array([MISSING if value is None else value for value in values], shape.type)


@cache
def _empty_frames() -> dict[str, pd.DataFrame]:
    return {name: empty_frame(table) for name, table in TABLES.items() if not table.protected}


@cache
def _empty_columns(name: str) -> Columns:
    return columns_of(TABLES[name], 0, {})


def _frame(columns: Columns, table: Table) -> pd.DataFrame:
    """Return the rows as a typed frame; a text is its number, written out."""
    found: dict[str, Any] = {}
    for column in (*table.columns, *ORIGIN):
        numbers = columns.of[column.name]
        if column.codes is not None:
            found[column.name] = pd.Categorical.from_codes(numbers, pd.Index(column.codes.codes))
        elif column.kind == "date":
            days = numbers.astype("datetime64[D]")
            found[column.name] = np.where(numbers == MISSING, np.datetime64("NaT"), days).astype("datetime64[s]")
        elif column.kind == "integer":
            found[column.name] = pd.array(numbers, dtype="Int32")
            found[column.name][numbers == MISSING] = pd.NA
        else:
            found[column.name] = numbers.astype(str) if column.kind == "text" else numbers
    return typed(pd.DataFrame(found), table)
