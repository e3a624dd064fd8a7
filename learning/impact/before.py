"""What was known of pupils before the day on which they stood near the cut-off: the two sides must be alike in it."""

from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.definitions.behaviour import INCIDENTS
from records.between import rows_between
from records.history import History, latest
from records.tables import BEHAVIOUR, MARKS, SUSPENSIONS
from training.absence import missed_share

WEEKS: Final = 6
_LEAST_SESSIONS: Final = 10


def known_before(history: History, keys: pd.DataFrame) -> pd.DataFrame:
    """Return `pupil`, `as_of`, and what was known in the six weeks before, a column each named in plain words.

    Parameters
    ----------
    keys
        `pupil`, `as_of`; at least one row.
    """
    rows = keys[["pupil", "as_of"]].reset_index(drop=True)
    until = rows["as_of"].max().date()
    first = rows["as_of"] - pd.Timedelta(weeks=WEEKS)
    marks = rows_between(history.tables, "marks", first.min().date(), until)
    marks = latest(marks[marks["pupil"].isin(set(rows["pupil"]))], MARKS, until)
    events = latest(history.tables["behaviour"], BEHAVIOUR, until)
    for column, wanted in INCIDENTS.where.items():
        events = events[events[column].isin(wanted)]
    suspensions = latest(history.tables["suspensions"], SUSPENSIONS, until + timedelta(days=1))
    spans = rows[["pupil"]].assign(first=first, end=rows["as_of"])
    return rows.assign(
        **{
            "sessions missed": missed_share(marks, spans, least_sessions=_LEAST_SESSIONS),
            "incidents": _counted(rows, first, events.rename(columns={"date": "start_date"})),
            "suspensions": _counted(rows, first, suspensions),
        }
    )


def _counted(rows: pd.DataFrame, first: pd.Series, events: pd.DataFrame) -> npt.NDArray[np.float64]:
    pairs = rows.assign(first=first).reset_index(names="order").merge(events[["pupil", "start_date"]], on="pupil")
    inside = pairs[(pairs["start_date"] >= pairs["first"]) & (pairs["start_date"] < pairs["as_of"])]
    return np.asarray(inside["order"].value_counts().reindex(rows.index, fill_value=0), np.float64)
