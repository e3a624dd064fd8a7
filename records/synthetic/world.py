"""What a simulation fixes before its first week: schools, rolls, pupils, calendar, traits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from records.synthetic import published, schedule, season, state
from records.synthetic.care import draw_care
from records.synthetic.injustices import Planted, Ways, plant
from records.synthetic.mess import registers_not_taken
from records.synthetic.network import School
from records.synthetic.people import People
from records.synthetic.rolls import NOT_ON_ROLL, Rolls
from records.synthetic.sanctions import Setting
from records.synthetic.state import Floats

# As records/synthetic/network.py draws them.
_SPREADS = {"sanctions": 0.35, "recording": 0.3, "praise": 0.35, "absence": 0.1}


@dataclass(frozen=True, kw_only=True)
class World:
    """What does not change from week to week. Days are counted from `first_day`; `mess` is 0 to 1.

    `care` holds each pupil's status (care.NAMES); `boroughs` (measures, bands, schools + 1) how far a borough's
    published figures lie from London's, as logarithms, suspensions before absence; `not_taken` is
    mess.registers_not_taken. `neutral` schools differ in nothing but their pupils: for tuning alone. `alike`:
    schools sanction and write down alike, special schools like others with pupils of that age.
    """

    schools: Sequence[School]
    rolls: Rolls
    people: People
    moments: Sequence[season.Moment]
    traits: state.Traits
    first_day: np.datetime64
    open_days: Sequence[npt.NDArray[np.int64]]
    shut_days: Sequence[npt.NDArray[np.int64]]
    mess: float
    care: npt.NDArray[np.int8]
    planted: Planted
    not_taken: npt.NDArray[np.bool_]
    boroughs: npt.NDArray[np.float32]
    alike: bool = False
    neutral: bool = False

    @classmethod
    def build(
        cls,
        schools: Sequence[School],
        rolls: Rolls,
        people: People,
        mondays: npt.NDArray[np.datetime64],
        mess: float,
        rng: np.random.Generator,
        ways: Ways,
    ) -> "World":
        """Return the world of these schools, rolls and pupils."""
        first_day = (mondays[0].astype("datetime64[Y]").astype("datetime64[M]") + 6).astype("datetime64[D]")
        first_week = (rolls.school != NOT_ON_ROLL).argmax(axis=1)
        at = np.arange(len(first_week))
        # Where no group differs, schools must not either, for groups go to different schools: with an EHC plan to
        # special schools, which sanction less, and ethnic groups to some boroughs and schools more than to others.
        alike = ways.need == 0 and ways.practice == 0
        special = _special(schools, rolls.school[at, first_week]) & (not alike)
        band = _band(rolls.year_group[at, rolls.year_of_week[first_week]], special)
        moments, care = season.moments(mondays), draw_care(people, rng)
        traits = state.draw_traits(people, band, care, ways, rng)
        return cls(
            schools=schools,
            rolls=rolls,
            people=people,
            moments=moments,
            traits=traits,
            first_day=first_day,
            open_days=schedule.open_indices(schools, first_day),
            mess=mess,
            shut_days=[(s.days.shut_days - first_day).astype(np.int64) for s in schools],
            care=care,
            planted=plant(ways.injustices, people, [s.urn for s in schools]),
            not_taken=registers_not_taken(len(schools), len(moments), state.YEAR_GROUPS, mess, rng),
            boroughs=_boroughs(schools),
            alike=alike,
        )

    def day(self, week: int) -> int:
        """Return the index of a week's Monday."""
        return int((self.moments[week].monday - self.first_day).astype(int))

    def term(self, week: int) -> int:
        """Return the term of a week: 0 autumn, 1 spring, 2 summer. No spring term holds a Monday of April."""
        month = self.moments[week].month
        return 0 if month >= 9 else 1 if month < 4 else 2

    def windows(self, weekly_from: date | None = None) -> list[int]:
        """Return the last week of each export: half-terms, then week by week from a day on (None: the last half-term).

        What a week's file brings is of that week; one that ends before the day belongs to its half-term.
        """
        mondays = np.array([moment.monday for moment in self.moments], "datetime64[D]")
        ends = np.flatnonzero(np.diff(mondays).astype(int) > 7)
        first = int(ends[-1]) + 1 if len(ends) else 0
        if weekly_from is not None:
            first = min(first, int(np.searchsorted(mondays, np.datetime64(weekly_from))))
        # The half-term that is broken off has a file of its own for the weeks before.
        return [
            *(int(end) for end in ends if end < first - 1),
            *([first - 1] if first else []),
            *range(first, len(mondays)),
        ]

    def entry_days(self) -> npt.NDArray[np.int64]:
        """Return (pupils, weeks): the day the pupil joined the school of that week; meaningless where on no roll.

        Whoever was there when the records begin had joined in the September of the school's first year group.
        """
        school, weeks = self.rolls.school, np.arange(len(self.moments))
        joins = school != np.pad(school, ((0, 0), (1, 0)), constant_values=NOT_ON_ROLL)[:, :-1]
        since = np.maximum.accumulate(np.where(joins, weeks, 0), axis=1)
        lowest = np.array([*(min(s.places) for s in self.schools), 0])[school[:, 0]]
        years = np.maximum(self.rolls.year_group[:, 0] - lowest, 0)
        first_year = int(self.first_day.astype("datetime64[Y]").astype(int)) + 1970
        early = np.array([f"{first_year - int(n)}-09-01" for n in years], "datetime64[D]") - self.first_day
        day = np.array([self.day(int(week)) for week in weeks])[since]
        return np.where(since == 0, early.astype(np.int64)[:, None], day)

    def setting(self, week: int) -> Setting:
        """Return where every pupil stands in a week."""
        school, group = self.rolls.school[:, week], self.year_group(week)
        band = _band(group, self.special(week) & (not self.alike))
        ways = np.float32(0 if self.alike else 1)
        return Setting(
            band=band,
            sanctions=ways * (self.effect("sanctions", school) + self.boroughs[0, band, school]),
            recording=ways * self.effect("recording", school),
            praise=self.effect("praise", school),
            year_group=_year_effect(group, band),
            planted=self.planted.sanction(school),
            low_level=self.planted.low_level[school],
        )

    def absence(self, week: int, band: npt.NDArray[np.int64]) -> Floats:
        """Return how much more the pupils of a school and borough miss, as a logarithm, one entry per pupil."""
        school = self.rolls.school[:, week]
        return np.asarray(self.effect("absence", school) + self.boroughs[1, band, school])

    def place(self, week: int) -> state.Place:
        """Return where every pupil stands in a week, for the latent process."""
        school = self.rolls.school[:, week].astype(np.int64)
        before = self.rolls.school[:, max(week - 1, 0)].astype(np.int64)
        other = (school != before) & (school != NOT_ON_ROLL) & (before != NOT_ON_ROLL)
        same_year = self.rolls.year_of_week[week] == self.rolls.year_of_week[max(week - 1, 0)]
        nowhere = len(self.schools)
        return state.Place(
            school=np.where(school == NOT_ON_ROLL, nowhere, school),
            year_group=np.clip(self.year_group(week), 0, state.YEAR_GROUPS - 1).astype(np.int64),
            schools=nowhere,
            moved=other & same_year,
            transition=other & (not same_year),
        )

    def effect(self, name: str, school: npt.NDArray[np.int8]) -> Floats:
        """Return a school effect of every pupil; 0 for those on no roll."""
        # A log-normal effect has a mean above 1: taken off, so that schools' ways leave London's level alone.
        less = 0.0 if self.neutral else _SPREADS[name] ** 2 / 2
        effects = np.array([*(getattr(s, name) - less for s in self.schools), 0.0], np.float32)
        return np.asarray(effects[school])

    def year_group(self, week: int) -> npt.NDArray[np.int8]:
        """Return every pupil's year group in a week."""
        return np.asarray(self.rolls.year_group[:, self.rolls.year_of_week[week]])

    def special(self, week: int) -> npt.NDArray[np.bool_]:
        """Return who is at a special school in a week."""
        return _special(self.schools, self.rolls.school[:, week])

    def days_of_week(self, week: int, days: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
        """Return (pupils, 5): which weekdays are among the days of the pupil's school."""
        monday = self.day(week) + np.arange(5)
        table = np.array([*(np.isin(monday, mine) for mine in days), np.zeros(5, bool)])
        return np.asarray(table[self.rolls.school[:, week]])


def _special(schools: Sequence[School], school: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.array([*(s.phase == "SP" for s in schools), False])[school])


def _band(group: npt.NDArray[np.int8], special: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.where(special, 2, np.where(group >= 7, 1, 0)).astype(np.int64)


def _year_effect(group: npt.NDArray[np.int8], band: npt.NDArray[np.int64]) -> Floats:
    """Return the log ratio of the year group's published rate to that of its phase."""
    table = np.zeros((3, 16))
    for index, name in enumerate(published.BANDS):
        ratios = published.log_ratios(name, "year_group")
        for year in range(16):
            label = "R" if year == 0 else "12+" if year >= 12 else str(year)
            table[index, year] = ratios.get(label, min(ratios.values()))
    return table[band, np.clip(group, 0, 15)].astype(np.float32)


def _boroughs(schools: Sequence[School]) -> npt.NDArray[np.float32]:
    """Return (suspensions, absence) by band and school: log of the borough's figure to London's, 0 if unpublished."""
    found = np.zeros((2, 3, len(schools) + 1), np.float32)
    for band, name in enumerate(published.BANDS):
        whole = {"rate": published.suspensions(name)["rate"], "absence": published.attendance(name)["absence"]}
        for place, school in enumerate(schools):
            figures = published.borough(school.laestab[:3], name)
            for row, (measure, london) in enumerate(whole.items()):
                if figures.get(measure):
                    found[row, band, place] = np.clip(np.log(figures[measure] / london), -1.2, 1.2)
    return found
