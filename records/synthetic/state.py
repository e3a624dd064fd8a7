"""The latent process: each pupil's strain from week to week, and what follows from it.

Strain is on a logarithmic scale. Its parts: a lasting temper; stress, which drifts over a term or two; belonging,
which a move or a sanction lowers and which comes back slowly; quick weeks; rare events that fade (a bereavement,
a friendship that breaks); the climate of the year group in the school, which its pupils share; and what support
takes away. Incidents and lateness follow strain at once; a sanction follows *felt* strain, a moving average with
each pupil's own delay, so that records rise one to eight weeks before it. A small part of all sanctions comes
from nowhere.

The climate is given, not passed on: no pupil's week changes another's, so runs with and without support can be
compared pupil by pupil.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from records.synthetic import care as in_care
from records.synthetic import published, support, tuned
from records.synthetic.injustices import Ways
from records.synthetic.people import People

Floats = npt.NDArray[np.float32]

STRESS_KEEPS, STRESS_SPREAD = 0.975, 0.45
BELONGING_KEEPS, BELONGING_SPREAD = 0.97, 0.4
QUICK_KEEPS, QUICK_SPREAD = 0.80, 0.5
CLIMATE_KEEPS, CLIMATE_SPREAD = 0.90, 0.18
SHOCK_KEEPS, SHOCK_CHANCE, SHOCK_SIZE = 0.92, 0.010, 2.1
MOVE_COSTS, TRANSITION_COSTS, SANCTION_COSTS = 0.7, 0.2, 0.15
POINTS_KEEP, MEMORY_KEEPS = 0.75, 0.93
YEAR_GROUPS = 15
TEMPER_SPREAD = {"PS": 1.1, "SS": 0.75, "SP": 0.9}
ILLNESS_SPREAD = {"PS": 0.85, "SS": 0.72, "SP": 0.65}
TRUANCY_SPREAD = {"PS": 1.1, "SS": 0.95, "SP": 1.0}
SEVERE_SHARE = {"PS": 0.021, "SS": 0.029, "SP": 0.078}
OFTEN_SHARE = {"PS": 0.05, "SS": 0.11, "SP": 0.10}
SEVERE_TRUANCY, SEVERE_ILLNESS, SEVERE_LENGTH = 2.4, 1.6, 6.0
OFTEN_TRUANCY, OFTEN_ILLNESS, OFTEN_LENGTH = 1.0, 0.9, 1.4
NEED_SHARE = {"sex": 1.0, "fsm": 1.0, "sen": 1.0, "need": 1.0, "ethnicity": 0.6}
"""How much of a published gap is different need, by characteristic; the rest is practice, acting at the decision.

