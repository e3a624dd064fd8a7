"""The first weeks of a school year, when records are thin: said on pages, from the schools' own term dates."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from casework.term_dates import TermDate
from records.calendar import Calendar
from records.home import Home
from serving.rendering import count_words
from serving.school_days import SchoolDays, read_school_days

EARLY_WEEKS: Final = 6
# Past this many days no school is within its first six weeks: the file need not be opened.
_EARLY_DAYS: Final = 75


def year_start(day: date) -> date:
    """Return the 1 September that began the school year of a day."""
    return date(day.year if day.month >= 9 else day.year - 1, 9, 1)


def weeks_of_year(calendar: Calendar, school: int, today: date) -> int:
    """Return how many weeks of the school year had a school day before today."""
    days = calendar.open_days.get(school, np.empty(0, "datetime64[D]"))
    past = days[(days >= np.datetime64(year_start(today), "D")) & (days < np.datetime64(today, "D"))]
    # Day 0 of NumPy's calendar was a Thursday, three days after its Monday.
    return len(np.unique((past.astype(np.int64) + 3) // 7))


def early_words(home: Home, schools: Sequence[int], today: date) -> str:
    """Return what the page says in the first weeks of the school year; '' later, or where no calendar is known."""
    if today - year_start(today) > timedelta(days=_EARLY_DAYS):
        return ""
    calendar = _calendar(home)
    known = [] if calendar is None else [school for school in schools if calendar.open_days.get(school) is not None]
    if calendar is None or not known:
        return ""
    weeks = min(weeks_of_year(calendar, school, today) for school in known)
    if weeks >= EARLY_WEEKS:
        return ""
    begun = f"{count_words(weeks, 'school week', 'school weeks')} old" if weeks else "just beginning"
    return (
        f"The school year is {begun}. Of pupils who are new here Belong knows these weeks at most, so few of them can "
        "be on the list and often there is nothing to compare with. What you know of a pupil counts for more."
    )


def recorded_dates(home: Home, school: int) -> tuple[TermDate, ...]:
    """Return a school's half-terms, training days and closures as the last nightly job wrote them down."""
    days = read_school_days(home)
    if days is None:
        return ()
    mine = days.calendars[days.calendars["school"] == school]
    columns = (mine[name].tolist() for name in ("kind", "name", "start_date", "end_date"))
    return tuple(
        TermDate(kind=str(kind), name=str(name), start=start.date(), end=end.date())
        for kind, name, start, end in zip(*columns, strict=True)
    )


def _calendar(home: Home) -> Calendar | None:
    days = read_school_days(home)
    return None if days is None else _calendar_of(days)


@lru_cache(maxsize=2)
def _calendar_of(days: SchoolDays) -> Calendar:
    """Return the calendar of a file as it was read: a network's takes longer to work out than a page to show."""
    return days.calendar()
