"""Values lined up with pupils: by pupil, and by the school each is at. Empty cohorts keep their types."""

from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.calendar import Calendar


def by_pupil(pupils: pd.Series, found: pd.Series) -> pd.Series:
    """Return `found` (indexed by pupil) for each pupil, on the pupils' own index; missing where not found."""
    return found.reindex(pupils).set_axis(pupils.index)


def days_by_school(schools: pd.Series, day: Callable[[int], date], calendar: Calendar | None = None) -> pd.Series:
    """Return a day for each row by its school, datetime64[s]; `day` is asked once for each school.

    With a `calendar`, once for each of its schools that differ: `day` must ask the calendar and nothing else.
    """
    distinct, at = _distinct(schools, calendar)
    found = np.array([day(int(school)) for school in distinct], dtype="datetime64[s]")
    return pd.Series(found[at], index=schools.index, dtype="datetime64[s]")


def numbers_by_school(
    schools: pd.Series, number: Callable[[int], float], calendar: Calendar | None = None
) -> npt.NDArray[np.float64]:
    """Return a number for each row by its school; `number` is asked as often as in `days_by_school`."""
    distinct, at = _distinct(schools, calendar)
    return np.array([number(int(school)) for school in distinct], dtype=np.float64)[at]


def _distinct(schools: pd.Series, calendar: Calendar | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    at, distinct = pd.factorize(schools.to_numpy())
    if calendar is None:
        return distinct, at
    like = np.array([calendar.alike(int(school)) for school in distinct], dtype=np.int64)
    few, of = np.unique(like, return_inverse=True)
    return few, of[at]
