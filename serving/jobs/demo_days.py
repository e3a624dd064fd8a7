"""The demonstration's days: its today, and since when its network has had a list each week."""

from datetime import date, timedelta
from typing import Final

from records.home import Home, create_home
from records.synthetic.calendars import week_starts

YEARS: Final = (2023, 2024, 2025)
TODAY: Final = date(2026, 5, 18)
# From the middle of the spring term: a waiver of 90 days reaches today, and the term's learning reviews are concluded.
MOST_LISTS: Final = 11
LOOK_DAYS: Final = 14


def mondays(lists: int) -> tuple[date, ...]:
    """Return the Mondays of the last so many school weeks up to today: on these exports come in and lists go out."""
    found: list[date] = week_starts(YEARS, TODAY + timedelta(days=1)).astype(object).tolist()
    return tuple(found[-lists:])


def every_monday(began: date) -> tuple[date, ...]:
    """Return the Mondays from that of the first list to today, those of the holidays with them."""
    return tuple(began + timedelta(weeks=week) for week in range((TODAY - began).days // 7 + 1))


def is_look(began: date, day: date) -> bool:
    """Return whether the model is looked at on this Monday: in life every week, here as seldom as the policy allows."""
    return day > began and (day - began).days % LOOK_DAYS == 0


def on(home: Home, day: date) -> Home:
    """Return the home on another day; its file says so too, so that every process reads the same."""
    return create_home(home.path, network=home.network, demo=True, today=day)
