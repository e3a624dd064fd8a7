"""The latent process: each pupil's strain from week to week, and what follows from it.

Strain is on a logarithmic scale. Its parts: a lasting trait; a slow drift over a term or two; quick weeks;
rare shocks that fade (something happens at home, a friendship breaks); and the share of the published
difference between groups that runs through behaviour. Incidents and lateness follow strain at once; a
sanction follows *felt* strain, a moving average with each pupil's own delay, so that records rise one to
eight weeks before it. A small part of all sanctions comes from nowhere.

The remaining share of the differences between ethnic groups acts at the decision to sanction, not on
behaviour. How much is a choice of the simulation (`PRACTICE_SHARE`), not a finding: it gives the audit
something true to look at.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import published
from records.synthetic.people import People

Floats = npt.NDArray[np.float32]

SLOW_KEEPS, SLOW_SPREAD = 0.975, 0.6
QUICK_KEEPS, QUICK_SPREAD = 0.80, 0.55
SHOCK_KEEPS, SHOCK_CHANCE, SHOCK_SIZE = 0.92, 0.010, 2.1
POINTS_KEEP, MEMORY_KEEPS = 0.75, 0.93
TRAIT_SPREAD = {"PS": 0.9, "SS": 0.7, "SP": 0.7}
ILLNESS_SPREAD = {"PS": 0.65, "SS": 0.5, "SP": 0.9}
PRACTICE_SHARE = 0.4
# The published ratios are raw; groups overlap (boys have more SEN, free meals and SEN go together), so each
# characteristic carries a part of its raw log ratio. Tuned until the simulated raw ratios are near.
ADJUSTED = {
    "PS": {"sex": 0.92, "fsm": 0.6, "sen": 0.9, "ethnicity": 0.8},
    "SS": {"sex": 0.58, "fsm": 0.5, "sen": 0.52, "ethnicity": 0.85},
    "SP": {"sex": 0.5, "fsm": 0.5, "sen": 0.5, "ethnicity": 0.8},
}


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What lasts: one entry per pupil, natural logarithms around 0 unless said.

    `base` is the strain that group and temper bring; `practice` acts on the decision to sanction alone;
    `delay` is the weekly share of strain that becomes felt, 0 to 1; `illness`, `truancy`, `late` and
    `praise` spread those rates; `nowhere` is the group's log rate, for sanctions without a warning.
    """

    base: Floats
    practice: Floats
    delay: Floats
    illness: Floats
    truancy: Floats
    late: Floats
    praise: Floats
    nowhere: Floats


@dataclass(frozen=True, kw_only=True)
class Latent:
    """The state at the start of a week: one float32 per pupil; `points` and `memory` fade week by week."""

    slow: Floats
    quick: Floats
    shock: Floats
    felt: Floats
    points: Floats
    memory: Floats

    def strain(self, traits: Traits) -> Floats:
        """Return the whole strain of this week."""
        return np.asarray(traits.base + self.slow + self.quick + self.shock, np.float32)


def draw_traits(people: People, band: npt.NDArray[np.int64], rng: np.random.Generator) -> Traits:
    """Return the lasting traits; `band` indexes `published.BANDS`."""
    number = len(band)
    behaviour, practice = _offsets(people, band)
    spread, ill = (np.array([by[name] for name in published.BANDS])[band] for by in (TRAIT_SPREAD, ILLNESS_SPREAD))
    normal = rng.normal(size=(5, number))
    fsm = ~np.isnat(people.fsm_start)
    supported = people.sen[:, -1] != "N"
    severe = rng.random(number) < 0.022
    disaffected = 0.35 * fsm + 0.3 * supported
    return Traits(
        base=(behaviour + spread * normal[0]).astype(np.float32),
        practice=practice.astype(np.float32),
        delay=rng.uniform(0.12, 0.7, number).astype(np.float32),
        illness=(ill * normal[1] + 0.5 * disaffected + 1.2 * severe).astype(np.float32),
        truancy=(0.95 * normal[2] + 0.25 * normal[0] + disaffected + 2.4 * severe).astype(np.float32),
        late=(0.8 * normal[3] + 0.2 * normal[0] + 0.3 * fsm).astype(np.float32),
        praise=(0.4 * normal[4]).astype(np.float32),
        nowhere=(behaviour + practice).astype(np.float32),
    )


def start(number: int, rng: np.random.Generator) -> Latent:
    """Return a first state, drawn from where the slow and quick parts settle; a burn-in follows."""
    normal = rng.normal(size=(2, number)).astype(np.float32)
    zero = np.zeros(number, np.float32)
    return Latent(
        slow=SLOW_SPREAD * normal[0], quick=QUICK_SPREAD * normal[1], shock=zero, felt=zero, points=zero, memory=zero
    )


def step(latent: Latent, traits: Traits, rng: np.random.Generator) -> Latent:
    """Return the state one school week later. Draws are the same number whatever the state (common random numbers)."""
    number = len(latent.slow)
    normal = rng.standard_normal((2, number), dtype=np.float32)
    uniform = rng.random((2, number), dtype=np.float32)
    slow = SLOW_KEEPS * latent.slow + SLOW_SPREAD * (1 - SLOW_KEEPS**2) ** 0.5 * normal[0]
    quick = QUICK_KEEPS * latent.quick + QUICK_SPREAD * (1 - QUICK_KEEPS**2) ** 0.5 * normal[1]
    struck = np.where(uniform[0] < SHOCK_CHANCE, SHOCK_SIZE * (0.4 - 0.6 * np.log(uniform[1] + 1e-6)), 0.0)
    shock = np.minimum(SHOCK_KEEPS * latent.shock + struck, 4.0)
    strain = traits.base + slow + quick + shock
    felt = latent.felt + traits.delay * (strain - latent.felt)
    return Latent(
        slow=slow.astype(np.float32),
        quick=quick.astype(np.float32),
        shock=shock.astype(np.float32),
        felt=felt.astype(np.float32),
        points=(POINTS_KEEP * latent.points).astype(np.float32),
        memory=(MEMORY_KEEPS * latent.memory).astype(np.float32),
    )


def after(latent: Latent, points: Floats, sanctioned: npt.NDArray[np.bool_]) -> Latent:
    """Return the state after a week's incidents and sanctions: both are remembered for a while."""
    return Latent(
        slow=latent.slow,
        quick=latent.quick,
        shock=latent.shock,
        felt=latent.felt,
        points=latent.points + points,
        memory=np.asarray(latent.memory + sanctioned, np.float32),
    )


def _offsets(people: People, band: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (through behaviour, through practice) log offsets, each centred within its band."""
    behaviour, practice = np.zeros(len(band)), np.zeros(len(band))
    fsm = np.where(np.isnat(people.fsm_start), "not", "fsm")
    values = {"sex": people.sex, "fsm": fsm, "sen": people.sen[:, -1], "ethnicity": people.ethnicity}
    for index, name in enumerate(published.BANDS):
        mine = np.flatnonzero(band == index)
        if not len(mine):
            continue
        for attribute, groups in values.items():
            # There is no primary table by detailed ethnicity here: the secondary ratios stand for both.
            rates = published.by_characteristic("SS" if attribute == "ethnicity" else name, attribute)
            log_rate = np.array([np.log(rates[str(group)]) for group in groups[mine]])
            log_rate -= log_rate.mean()
            share = PRACTICE_SHARE if attribute == "ethnicity" else 0.0
            behaviour[mine] += ADJUSTED[name][attribute] * (1 - share) * log_rate
            practice[mine] += ADJUSTED[name][attribute] * share * log_rate
    return behaviour, practice
