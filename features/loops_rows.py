"""Loops over pupils, third part: forms that look at rows one by one.

They are no sums: each costs in proportion to the rows in its window, at every as-of date anew.
"""

import numpy as np
import numpy.typing as npt

from features.loops import Flags, Small
from features.loops_totals import Versions

Values = npt.NDArray[np.float64]
# Day, first and last day on which it is seen, and value of the versions of one pupil that a measure counts.
Some = tuple[Small, Small, Small, Small]
MAXIMUM, DAYS, SINCE, GAP, GAP_CHANGE, DISTINCT, TOP_SHARE = range(7)


def looked_at(
    form: int,
    pupils: tuple[int, int],
    versions: Versions,
    counting: tuple[Flags, Small],
    rows: tuple[Small, Small, Small, Small],
    opened: tuple[Small, Small, int],
) -> Values:
    """Return a form of the rows that the measure counts in each row's window, as seen at its as_of.

    Parameters
    ----------
    pupils, versions
        As in `features.loops_totals.totals`; each pupil's versions in order of day.
    counting
        Whether the measure counts each class; for each version what it adds (of which the largest is asked for) or its
        value of `by`, -1 for none.
    rows
        Where each pupil's rows begin; as_of, first day of the window and the day after its last.
    opened
        Each row's calendar; for each calendar and day from the first named here on, the open days before it.
    """
    start, value = versions[0], counting[1]
    row_start, _, begin, end = rows
    found = np.full(len(begin), np.nan)
    of_kinds = form in (DISTINCT, TOP_SHARE)
    times = np.zeros(max(value.max() + 1, 0) if of_kinds and len(value) else 0, dtype=np.int32)
    most = np.max(start[pupils[0] + 1 : pupils[1] + 1] - start[pupils[0] : pupils[1]])
    some = (np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32))
    for pupil in range(pupils[0], pupils[1]):
        number = _counted(some, start[pupil], start[pupil + 1], versions, counting)
        low, high = 0, 0
        for row in range(row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1]):
            low = moved(low, 0, number, some[0], begin[row])
            high = moved(high, 0, number, some[0], end[row])
            if form == MAXIMUM:
                found[row] = _largest(some, low, high, rows[1][row])
            elif of_kinds:
                found[row] = _of_kinds(form, times, some, low, high, rows[1][row])
            elif form == SINCE:
                newest = _newest(some, low, high, rows[1][row])
                if newest >= 0:
                    found[row] = _open(opened, row, some[0][newest], rows[1][row])
            else:
                days, oldest, before, newest = _days(some, low, high, rows[1][row])
                if form == DAYS:
                    found[row] = days
                elif form == GAP and days > 1:
                    found[row] = _open(opened, row, oldest, newest) / (days - 1)
                elif form == GAP_CHANGE and days > 2:
                    earlier = _open(opened, row, oldest, before) / (days - 2)
                    found[row] = _open(opened, row, before, newest) - earlier
    return found


def _counted(some: Some, first: int, end: int, versions: Versions, counting: tuple[Flags, Small]) -> int:
    """Write a pupil's versions that the measure counts, which are most often few; return how many they are."""
    counts, value = counting
    number = 0
    for version in range(first, end):
        if counts[versions[4][version]]:
            some[0][number] = versions[1][version]
            some[1][number], some[2][number] = versions[2][version], versions[3][version]
            some[3][number] = value[version] if len(value) else 0
            number += 1
    return number


def moved(low: int, first: int, end: int, day: Small, begin: int) -> int:
    """Return the first of a pupil's versions from a day on, sought from where the last window began.

    Windows go forward in time with the as-of dates; they go back only where a pupil changes school.
    """
    while low > first and day[low - 1] >= begin:
        low -= 1
    while low < end and day[low] < begin:
        low += 1
    return low


def _largest(some: Some, low: int, high: int, as_of: int) -> int:
    """Return the largest value among the versions of a window."""
    largest = 0
    for one in range(low, high):
        if some[1][one] <= as_of <= some[2][one]:
            largest = max(largest, some[3][one])
    return largest


def _newest(some: Some, low: int, high: int, as_of: int) -> int:
    """Return the place of the window's last version, -1 for none."""
    for one in range(high - 1, low - 1, -1):
        if some[1][one] <= as_of <= some[2][one]:
            return one
    return -1


def _days(some: Some, low: int, high: int, as_of: int) -> tuple[int, int, int, int]:
    """Return the days with a row in the window: how many, the first, the last but one, the last."""
    day = some[0]
    days, oldest, before, newest = 0, -1, -1, -1
    for one in range(low, high):
        if day[one] != newest and some[1][one] <= as_of <= some[2][one]:
            oldest = day[one] if days == 0 else oldest
            before, newest = newest, day[one]
            days += 1
    return days, oldest, before, newest


def _of_kinds(form: int, times: Small, some: Some, low: int, high: int, as_of: int) -> float:
    value = some[3]
    number, most, different = 0, 0, 0
    for one in range(low, high):
        if value[one] >= 0 and some[1][one] <= as_of <= some[2][one]:
            different += 1 if times[value[one]] == 0 else 0
            times[value[one]] += 1
            number += 1
            most = max(most, times[value[one]])
    if number:
        times[:] = 0
    if form == DISTINCT:
        return different
    return most / number if number else np.nan


def after(
    pupils: tuple[int, int],
    versions: Versions,
    leads: Versions,
    counting: tuple[Flags, Flags, int],
    rows: tuple[Small, Small, Small, Small],
) -> Values:
    """Return the rows in each window whose day lies 1 to so many days after the day of a row that leads.

    `leads` are versions of the other table; `counting` says of both measures which classes
    they count, then the number of days.
    """
    start, day, lead_start = versions[0], versions[1], leads[0]
    row_start, as_of, begin, end = rows
    found = np.zeros(len(as_of))
    for pupil in range(pupils[0], pupils[1]):
        led = (lead_start[pupil], lead_start[pupil + 1])
        if led[0] == led[1]:
            continue
        for row in range(row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1]):
            for version in range(start[pupil], start[pupil + 1]):
                inside = day[version] >= begin[row] and day[version] < end[row]
                if inside and _counts(version, versions, counting[0], as_of[row]):
                    found[row] += _led(day[version], led, leads, counting, as_of[row])
    return found


def _led(
    day: int,
    led: tuple[int, int],
    leads: Versions,
    counting: tuple[Flags, Flags, int],
    as_of: int,
) -> int:
    for lead in range(led[0], led[1]):
        apart = day - leads[1][lead]
        if apart >= 1 and apart <= counting[2] and _counts(lead, leads, counting[1], as_of):
            return 1
    return 0


def _counts(version: int, versions: Versions, counts: Flags, as_of: int) -> bool:
    """Whether a version is counted by the measure, and seen at as_of."""
    seen = versions[2][version] <= as_of <= versions[3][version]
    return bool(seen and counts[versions[4][version]])


def _open(opened: tuple[Small, Small, int], row: int, begin: int, end: int) -> int:
    """Return the open days from one day to another, the second outside."""
    calendar, before, first_day = opened
    most = before.shape[1] - 1
    low = min(max(begin - first_day, 0), most)
    high = min(max(end - first_day, 0), most)
    return int(before[calendar[row], high] - before[calendar[row], low])
