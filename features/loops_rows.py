"""Loops over pupils, third part: forms that look at rows one by one.

They are no sums: each costs in proportion to the rows in its window, at every as-of date anew.
"""

import numpy as np
import numpy.typing as npt

from features.loops import Flags, Small
from features.loops_totals import Versions

Values = npt.NDArray[np.float64]
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
    start, day = versions[0], versions[1]
    counts, value = counting
    row_start, _, begin, _ = rows
    found = np.full(len(begin), np.nan)
    of_kinds = form in (DISTINCT, TOP_SHARE)
    times = np.zeros(max(value.max() + 1, 0) if of_kinds and len(value) else 0, dtype=np.int32)
    for pupil in range(pupils[0], pupils[1]):
        low = start[pupil]
        for row in range(row_start[pupil - pupils[0]], row_start[pupil - pupils[0] + 1]):
            low = moved(low, start[pupil], start[pupil + 1], day, begin[row])
            if form == MAXIMUM:
                found[row] = _largest((low, start[pupil + 1], row), versions, counting, rows)
            elif of_kinds:
                found[row] = _of_kinds(form, times, (low, start[pupil + 1], row), versions, counting, rows)
            else:
                days, oldest, before, newest = _days(low, start[pupil + 1], row, versions, counts, rows)
                if form == DAYS:
                    found[row] = days
                elif form == SINCE and days:
                    found[row] = _open(opened, row, newest, rows[1][row])
                elif form == GAP and days > 1:
                    found[row] = _open(opened, row, oldest, newest) / (days - 1)
                elif form == GAP_CHANGE and days > 2:
                    earlier = _open(opened, row, oldest, before) / (days - 2)
                    found[row] = _open(opened, row, before, newest) - earlier
    return found


def moved(low: int, first: int, end: int, day: Small, begin: int) -> int:
    """Return the first of a pupil's versions from a day on, sought from where the last window began.

    Windows go forward in time with the as-of dates; they go back only where a pupil changes school.
    """
    while low > first and day[low - 1] >= begin:
        low -= 1
    while low < end and day[low] < begin:
        low += 1
    return low


def _largest(
    window: tuple[int, int, int],
    versions: Versions,
    counting: tuple[Flags, Small],
    rows: tuple[Small, Small, Small, Small],
) -> int:
    """Return the largest value among the versions of a window: its first version, the pupil's end, the row."""
    low, end, row = window
    counts, value = counting
    largest = 0
    for version in range(low, end):
        if versions[1][version] >= rows[3][row]:
            break
        if _counts(version, versions, counts, rows[1][row]):
            largest = max(largest, value[version])
    return largest


def _days(
    low: int,
    end: int,
    row: int,
    versions: Versions,
    counts: Flags,
    rows: tuple[Small, Small, Small, Small],
) -> tuple[int, int, int, int]:
    """Return the days with a row in the window: how many, the first, the last but one, the last."""
    day = versions[1]
    days, oldest, before, newest = 0, -1, -1, -1
    for version in range(low, end):
        if day[version] >= rows[3][row]:
            break
        if day[version] != newest and _counts(version, versions, counts, rows[1][row]):
            oldest = day[version] if days == 0 else oldest
            before, newest = newest, day[version]
            days += 1
    return days, oldest, before, newest


def _of_kinds(
    form: int,
    times: Small,
    window: tuple[int, int, int],
    versions: Versions,
    counting: tuple[Flags, Small],
    rows: tuple[Small, Small, Small, Small],
) -> float:
    low, end, row = window
    counts, value = counting
    number, most, different = 0, 0, 0
    for version in range(low, end):
        if versions[1][version] >= rows[3][row]:
            break
        if value[version] >= 0 and _counts(version, versions, counts, rows[1][row]):
            different += 1 if times[value[version]] == 0 else 0
            times[value[version]] += 1
            number += 1
            most = max(most, times[value[version]])
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
