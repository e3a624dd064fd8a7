"""Features that are not windows over rows: the season, the year group, and the pupil's place on the roll.

The plain engine's: it reads enrolments and the calendar only, one day at a time. The season, which a calendar alone
decides, both engines ask here.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.align import by_pupil, days_by_school, numbers_by_school
from features.definitions.sanctions import THREE_YEARS_WEEKS, YEAR_WEEKS
from features.spans import HALF_TERM_OF_MONTH
from records.calendar import Calendar
from records.history import Known

Values = npt.NDArray[np.float64]

LONGEST_ROLL_DAYS = 5 * YEAR_WEEKS
# School days open in the six weeks before a pupil joined, above which the school year was under way.
# The summer holiday is six weeks long: who joins in September has next to none.
UNDER_WAY_DAYS = 10
BEFORE_JOINING = timedelta(days=42)
_LATEST_WEEK = 9
YEAR_NUMBER = {"R": 0.0, **{str(number): float(number) for number in range(1, 15)}}


def half_term(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return the half-term of the school year, 1 to 6; in a holiday, the one before it."""
    return numbers_by_school(
        on_roll["school"], lambda school: season(known.calendar, known.as_of, school)[0], known.calendar
    )


def week_of_half_term(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return the week since the half-term began, from 1, at most 9 (a long holiday)."""
    return numbers_by_school(
        on_roll["school"], lambda school: season(known.calendar, known.as_of, school)[1], known.calendar
    )


def year(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return the National Curriculum year, reception 0; NaN for pupils outside the year groups."""
    at, names = pd.factorize(on_roll["year_group"])
    return np.array([YEAR_NUMBER.get(name, np.nan) for name in names], dtype=np.float64)[at]


def days_on_roll(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return the open days from entry to as_of, at most 195; 195 too where the calendar begins after the entry."""
    return _by_entry(on_roll, known, by_entry_days)


def joined_mid_year(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return 1 where the pupil joined within the last 39 school weeks, the school year being under way; else 0."""
    return _by_entry(on_roll, known, entered_mid_year)


def schools(on_roll: pd.DataFrame, known: Known) -> Values:
    """Return the number of the network's schools on whose roll the pupil was in the last 117 school weeks."""
    back = known.calendar.back
    starts = days_by_school(on_roll["school"], lambda at: back(at, known.as_of, THREE_YEARS_WEEKS), known.calendar)
    rows = known["enrolments"]
    first = by_pupil(rows["pupil"], starts.set_axis(pd.Index(on_roll["pupil"])))
    recent = rows["leaving_date"].isna() | (rows["leaving_date"] >= first)
    rolls = rows.loc[recent, ["pupil", "school"]].drop_duplicates()
    return by_pupil(on_roll["pupil"], rolls["pupil"].value_counts()).to_numpy(dtype=np.float64)


CONTEXTS: Mapping[str, Callable[[pd.DataFrame, Known], Values]] = {
    "half_term": half_term,
    "week_of_half_term": week_of_half_term,
    "year": year,
    "days_on_roll": days_on_roll,
    "joined_mid_year": joined_mid_year,
    "schools": schools,
}


def season(calendar: Calendar, as_of: date, school: int) -> tuple[float, float]:
    """Return the half-term, 1 to 6, and the week since it began."""
    term = calendar.term_of(school, as_of)
    if term is None:
        return np.nan, np.nan
    week = (as_of - term.start).days // 7 + 1
    return float(HALF_TERM_OF_MONTH[term.start.month]), float(min(week, _LATEST_WEEK))


def by_entry_days(calendar: Calendar, as_of: date, school: int, entry: date) -> float:
    """Return `days_on_roll` of a pupil who entered on a day."""
    days = calendar.open_days.get(school)
    if days is None or not len(days):
        return np.nan
    if np.datetime64(entry, "D") < days[0]:
        return float(LONGEST_ROLL_DAYS)
    return float(min(calendar.open_between(school, entry, as_of), LONGEST_ROLL_DAYS))


def entered_mid_year(calendar: Calendar, as_of: date, school: int, entry: date) -> float:
    """Return `joined_mid_year` of a pupil who entered on a day."""
    under_way = calendar.open_between(school, entry - BEFORE_JOINING, entry) > UNDER_WAY_DAYS
    return float(under_way and entry >= calendar.back(school, as_of, YEAR_WEEKS))


def _by_entry(on_roll: pd.DataFrame, known: Known, value: Callable[[Calendar, date, int, date], float]) -> Values:
    # Few distinct (school, entry date) pairs, however many pupils.
    entry = on_roll["entry_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    pairs, at = np.unique(
        np.stack([on_roll["school"].to_numpy(dtype=np.int64), entry], axis=1), axis=0, return_inverse=True
    )
    found = [
        value(known.calendar, known.as_of, int(school), np.datetime64(int(day), "D").item()) for school, day in pairs
    ]
    return np.array(found, dtype=np.float64)[at.reshape(-1)]
