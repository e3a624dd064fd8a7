"""Tune the simulated network to the published figures: `python -m benchmarks.tune_network`.

Simulates a year of schools that differ in nothing but their pupils, a network for each phase, again and again;
after each round every mean weight and every code's rate is corrected by published / simulated. Writes
records/synthetic/tuned.json. Run it again after any change to the process (state, sanctions, register, season).
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from records.codes import POSSIBLE
from records.synthetic import published, sanctions, simulate, state, tuned
from records.synthetic.clusters import clusters_of
from records.synthetic.plan import NetworkPlan
from records.synthetic.register import CODES
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import Rows
from records.synthetic.week import Live, burn_in, live_week
from records.synthetic.world import World

SIZES = {"PS": (20_000, 50), "SS": (24_000, 40), "SP": (10_000, 50)}
ROUNDS, SEED, FIRST_YEAR = 5, 4, 2024
FOLLOWING = ("L", "U", "N", "I", "O", "G", "C", "C1", "C2", "M", "V", "B", "W", "P", "K", "J1", "T", "R")
"""Codes with a rate of their own; E follows from suspensions, S from exams."""
RARE = 1e-5
FILE = Path(str(simulate.__file__)).parent / "tuned.json"


class Nowhere:
    """A ledger that keeps nothing."""

    def add(self, rows: Rows) -> None:
        """Forget the rows."""


@dataclass(frozen=True)
class NoFiles:
    """Takes rows and writes none."""

    ledgers: Mapping[str, Nowhere] = field(default_factory=lambda: defaultdict(Nowhere))


def year_of(phase: str, seed: int) -> tuple[World, Live, dict[str, float], float]:
    """Return a simulated year of one phase: the mean weights of its pupils, and sanctions expected per pupil-year."""
    pupils, schools = SIZES[phase]
    plan = NetworkPlan(pupils=pupils, schools=schools, phase=phase, years=(FIRST_YEAR,), seed=seed, mess=0)
    cluster = clusters_of(plan)[0]
    draw = cluster.streams(plan.seed)
    world = simulate.world_of(plan, cluster, draw)
    world = replace(
        world,
        schools=[replace(s, sanctions=0.0, recording=0.0, praise=0.0, absence=0.0) for s in world.schools],
        boroughs=np.zeros_like(world.boroughs),
        neutral=True,
    )
    live, sums, seen, expected = burn_in(world, draw), defaultdict[str, float](float), 0, 0.0
    for week in range(len(world.moments)):
        live, truth = live_week(world, live, week, NoFiles(), draw)  # type: ignore[arg-type]  # keeps no rows
        here = np.flatnonzero(world.rolls.school[:, week] != NOT_ON_ROLL)
        found = sanctions.weights(live.latent, world.traits, world.setting(week))
        for name in sanctions.Weights.__dataclass_fields__:
            sums[name] += float(getattr(found, name)[here].sum(dtype=np.float64))
        seen, expected = seen + len(here), expected + float(truth.hazard.sum(dtype=np.float64))
    means = {name: value / seen for name, value in sums.items()}
    return world, live, means, expected / seen * sanctions.WEEKS_IN_YEAR


def centres_of(world: World, phase: str) -> dict[str, float]:
    """Return the mean log ratio of the pupils by attribute."""
    people = world.people
    fsm = np.where(np.isnat(people.fsm_start), "not", "fsm")
    values: Mapping[str, npt.NDArray[np.str_]] = {
        "sex": people.sex, "fsm": fsm, "sen": people.sen[:, -1], "need": people.need, "ethnicity": people.ethnicity,
    }  # fmt: skip
    return {
        name: round(float(np.mean([published.log_ratios(phase, name).get(str(g), 0.0) for g in groups])), 5)
        for name, groups in values.items()
        if name in state.ADJUSTED[phase]
    }


def tune(phase: str, numbers: dict[str, Any], seed: int, step: float) -> None:
    """Run a year of a phase and correct its numbers by `step`, 0 (not at all) to 1 (all the way)."""
    band = published.BANDS.index(phase)
    world, live, means, expected = year_of(phase, seed)
    numbers["centres"][phase] = centres_of(world, phase)
    rates = published.suspensions(phase)
    too_many = expected * 100 / (rates["rate"] + rates["permanent"])
    # With memory, the rate answers more than in proportion: a damped step, or the rounds would swing.
    for name, mean in means.items():
        old = numbers["means"].setdefault(name, [1.0, 1.0, 1.0])
        new = old[band] * min(max(too_many, 0.3), 5.0) ** step if name == "sanction" else mean
        old[band] = float(f"{new:.5g}")
    counts = live.tally.by_code[band].sum(axis=0)
    possible = counts[[code in POSSIBLE for code in CODES]].sum()
    said = []
    for code in FOLLOWING:
        figure, share = published.attendance(phase).get(code, 0.0), 100 * counts[CODES.index(code)] / possible
        if figure > RARE and share > RARE:
            nearer = min(max(figure / share, 0.4), 2.5)
            factor = numbers["codes"][phase].get(code, 1.0) * nearer**step
            numbers["codes"][phase][code] = float(f"{factor:.4g}")
            said.append(f"{code} {share / figure:.2f}")
    print(phase, f"sanctions {too_many:.2f}", *said, flush=True)


def main() -> None:
    """Tune every phase and write the numbers."""
    numbers: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    for turn in range(ROUNDS):
        for phase in published.BANDS:
            # Long steps first, short ones last: the last rounds average over seeds.
            tune(phase, numbers, SEED + turn, 0.7 if turn < ROUNDS / 2 else 0.3)
            body = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in numbers.items())
            FILE.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")
            tuned.read.cache_clear()


if __name__ == "__main__":
    main()
