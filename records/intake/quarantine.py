"""Where rows go that break a rule: put aside whole, with what is wrong and what to do."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from records.home import Home
from records.rows.faults import FAULT_COLUMNS, gather
from records.text.sheet import Sheet

_ROWS_AT_ONCE = 1 << 18
# Spreadsheets run a cell that starts like this; a leading apostrophe makes it text (ASVS 1.2.10).
# The last four are the full-width = + - @.
_FORMULA = "^([=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])"


def quarantine(home: Home, sheet: Sheet, faults: Sequence[pd.DataFrame], rows: npt.NDArray[np.int64]) -> Path:
    """Keep the rows whole in `quarantine/<digest>/rows.csv` with their faults beside them; return the folder.

    Writing the same file's faults again replaces them, so a repeated ingest does not add any.
    """
    folder = private(home.quarantine / sheet.source)
    table = gather(faults).drop_duplicates()
    _write(folder / "faults.csv", pa.Table.from_arrays([pa.array(table[n]) for n in FAULT_COLUMNS], [*FAULT_COLUMNS]))
    _write(folder / "rows.csv", _raw(sheet, rows))
    return folder


def forget(home: Home, source: str) -> None:
    """Let go of a file's quarantined rows: it was read again and nothing is wrong with it any more."""
    folder = home.quarantine / source
    if folder.exists():
        shutil.rmtree(folder)


def lines(home: Home, source: str) -> npt.NDArray[np.int64]:
    """Return the lines of a file that are quarantined."""
    path = home.quarantine / source / "faults.csv"
    if not path.exists():
        return np.empty(0, dtype=np.int64)
    faults = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(include_columns=["line"]))
    return np.unique(faults["line"].to_numpy()).astype(np.int64)


def _raw(sheet: Sheet, rows: npt.NDArray[np.int64]) -> pa.Table:
    kept = np.unique(rows)
    columns = {name: column.take(kept).arrow() for name, column in sheet.columns.items()}
    # A heading of the file may itself be 'line': ours stands first all the same.
    return pa.Table.from_arrays([pa.array(sheet.lines[kept]), *columns.values()], ["line", *columns])


def _write(path: Path, table: pa.Table) -> None:
    # Some rows at a time: a file that breaks one rule in every row would be written out in memory first.
    partial = path.with_suffix(".partial")
    try:
        plain = pa.schema([(f.name, f.type if pa.types.is_integer(f.type) else pa.string()) for f in table.schema])
        with pa_csv.CSVWriter(partial, plain) as writer:
            for first in range(0, len(table), _ROWS_AT_ONCE):
                some = table.slice(first, _ROWS_AT_ONCE)
                writer.write_table(pa.Table.from_arrays([_safe(column) for column in some.columns], schema=plain))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _safe(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_integer(column.type):
        return column
    return pc.replace_substring_regex(column.cast(pa.string()), _FORMULA, r"'\1")


def private(folder: Path) -> Path:
    """Return the folder, made where there is none, closed to all but the owner of the home."""
    # These folders hold names and numbers as they came: nobody but the owner of the home looks in.
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
