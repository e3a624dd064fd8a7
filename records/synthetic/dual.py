"""Dual registration: a few pupils spend some weekdays at a second school of the network for a while."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.network import School

# Set by hand: no figure for dual registration within one network is published.
DUAL_SHARE = 0.002
DUAL_YEARS = (4, 11)
DUAL_WEEKS = (4, 20)
DAYS_THERE = ((0, 1), (1, 2), (2, 3, 4), (3, 4))

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Dual:
    """Spells of dual registration, one entry each: pupil, second school, first and last week (included).

    `main` is the school the pupil mostly attends; `there` (spells, 5) says on which weekdays the pupil is due
    at the second one. A pupil has at most one spell in a run.
    """

    pupil: Ints
    main: Ints
    second: Ints
    first: Ints
    last: Ints
    there: npt.NDArray[np.bool_]

    def now(self, week: int, school: npt.NDArray[np.int8]) -> Ints:
        """Return the spells that hold in a week: not where the pupil has meanwhile left the main school."""
        return np.flatnonzero((self.first <= week) & (week <= self.last) & (school[self.pupil] == self.main))

    def ends(self, school: npt.NDArray[np.int8]) -> Ints:
        """Return each spell's true last week on the rolls (pupils, weeks) as they turned out; -1 where it never began.

        A pupil excluded from the main school leaves both.
        """
        found = np.full(len(self.pupil), -1, np.int64)
        for i, (pupil, main, first, last) in enumerate(zip(self.pupil, self.main, self.first, self.last, strict=True)):
            stays = school[pupil, first : last + 1] == main
            if stays[0]:
                found[i] = last if stays.all() else first + int(stays.argmin()) - 1
        return found


def plan_dual(
    schools: Sequence[School],
    school: npt.NDArray[np.int8],
    year_group: npt.NDArray[np.int8],
    year_of_week: Ints,
    rng: np.random.Generator,
) -> Dual:
    """Return spells for a few pupils of each year; the second school is a special one where there is any."""
    found: list[tuple[int, int, int, int, int, int]] = []
    for year in range(int(year_of_week[-1]) + 1):
        weeks = np.flatnonzero(year_of_week == year)
        lowest, highest = DUAL_YEARS
        due = (year_group[:, year] >= lowest) & (year_group[:, year] <= highest) & (school[:, weeks[0]] >= 0)
        chosen = np.flatnonzero(due & (rng.random(len(due)) < DUAL_SHARE)) if len(weeks) > 1 else np.empty(0, np.int64)
        for pupil in np.setdiff1d(chosen, [spell[0] for spell in found]).tolist():
            # Never in the week of joining: the enrolment of that day says one thing only.
            first, length = int(rng.choice(weeks[1:])), int(rng.integers(*DUAL_WEEKS))
            main, pick, days = int(school[pupil, first]), float(rng.random()), int(rng.integers(len(DAYS_THERE)))
            second = _second_school(schools, main, int(year_group[pupil, year]), pick)
            if second is None or school[pupil, first - 1] != main or schools[main].phase == "SP":
                continue
            # Year 11 leaves in June: `ends` and `now` look at the rolls.
            found.append((pupil, main, second, first, min(first + length, int(weeks[-1])), days))
    columns = np.array(found, np.int64).reshape(-1, 6).T
    there = np.array([[day in days for day in range(5)] for days in DAYS_THERE])
    return Dual(
        pupil=columns[0], main=columns[1], second=columns[2], first=columns[3], last=columns[4], there=there[columns[5]]
    )


def _second_school(schools: Sequence[School], main: int, group: int, pick: float) -> int | None:
    others = [i for i, s in enumerate(schools) if i != main and group in s.places]
    special = [i for i in others if schools[i].phase == "SP"]
    choices = special or others
    return choices[int(pick * len(choices))] if choices else None
