"""Schools in doubt, or that no approval covers: their pupils stay in the log, without a score and without a flag."""

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from features.cohort import HELD
from training.week import Week


def hold_back(week: Week, held: Collection[int], reason: str = HELD) -> Week:
    """Return the week with the pupils of these schools unscored, for this reason where they had none.

    Capacity and rank are a school's own, so no other school's list changes.
    """
    if not held:
        return week
    keys = week.matrix.keys
    waiting = keys["school"].isin(list(held)) & (keys["abstain"] == "")
    pupils = set(keys.loc[waiting, "pupil"].astype(int))
    abstain = keys["abstain"].where(~waiting, reason).astype(pd.StringDtype(na_value=float("nan")))
    return replace(
        week,
        allocation=week.allocation[~week.allocation["school"].isin(list(held))].reset_index(drop=True),
        matrix=replace(week.matrix, keys=keys.assign(abstain=abstain)),
        why={pupil: said for pupil, said in week.why.items() if pupil not in pupils},
    )
