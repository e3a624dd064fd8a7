"""Taking rows out of Delta tables for good: the shard written anew, older files, versions and logs gone.

A Delta table remembers: old files until they are vacuumed, and in its log the smallest and largest value
of each column of each file, pseudonyms among them. So after rows are taken out, the table starts from a
checkpoint of what is left. Versions before it cannot be read again; a training run that names one keeps
its numbers, not its rows.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pa_dataset
from deltalake import DeltaTable, WriterProperties, write_deltalake

from records.delta import SHARD, open_table
from records.table import Table

Mask = npt.NDArray[np.bool_]


def count_pupil(root: Path, table: Table, pseudonyms: Sequence[int], shards: Iterable[int]) -> int:
    """Return how many rows of these shards, in all their versions, bear one of the pseudonyms."""
    there = open_table(root, table)
    if there is None:
        return 0
    return sum(int(_mine(_rows(there, shard, ["pupil"]), pseudonyms).sum()) for shard in shards)


def remove_pupil(root: Path, table: Table, pseudonyms: Sequence[int], shards: Iterable[int]) -> int:
    """Take rows that bear one of the pseudonyms out of these shards, in all their versions; return how many."""
    gone = 0
    for shard in shards:
        if count_pupil(root, table, pseudonyms, (shard,)):
            gone += remove_rows(root, table, shard, lambda rows: _mine(rows, pseudonyms))
    return gone


def remove_rows(root: Path, table: Table, shard: int | None, which: Callable[[pa.Table], Mask]) -> int:
    """Take rows out of one shard of a table and return how many; one shard is in memory at a time.

    `shard` is None for a table that has none. Call `forget_versions` afterwards: until then older
    versions of the table still hold them.
    """
    there = open_table(root, table)
    if there is None:
        return 0
    rows = _rows(there, shard, None)
    gone = which(rows)
    if not gone.any():
        return 0
    kept = rows.filter(pa.array(~gone))
    if shard is not None:
        kept = kept.append_column(SHARD, pa.array(np.full(len(kept), shard, dtype=np.int32)))
    # By shard, not by pupil: a Delta commit writes down what it was asked, and a pseudonym would stay in it.
    write_deltalake(
        there,
        kept,
        mode="overwrite",
        predicate=None if shard is None else f"{SHARD} = {shard}",
        partition_by=None if shard is None else [SHARD],
        writer_properties=WriterProperties(compression="SNAPPY"),
    )
    return int(gone.sum())


def forget_versions(root: Path, table: Table) -> None:
    """Leave of the table only what it holds now: no file, log or checkpoint of an older version."""
    if open_table(root, table) is None:
        return
    folder = root / table.name
    # Nobody else may be writing: `belong` runs one job at a time, and a reader opens its files at once.
    DeltaTable(folder).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    there = DeltaTable(folder)
    there.create_checkpoint()
    for file in (folder / "_delta_log").iterdir():
        number = file.name[:20]
        if number.isdigit() and int(number) < there.version():
            file.unlink()
    for folder_of_shard in folder.glob(f"{SHARD}=*"):
        with contextlib.suppress(OSError):  # not empty
            folder_of_shard.rmdir()


def _mine(rows: pa.Table, pseudonyms: Sequence[int]) -> Mask:
    return np.isin(rows["pupil"].to_numpy(), list(pseudonyms))


def _rows(there: DeltaTable, shard: int | None, names: list[str] | None) -> pa.Table:
    files = sorted(there.file_uris(file_pruning_predicate=None if shard is None else f"{SHARD} = {shard}"))
    if not files:
        schema = pa.schema(there.schema().to_arrow())
        fields = [field for field in schema if field.name != SHARD and (names is None or field.name in names)]
        return pa.schema(fields).empty_table()
    rows: pa.Table = pa_dataset.dataset(files, format="parquet").to_table(columns=names)
    return rows
