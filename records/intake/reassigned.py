"""Events that a school first wrote down for one pupil and then for another: they leave the first.

A school numbers its events, so a correction may name another pupil. The versions then lie in two shards,
and a shard is read without the others: the first pupil would keep what they never did. So their shard
gets a deletion, with the day, file and line of the version that took the event away.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records import delta
from records.arrow import schema_of
from records.identity.links import Links
from records.table import Table

_ORDER = ["known_on", "source", "row"]


def _numbered_by_school(table: Table) -> bool:
    """Return whether things of this table are known by a number that is not the pupil's."""
    return table.sharded and "pupil" not in table.key


def taken_away(root: Path, table: Table, fresh: Sequence[pa.Table], links: Links, shards: int) -> pa.Table | None:
    """Return the deletions that fresh events call for, each with its shard, whichever version came first.

    They land in the commit of the events themselves (`delta.append`), so that no moment leaves an event
    with two pupils or with none. What the store holds already is not asked for again.
    """
    if not _numbered_by_school(table) or not any(map(len, fresh)):
        return None
    declared = schema_of(table)
    rows = [delta.sharded(one.select(declared.names).cast(declared), shards, links.of) for one in fresh]
    # The school, and its own number of the event.
    number = table.key[-1]
    among = pc.field(number).isin(pc.unique(pa.chunked_array([chunk for one in rows for chunk in one[number].chunks])))
    beside = [name for name in table.key if name != number]
    within = delta.ranges_of(pa.concat_tables([one.select(beside) for one in rows]), beside)
    for shard in range(shards):
        stored = delta.scan(root, table, shard, declared.names, among, within)
        rows.append(stored.append_column(delta.SHARD, pa.array(np.full(len(stored), shard, dtype=np.int32))))
    versions = pa.concat_tables(rows).unify_dictionaries()
    index = _plain(versions.select([*table.key, "pupil", "deleted", *_ORDER, delta.SHARD]))
    home = links.of(index["pupil"].to_numpy()) % shards
    index = index.assign(pupil=links.of(index["pupil"].to_numpy()), place=np.arange(len(index)))
    # Rows that lie where another link once put them are no part of it.
    index = index[home == index[delta.SHARD]]
    wanted = _deletions(index, list(table.key))
    if wanted.empty:
        return None
    found = versions.take(pa.array(wanted["place"].to_numpy()))
    given = {
        "deleted": pa.array(np.ones(len(wanted), dtype=bool)),
        "known_on": pa.array(wanted["known_on_by"]).cast(pa.date32()),
        "source": pa.array(wanted["source_by"], pa.string()),
        "row": pa.array(wanted["row_by"], pa.int32()),
    }
    for name, values in given.items():
        found = found.set_column(found.schema.get_field_index(name), name, values)
    return found


def _plain(rows: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pandas()
    return frame.assign(known_on=frame["known_on"].astype("datetime64[s]"))


def _deletions(index: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return a row of `index` for each deletion that is missing, and in `*_by` the version that calls for it.

    A version of one pupil calls for a deletion with each other pupil who has an earlier version in
    another shard. A deletion that was added before has the origin of a version of another pupil.
    """
    many = index[index.groupby(key)["pupil"].transform("nunique") > 1]
    if many.empty:
        return many
    origin = [*key, *_ORDER]
    own = many.sort_values([*origin, "deleted"], kind="stable").drop_duplicates(origin)
    pairs = many.merge(own, on=key, suffixes=("", "_by"))
    pairs = pairs[(pairs["pupil"] != pairs["pupil_by"]) & (pairs[delta.SHARD] != pairs[f"{delta.SHARD}_by"])]
    earlier = pairs[_ORDER].apply(tuple, axis=1) < pairs[[f"{n}_by" for n in _ORDER]].apply(tuple, axis=1)
    wanted = pairs[earlier].drop_duplicates([*key, "pupil", *(f"{name}_by" for name in _ORDER)])
    there = set(many[[*key, "pupil", *_ORDER]].itertuples(index=False, name=None))
    asked = wanted[[*key, "pupil", *(f"{name}_by" for name in _ORDER)]].itertuples(index=False, name=None)
    return wanted[[one not in there for one in asked]] if len(wanted) else wanted
