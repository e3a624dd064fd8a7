"""How steady the weekly list is: a list that turns over by chance teaches staff to wait until it passes."""

import math

import numpy as np
import pandas as pd


def stability(allocation: pd.DataFrame) -> dict[str, float]:
    """Return how much of one week's list is still there the next, over all schools and pairs of successive weeks.

    `list_kept`: of pupils flagged in a week and scored in the next, the share for whom level and rise
    still hold. `list_jaccard`: of pupils on either week's list, the share on both; here a list is the
    first `capacity` of a school for whom level and rise hold, snoozed or not, because a flag's own
    snooze would empty every next list. NaN where there was no list.
    """
    weeks = np.unique(allocation["as_of"].to_numpy())
    rows = allocation[["pupil", "school", "flagged", "holds", "probability", "capacity"]].assign(
        week=np.searchsorted(weeks, allocation["as_of"].to_numpy())
    )
    held = rows[rows["holds"]]
    place = held.groupby(["school", "week"])["probability"].rank(method="max", ascending=False)
    listed = held.loc[place <= held["capacity"], ["pupil", "week"]]
    both = len(listed.merge(listed.assign(week=listed["week"] + 1), on=["pupil", "week"]))
    # Every list but the last has a next one, and every list but the first an earlier one.
    whole = int((listed["week"] < len(weeks) - 1).sum() + (listed["week"] > 0).sum())
    flagged = rows.loc[rows["flagged"], ["pupil", "week"]].assign(week=lambda frame: frame["week"] + 1)
    after = flagged.merge(rows[["pupil", "week", "holds"]], on=["pupil", "week"])
    return {
        "list_kept": float(after["holds"].mean()) if len(after) else math.nan,
        "list_jaccard": both / (whole - both) if whole > both else math.nan,
    }
