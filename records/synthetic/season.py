"""What the time of year does: illness in winter, holidays at the edges of terms, exams, festivals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.people import People
from records.synthetic.register import CODE
from records.synthetic.state import Floats

_ILLNESS = (1.30, 1.25, 1.05, 1.00, 0.95, 0.95, 0.90, 0.75, 0.75, 0.95, 1.10, 1.40)  # January first
# Eid al-Fitr and Eid al-Adha, the festivals for which London's schools record most leave (code R).
_FESTIVALS = np.array(
    ["2024-04-10", "2024-06-17", "2025-03-31", "2025-06-06", "2026-03-20", "2026-05-27", "2027-03-10", "2027-05-17"],
    "datetime64[D]",
)
_KEEPS_FESTIVAL = {"APKN": 0.57, "ABAN": 0.65, "BAFR": 0.27, "OOTH": 0.27, "WOTH": 0.04}
STUDY_LEAVE_SHARE = 0.043
WORK_EXPERIENCE_YEAR = 10


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A week: its Monday, whether a holiday lies next to it, and how far into the half-term it is (0 to 1)."""

    monday: np.datetime64
    edge: bool
    into: float

    @property
    def month(self) -> int:
        """Return the month, 1 to 12."""
        return int(self.monday.astype("datetime64[M]").astype(int)) % 12 + 1


def moments(mondays: npt.NDArray[np.datetime64]) -> list[Moment]:
    """Return every week's moment: a gap of more than a week between Mondays is a holiday."""
    gap = np.diff(mondays).astype(np.int64) > 7
    before, after = np.concatenate([[True], gap]), np.concatenate([gap, [False]])
    position = np.zeros(len(mondays))
    for i in range(1, len(mondays)):
        position[i] = 0 if before[i] else position[i - 1] + 1
    return [
        Moment(monday=m, edge=bool(b or a), into=float(min(p / 6, 1)))
        for m, b, a, p in zip(mondays, before, after, position, strict=True)
    ]


def season(
    moment: Moment, year_group: npt.NDArray[np.int8], school_effect: Floats, people: People
) -> Mapping[str, Floats]:
    """Return code → what multiplies its rate this week, one entry per pupil."""
    rise = np.float32(0.92 + 0.16 * moment.into)
    everyone = np.exp(school_effect) * rise
    # Among secondary years, Year 7 misses least and Year 11 most.
    older = np.where(year_group >= 7, 1.0 + 0.06 * (np.clip(year_group, 7, 11) - 9), 1.0)
    work = (year_group == WORK_EXPERIENCE_YEAR) & (moment.month in (6, 7))
    off_site = np.where(year_group >= 10, 2.2, 0.3)
    traveller = np.isin(people.ethnicity, ["WIRT", "WROM"])
    return {
        "I": np.asarray(everyone * older * _ILLNESS[moment.month - 1], np.float32),
        "O": np.asarray(everyone * older * (1.2 if 4 <= moment.month <= 8 else 0.9), np.float32),
        "G": np.full(len(year_group), 2.6 if moment.edge else 0.5, np.float32),
        "C": np.asarray(everyone, np.float32),
        "W": np.asarray(38.0 * work, np.float32),
        "B": np.asarray(off_site, np.float32),
        "T": np.asarray(150.0 * traveller, np.float32),
    }


def seasonal_marks(
    moment: Moment, year_group: npt.NDArray[np.int8], special: npt.NDArray[np.bool_], people: People,
    rng: np.random.Generator,
) -> npt.NDArray[np.int8]:  # fmt: skip
    """Return (pupils, 5, 2): codes R on festivals and S before and during exams, -1 elsewhere."""
    number = len(year_group)
    draws = rng.random((2, number, 5), dtype=np.float32)
    forced = np.full((number, 5, 2), -1, np.int8)
    month, days = moment.month, moment.monday + np.arange(5)
    if month in (5, 6):
        forced[((year_group == 11) & ~special)[:, None] & (draws[0] < STUDY_LEAVE_SHARE * 1.2)] = CODE["S"]
    keeps = np.zeros(number, np.float32)
    for ethnicity, share in _KEEPS_FESTIVAL.items():
        keeps[people.ethnicity == ethnicity] = share
    for weekday in np.flatnonzero(np.isin(days, _FESTIVALS)):
        forced[draws[1, :, weekday] < keeps, weekday] = CODE["R"]
    return forced
