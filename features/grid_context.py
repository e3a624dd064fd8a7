"""The fast engine's features that are not windows over rows. `features.context` says what each means."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from features.context import BEFORE_JOINING, LONGEST_ROLL_DAYS, UNDER_WAY_DAYS, YEAR_NUMBER
from features.definitions.sanctions import THREE_YEARS_WEEKS, YEAR_WEEKS
from features.grid import NEVER_OPEN, Grid
from features.loops import Ints
from features.rolls import spread
from records.tables import ENROLMENTS

Values = npt.NDArray[np.float64]


def half_term(rows: Grid) -> Values:
    """Return the half-term of the school year, 1 to 6."""
    values: Values = rows.groups.season[0][rows.group]
    return values


def week_of_half_term(rows: Grid) -> Values:
    """Return the week since the half-term began, from 1."""
    values: Values = rows.groups.season[1][rows.group]
    return values


def year(rows: Grid) -> Values:
    """Return the National Curriculum year."""
    codes = ENROLMENTS.column("year_group").codes
    assert codes is not None
    numbers = [YEAR_NUMBER.get(code, np.nan) for code in codes.codes]
    return np.array([*numbers, np.nan])[rows.enrolments.year[rows.enrolment]]


def days_on_roll(rows: Grid) -> Values:
    """Return the open days from entry to as_of."""
    entry, group = _entry(rows), rows.group
    opened, first = rows.groups.open_between(group, entry, rows.edge(0)[group]), rows.groups.first_open[group]
    days = np.where(entry < first, LONGEST_ROLL_DAYS, np.minimum(opened, LONGEST_ROLL_DAYS))
    return np.where(first == NEVER_OPEN, np.nan, days)


def joined_mid_year(rows: Grid) -> Values:
    """Return 1 where the pupil joined within the last 39 school weeks, the school year being under way."""
    entry, group = _entry(rows), rows.group
    under_way = rows.groups.open_between(group, entry - BEFORE_JOINING.days, entry) > UNDER_WAY_DAYS
    return (under_way & (entry >= rows.edge(YEAR_WEEKS)[group])).astype(np.float64)


def schools(rows: Grid) -> Values:
    """Return the number of schools on whose roll the pupil was in the last 117 school weeks."""
    enrolled = rows.enrolments
    found = np.ones(len(rows))
    if len(enrolled.school) == len(rows.pupils):
        return found
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


def _entry(rows: Grid) -> Ints:
    return rows.enrolments.entry[rows.enrolment].astype(np.int64)
