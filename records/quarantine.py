"""Where rows go that did not land: quarantined with what is wrong, held until their pupil is proven."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from records.check import FAULT_COLUMNS
from records.home import Home
from records.sheet import Sheet

# Spreadsheets run a cell that starts like this; a leading apostrophe makes it text (ASVS 1.2.10).
# The last four are the full-width = + - @.
_FORMULA = "^([=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])"


def quarantine(home: Home, sheet: Sheet, faults: Sequence[pd.DataFrame], rows: npt.NDArray[np.int64]) -> Path:
    """Keep the rows whole in `quarantine/<digest>/rows.csv` with their faults beside them; return the folder.

    Writing the same file's faults again replaces them, so a repeated ingest does not add any.
    """
    folder = _private(home.quarantine / sheet.source)
    table = pd.concat(list(faults), ignore_index=True)[list(FAULT_COLUMNS)].drop_duplicates()
    table = table.sort_values(["line", "column", "rule"], kind="stable")
    texts = [pa.array(table[name], pa.int64() if name == "line" else pa.string()) for name in FAULT_COLUMNS]
    _write(folder / "faults.csv", pa.Table.from_arrays(texts, list(FAULT_COLUMNS)))
    _write(folder / "rows.csv", _raw(sheet, rows))
    return folder


def hold(home: Home, sheet: Sheet, table: str, reasons: Mapping[str, npt.NDArray[np.int64]]) -> Path:
    """Keep the rows as they were in `held/<digest>/<table>.parquet`, with why; return the file.

    Parameters
    ----------
    reasons
        Why → positions of rows in the sheet.
    """
    folder = _private(home.held / sheet.source)
    rows = np.concatenate(list(reasons.values()))
    why = np.repeat(list(reasons), [len(found) for found in reasons.values()])
    held = {"file": [sheet.file] * len(rows), "line": sheet.lines[rows], "why": why.tolist()}
    held |= {f"text_{name}": column.take(rows).arrow() for name, column in sheet.columns.items()}
    path = folder / f"{table}.parquet"
    partial = path.with_suffix(".partial")
    pa_parquet.write_table(pa.table(held).sort_by("line"), partial)
    os.replace(partial, path)
    return path


def _raw(sheet: Sheet, rows: npt.NDArray[np.int64]) -> pa.Table:
    kept = np.unique(rows)
    columns = {name: column.take(kept).arrow().cast(pa.string()) for name, column in sheet.columns.items()}
    # A heading of the file may itself be 'line': ours stands first all the same.
    return pa.Table.from_arrays([pa.array(sheet.lines[kept]), *columns.values()], ["line", *columns])


def _write(path: Path, table: pa.Table) -> None:
    safe = [
        pc.replace_substring_regex(column, _FORMULA, r"'\1") if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    partial = path.with_suffix(".partial")
    pa_csv.write_csv(pa.Table.from_arrays(safe, table.column_names), partial)
    os.replace(partial, path)


def _private(folder: Path) -> Path:
    # These folders hold names and numbers as they came: nobody but the owner of the home looks in.
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
