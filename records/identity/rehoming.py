"""Where a pupil's rows lie: in the shard of the pupil whom the links name, moved there by adding, never by cutting.

A shard is read without the others, so all numbers of one pupil must lie in one. When links change, rows
that lie elsewhere are added to the right shard, one atomic commit for each table; the old ones stay and
are passed by (`records.identity.joining`). Nothing is rewritten, so it costs what the linked pupils' rows cost,
and a link that is taken back finds its rows where they were. Only then are the new links put in force.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records import delta
from records.home import Home
from records.identity.link_log import from_log, settle, settled
from records.identity.links import Links
from records.table import ORIGIN, Table
from records.tables import TABLES

Numbers = npt.NDArray[np.int64]


def put_in_force(home: Home, prepare: Callable[[Links], None]) -> Links:
    """Bring the store in line with the log of links and return them. Safe to run again after a kill.

    Readers see the old links until every row is where the new ones want it, and `prepare` is done with them.
    """
    old, new = settled(home), from_log(home)
    if same(old, new):
        return new
    numbers = np.union1d(np.union1d(old.alias, new.alias), np.union1d(old.pupil, new.pupil))
    came, go = old.of(numbers) % home.shards, new.of(numbers) % home.shards
    moving = numbers[came != go]
    if len(moving):
        for root, table in sharded_tables(home):
            _move(root, table, moving, came[came != go], go[came != go])
    prepare(new)
    settle(home, new)
    return new


def same(one: Links, other: Links) -> bool:
    """Return whether two resolutions say the same."""
    pairs = zip(
        (one.alias, one.pupil, one.unproven, one.contested, one.proven_on.astype(np.int64)),
        (other.alias, other.pupil, other.unproven, other.contested, other.proven_on.astype(np.int64)),
        strict=True,
    )
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def sharded_tables(home: Home) -> Iterator[tuple[Path, Table]]:
    """Yield every table that has pupils, with its root."""
    for table in TABLES.values():
        if table.sharded:
            yield home.protected if table.protected else home.history, table


def _move(root: Path, table: Table, numbers: Numbers, came: Numbers, go: Numbers) -> None:
    names = [column.name for column in (*table.columns, *ORIGIN)]
    parts = []
    for shard in np.unique(came).tolist():
        mine = numbers[came == shard]
        parts.append(delta.scan(root, table, shard, names, pc.field("pupil").isin(mine)))
    rows = pa.concat_tables(parts).unify_dictionaries()
    if not len(rows):
        return
    target = dict(zip(numbers.tolist(), go.tolist(), strict=True))
    shards = np.array([target[number] for number in rows["pupil"].to_pylist()], dtype=np.int32)
    missing = np.ones(len(rows), dtype=bool)
    for shard in np.unique(go).tolist():
        there = delta.scan(root, table, shard, names, pc.field("pupil").isin(numbers[go == shard]))
        mine_there = np.flatnonzero(shards == shard)
        missing[mine_there] = ~_lies_in(rows.take(pa.array(mine_there)), there, table)
    if missing.any():
        delta.add(root, table, rows.filter(pa.array(missing)), shards[missing])


def _lies_in(rows: pa.Table, there: pa.Table, table: Table) -> npt.NDArray[np.bool_]:
    """Return which rows a shard already holds: of the same line of the same file, about the same thing."""
    key = dict.fromkeys((*table.key, "known_on", "source", "row"))
    held = set(zip(*(there[name].to_pylist() for name in key), strict=True))
    return np.array([row in held for row in zip(*(rows[name].to_pylist() for name in key), strict=True)], dtype=bool)