A choice of the simulation, not a finding: no source separates the two. It gives the audit something true to see.
"""
# The published ratios are raw; groups overlap (boys have more SEN, free meals and SEN go together), so each
# characteristic carries a part of its raw log ratio. Tuned until the simulated raw ratios are near.
ADJUSTED = {
    "PS": {"sex": 0.8, "fsm": 0.6, "sen": 0.85, "need": 0.9, "ethnicity": 0.8},
    "SS": {"sex": 0.75, "fsm": 0.7, "sen": 0.68, "need": 0.8, "ethnicity": 0.85},
    "SP": {"sex": 0.7, "fsm": 0.5, "sen": 0.0, "need": 0.8, "ethnicity": 0.8},
}


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What lasts: one entry per pupil, natural logarithms around 0 unless said.

    `base` is the strain that circumstances and temper bring; `practice` acts on the decision to sanction alone;
    `delay` is the weekly share of strain that becomes felt, 0 to 1; `response` is how strongly support helps,
    1 on average; `illness`, `truancy`, `late` and `praise` spread those rates; `nowhere` is the log rate that
    circumstances bring, for sanctions without a warning; `spell` is how many times as long absences last as
    is usual, 1 for most.
    """

    base: Floats
    practice: Floats
    delay: Floats
    response: Floats
    illness: Floats
    truancy: Floats
    late: Floats
    praise: Floats
    nowhere: Floats
    spell: Floats


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where pupils stand in a week: index of the school (last: none), year group, who has just moved or gone up."""

    school: npt.NDArray[np.int64]
    year_group: npt.NDArray[np.int64]
    schools: int
    moved: npt.NDArray[np.bool_]
    transition: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Latent:
    """The state at the start of a week: one float32 per pupil; `points` and `memory` fade week by week.

    `climates` has shape (schools + 1, YEAR_GROUPS); `climate` is each pupil's own.
    """

    stress: Floats
    belonging: Floats
    quick: Floats
    shock: Floats
    climates: Floats
    climate: Floats
    relief: support.Relief
    felt: Floats
    points: Floats
    memory: Floats

    def moving(self) -> Floats:
        """Return the part of strain that changes."""
        return self.stress - self.belonging + self.quick + self.shock + self.climate - self.relief.size

    def strain(self, traits: Traits) -> Floats:
        """Return the whole strain of this week."""
        return np.asarray(traits.base + self.moving(), np.float32)


def draw_traits(
    people: People, band: npt.NDArray[np.int64], care: npt.NDArray[np.int8], ways: Ways, rng: np.random.Generator
) -> Traits:
    """Return the lasting traits; `band` indexes `published.BANDS`, `ways` has the dials of need and practice."""
    number = len(band)
    need, unfair = _offsets(people, band)
    need = _levelled(need, band, ways.need) + in_care.weighing(care, "strain")
    temper, ill, truant, severe_share, often_share = (
        np.array([by[name] for name in published.BANDS])[band]
        for by in (TEMPER_SPREAD, ILLNESS_SPREAD, TRUANCY_SPREAD, SEVERE_SHARE, OFTEN_SHARE)
    )
    normal = rng.normal(size=(5, number))
    fsm = ~np.isnat(people.fsm_start)
    supported = people.sen[:, -1] != "N"
    level = rng.random(number)
    severe = level < severe_share
    often = ~severe & (level < severe_share + often_share)
    disaffected = ways.need * (0.35 * fsm + 0.3 * supported)
    girls = people.sex == "F"
    ease = np.where(severe, 0.4, 1.0)  # the severely absent differ less from each other
    return Traits(
        base=(need + temper * normal[0]).astype(np.float32),
        practice=(ways.practice * unfair).astype(np.float32),
        delay=rng.uniform(0.12, 0.7, number).astype(np.float32),
        response=rng.uniform(0.4, 1.6, number).astype(np.float32),
        illness=(
            ill * ease * normal[1]
            + 0.5 * disaffected
            + SEVERE_ILLNESS * severe
            + OFTEN_ILLNESS * often
            + 0.2 * girls
            + in_care.weighing(care, "illness")
        ).astype(np.float32),
        truancy=(
            truant * ease * normal[2]
            + 0.25 * normal[0]
            + disaffected
            + SEVERE_TRUANCY * severe
            + OFTEN_TRUANCY * often
            + in_care.weighing(care, "truancy")
        ).astype(np.float32),
        late=(0.8 * normal[3] + 0.2 * normal[0] + 0.3 * fsm).astype(np.float32),
        praise=(0.4 * normal[4]).astype(np.float32),
        nowhere=need.astype(np.float32),
        spell=np.where(severe, SEVERE_LENGTH, np.where(often, OFTEN_LENGTH, 1.0)).astype(np.float32),
    )


def start(number: int, schools: int, rng: np.random.Generator) -> Latent:
    """Return a first state, drawn from where the moving parts settle; a burn-in follows."""
    normal = rng.normal(size=(3, number)).astype(np.float32)
    zero = np.zeros(number, np.float32)
    return Latent(
        stress=STRESS_SPREAD * normal[0],
        quick=QUICK_SPREAD * normal[1],
        belonging=BELONGING_SPREAD * normal[2],
        shock=zero,
        climates=np.zeros((schools + 1, YEAR_GROUPS), np.float32),
        climate=zero,
        relief=support.no_relief(number),
        felt=zero,
        points=zero,
        memory=zero,
    )


def step(latent: Latent, traits: Traits, place: Place, rng: np.random.Generator) -> Latent:
    """Return the state one school week later. Draws are the same number whatever the state (common random numbers)."""
    number = len(latent.stress)
    normal = rng.standard_normal((3, number), dtype=np.float32)
    uniform = rng.random((2, number), dtype=np.float32)
    shared = rng.standard_normal(latent.climates.shape, dtype=np.float32)
    shared[place.schools :] = 0
    climates = _drift(latent.climates, CLIMATE_KEEPS, CLIMATE_SPREAD, shared)
    costs = MOVE_COSTS * place.moved + TRANSITION_COSTS * place.transition
    struck = np.where(uniform[0] < SHOCK_CHANCE, SHOCK_SIZE * (0.4 - 0.6 * np.log(uniform[1] + 1e-6)), 0.0)
    new = replace(
        latent,
        stress=_drift(latent.stress, STRESS_KEEPS, STRESS_SPREAD, normal[0]),
        quick=_drift(latent.quick, QUICK_KEEPS, QUICK_SPREAD, normal[1]),
        belonging=(_drift(latent.belonging, BELONGING_KEEPS, BELONGING_SPREAD, normal[2]) - costs).astype(np.float32),
        shock=np.minimum(SHOCK_KEEPS * latent.shock + struck, 4.0).astype(np.float32),
        climates=climates,
        climate=climates[place.school, place.year_group],
        relief=support.week_of_relief(latent.relief, traits.response, traits.delay),
        points=(POINTS_KEEP * latent.points).astype(np.float32),
        memory=(MEMORY_KEEPS * latent.memory).astype(np.float32),
    )
    felt = latent.felt + traits.delay * (new.strain(traits) - latent.felt)
    return replace(new, felt=felt.astype(np.float32))


def after(latent: Latent, points: Floats, sanctioned: npt.NDArray[np.bool_]) -> Latent:
    """Return the state after a week's incidents and sanctions: both are remembered, and a sanction parts a pupil."""
    return replace(
        latent,
        belonging=np.asarray(latent.belonging - SANCTION_COSTS * sanctioned, np.float32),
        points=np.asarray(latent.points + points, np.float32),
        memory=np.asarray(latent.memory + sanctioned, np.float32),
    )


