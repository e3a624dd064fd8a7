"""One programme in one period, counted pupil by pupil: who had need of help, who was offered it, who took it up.

Need is what records and lists of the period say, whatever the programme knew: on a week's list, or away for a tenth of
one's possible sessions or more, which is DfE's persistent absence. The check sample is on no list.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

PERSISTENT: Final = 0.1
"""The share of a pupil's own possible sessions from which absence is persistent (DfE's definition)."""
SUPPORT_COLUMNS: Final = ("pupil", "school", "offered_on", "start_on", "end_on", "hours")


@dataclass(frozen=True, kw_only=True)
class Period:
    """A half-term, or a whole programme: its first and last day, both included."""

    start: date
    end: date


def with_reach(pupils: pd.DataFrame, listed: pd.DataFrame, supports: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the pupils with `need`, `offered`, `reached` and `need_reached`, each 0 or 1.

    Parameters
    ----------
    pupils
        As `learning.places.counting.pupil_counts`.
    listed
        `pupil` and `school` of flags given in the period. A flag, like support, counts at its own school alone.
    supports
        Columns `SUPPORT_COLUMNS`: the programme's offers as they stand; `start_on` is missing where an offer was not
        taken up, `end_on` where support goes on.
    """
    mine = supports.merge(pupils[["pupil", "school"]], on=["pupil", "school"])
    reached = mine[is_open(mine, period)]
    offered_then = mine["offered_on"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    offered = pd.concat([mine[offered_then], reached])
    here = listed.merge(pupils[["pupil", "school"]], on=["pupil", "school"])
    away = pupils["sessions_missed"] >= PERSISTENT * pupils["sessions_possible"]
    found = {
        "need": pupils["pupil"].isin(here["pupil"]) | away & (pupils["sessions_possible"] > 0),
        "offered": pupils["pupil"].isin(offered["pupil"]),
        "reached": pupils["pupil"].isin(reached["pupil"]),
    }
    found["need_reached"] = found["need"] & found["reached"]
    return pupils.assign(**{name: column.astype("int64") for name, column in found.items()})


def is_open(supports: pd.DataFrame, period: Period) -> pd.Series:
    """Whether each support that was taken up has a day in the period."""
    begun = supports["start_on"].notna() & (supports["start_on"] <= pd.Timestamp(period.end))
    return begun & (supports["end_on"].isna() | (supports["end_on"] >= pd.Timestamp(period.start)))


def hours_in(supports: pd.DataFrame, period: Period, today: date) -> float:
    """Return the hours of a programme that fall into the period.

    Hours are written down for a whole course, so each course's are spread evenly over its days up to today.
    """
    given = supports[is_open(supports, period) & supports["hours"].notna()]
    if given.empty:
        return 0.0
    now, opens, closes = (np.datetime64(day, "s") for day in (today, period.start, period.end))
    first = given["start_on"].to_numpy("datetime64[s]")
    last = np.minimum(given["end_on"].fillna(pd.Timestamp(today)).to_numpy("datetime64[s]"), now)
    inside = (np.minimum(last, closes) - np.maximum(first, opens)) // np.timedelta64(1, "D") + 1
    whole = np.maximum((last - first) // np.timedelta64(1, "D") + 1, 1)
    share = np.clip(inside / whole, 0.0, 1.0)
    return float((given["hours"].to_numpy(float) * share).sum())
