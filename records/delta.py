"""Delta Lake tables of records: atomic appends that land once, and typed reads."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import TableNotFoundError

from records.arrow import from_arrow, schema_of
from records.columns import Columns, Gathering, declared
from records.history import empty_frame
from records.table import ORIGIN, Table

SHARD = "shard"

# Pseudonyms and lines hardly repeat: a dictionary of them takes a quarter more time and room than they do.
_PLAIN = ColumnProperties(dictionary_enabled=False)
_WRITING = WriterProperties(compression="SNAPPY", column_properties={"pupil": _PLAIN, "row": _PLAIN})
# Handed over whole, ten million rows are copied once more on their way to their shards.
ROWS_AT_ONCE = 1 << 17
# A term of weekly ingests; and about ten million marks of one shard in a file.
MOST_FILES = 16
FILE_BYTES = 64_000_000
KEPT_HOURS = 7 * 24
# Column → the least and greatest value that is asked for.
Ranges = Mapping[str, tuple[Any, Any]]
# Numbers → the pupils whose they are (records/identity/links.py).
PupilOf = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Landing:
    """Accepted rows of one load for one table: `load` is the digest that lands once only."""

    load: str
    rows: pa.Table


def open_table(root: Path, table: Table) -> DeltaTable | None:
    """Return the Delta table, or None while nothing of it has landed."""
    try:
        return DeltaTable(root / table.name)
    except TableNotFoundError:
        return None


def _itself(pseudonyms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return pseudonyms


def sharded(rows: pa.Table, shards: int, of: PupilOf = _itself) -> pa.Table:
    """Return the rows with the shard that each belongs to, by the pupil whose number it bears."""
    return rows.append_column(SHARD, pa.array((of(rows["pupil"].to_numpy()) % shards).astype("int32")))


def append(
    root: Path,
    table: Table,
    landings: Sequence[Landing],
    shards: int,
    of: PupilOf = _itself,
    beside: pa.Table | None = None,
) -> int:
    """Add the landings in one atomic commit; return how many rows are new. `of` says which pupil's shard a row is in.

    A load that the table already holds adds nothing: its digest is in the table's own log, in the
    same commit as its rows, so a process killed at any moment leaves all of them or none. Rows
    `beside` them (with their shards) are what the landings call for, and share their fate.
    """
    there = open_table(root, table)
    fresh = [landing for landing in landings if there is None or there.transaction_version(landing.load) is None]
    if not fresh:
        return 0
    rows = pa.concat_tables([landing.rows for landing in fresh]).select(schema_of(table).names).unify_dictionaries()
    if not rows.num_rows:
        return 0
    landed = rows.num_rows
    if table.sharded:
        rows = sharded(rows, shards, of)
    if beside is not None and len(beside):
        rows = pa.concat_tables([rows.cast(beside.schema), beside]).unify_dictionaries()
    (root / table.name).mkdir(parents=True, exist_ok=True)
    write_deltalake(
        there or str(root / table.name),
        rows.to_reader(max_chunksize=ROWS_AT_ONCE),
        mode="append",
        partition_by=[SHARD] if table.sharded else None,
        writer_properties=_WRITING,
        commit_properties=CommitProperties(
            app_transactions=[Transaction(load, 1, int(time.time() * 1000)) for load in dict.fromkeys(_loads(fresh))]
        ),
    )
    return int(landed)


def add(root: Path, table: Table, rows: pa.Table, shards: npt.NDArray[np.int32]) -> None:
    """Add rows to the shards given, in one atomic commit. The caller knows that they are not there yet."""
    there = open_table(root, table)
    assert there is not None
    write_deltalake(
        there,
        rows.select(schema_of(table).names).append_column(SHARD, pa.array(shards, pa.int32())),
        mode="append",
        partition_by=[SHARD],
        writer_properties=_WRITING,
    )


def compact(root: Path, table: Table, most_files: int = MOST_FILES) -> int:
    """Write the small files of each crowded shard together, a commit for each; return how many there were.

    Every ingest adds a file to each shard, and a reader opens them all. Rows, loads and earlier versions
    stay what they were. Files that no version of the last week names are deleted: those written together
    longer ago, and those of an ingest that was killed before its commit.
    """
    there = open_table(root, table)
    if there is None:
        return 0
    files = Counter(Path(uri).parent.name for uri in there.file_uris())
    crowded = [folder for folder, count in sorted(files.items()) if count > most_files]
    for folder in crowded:
        there.optimize.compact(
            partition_filters=[(SHARD, "=", folder.removeprefix(f"{SHARD}="))] if table.sharded else None,
            target_size=FILE_BYTES,
            max_concurrent_tasks=1,
            writer_properties=_WRITING,
        )
    if crowded:
        there.vacuum(retention_hours=KEPT_HOURS, dry_run=False, full=True)
    return len(crowded)


@dataclass(frozen=True)
class Opened:
    """One version of a table's rows, of one shard or all, not read yet: `files` are its Parquet files.

    Rows come in the order of their files' names, which differs between homes: no reader may lean on it.
    """

    table: Table
    files: tuple[str, ...]
    version: int | None

    def frame(self, where: pc.Expression | None = None) -> pd.DataFrame:
        """Return the rows, typed; those where `where` holds."""
        if not self.files:
            return empty_frame(self.table)
        return from_arrow(_rows_of(self.files, self.table, _every(self.table), where), self.table)

    def pupils(self, where: pc.Expression) -> npt.NDArray[np.int64]:
        """Return the number on each row of a source that `where` holds of."""
        rows = _rows_of(self.files, self.table, ["pupil", "source"], where)
        found: npt.NDArray[np.int64] = rows["pupil"].to_numpy()
        return found

    def columns(self, names: Sequence[str]) -> Columns:
        """Return some columns as whole numbers, a batch in memory at a time."""
        # The names of files hardly differ: as texts they would take longer to read than everything else.
        coded = [column.name for column in declared(self.table, names) if column.kind == "code"] + ["source"]
        files = [pq.ParquetFile(file, read_dictionary=coded) for file in self.files]
        gathered = Gathering(self.table, names, sum(file.metadata.num_rows for file in files))
        for file in files:
            with file:
                for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(names), use_threads=False):
                    gathered.add(batch)
        return gathered.columns()


def opened(root: Path, table: Table, shard: int | None) -> Opened:
    """Return the newest version of the table's rows, to be read later; all shards where `shard` is None."""
    there = open_table(root, table)
    if there is None:
        return Opened(table, (), None)
    return Opened(table, _files(there, table, shard), there.version())


