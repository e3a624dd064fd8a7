"""A fresh start: from the day a person grants it, what a pupil did before it no longer counts.

The records stay where they are and what they say; only what is *known* of them changes, and only from that day on.
An outcome is read from the records themselves, so no label moves.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

import pandas as pd

# Table → the day that counts. A review is about a suspension, so the suspension's day counts, not the review's.
# Attendance stays, and so does what went well: a fresh start is about what a pupil is held to have done.
LEFT_BEHIND: Final[Mapping[str, str]] = MappingProxyType(
    {"behaviour": "date", "suspensions": "start_date", "exclusion_reviews": "start_date"}
)


def starts_known(rows: pd.DataFrame | None, as_of: date) -> pd.Series:
    """Return pupil → the last day from which they start afresh, of the grants known at the start of `as_of`.

    `rows` are those of the table `fresh_starts`; None where there is no such table.
    """
    if rows is None or rows.empty:
        return pd.Series(dtype="datetime64[s]", index=pd.Index([], dtype="int64"))
    day = pd.Timestamp(as_of)
    granted = rows[(rows["known_on"] < day) & (rows["from_on"] < day) & ~rows["deleted"]]
    return granted.groupby("pupil")["from_on"].max()


def counted(rows: pd.DataFrame, table: str, starts: pd.Series) -> pd.DataFrame:
    """Return the rows of a table without those from before their pupil's fresh start."""
    if starts.empty or table not in LEFT_BEHIND:
        return rows
    return rows[~(rows[LEFT_BEHIND[table]] < rows["pupil"].map(starts)).to_numpy(bool)]
