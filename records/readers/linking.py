"""How rows of census tables find each other, and what a leaver's row leaves unsaid."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.text.sheet import Distinct, Sheet, constant, distinct

RECEPTION_AGE = 4
SCHOOL_YEAR_STARTS = 9

Places = npt.NDArray[np.int64]


def keys(sheet: Sheet, name: str) -> npt.NDArray[np.object_]:
    # NativeId is the authority's own number of the school: identifiers are unique only together with it.
    joined: npt.NDArray[np.object_] = sheet.columns[name].text() + "\x1f" + sheet.columns["NativeId"].text()
    return joined


def find(wanted: npt.NDArray[np.object_], there: npt.NDArray[np.object_]) -> Places:
    # The same pupil may stand in several rows: the first one names the same UPN.
    index = pd.Index(there)
    first = ~index.duplicated()
    places = np.append(np.flatnonzero(first), -1)
    found: Places = places[index[first].get_indexer(pd.Index(wanted))]
    return found


def nowhere(sheet: Sheet) -> Places:
    return np.full(sheet.rows, -1, dtype=np.int64)


def at(column: Distinct, place: Places) -> Distinct:
    if not len(column):
        return constant("", len(place))
    return where(place >= 0, column.take(place), "")


def where(keep: npt.NDArray[np.bool_], column: Distinct, otherwise: str) -> Distinct:
    codes = np.where(keep, column.codes, len(column.values)).astype(np.int32)
    return Distinct((*column.values, otherwise), codes)


def year_by_age(births: Distinct, census_dates: Distinct, dates: str) -> Distinct:
    """Return the National Curriculum year of a leaver's age: leavers' rows carry none.

    A year group is the age on the 31 August before the school year; a value that cannot be a date, or
    an age outside the years, gives '' and so quarantines the row.
    """
    born = pd.to_datetime(pd.Series(births.text()), format=dates, errors="coerce")
    then = pd.to_datetime(pd.Series(census_dates.text()), format=dates, errors="coerce")
    school_year = then.dt.year - (then.dt.month < SCHOOL_YEAR_STARTS)
    cohort = born.dt.year + (born.dt.month >= SCHOOL_YEAR_STARTS)
    year = school_year - cohort - RECEPTION_AGE
    names = {-4: "E1", -3: "E2", -2: "N1", -1: "N2", 0: "R", **{number: str(number) for number in range(1, 15)}}
    return distinct(year.map(names).fillna("").to_numpy(dtype=object))
