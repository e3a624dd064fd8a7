"""The weekly as-of dates of a network."""

from datetime import date, timedelta

import numpy as np

from records.calendar import Calendar


def open_weeks(calendar: Calendar, until: date) -> tuple[date, ...]:
    """Return, ascending, the days of `until`'s weekday, up to it, in weeks when at least half of the schools open."""
    counts: dict[date, int] = {}
    for days in calendar.open_days.values():
        mondays = np.unique(days.astype("datetime64[D]") - (days.astype(np.int64) + 3) % 7)
        for week in mondays.tolist():
            counts[week] = counts.get(week, 0) + 1
    least, step = max(1, len(calendar.open_days) / 2), timedelta(days=until.weekday())
    return tuple(sorted(week + step for week, schools in counts.items() if schools >= least and week + step <= until))


def as_ofs_for(calendar: Calendar, as_of: date, weeks_back: int) -> tuple[date, ...]:
    """Return the as-of date and so many school weeks before it, a week apart, ascending."""
    earlier = [day for day in open_weeks(calendar, as_of) if day < as_of]
    return (*earlier[-weeks_back:], as_of)
