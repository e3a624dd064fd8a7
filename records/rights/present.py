"""Every pseudonym that lies anywhere in the home: by it, erased pupils are found again after a restore."""

import pyarrow.parquet as pa_parquet

from records import delta
from records.home import Home
from records.identity import link_log
from records.tables import TABLES


def pseudonyms_present(home: Home) -> set[int]:
    """Return the pseudonyms in either root of the record store, in the log of links and in candidates' files."""
    found: set[int] = set()
    for table in TABLES.values():
        root = home.protected if table.protected else home.history
        if table.sharded and delta.open_table(root, table) is not None:
            for shard in range(home.shards):
                found |= set(delta.scan(root, table, shard, ["pupil"])["pupil"].unique().to_pylist())
    log = link_log.read_log(home)
    found |= set(log["number"].tolist()) | set(log["former"].tolist())
    for path in home.candidates.rglob("*.parquet"):
        if "pupil" in pa_parquet.read_schema(path).names:
            found |= set(pa_parquet.read_table(path, columns=["pupil"])["pupil"].unique().to_pylist())
    return found
