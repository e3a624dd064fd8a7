"""Windows that the school year sets: since the year, the term or the half-term began, and its first week."""

from datetime import date, timedelta
from typing import Literal

import numpy as np

from records.calendar import Calendar

Span = Literal["weeks", "school_year", "term", "half_term", "first_week"]
# No school of England begins its year in July; some open for it in late August.
_YEAR_FROM_MONTH = 8
# The month in which a half-term begins says which of the six it is; schools name them in many ways.
HALF_TERM_OF_MONTH = {8: 1, 9: 1, 10: 2, 11: 2, 12: 2, 1: 3, 2: 4, 3: 4, 4: 5, 5: 6, 6: 6, 7: 6}
_WEEK = timedelta(days=7)


# Rolling windows of a whole school year are said as people say them.
_WEEKS_SAID = {1: "in the last school week", 39: "in the last year", 117: "in the last three years"}
_SPAN_SAID: dict[Span, str] = {
    "school_year": "this school year",
    "term": "this term",
    "half_term": "this half-term",
    "first_week": "in the first week of the school year",
}


def said(span: Span, school_weeks: int = 0) -> str:
    """Return the window in words, to stand at the end of a sentence."""
    if span != "weeks":
        return _SPAN_SAID[span]
    return _WEEKS_SAID.get(school_weeks, f"in the last {school_weeks} school weeks")


def span_days(calendar: Calendar, school: int, as_of: date, span: Span) -> tuple[date, date]:
    """Return the first day of the span and the day after its last, never after as_of.

    Both are as_of where nothing of the span lies before it: a school year not yet begun, a calendar that starts later.
    """
    if span == "half_term":
        term = calendar.term_of(school, as_of)
        return (term.start if term is not None else as_of), as_of
    if span == "term":
        return _term_start(calendar, school, as_of), as_of
    first = _year_start(calendar, school, as_of)
    return first, min(first + _WEEK, as_of) if span == "first_week" else as_of


def _year_start(calendar: Calendar, school: int, as_of: date) -> date:
    days = calendar.open_days.get(school, np.empty(0, "datetime64[D]"))
    year = as_of.year if as_of.month >= _YEAR_FROM_MONTH else as_of.year - 1
    at = int(np.searchsorted(days, np.datetime64(date(year, _YEAR_FROM_MONTH, 1), "D")))
    found: date = days[at].item() if at < len(days) else as_of
    return min(found, as_of)


def _term_start(calendar: Calendar, school: int, as_of: date) -> date:
    """Return the start of the term that holds the day: two half-terms are a term, autumn, spring or summer."""
    past = [half for half in calendar.terms.get(school, ()) if half.start <= as_of]
    if not past:
        return as_of
    start = past[-1].start
    pair = (HALF_TERM_OF_MONTH[start.month] + 1) // 2
    for half in past[-2::-1]:
        same = (HALF_TERM_OF_MONTH[half.start.month] + 1) // 2 == pair
        if not same or (start - half.start).days > 200:
            break
        start = half.start
    return start
