"""Rows that say what the store already says: the same thing, content and day, from another file.

A school that exports its whole year each week would otherwise fill the store with copies.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records import delta
from records.arrow import from_arrow
from records.table import ORIGIN, Table

Mask = npt.NDArray[np.bool_]
# A row that says the same is of the same day and school; loads bring few schools, or few days.
_RANGES = ("known_on", "school")


def repeated(root: Path, table: Table, rows: pa.Table, shards: npt.NDArray[np.int64] | None) -> tuple[Mask, Mask]:
    """Return which rows the store already says, and which of those it can do without.

    Of equal rows, the one with the highest file digest and line decides between versions of one day
    (`records.history.latest`), so a new one that is higher lands all the same: the order in which files
    come would show otherwise. Of n equal exports about ln n are kept.

    Parameters
    ----------
    shards
        The shard of each row; None for a table without pupils.
    """
    said = np.zeros(len(rows), dtype=bool)
    spare = np.zeros(len(rows), dtype=bool)
    within = delta.ranges_of(rows, _RANGES)
    there = delta.open_table(root, table)
    # Weekly exports bring new days only: then no file has to be opened.
    if there is None or not len(rows) or not delta.touching(there, within):
        return said, spare
    low, high = within["known_on"]
    span = (pc.field("known_on") >= low) & (pc.field("known_on") <= high)
    for shard in [None] if shards is None else np.unique(shards).tolist():
        mine = np.arange(len(rows)) if shards is None else np.flatnonzero(shards == shard)
        names = [column.name for column in (*table.columns, *ORIGIN)]
        new = rows if shards is None else rows.take(pa.array(mine))
        # Of the days in question most rows are other pupils': they are passed by while the files are read.
        where = span if shards is None else span & pc.field("pupil").isin(pc.unique(new["pupil"]))
        stored = delta.scan(root, table, shard, names, where, within)
        if len(stored):
            said[mine], spare[mine] = _said(from_arrow(new.unify_dictionaries(), table), from_arrow(stored, table))
    return said, spare


def _said(new: pd.DataFrame, stored: pd.DataFrame) -> tuple[Mask, Mask]:
    content = [name for name in new.columns if name not in ("source", "row")]
    stored = stored.sort_values(["source", "row"], kind="stable").drop_duplicates(content, keep="last")
    new = new.assign(place=np.arange(len(new)))
    met = new.merge(stored, on=content, how="inner", suffixes=("", "_stored"))
    said = np.zeros(len(new), dtype=bool)
    spare = np.zeros(len(new), dtype=bool)
    place = met["place"].to_numpy()
    said[place] = True
    same_file = (met["source_stored"] == met["source"]).to_numpy(dtype=bool)
    higher = (met["source_stored"] > met["source"]).to_numpy(dtype=bool)
    spare[place] = higher | (same_file & (met["row_stored"] >= met["row"]).to_numpy(dtype=bool))
    return said, spare
