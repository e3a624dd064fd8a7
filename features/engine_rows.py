"""The fast engine's forms that look at rows one by one. `features.reference_rows` says what they mean.

They are no sums: each costs in proportion to the rows seen, times the as-of dates whose window holds them.
"""

import numpy as np

from features.engine_work import WEEKDAYS, Values, Work, divide, named, on_weekday
from features.feature import WEEKDAY, Feature
from features.grid import Ints

# A day number is far below this, so (row, day) and (row, kind) fit one whole number in order.
_APART = 1 << 20


def maximum(work: Work, feature: Feature) -> Values:
    """Return the largest single row of the window, 0 when there is none."""
    row, _, version = work.seen(feature.measure, feature)
    largest = np.zeros(len(work.rows))
    np.maximum.at(largest, row, work.weight(feature.measure, version).astype(np.float64))
    return largest


def days(work: Work, feature: Feature) -> Values:
    """Return the days of the window that hold a row."""
    row, _ = _days(work, feature)
    return np.bincount(row, minlength=len(work.rows)).astype(np.float64)


def since(work: Work, feature: Feature) -> Values:
    """Return the open school days from the newest row's day up to as_of."""
    row, day, _ = work.seen(feature.measure, feature)
    newest = np.full(len(work.rows), -1, dtype=np.int64)
    np.maximum.at(newest, row, day)
    return np.where(newest < 0, np.nan, work.rows.open_days_since(newest))


def gap(work: Work, feature: Feature) -> Values:
    """Return the mean open school days from one day with a row to the next."""
    count, first, last, _ = _ends(work, feature)
    return divide(_between(work, first, last), count - 1.0)


def gap_change(work: Work, feature: Feature) -> Values:
    """Return the newest gap less the mean of the earlier ones."""
    count, first, last, before = _ends(work, feature)
    earlier = divide(_between(work, first, before), count - 2.0)
    return np.where(count >= 3, _between(work, before, last) - earlier, np.nan)


def distinct(work: Work, feature: Feature) -> Values:
    """Return how many values of `by` the rows have."""
    row, _ = _kinds(work, feature)
    return np.bincount(row, minlength=len(work.rows)).astype(np.float64)


def top_share(work: Work, feature: Feature) -> Values:
    """Return the share of the rows that have the commonest value of `by`."""
    if feature.by == WEEKDAY:
        # By weekday it is a matter of five sums, which spares listing every mark.
        each = [work.total(on_weekday(named(feature.measure), day), feature.window_weeks) for day in WEEKDAYS]
        return divide(np.max(each, axis=0), np.sum(each, axis=0, dtype=np.float64))
    row, times = _kinds(work, feature)
    largest = np.zeros(len(work.rows))
    np.maximum.at(largest, row, times.astype(np.float64))
    return divide(largest, np.bincount(row, weights=times, minlength=len(work.rows)).astype(np.float64))


def after(work: Work, feature: Feature) -> Values:
    """Return the rows of the measure whose day lies 1 to `within_days` days after the day of a row of `other`."""
    row, day, _ = work.seen(feature.measure, feature)
    lead_row, lead_day, _ = work.seen(feature.other, None)
    leads = np.sort(lead_row * _APART + lead_day)
    at = row * _APART + day
    follows = np.searchsorted(leads, at - feature.within_days) < np.searchsorted(leads, at)
    return np.bincount(row[follows], minlength=len(work.rows)).astype(np.float64)


def _days(work: Work, feature: Feature) -> tuple[Ints, Ints]:
    """Return grid row and day of each day with a row, once each, in order."""
    row, day, _ = work.seen(feature.measure, feature)
    distinct_days = np.unique(row * _APART + day)
    return distinct_days // _APART, distinct_days % _APART


def _ends(work: Work, feature: Feature) -> tuple[Values, Ints, Ints, Ints]:
    """Return for each grid row its days: how many, the first, the last, the last but one; as_of where none."""
    row, day = _days(work, feature)
    count = np.bincount(row, minlength=len(work.rows))
    stop = np.cumsum(count)
    there = count > 0
    found = []
    for at in (stop - count, stop - 1, stop - 2):
        ends = work.rows.end.copy()
        usable = there & (at >= stop - count)
        ends[usable] = day[at[usable]]
        found.append(ends)
    first, last, before = found
    return count.astype(np.float64), first, last, before


def _between(work: Work, start: Ints, end: Ints) -> Values:
    return work.rows.open_days_since(start) - work.rows.open_days_since(end)


def _kinds(work: Work, feature: Feature) -> tuple[Ints, Ints]:
    """Return each (grid row, value of `by`) there is: the row, and how many rows have the value."""
    row, _, version = work.seen(feature.measure, feature)
    kind = work.table(named(feature.measure).table).kinds(feature.by)[version]
    pairs, times = np.unique(row[kind >= 0] * _APART + kind[kind >= 0], return_counts=True)
    return pairs // _APART, times.astype(np.int64)
