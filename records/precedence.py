"""Which of two sources is believed: a school's own system before a census that repeats it.

A census lists a term's suspensions weeks later, from an extract that may be older than it says. As the
newest version it would bring back a suspension that the school has since withdrawn.
"""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pandas as pd

from records.table import Table

# 'any': where the school's own system speaks of the event at all, it alone is believed. 'deleted': a
# census is news (a year group, a leaver) except of what the school's own system has withdrawn. Marks come
# second hand in a CTF, whose one character cannot say C2 from C.
RULES: Final[Mapping[str, Literal["any", "deleted"]]] = {"suspensions": "any", "enrolments": "deleted", "marks": "any"}


def first_hand(rows: pd.DataFrame, table: Table, second_hand: frozenset[str]) -> pd.DataFrame:
    """Return the rows without those of second-hand files that the school's own word overrules.

    A second-hand row is overruled by the newest first-hand version of the same thing recorded on its day
    or before: so it holds for every as-of day, and in whatever order files land.
    """
    rule = RULES.get(table.name)
    if rule is None or not second_hand or rows.empty:
        return rows
    second = rows["source"].isin(list(second_hand)).to_numpy(dtype=bool)
    if not second.any() or second.all():
        return rows
    key = list(table.key)
    told = rows[[*key, "known_on", "deleted", "source", "row"]].assign(second=second, place=np.arange(len(rows)))
    told = told.merge(told.loc[second, key].drop_duplicates(), on=key)
    # Of one day, the school's own word comes first and so overrules.
    told = told.sort_values([*key, "known_on", "second", "source", "row"], kind="stable")
    overrules = (~told["deleted"] & (rule == "any")) | told["deleted"]
    said = overrules.astype("float").where(~told["second"])
    newest = said.groupby([told[name] for name in key], sort=False, observed=True, dropna=False).ffill()
    overruled = told["second"] & (newest == 1)
    keep = np.ones(len(rows), dtype=bool)
    keep[told.loc[overruled, "place"].to_numpy()] = False
    return rows[keep]