def read(root: Path, table: Table, shard: int | None) -> tuple[pd.DataFrame, int | None]:
    """Return the table's rows, typed, and the version read; all shards where `shard` is None."""
    found = opened(root, table, shard)
    return found.frame(), found.version


def scan(
    root: Path,
    table: Table,
    shard: int | None,
    names: list[str],
    where: pc.Expression | None = None,
    within: Ranges = MappingProxyType({}),
) -> pa.Table:
    """Return some columns of the table's rows as they lie in the store, every version, where `where` holds.

    `within`: ranges outside of which no row is asked for; a file that lies outside of one is not opened.
    """
    there = open_table(root, table)
    if there is None:
        return pa.schema([schema_of(table).field(name) for name in names]).empty_table()
    files = _files(there, table, shard)
    if within:
        may = touching(there, within)
        files = tuple(file for file in files if Path(file).name in may)
    return _rows_of(files, table, names, where)


def ranges_of(rows: pa.Table, names: Sequence[str]) -> Ranges:
    """Return the least and greatest value of each of these columns that the rows have."""
    found = {name: pc.min_max(rows[name]).as_py() for name in names if name in rows.column_names and len(rows)}
    return {name: (span["min"], span["max"]) for name, span in found.items() if span["min"] is not None}


def touching(there: DeltaTable, within: Ranges) -> frozenset[str]:
    """Return the names of the files that may hold a row within every range, as the table's log has it."""
    files = pa.table(there.get_add_actions(flatten=True))
    may = pa.array(np.ones(len(files), dtype=bool))
    for name, (low, high) in within.items():
        if {f"min.{name}", f"max.{name}"} <= set(files.column_names):
            kind = pa.scalar(low).type
            below = pc.less(files[f"max.{name}"].cast(kind), low)
            above = pc.greater(files[f"min.{name}"].cast(kind), high)
            # A file whose log says nothing of a column may hold anything.
            may = pc.and_(may, pc.invert(pc.fill_null(pc.or_(below, above), False)))
    return frozenset(Path(path).name for path in files["path"].filter(may).to_pylist())


def newest(root: Path, table: Table, by: str, date: str, shards: Iterable[int]) -> dict[int, np.datetime64]:
    """Return the newest date of each value of an integer column, one shard in memory at a time."""
    there = open_table(root, table)
    found: dict[int, np.datetime64] = {}
    if there is None:
        return found
    for shard in shards:
        rows = _arrow_rows(there, table, shard, [by, date])
        grouped = rows.group_by(by).aggregate([(date, "max")])
        for key, day in zip(grouped[by].to_pylist(), grouped[f"{date}_max"].to_pylist(), strict=True):
            found[key] = max(found.get(key, np.datetime64(day, "D")), np.datetime64(day, "D"))
    return dict(sorted(found.items()))


def _loads(landings: Sequence[Landing]) -> list[str]:
    return [landing.load for landing in landings]


def _arrow_rows(
    there: DeltaTable, table: Table, shard: int | None, names: list[str], where: pc.Expression | None = None
) -> pa.Table:
    return _rows_of(_files(there, table, shard), table, names, where)


def _files(there: DeltaTable, table: Table, shard: int | None) -> tuple[str, ...]:
    pruned = f"{SHARD} = {shard}" if table.sharded and shard is not None else None
    return tuple(sorted(there.file_uris(file_pruning_predicate=pruned)))


def _every(table: Table) -> list[str]:
    return [column.name for column in (*table.columns, *ORIGIN)]


def _rows_of(files: Sequence[str], table: Table, names: list[str], where: pc.Expression | None = None) -> pa.Table:
    # Not to_pyarrow_table()/to_pyarrow_dataset(): they sometimes abort the process at exit (docs/decisions.md, 4).
    whole = schema_of(table)
    schema = pa.schema([whole.field(name) for name in names])
    coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    if not files:
        return schema.empty_table()
    parquet = pa_dataset.ParquetFileFormat(dictionary_columns=coded)
    found: pa.Table = pa_dataset.dataset(list(files), format=parquet, schema=schema).to_table(
        columns=names, filter=where
    )
    return found
