"""A table's rows as columns of whole numbers, as loops over millions of rows take them.

Dates are days since 1970, codes are places in their list, texts are numbers that stand for the same text wherever
they are equal. A frame holds the same in eight times the room.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records.table import ORIGIN, Column, Table

Numbers = npt.NDArray[Any]
MISSING = np.iinfo(np.int32).min
_KIND_TYPES: Mapping[str, type[np.generic]] = {"pupil": np.int64, "flag": np.bool_}


@dataclass(frozen=True)
class Columns:
    """Some columns of a table's rows, each an array of one length.

    Attributes
    ----------
    of
        Name → int64 for a pupil, bool for a flag, int8 or int16 for a code (-1: missing), int32 for the rest
        (`MISSING`: missing). `source` is numbered in the order of its texts.
    """

    of: Mapping[str, Numbers]

    def __len__(self) -> int:
        return len(next(iter(self.of.values())))

    def __getitem__(self, name: str) -> npt.NDArray[np.int64]:
        return self.of[name]


class Columned(ABC):
    """Tables that can say their rows as columns, without making a frame first."""

    @abstractmethod
    def columns(self, name: str, names: Sequence[str]) -> Columns:
        """Return these columns of the table's rows, at least."""


def declared(table: Table, names: Sequence[str]) -> list[Column]:
    """Return the declarations of these columns, those of origin among them."""
    every = {column.name: column for column in (*table.columns, *ORIGIN)}
    return [every[name] for name in names]


def of_frame(rows: pd.DataFrame, table: Table, names: Sequence[str]) -> Columns:
    """Return the columns of a typed frame (`records.history.typed`)."""
    return Columns({column.name: _from_series(rows[column.name], column) for column in declared(table, names)})


def type_of(column: Column) -> type[np.generic]:
    """Return the type of a column's numbers."""
    if column.codes is not None:
        return np.int8 if len(column.codes.codes) <= np.iinfo(np.int8).max else np.int16
    return _KIND_TYPES.get(column.kind, np.int32)


def _from_series(values: pd.Series, column: Column) -> Numbers:
    if column.codes is not None:
        return values.cat.codes.to_numpy().astype(type_of(column))
    if column.kind == "date":
        days = values.to_numpy().astype("datetime64[D]")
        return np.where(np.isnat(days), MISSING, days.astype(np.int64)).astype(np.int32)
    if column.kind == "text":
        # Sorted, so that a file's number says where its name stands among the others.
        return pd.factorize(values, sort=True)[0].astype(np.int32)
    if column.kind == "integer":
        return np.asarray(values.fillna(MISSING), dtype=np.int32)
    return values.to_numpy().astype(type_of(column))


class Gathering:
    """Columns made of record batches, one after the other, so that no batch outlives its turn."""

    def __init__(self, table: Table, names: Sequence[str], rows: int) -> None:
        self._columns = declared(table, names)
        types = {column.name: type_of(column) for column in self._columns}
        self._made: dict[str, Numbers] = {name: np.empty(rows, dtype=kind) for name, kind in types.items()}
        self._files: dict[str, int] = {}
        self._texts: dict[str, list[pa.Array]] = {}
        self._filled = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the batch's rows."""
        to = slice(self._filled, self._filled + batch.num_rows)
        for column in self._columns:
            if column.kind == "text" and column.name != "source":
                self._texts.setdefault(column.name, []).append(batch.column(column.name))
            else:
                self._made[column.name][to] = self._numbers(batch.column(column.name), column)
        self._filled = to.stop

    def columns(self) -> Columns:
        """Return what was gathered; the texts of `source` in order."""
        if self._files:
            rank = np.argsort(np.argsort(np.array(list(self._files), dtype="U"))).astype(np.int32)
            self._made["source"] = rank[self._made["source"]]
        for name, parts in self._texts.items():
            self._made[name] = pa.concat_arrays(parts).dictionary_encode().indices.to_numpy()
        return Columns(self._made)

    def _numbers(self, array: pa.Array, column: Column) -> Numbers:
        if column.codes is not None:
            place = {code: position for position, code in enumerate(column.codes.codes)}
            return _moved(array, [place.get(code, -1) for code in array.dictionary.to_pylist()], -1, type_of(column))
        if column.kind == "text":
            files = self._files
            named = [files.setdefault(name, len(files)) for name in array.dictionary.to_pylist()]
            return _moved(array, named, MISSING, np.int32)
        if column.kind == "date":
            array = array.view(pa.int32())
        found: Numbers = (pc.fill_null(array, MISSING) if array.null_count else array).to_numpy(zero_copy_only=False)
        return found


def _moved(array: pa.Array, to: list[int], missing: int, kind: type[np.generic]) -> Numbers:
    numbers = np.array([*to, missing], dtype=kind)
    indices = array.indices
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int32()), len(to))
    # 'clip': every place is there, and numpy need not look.
    found: Numbers = numbers.take(indices.to_numpy(), mode="clip")
    return found
