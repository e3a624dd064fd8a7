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
from records.identity.links import Links
from records.table import ORIGIN, Table

_ORDER = ["known_on", "source", "row"]


def takes_events_away(table: Table) -> bool:
    """Return whether things of this table are known by a number that is not the pupil's."""
    return table.sharded and "pupil" not in table.key


def take_away(root: Path, table: Table, landed: Sequence[pa.Table], links: Links, shards: int) -> int:
    """Add the deletions that the events just landed call for, whichever version came first; return how many.

    One atomic commit; what is there already is not added again, so it stands being killed and run again.
    """
    names = [column.name for column in (*table.columns, *ORIGIN)]
    # The school, and its own number of the event.
    number = table.key[-1]
    numbers = [chunk for rows in landed for chunk in rows[number].chunks]
    if not numbers or delta.open_table(root, table) is None:
        return 0
    among = pc.field(number).isin(pc.unique(pa.chunked_array(numbers)))
    parts = []
    for shard in range(shards):
        rows = delta.scan(root, table, shard, names, among)
        parts.append(rows.append_column(delta.SHARD, pa.array(np.full(len(rows), shard, dtype=np.int32))))
    stored = pa.concat_tables(parts).unify_dictionaries()
    index = _plain(stored.select([*table.key, "pupil", "deleted", *_ORDER, delta.SHARD]))
    home = links.of(index["pupil"].to_numpy()) % shards
    index = index.assign(pupil=links.of(index["pupil"].to_numpy()), place=np.arange(len(index)))
    # Rows that lie where another link once put them are no part of it.
    index = index[home == index[delta.SHARD]]
    wanted = _deletions(index, list(table.key))
    if wanted.empty:
        return 0
    rows = stored.take(pa.array(wanted["place"].to_numpy()))
    given = {
        "deleted": pa.array(np.ones(len(wanted), dtype=bool)),
        "known_on": pa.array(wanted["known_on_by"]).cast(pa.date32()),
        "source": pa.array(wanted["source_by"], pa.string()),
        "row": pa.array(wanted["row_by"], pa.int32()),
    }
    for name, values in given.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    delta.add(root, table, rows.select(names), wanted[delta.SHARD].to_numpy())
    return len(wanted)


def _plain(rows: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.set_column(
        rows.schema.get_field_index("source"), "source", rows["source"].cast(pa.string())
    ).to_pandas()
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
