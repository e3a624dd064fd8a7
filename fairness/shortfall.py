"""How far the worst-off group falls short: one number for a search, which decides nothing by itself."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from fairness.evaluation import labels_of
from fairness.policy import Policy

LEAST = 10


def worst_shortfall(groups: pd.DataFrame, policy: Policy) -> Callable[[pd.DataFrame], float]:
    """Return the function from judged rows to the largest recall shortfall of any group judged in full.

    Parameters
    ----------
    groups
        `fairness.groups.groups`.

    Returns
    -------
    A function of `pupil`, `outcome` (0 or 1) and `listed`: everyone else's recall less the group's, the
    largest there is, 0.0 at least; NaN where no group and its rest have `LEAST` outcomes each.
    """

    def worst(rows: pd.DataFrame) -> float:
        pupils, at = np.unique(rows["pupil"].to_numpy(np.int64), return_inverse=True)
        came = rows["outcome"].to_numpy() == 1
        found = [
            _shortfall(came, rows["listed"].to_numpy(bool), labels.of_pupil[at] == place)
            for attribute in policy.attributes
            if attribute.gate == "full"
            for labels in [labels_of(attribute, groups, pupils)]
            for place, name in enumerate(labels.names)
            if name in attribute.groups
        ]
        known = [value for value in found if not math.isnan(value)]
        return max(0.0, *known) if known else math.nan

    return worst


def _shortfall(came: npt.NDArray[np.bool_], listed: npt.NDArray[np.bool_], mine: npt.NDArray[np.bool_]) -> float:
    if min(int((came & mine).sum()), int((came & ~mine).sum())) < LEAST:
        return math.nan
    return float(listed[came & ~mine].mean() - listed[came & mine].mean())
