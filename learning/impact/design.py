"""Who stood near the cut-off: the comparison that the allocation log makes possible.

A pupil is flagged where the probability reaches the week's cut-off and the rise reaches its threshold. So one number
says how near a pupil was, the running variable: the smaller of the two distances, each in units of its own usual
spread. At 0 or above the pupil was flagged, below 0 not; two pupils a little either side of 0 differ in the flag and
in nothing else on average (docs/decisions.md, 98).

The cut-off is the midpoint between the last in and the first out of a school's week, so each school-week puts one
pupil just above and one just below, at the same distance: neither side is favoured.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.calibration import logit

WINDOW: Final = 0.5
"""How far from the cut-off a pupil may have been, in usual spreads: fixed before any outcome exists."""
LOG: Final = (
    "pupil",
    "as_of",
    "school",
    "term",
    "probability",
    "rise_margin",
    "cut_off",
    "eligible",
    "snoozed",
    "flagged",
    "capacity",
    "level_least",
    "rise_asked",
)


class LogDiffers(ValueError):
    """The log's flags are not those that its cut-offs give: no comparison may rest on it."""


def near_cut_off(log: pd.DataFrame) -> pd.DataFrame:
    """Return the pupil-weeks that could have been flagged or not, with their running variable.

    Left out are pupils who were snoozed or not scored or whose past is too short for a rise, school-weeks without
    room for anybody, and those in which equal pupils kept one another out.

    Parameters
    ----------
    log
        Columns `LOG`: the allocation log, with the rule's level and whether it asks for a rise on each row.

    Returns
    -------
    The rows with `level` and `rise` (standardised distances) and `x`, the smaller of the two.

    Raises
    ------
    LogDiffers
        A row's flag is not what its distance from the cut-off says.
    """
    asked = log["rise_asked"].to_numpy(bool)
    known = log["probability"].notna() & (log["rise_margin"].notna() | ~asked)
    rows = log[known & ~log["snoozed"].to_numpy(bool) & (log["capacity"] > 0) & ~_tied(log)].reset_index(drop=True)
    chances = rows["probability"].to_numpy(np.float64)
    # Where everybody fitted in, the level that the rule asks of all is the cut-off.
    level = rows["cut_off"].fillna(rows["level_least"]).to_numpy(np.float64)
    odds = logit(chances)
    rows["level"] = (odds - logit(level)) / _spread(odds)
    asked = rows["rise_asked"].to_numpy(bool)
    margin = rows["rise_margin"].to_numpy(np.float64)
    rows["rise"] = np.where(asked, margin / _spread(margin[asked]), np.inf)
    rows["x"] = np.minimum(rows["level"], rows["rise"])
    if ((rows["x"] >= 0) != rows["flagged"]).any():
        raise LogDiffers(
            "the allocation log holds flags that its cut-offs and margins do not give, so nothing can be compared; "
            "check that every row is of the rule of its own model"
        )
    return rows


def first_in_term(rows: pd.DataFrame, window: float = WINDOW) -> pd.DataFrame:
    """Return one row for each pupil and term: the first week in which they stood within the window."""
    near = rows[rows["x"].abs() <= window].sort_values(["as_of", "pupil"], kind="stable")
    return near.drop_duplicates(["pupil", "term"]).reset_index(drop=True)


def later_flags(log: pd.DataFrame, rows: pd.DataFrame, weeks: int) -> npt.NDArray[np.float64]:
    """Return for each row in how many weeks the pupil was flagged next, NaN where not within so many weeks.

    Those just missed may be flagged a week later: the comparison is with 'not flagged this week', and says how many
    crossed over.
    """
    given = log.loc[log["flagged"].to_numpy(bool), ["pupil", "as_of"]].rename(columns={"as_of": "flagged_on"})
    asked = (
        rows[["pupil", "as_of"]].reset_index(drop=True).reset_index(names="order").sort_values("as_of", kind="stable")
    )
    found = pd.merge_asof(
        asked,
        given.sort_values("flagged_on", kind="stable"),
        left_on="as_of",
        right_on="flagged_on",
        by="pupil",
        direction="forward",
        allow_exact_matches=False,
    )
    days = (found["flagged_on"].to_numpy() - found["as_of"].to_numpy()) / np.timedelta64(7, "D")
    after = np.full(len(rows), np.nan)
    after[found["order"].to_numpy()] = np.where(days < weeks, days, np.nan)
    return after


def _tied(log: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return the rows of school-weeks in which somebody was eligible, and nobody flagged for want of a clear order."""
    out = log["eligible"].to_numpy(bool) & ~log["flagged"].to_numpy(bool)
    week = [log["school"], log["as_of"]]
    somebody = pd.Series(out).groupby([key.to_numpy() for key in week]).transform("any").to_numpy(bool)
    return np.asarray(somebody & log["cut_off"].isna().to_numpy())


def _spread(values: npt.NDArray[np.float64]) -> float:
    """Return the standard deviation; 1 where there is none, for then no distance can be told from another."""
    spread = float(np.std(values)) if len(values) > 1 else 0.0
    return spread if spread > 0 else 1.0
