"""The plain engine's forms of a line of sessions: spells of absence or lateness, and the one that is running now."""

from collections.abc import Callable
from itertools import groupby

import numpy as np
import pandas as pd

from features.feature import Feature
from features.plain import Plain


def spells(plain: Plain, feature: Feature) -> pd.Series:
    """Return the runs of sessions that the measure counts."""
    return _of_runs(plain, feature, lambda runs, _: float(len(runs)))


def brief(plain: Plain, feature: Feature) -> pd.Series:
    """Return those runs that are one session long."""
    return _of_runs(plain, feature, lambda runs, _: float(sum(length == 1 for length in runs)))


def longest(plain: Plain, feature: Feature) -> pd.Series:
    """Return the sessions of the longest such run."""
    return _of_runs(plain, feature, lambda runs, _: float(max(runs, default=0)))


def run(plain: Plain, feature: Feature) -> pd.Series:
    """Return the sessions of the run that the newest session ends, 0 when it is not counted."""
    return _of_runs(plain, feature, lambda runs, ends_in_one: float(runs[-1] if ends_in_one else 0))


def _of_runs(plain: Plain, feature: Feature, value: Callable[[list[int], bool], float]) -> pd.Series:
    sessions = plain.window(feature.per, feature)[["pupil", "day", "session"]]
    counted = plain.window(feature.measure, feature)[["pupil", "day", "session"]].assign(counted=True)
    line = sessions.drop_duplicates().merge(counted.drop_duplicates(), on=["pupil", "day", "session"], how="left")
    # AM sorts before PM.
    line = line.assign(session=line["session"].astype("str")).sort_values(["pupil", "day", "session"])
    found = {}
    for pupil, mine in line.groupby("pupil"):
        marks = mine["counted"].eq(True).tolist()
        found[pupil] = value([len(list(run)) for missed, run in groupby(marks) if missed], bool(marks[-1]))
    return plain.each(pd.Series(found, dtype="float64")) if found else plain.each(pd.Series(dtype=np.float64))
