"""What happened in a simulation, by pupil: `counted` sums it into what is held against published figures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import published
from records.synthetic.register import CODE, CODES, count_codes, is_missed, is_possible
from records.synthetic.sanctions import REASONS, Sanctioned

LONGEST = 46
OCTOBER = (9, 10)
SESSIONS = 10  # a week


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts per pupil and academic year; arrays are filled while the simulation runs.

    Attributes
    ----------
    codes
        (pupils, years, 3 terms, codes): sessions by code of the time as it stood in the end.
    suspensions, permanent, incidents
        (pupils, years): number decided or recorded. `early` counts incidents until the end of October.
    days_lost
        (pupils, years): whole days of suspension.
    first_missed, september_c2
        (pupils, years): missed a session of the first week; had a session of code C2 in September.
    band
        (pupils, years): index of `published.BANDS`, -1 where never on roll.
    weeks
        (years,): simulated school weeks.
    by_code
        (bands, 3 terms, codes): sessions by code of today as it stood in the end.
    weekday
        (bands, 5 days, 2 sessions, 2): sessions possible and missed.
    lengths, reasons
        (bands, LONGEST + 1), (bands, reasons): suspensions by whole days, and reasons given.
    """

    codes: npt.NDArray[np.int32]
    suspensions: npt.NDArray[np.int16]
    permanent: npt.NDArray[np.int16]
    incidents: npt.NDArray[np.int16]
    early: npt.NDArray[np.int16]
    days_lost: npt.NDArray[np.int16]
    first_missed: npt.NDArray[np.bool_]
    september_c2: npt.NDArray[np.bool_]
    band: npt.NDArray[np.int8]
    weeks: npt.NDArray[np.int32]
    by_code: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where a week belongs: academic year (index), term, whether it is the year's first, month; bands and rolls."""

    year: int
    term: int
    first: bool
    month: int
    band: npt.NDArray[np.int64]
    on_roll: npt.NDArray[np.bool_]


def empty_tally(pupils: int, years: int) -> Tally:
    """Return a tally in which nothing has happened."""
    bands = len(published.BANDS)
    numbers = {
        name: np.zeros((pupils, years), np.int16)
        for name in ("suspensions", "permanent", "incidents", "early", "days_lost")
    }
    return Tally(
        **numbers,
        codes=np.zeros((pupils, years, 3, len(CODES)), np.int32),
        first_missed=np.zeros((pupils, years), bool),
        september_c2=np.zeros((pupils, years), bool),
        band=np.full((pupils, years), -1, np.int8),
        weeks=np.zeros(years, np.int32),
        by_code=np.zeros((bands, 3, len(CODES)), np.int64),
        weekday=np.zeros((bands, 5, 2, 2), np.int64),
        lengths=np.zeros((bands, LONGEST + 1), np.int64),
        reasons=np.zeros((bands, len(REASONS)), np.int64),
    )


def count_marks(tally: Tally, code: npt.NDArray[np.int8], written: npt.NDArray[np.int8], cell: Cell) -> None:
    """Count a week's marks (pupils, 5, 2) as they stood in the end, and who is on roll.

    `code` holds today's codes, `written` those of the time.
    """
    tally.codes[:, cell.year, cell.term] += count_codes(written)
    at = np.flatnonzero(code.ravel() >= 0)
    cells = cell.band[at // SESSIONS] * len(CODES) + code.ravel()[at]
    sums = np.bincount(cells, minlength=len(published.BANDS) * len(CODES))
    tally.by_code[:, cell.term] += sums.reshape(len(published.BANDS), len(CODES))
    missed, possible = is_missed(code), is_possible(code)
    for band in range(len(published.BANDS)):
        mine = cell.band == band
        tally.weekday[band, :, :, 0] += possible[mine].sum(axis=0)
        tally.weekday[band, :, :, 1] += missed[mine].sum(axis=0)
    if cell.first:
        tally.first_missed[:, cell.year] = missed.any(axis=(1, 2))
    if cell.month == OCTOBER[0]:
        tally.september_c2[:, cell.year] |= (code == CODE["C2"]).any(axis=(1, 2))
    tally.band[cell.on_roll, cell.year] = cell.band[cell.on_roll]
    tally.weeks[cell.year] += 1


def count_events(tally: Tally, incident: npt.NDArray[np.int64], found: Sanctioned, cell: Cell) -> None:
    """Count a week's recorded incidents (index of the pupil each) and its sanctions."""
    np.add.at(tally.incidents[:, cell.year], incident, 1)
    if cell.month in OCTOBER:
        np.add.at(tally.early[:, cell.year], incident, 1)
    out = found.category != "PERM"
    pupil, band = found.pupil[out], cell.band[found.pupil[out]]
    np.add.at(tally.suspensions[:, cell.year], pupil, 1)
    np.add.at(tally.permanent[:, cell.year], found.pupil[~out], 1)
    np.add.at(tally.days_lost[:, cell.year], pupil, found.days[out].astype(np.int16))
    np.add.at(tally.lengths, (band, np.minimum(found.days[out], LONGEST)), 1)
    for reasons in (found.reason[out], found.second_reason[out]):
        for place, reason in enumerate(REASONS):
            np.add.at(tally.reasons[:, place], band[reasons == reason], 1)
