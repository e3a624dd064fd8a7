"""The fast engine's features that are not windows over rows. `features.context` says what each means."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from features.context import YEAR_NUMBER, by_entry_days, entered_mid_year, season
from features.definitions.sanctions import THREE_YEARS_WEEKS
from features.grid import Grid
from features.rolls import spread
from records.tables import ENROLMENTS

Values = npt.NDArray[np.float64]


def half_term(rows: Grid) -> Values:
    """Return the half-term of the school year, 1 to 6."""
    return np.array([season(*group)[0] for group in rows.groups], dtype=np.float64)[rows.group]


def week_of_half_term(rows: Grid) -> Values:
    """Return the week since the half-term began, from 1."""
    return np.array([season(*group)[1] for group in rows.groups], dtype=np.float64)[rows.group]


def year(rows: Grid) -> Values:
    """Return the National Curriculum year."""
    codes = ENROLMENTS.column("year_group").codes
    assert codes is not None
    numbers = [YEAR_NUMBER.get(code, np.nan) for code in codes.codes]
    return np.array([*numbers, np.nan])[rows.enrolments.year[rows.enrolment]]


def days_on_roll(rows: Grid) -> Values:
    """Return the open days from entry to as_of."""
    return _by_entry(rows, by_entry_days)


def joined_mid_year(rows: Grid) -> Values:
    """Return 1 where the pupil joined within the last 39 school weeks, the school year being under way."""
    return _by_entry(rows, entered_mid_year)


def schools(rows: Grid) -> Values:
    """Return the number of schools on whose roll the pupil was in the last 117 school weeks."""
    enrolled = rows.enrolments
    found = np.ones(len(rows))
    # Nearly every pupil has only ever been at one; the row itself stands on it.
    low = np.minimum.reduceat(enrolled.school, enrolled.start[:-1]) if len(enrolled.school) else enrolled.school
    high = np.maximum.reduceat(enrolled.school, enrolled.start[:-1]) if len(enrolled.school) else enrolled.school
    version, stand = spread(enrolled.first, enrolled.last, rows.as_ofs, (low != high)[enrolled.pupil])
    row = rows.row_of[stand, enrolled.pupil[version]]
    there = (row >= 0) & (enrolled.left[version] >= rows.edge(THREE_YEARS_WEEKS)[rows.group[row]])
    pairs = np.unique(np.stack([row[there], enrolled.school[version[there]]]), axis=1)
    several, times = np.unique(pairs[0], return_counts=True)
    found[several] = times
    return found


CONTEXTS: Mapping[str, Callable[[Grid], Values]] = {
    "half_term": half_term,
    "week_of_half_term": week_of_half_term,
    "year": year,
    "days_on_roll": days_on_roll,
    "joined_mid_year": joined_mid_year,
    "schools": schools,
}


def _by_entry(rows: Grid, value: Callable[..., float]) -> Values:
    # Few distinct (as_of, calendar, entry date), however many pupils.
    entry = rows.enrolments.entry[rows.enrolment].astype(np.int64)
    pairs, at = np.unique(rows.group * _APART + entry + _APART // 2, return_inverse=True)
    found = []
    for group, day in zip((pairs // _APART).tolist(), (pairs % _APART - _APART // 2).tolist(), strict=True):
        found.append(value(*rows.groups[group], (_EPOCH + day).item()))
    values: Values = np.array(found, dtype=np.float64)[at.reshape(-1)]
    return values


# A day number is far below half of this.
_APART = 1 << 20
_EPOCH = np.datetime64(0, "D")
