"""What one look-back says of Belong and of help: when a list first had the pupil, or why none did, and when help came.

A week is a week of days here, because lists come weekly and a family does not count school weeks.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from casework.lookback_words import ON_LIST, WEEKS, not_flagged

_WEEK: Final = timedelta(days=7)
_MONTH: Final = timedelta(days=28)


def first_listed(lists: Mapping[date, str], on: date) -> date | None:
    """Return the day of the first list before the event that the pupil was on, in the weeks looked back at."""
    return min((day for day, code in lists.items() if on - _WEEK * WEEKS <= day < on and code in ON_LIST), default=None)


def was_missed(lists: Mapping[date, str], on: date) -> bool:
    """Return whether lists had the pupil on roll in the weeks looked back at, and none of them listed them."""
    return signal_of(lists, on) not in ("in_time", "late", "no_list")


def signal_of(lists: Mapping[date, str], on: date) -> str:
    """Return the key of `lookback_words.SIGNALS`: flagged in time or late, or what the last list had against it.

    Parameters
    ----------
    lists
        Day of each list → what Belong did, as `lookback_words.LISTS` has it.
    on
        The first day of the exclusion or suspension.
    """
    first = first_listed(lists, on)
    if first is not None:
        return "in_time" if on - first >= _WEEK else "late"
    before = [day for day in lists if on - _WEEK * WEEKS <= day < on]
    return not_flagged(lists[max(before)]) if before else "no_list"


def offer_of(offered: Sequence[date], on: date) -> str:
    """Return the key of `lookback_words.OFFERS`: how the first help that was offered lies to the event."""
    if not offered:
        return "none"
    first = min(offered)
    if first >= on:
        return "after"
    return "before" if on - first >= _WEEK else "late"


def wait_of(lists: Mapping[date, str], offered: Sequence[date], on: date) -> str:
    """Return the key of `lookback_words.WAITS` for a pupil who was on a list, '' for one who was not."""
    listed = first_listed(lists, on)
    if listed is None:
        return ""
    if not offered:
        return "never"
    waited = min(offered) - listed
    if waited < timedelta(0):
        return "already"
    return "week" if waited <= _WEEK else "month" if waited <= _MONTH else "longer"
