"""A simulated network's export files: week by week from latent strain to marks, incidents and sanctions.

`simulate` writes what the schools of the network would send, up to the day `until`, and keeps the truth
apart. The same seed gives the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from records.synthetic.calendars import week_starts
from records.synthetic.census import write_censuses
from records.synthetic.export import Exporter, write_reference
from records.synthetic.network import School, build_schools
from records.synthetic.people import make_people
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.rolls import plan_rolls
from records.synthetic.rows import vocabulary
from records.synthetic.tally import Tally
from records.synthetic.truth import check_outside, write_truth
from records.synthetic.week import burn_in, live_week
from records.synthetic.world import World

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """What was written: where, for whom, how many rows of each table, and what truly happened."""

    out: Path
    truth: Path | None
    schools: tuple[School, ...]
    pupils: int
    years: tuple[int, ...]
    until: date
    seed: int
    rows: dict[str, int]
    tally: Tally
    groups: dict[str, np.ndarray]


def simulate(plan: NetworkPlan, out: Path, *, truth: Path | None = None, progress: Progress | None = None) -> Simulated:
    """Write the export files of a simulated network into `out`, and its true weekly hazards to `truth`.

    Raises
    ------
    SimulationRefused
        `out` already holds files.
    TruthInside
        `truth` lies inside `out` or a home.
    """
    if out.exists() and any(out.iterdir()):
        raise SimulationRefused(f"{out} is not empty; name a new folder, so that two simulations are never mixed")
    check_outside(truth, out)
    say = progress or (lambda stage, done, whole: None)
    draw = _streams(plan.seed)
    years, until = plan.years, plan.end
    network = build_schools(pupils=plan.pupils, schools=plan.schools, years=years, until=until, rng=draw["schools"])
    mondays = week_starts(years, until)
    rolls = plan_rolls(network, years, mondays, draw["rolls"])
    people = make_people(network, rolls, years, plan.mess, draw["people"])
    world = World.build(network, rolls, people, mondays, plan.mess, draw["traits"])
    words = vocabulary(date(years[0], 7, 1), plan.last + timedelta(days=200), [s.urn for s in network])
    out.mkdir(parents=True, exist_ok=True)
    exporter = Exporter(out=out, words=words, people=people, until=until, windows=world.windows())
    live = burn_in(world, draw)
    truths = []
    for week in range(len(mondays)):
        live, known = live_week(world, live, week, exporter, draw)
        truths.append(known)
        exporter.close_week(week, mondays[week].astype(object))
        say("simulate", week + 1, len(mondays))
    write_reference(exporter, world)
    write_censuses(exporter, world, live, until)
    if truth is not None:
        write_truth(truth, truths, people.upn)
    return Simulated(
        out=out,
        truth=truth,
        schools=network,
        pupils=len(people.upn),
        years=years,
        until=until,
        seed=plan.seed,
        rows=dict(exporter.written),
        tally=live.tally,
        groups=world.groups(),
    )


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """Return a generator per purpose: a change in one room leaves the draws of the others alone."""
    names = ("schools", "rolls", "people", "traits", "state", "sanctions", "register", "events", "mess", "season")
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(child) for name, child in zip(names, children, strict=True)}
