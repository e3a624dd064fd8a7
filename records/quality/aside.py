"""Rows that were put aside, quarantined or held: how many of each file, by rule and by reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from records import delta
from records.home import Home
from records.intake.summary import HELD_REMEDIES
from records.store import Store
from records.tables import TABLES

_REASONS = ["source", "file", "fate", "why", "remedy", "rows"]


@dataclass(frozen=True, kw_only=True)
class FileShare:
    """One file of which rows were put aside.

    `source` is the digest that its rows carry. `landed` counts the versions of them that lie in the store
    now; `schools` those that they name.
    """

    file: str
    source: str
    quarantined: int
    held: int
    landed: int
    schools: tuple[int, ...]

    @property
    def aside(self) -> int:
        """Rows of it that are not in the records."""
        return self.quarantined + self.held

    @property
    def share(self) -> float:
        """Share of the file's rows that were put aside; 1 where none landed."""
        return self.aside / (self.aside + self.landed)


def reasons(home: Home) -> pd.DataFrame:
    """Return `source`, `file`, `fate` ('quarantined' or 'held'), `why`, `remedy`, `rows`; no value from any row.

    A row that breaks two rules is under both.
    """
    parts = [_faults(path) for path in sorted(home.quarantine.glob("*/faults.csv"))]
    parts += [_held(path) for path in _held_files(home)]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(_REASONS))


def shares(store: Store) -> tuple[FileShare, ...]:
    """Return every file with rows put aside and how much of it that is, the largest share first."""
    sources: dict[str, dict[str, int]] = {}
    names: dict[str, str] = {}
    for path in sorted(store.home.quarantine.glob("*/faults.csv")):
        faults = pa_csv.read_csv(path, convert_options=_TEXTS)
        source = path.parent.name
        names[source] = _first(faults["file"])
        sources.setdefault(source, {})["quarantined"] = pc.count_distinct(faults["line"]).as_py()
    for path in _held_files(store.home):
        rows = pa_parquet.read_table(path, columns=["file", "line"])
        source = path.parent.name
        names[source] = _first(rows["file"])
        counted = sources.setdefault(source, {})
        counted["held"] = counted.get("held", 0) + rows.num_rows
    landed = _landed(store, list(sources))
    found = [
        FileShare(
            file=names[source],
            source=source,
            quarantined=counted.get("quarantined", 0),
            held=counted.get("held", 0),
            landed=int(landed.loc[landed["source"] == source, "rows"].sum()),
            schools=tuple(sorted(set(landed.loc[landed["source"] == source, "school"].astype(int)))),
        )
        for source, counted in sources.items()
    ]
    return tuple(sorted((one for one in found if one.aside), key=lambda one: (-one.share, -one.aside, one.file)))


_TEXTS = pa_csv.ConvertOptions(column_types={"line": pa.int64()}, strings_can_be_null=False)


def _first(column: pa.ChunkedArray) -> str:
    return str(column[0].as_py()) if len(column) else ""


def _faults(path: Path) -> pd.DataFrame:
    faults = pa_csv.read_csv(path, convert_options=_TEXTS)
    grouped: pd.DataFrame = (
        faults.group_by(["file", "rule", "remedy"]).aggregate([("line", "count_distinct")]).to_pandas()
    )
    grouped = grouped.rename(columns={"rule": "why", "line_count_distinct": "rows"})
    return grouped.assign(source=path.parent.name, fate="quarantined")[_REASONS]


def _held_files(home: Home) -> list[Path]:
    # Rows on their way out (records.intake.held) lie beside them, without a reason.
    found = sorted(home.held.glob("*/*.parquet"))
    return [path for path in found if "why" in pa_parquet.read_schema(path).names]


def _held(path: Path) -> pd.DataFrame:
    rows = pa_parquet.read_table(path, columns=["file", "why"])
    grouped: pd.DataFrame = rows.group_by(["file", "why"]).aggregate([([], "count_all")]).to_pandas()
    grouped = grouped.rename(columns={"count_all": "rows"})
    remedy = grouped["why"].map(HELD_REMEDIES).fillna("")
    return grouped.assign(source=path.parent.name, fate="held", remedy=remedy)[_REASONS]


def _landed(store: Store, sources: Sequence[str]) -> pd.DataFrame:
    """Return `source`, `school` and `rows` of what landed in the history of these files."""
    parts = [pd.DataFrame({"source": [], "school": [], "rows": []})]
    where = pc.field("source").isin(list(sources))
    for table in TABLES.values():
        if table.protected or not sources or "school" not in [column.name for column in table.columns]:
            continue
        for shard in store.shards if table.sharded else [None]:
            rows = delta.scan(store.home.history, table, shard, ["source", "school"], where)
            counted = rows.group_by(["source", "school"]).aggregate([([], "count_all")])
            parts.append(counted.to_pandas().rename(columns={"count_all": "rows"}))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
