"""Who is on which roll in which week: intakes, year groups, moves within the network, leavers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from records.calendar import Days
from records.synthetic.dual import Dual, plan_dual
from records.synthetic.network import School

NOT_ON_ROLL = -1
SIXTH_FORM = 12
STAYS_OVER_SUMMER, STAYS_FOR_SIXTH_FORM = 0.965, 0.55
MOVES_TO_NETWORK_SECONDARY = 0.6
LEAVES_IN_YEAR, MOVES_IN_YEAR, JOINS_IN_YEAR = 0.012, 0.010, 0.015
EXAM_YEARS, EXAMS_END = (11, 13), (6, 24)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rolls:
    """The rolls of every week.

    Attributes
    ----------
    school
        Shape (pupils, weeks), int8: index of the school, or NOT_ON_ROLL. A cluster has at most 127 schools.
    year_group
        Shape (pupils, academic years), int8: 0 is reception, 13 is Year 13; outside that when not at school.
    year_of_week
        Shape (weeks,): index of the academic year.
    first_upn_year
        Shape (pupils,): the calendar year in which reception began, part of a UPN.
    dual
        Who is registered at two schools, and when.
    """

    school: npt.NDArray[np.int8]
    year_group: npt.NDArray[np.int8]
    year_of_week: Ints
    first_upn_year: Ints
    dual: Dual


@dataclass
class _Plan:
    """Spells under construction: (pupil, school, first week, last week included)."""

    spells: list[tuple[Ints, int, int, int]] = field(default_factory=list)
    births: list[Ints] = field(default_factory=list)
    pupils: int = 0

    def newcomers(self, number: int, year_group: int, year: int) -> Ints:
        """Make that many pupils; a birth is kept as the academic year (index) in which reception began."""
        made = np.arange(self.pupils, self.pupils + number)
        self.births.append(np.full(number, year - year_group))
        self.pupils += number
        return made


def plan_rolls(schools: Sequence[School], years: Sequence[int], mondays: Days, rng: np.random.Generator) -> Rolls:
    """Return the rolls of all weeks: a full network in the first, then a September intake and moves each year."""
    year_of_week = academic_years(mondays) - years[0]
    plan = _Plan()
    classes: dict[tuple[int, int], Ints] = {}
    moves: list[tuple[int, int, int, int]] = []
    for year in range(len(years)):
        weeks = np.flatnonzero(year_of_week == year)
        if not len(weeks):
            break
        before = classes
        leaving_primary = _leaving_primary(before, schools, rng)
        classes = {}
        for index, school in enumerate(schools):
            for group, places in school.places.items():
                stayed = _stayed(before, index, group, rng)
                if group == 7 and school.phase in ("SS", "AT"):
                    room = max(0, places - len(stayed))
                    taken, leaving_primary = leaving_primary[:room], leaving_primary[room:]
                    stayed = np.concatenate([stayed, taken])
                missing = max(0, places - len(stayed))
                classes[index, group] = np.concatenate([stayed, plan.newcomers(missing, group, year)])
        for (index, group), members in classes.items():
            exams_end = np.datetime64(date(years[year] + 1, *EXAMS_END), "D")
            weeks_here = weeks[mondays[weeks] < exams_end] if group in EXAM_YEARS else weeks
            plan.spells.append((members, index, int(weeks_here[0]), int(weeks_here[-1])))
        moves.extend(_moves(classes, schools, weeks, rng))
        _join_in_year(plan, classes, weeks, year, rng)
    on_rolls = _matrix(plan, moves, len(year_of_week))
    births = np.concatenate(plan.births)
    year_group = np.clip(np.arange(len(years))[None, :] - births[:, None], -1, 14).astype(np.int8)
    return Rolls(
        school=on_rolls,
        year_group=year_group,
        year_of_week=year_of_week,
        first_upn_year=births + years[0],
        dual=plan_dual(schools, on_rolls, year_group, year_of_week, rng),
    )


def academic_years(mondays: Days) -> Ints:
    """Return the calendar year in which each week's academic year began: from September."""
    months = mondays.astype("datetime64[M]").astype(np.int64)
    return np.asarray((months - 8) // 12 + 1970)


def _stayed(before: dict[tuple[int, int], Ints], school: int, group: int, rng: np.random.Generator) -> Ints:
    members = before.get((school, group - 1), np.empty(0, np.int64))
    share = STAYS_FOR_SIXTH_FORM if group == SIXTH_FORM else STAYS_OVER_SUMMER
    return members[rng.random(len(members)) < share]


def _leaving_primary(before: dict[tuple[int, int], Ints], schools: Sequence[School], rng: np.random.Generator) -> Ints:
    """Return, shuffled, the Year 6 pupils of primary schools who go on to a secondary of the network."""
    leaving = [m for (index, group), m in before.items() if group == 6 and schools[index].phase == "PS"]
    pupils = np.concatenate([*leaving, np.empty(0, np.int64)])
    return rng.permutation(pupils[rng.random(len(pupils)) < MOVES_TO_NETWORK_SECONDARY])


def _moves(
    classes: dict[tuple[int, int], Ints], schools: Sequence[School], weeks: Ints, rng: np.random.Generator
) -> list[tuple[int, int, int, int]]:
    """Return (pupil, first week, last week, new school or NOT_ON_ROLL) of this year's moves; classes follow them."""
    found: list[tuple[int, int, int, int]] = []
    for (index, group), members in list(classes.items()):
        draw = rng.random(len(members))
        goes = draw < LEAVES_IN_YEAR + MOVES_IN_YEAR
        others = [i for i, s in enumerate(schools) if i != index and group in s.places and s.phase != "SP"]
        for pupil, leaves in zip(members[goes], draw[goes] < LEAVES_IN_YEAR, strict=True):
            week = int(rng.choice(weeks[1:])) if len(weeks) > 1 else int(weeks[0])
            special = schools[index].phase == "SP"
            new = NOT_ON_ROLL if leaves or special or not others else int(rng.choice(others))
            found.append((int(pupil), week, int(weeks[-1]), new))
            if new != NOT_ON_ROLL:
                classes[new, group] = np.append(classes[new, group], pupil)
        classes[index, group] = np.setdiff1d(classes[index, group], members[goes])
    return found


def _join_in_year(
    plan: _Plan, classes: dict[tuple[int, int], Ints], weeks: Ints, year: int, rng: np.random.Generator
) -> None:
    for (index, group), members in list(classes.items()):
        number = int(rng.poisson(JOINS_IN_YEAR * len(members)))
        if not number or len(weeks) < 3:
            continue
        made = plan.newcomers(number, group, year)
        for pupil, week in zip(made, rng.choice(weeks[1:-1], number), strict=True):
            plan.spells.append((np.array([pupil]), index, int(week), int(weeks[-1])))
        classes[index, group] = np.append(members, made)


def _matrix(plan: _Plan, moves: list[tuple[int, int, int, int]], weeks: int) -> npt.NDArray[np.int8]:
    school = np.full((plan.pupils, weeks), NOT_ON_ROLL, np.int8)
    for members, index, first, last in plan.spells:
        school[members, first : last + 1] = index
    for pupil, first, last, new in moves:
        # Whoever had already left by then (Year 11 in June) does not come back.
        span = school[pupil, first : last + 1]
        span[span != NOT_ON_ROLL] = new
    return school
