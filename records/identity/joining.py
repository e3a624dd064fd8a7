"""A pupil's rows under all their numbers, as one pupil's: done when the store is read.

Rows lie under the number they came with, in the shard of the pupil whom the links name
(`records.identity.rehoming`). Read, they bear the pupil's pseudonym; rows that lie where another link once put
them are passed by.
"""

import numpy as np
import pandas as pd

from records.identity.links import Links
from records.table import Table

_ORDER = ["known_on", "source", "row"]


def joined(rows: pd.DataFrame, table: Table, links: Links, shard: int, shards: int) -> pd.DataFrame:
    """Return the rows of one shard with each number's pupil in `pupil`.

    Who a pupil is has no day: rows under two permanent numbers are one pupil's at every as-of. A temporary
    number proves nobody by itself, so its rows are known from the day a school said whose it is.
    """
    if not table.sharded:
        return rows
    numbers = rows["pupil"].to_numpy()
    place = links.index.get_indexer(pd.Index(numbers)) if len(links) else np.full(len(numbers), -1)
    linked = place >= 0
    pupils = numbers if not linked.any() else np.where(linked, links.pupil[place], numbers)
    here = pupils % shards == shard
    if len(links.unproven):
        here &= ~np.isin(numbers, links.unproven)
    if here.all() and not linked.any():
        return rows
    known = rows["known_on"].to_numpy()
    proven = np.full(len(numbers), "NaT", "datetime64[s]")
    proven[linked] = links.proven_on[place[linked]]
    early = linked & (known < proven)
    found: pd.DataFrame = rows.assign(pupil=pupils, visible=np.where(early, proven, known), early=early)[here]
    if "pupil" not in table.key:
        # An event taken from one number and given to another (records/intake/reassigned.py): both are one pupil's.
        found = found.sort_values("deleted", kind="stable").drop_duplicates([*table.key, *_ORDER]).sort_index()
    if found["early"].any():
        found = _from_their_proof(found, list(table.key))
    return found.drop(columns=["visible", "early"])


def _from_their_proof(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return the rows with `known_on` the day they could be read, none of them undoing what was said later.

    A version recorded before the proof is left out where a later one could be read by then: it would come
    back as the newest on the day of the proof.
    """
    told = rows[[*key, *_ORDER, "visible", "early"]].assign(place=np.arange(len(rows)))
    if "pupil" in key:  # what is said of the others decides nothing here
        told = told[told["pupil"].isin(told.loc[told["early"], "pupil"].unique())]
    told = told.merge(told.loc[told["early"], key].drop_duplicates(), on=key)
    told = told.sort_values([*key, *_ORDER], kind="stable", ascending=False)
    by_key = [told[name] for name in key]
    earliest_later = told["visible"].groupby(by_key, sort=False, observed=True, dropna=False).cummin()
    earliest_later = earliest_later.groupby(by_key, sort=False, observed=True, dropna=False).shift(1)
    undone = told["early"] & (earliest_later <= told["visible"])
    keep = np.ones(len(rows), dtype=bool)
    keep[told.loc[undone, "place"].to_numpy()] = False
    found: pd.DataFrame = rows.assign(known_on=rows["visible"])[keep]
    return found