def _drift(before: Floats, keeps: float, spread: float, normal: Floats) -> Floats:
    return np.asarray(keeps * before + spread * (1 - keeps**2) ** 0.5 * normal, np.float32)


def _levelled(need: npt.NDArray[np.float64], band: npt.NDArray[np.int64], dial: float) -> npt.NDArray[np.float64]:
    """Return the groups' need turned down by its dial, with the band's mean hazard as it was: at 0 all are alike."""
    if dial == 1.0:
        return need  # to the last bit: a network already simulated stays the same
    found = dial * need
    for index in np.unique(band):
        mine = band == index
        found[mine] += np.log(np.exp(need[mine]).mean() / np.exp(found[mine]).mean())
    return found


def _offsets(people: People, band: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (need, practice) log offsets of groups, each centred on London's pupils of the band (tuned.centre)."""
    need, practice = np.zeros(len(band)), np.zeros(len(band))
    fsm = np.where(np.isnat(people.fsm_start), "not", "fsm")
    values = {"sex": people.sex, "fsm": fsm, "sen": people.sen[:, -1], "ethnicity": people.ethnicity}
    for index, name in enumerate(published.BANDS):
        mine = np.flatnonzero(band == index)
        for attribute, groups in {**values, "need": people.need}.items():
            rates = published.log_ratios(name, attribute)
            found, where = np.unique(groups[mine], return_inverse=True)
            log_rate = np.array([rates.get(str(group), 0.0) for group in found])[where] if len(mine) else np.zeros(0)
            log_rate = ADJUSTED[name][attribute] * (log_rate - tuned.centre(name, attribute))
            need[mine] += NEED_SHARE[attribute] * log_rate
            practice[mine] += (1 - NEED_SHARE[attribute]) * log_rate
    return need, practice
