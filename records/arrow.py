"""Records as Arrow tables: how they lie in the store, and how they become typed frames.

Codes are strings and dates are dates, so that Spark, DuckDB or a data platform read the same tables
without this code.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records.table import ORIGIN, Column, Kind, Table

TYPES: dict[Kind, pa.DataType] = {
    "pupil": pa.int64(),
    "school": pa.int32(),
    "text": pa.string(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "code": pa.dictionary(pa.int16(), pa.string()),
}


def schema_of(table: Table) -> pa.Schema:
    """Return the Arrow schema of the table's columns and those of origin, in order."""
    return pa.schema([(column.name, TYPES[column.kind]) for column in (*table.columns, *ORIGIN)])


def array_of(
    column: Column, values: npt.NDArray[np.generic], missing: npt.NDArray[np.bool_], rows: npt.NDArray[np.int32]
) -> pa.Array:
    """Return a column from its distinct values: row i holds `values[rows[i]]`, or null where that is missing.

    Codes are positions in their list. Text is never null: a missing one is ''.
    """
    if column.codes is not None:
        places = np.where(missing, -1, values.astype(np.int16))[rows].astype(np.int16)
        return pa.DictionaryArray.from_arrays(pa.array(places, mask=places < 0), pa.array(column.codes.codes))
    if column.kind == "text":
        return pa.array(values, pa.string()).take(pa.array(rows))
    if column.kind == "date":
        values = values.astype("datetime64[D]")
    found: pa.Array = pa.array(values, TYPES[column.kind], mask=missing).take(pa.array(rows))
    return found


def from_arrow(rows: pa.Table, table: Table) -> pd.DataFrame:
    """Return the rows in the types of `records.table.DTYPES`."""
    return pd.DataFrame({column.name: _loaded(rows[column.name], column) for column in (*table.columns, *ORIGIN)})


def _loaded(chunked: pa.ChunkedArray, column: Column) -> object:
    if column.codes is not None:
        listed = list(column.codes.codes)
        array = one_array(chunked.unify_dictionaries())
        place = {code: position for position, code in enumerate(listed)}
        moved = np.array([*(place.get(code, -1) for code in array.dictionary.to_pylist()), -1], dtype="int16")
        codes = pc.fill_null(array.indices.cast(pa.int32()), len(moved) - 1).to_numpy(zero_copy_only=False)
        return pd.Categorical.from_codes(moved[codes], pd.Index(listed))
    if column.kind == "date":
        return chunked.cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]")
    if column.kind == "integer":
        array = one_array(chunked)
        missing = array.is_null().to_numpy(zero_copy_only=False)
        return pd.arrays.IntegerArray(pc.fill_null(array, 0).to_numpy(zero_copy_only=False).copy(), missing)
    if column.kind == "text":
        return pd.array(one_array(chunked.cast(pa.string())), dtype="str")
    return chunked.to_numpy().astype({"pupil": "int64", "school": "int32", "flag": "bool"}.get(column.kind, "float64"))


def one_array(chunked: pa.ChunkedArray) -> pa.Array:
    """Return the chunks as one array; an empty one where there is no chunk."""
    array = chunked.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], chunked.type)
    return array
