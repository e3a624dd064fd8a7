"""What a simulation fixes before its first week: schools, rolls, pupils, calendar, traits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import published, schedule, season, state
from records.synthetic.network import School
from records.synthetic.people import People
from records.synthetic.rolls import NOT_ON_ROLL, Rolls
from records.synthetic.sanctions import Setting
from records.synthetic.state import Floats


@dataclass(frozen=True, kw_only=True)
class World:
    """What does not change from week to week. Days are counted from `first_day`; `mess` is 0 to 1."""

    schools: Sequence[School]
    rolls: Rolls
    people: People
    moments: Sequence[season.Moment]
    traits: state.Traits
    first_day: np.datetime64
    open_days: Sequence[npt.NDArray[np.int64]]
    shut_days: Sequence[npt.NDArray[np.int64]]
    mess: float

    @classmethod
    def build(
        cls,
        schools: Sequence[School],
        rolls: Rolls,
        people: People,
        mondays: npt.NDArray[np.datetime64],
        mess: float,
        rng: np.random.Generator,
    ) -> "World":
        """Return the world of these schools, rolls and pupils."""
        first_day = (mondays[0].astype("datetime64[Y]").astype("datetime64[M]") + 6).astype("datetime64[D]")
        first_week = (rolls.school != NOT_ON_ROLL).argmax(axis=1)
        at = np.arange(len(first_week))
        band = _band(
            rolls.year_group[at, rolls.year_of_week[first_week]], _special(schools, rolls.school[at, first_week])
        )
        return cls(
            schools=schools,
            rolls=rolls,
            people=people,
            moments=season.moments(mondays),
            traits=state.draw_traits(people, band, rng),
            first_day=first_day,
            open_days=schedule.open_indices(schools, first_day),
            mess=mess,
            shut_days=[(s.days.shut_days - first_day).astype(np.int64) for s in schools],
        )

    def day(self, week: int) -> int:
        """Return the index of a week's Monday."""
        return int((self.moments[week].monday - self.first_day).astype(int))

    def term(self, week: int) -> int:
        """Return the term of a week: 0 autumn, 1 spring, 2 summer. No spring term holds a Monday of April."""
        month = self.moments[week].month
        return 0 if month >= 9 else 1 if month < 4 else 2

    def windows(self) -> list[int]:
        """Return the last week of each export: half-terms, then week by week in the last half-term."""
        ends = [i for i, m in enumerate(self.moments[1:]) if (m.monday - self.moments[i].monday).astype(int) > 7]
        return [*ends, *range((ends[-1] if ends else -1) + 1, len(self.moments))]

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
        band = _band(group, self.special(week))
        return Setting(
            band=band,
            sanctions=self.effect("sanctions", school),
            recording=self.effect("recording", school),
            praise=self.effect("praise", school),
            year_group=_year_effect(group, band),
        )

    def effect(self, name: str, school: npt.NDArray[np.int8]) -> Floats:
        """Return a school effect of every pupil; 0 for those on no roll."""
        effects = np.array([*(getattr(s, name) for s in self.schools), 0.0], np.float32)
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

    def groups(self) -> dict[str, npt.NDArray[np.str_]]:
        """Return attribute → every pupil's group, for the comparison with published figures."""
        fsm = np.where(np.isnat(self.people.fsm_start), "not", "fsm")
        return {"sex": self.people.sex, "fsm": fsm, "sen": self.people.sen[:, -1], "ethnicity": self.people.ethnicity}


def _special(schools: Sequence[School], school: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.array([*(s.phase == "SP" for s in schools), False])[school])


def _band(group: npt.NDArray[np.int8], special: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.where(special, 2, np.where(group >= 7, 1, 0)).astype(np.int64)


def _year_effect(group: npt.NDArray[np.int8], band: npt.NDArray[np.int64]) -> Floats:
    """Return the log ratio of the year group's published rate to the middle of its phase; 0 in special schools."""
    table = np.zeros((3, 16))
    for index, name in enumerate(("PS", "SS")):
        rates = published.by_characteristic(name, "year_group")
        middle = np.mean(list(rates.values()))
        for year, rate in rates.items():
            table[index, 0 if year == "R" else int(year)] = np.log(rate / middle)
    return table[band, np.clip(group, 0, 15)].astype(np.float32)
