"""Values lined up with pupils: by pupil, and by the school each is at. Empty cohorts keep their types."""

from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd


def by_pupil(pupils: pd.Series, found: pd.Series) -> pd.Series:
    """Return `found` (indexed by pupil) for each pupil, on the pupils' own index; missing where not found."""
    return found.reindex(pupils).set_axis(pupils.index)


def days_by_school(schools: pd.Series, day: Callable[[int], date]) -> pd.Series:
    """Return a day for each row by its school, datetime64[s]; `day` is asked once for each school."""
    distinct, at = np.unique(schools.to_numpy(), return_inverse=True)
    found = np.array([day(int(school)) for school in distinct], dtype="datetime64[s]")
    return pd.Series(found[at], index=schools.index, dtype="datetime64[s]")


def numbers_by_school(schools: pd.Series, number: Callable[[int], float]) -> npt.NDArray[np.float64]:
    """Return a number for each row by its school; `number` is asked once for each school."""
    distinct, at = np.unique(schools.to_numpy(), return_inverse=True)
    return np.array([number(int(school)) for school in distinct], dtype=np.float64)[at]
