"""What happened in a simulation, by pupil: the figures that are held against the published ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.register import CODES


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts per pupil and academic year; arrays are filled while the simulation runs.

    Attributes
    ----------
    codes
        (pupils, years, 3 terms, codes): sessions by true code.
    suspensions, permanent, incidents
        (pupils, years): number decided or recorded.
    band
        (pupils, years): index of `published.BANDS`, -1 where never on roll.
    weeks
        (years,): simulated school weeks.
    """

    codes: npt.NDArray[np.int32]
    suspensions: npt.NDArray[np.int32]
    permanent: npt.NDArray[np.int32]
    incidents: npt.NDArray[np.int32]
    band: npt.NDArray[np.int8]
    weeks: npt.NDArray[np.int32]


def empty_tally(pupils: int, years: int) -> Tally:
    """Return a tally in which nothing has happened."""
    by_year = (pupils, years)
    return Tally(
        codes=np.zeros((pupils, years, 3, len(CODES)), np.int32),
        suspensions=np.zeros(by_year, np.int32),
        permanent=np.zeros(by_year, np.int32),
        incidents=np.zeros(by_year, np.int32),
        band=np.full(by_year, -1, np.int8),
        weeks=np.zeros(years, np.int32),
    )
