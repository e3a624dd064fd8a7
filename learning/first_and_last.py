"""Which days count at the school of each row, for tables of any length."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

# From a day to one before it: no row lies within.
NEVER: Final = (date(1900, 1, 2), date(1900, 1, 1))


def first_and_last(schools: pd.Series, days: Mapping[int, tuple[date, date]]) -> tuple[pd.Series, pd.Series]:
    """Return the first and the last day (datetime64[s]) of each row's school; of a school without, no day between them.

    Schools are looked up once each: a network's marks are a hundred million rows, and a day for each of them as a
    Python object takes longer than all else that is counted.
    """
    place, there = pd.factorize(schools)
    ends = np.array([days.get(int(school), NEVER) for school in there], dtype="datetime64[s]").reshape(-1, 2)
    return pd.Series(ends[place, 0], index=schools.index), pd.Series(ends[place, 1], index=schools.index)
