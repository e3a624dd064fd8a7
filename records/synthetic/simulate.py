"""A simulated network's export files: week by week from latent strain to marks, incidents and sanctions.

`simulate` writes what the schools of the network would send, up to the day `until`, and keeps the truth
apart. The same plan gives the same bytes, whatever the number of processes that make them.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from records.synthetic.calendars import week_starts
from records.synthetic.census import write_censuses
from records.synthetic.clusters import Cluster, clusters_of
from records.synthetic.counted import Counted, added, counted
from records.synthetic.enrolments import write_enrolments
from records.synthetic.export import Exporter, write_reference
from records.synthetic.network import School, build_schools
from records.synthetic.people import make_people
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.rolls import plan_rolls
from records.synthetic.rows import vocabulary
from records.synthetic.support import Support, no_support
from records.synthetic.truth import TruthFile, WeekTruth, check_outside
from records.synthetic.week import Live, burn_in, live_week
from records.synthetic.whole_files import plan_whole_files
from records.synthetic.world import World

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and how much there is."""


Seen = Callable[[int, "World", WeekTruth], None]
"""Called with a week's number, the world and what was true as the week began."""


def _silent(stage: str, done: int, whole: int) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was written for one cluster of schools: how many rows of each table, and what truly happened."""

    schools: tuple[School, ...]
    pupils: int
    rows: dict[str, int]
    counted: Counted


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
    counted: Counted


def simulate(
    plan: NetworkPlan, out: Path, *, truth: Path | None = None, progress: Progress | None = None, jobs: int = 1,
    support: Support = no_support,
) -> Simulated:  # fmt: skip
    """Write the export files of a simulated network into `out`, and its true weekly hazards to `truth`.

    `jobs` processes make a cluster each at a time: memory is that of one cluster times `jobs`. `support` says on
    every Monday who starts what help (records/synthetic/support.py); by default nobody does.

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
    out.mkdir(parents=True, exist_ok=True)
    clusters = clusters_of(plan)
    truths = [None if truth is None else truth.with_name(f"{truth.name}.{c.number}.partial") for c in clusters]
    parts = list(_made(plan, out, list(zip(clusters, truths, strict=True)), progress or _silent, jobs, support))
    if truth is not None:
        _gather(truth, [path for path in truths if path is not None])
    return Simulated(
        out=out,
        truth=truth,
        schools=tuple(school for part in parts for school in part.schools),
        pupils=sum(part.pupils for part in parts),
        years=plan.years,
        until=plan.end,
        seed=plan.seed,
        rows={table: sum(part.rows.get(table, 0) for part in parts) for table in parts[0].rows},
        counted=added([part.counted for part in parts]),
    )


def _made(
    plan: NetworkPlan, out: Path, work: Sequence[tuple[Cluster, Path | None]], say: Progress, jobs: int,
    support: Support,
) -> Iterator[Part]:  # fmt: skip
    """Yield the parts in the order of their clusters."""
    if jobs <= 1 or len(work) == 1:
        for cluster, truth in work:
            yield simulate_cluster(plan, out, cluster, truth, say, support)
        return
    # Processes of their own, not copies of this one: a copy would inherit locks that its threads hold.
    with ProcessPoolExecutor(min(jobs, len(work)), mp_context=multiprocessing.get_context("spawn")) as pool:
        made = pool.map(partial(simulate_cluster, plan, out, support=support), *zip(*work, strict=True))
        for number, part in enumerate(made, start=1):
            say("clusters", number, len(work))
            yield part


def simulate_cluster(
    plan: NetworkPlan, out: Path, cluster: Cluster, truth: Path | None, say: Progress = _silent,
    support: Support = no_support,
) -> Part:  # fmt: skip
    """Write one cluster's files into `out`, which exists, and its hazards to `truth`."""
    with nullcontext() if truth is None else TruthFile(truth) as file:

        def seen(week: int, world: World, known: WeekTruth) -> None:
            if file is not None:
                file.add(known, pa.array(world.people.upn.tolist()))
            say("simulate", cluster.number * len(world.moments) + week + 1, cluster.of * len(world.moments))

        world, exporter, live = lived(plan, out, cluster, seen, Exporter, support)
    write_censuses(exporter, world, live, plan.end)
    return Part(
        schools=tuple(world.schools),
        pupils=len(world.people.upn),
        rows=dict(exporter.written),
        counted=counted(live.tally, world),
    )


E = TypeVar("E", bound=Exporter)


def lived(
    plan: NetworkPlan, out: Path, cluster: Cluster, seen: Seen, exporter_of: type[E], support: Support = no_support,
) -> tuple[World, E, Live]:  # fmt: skip
    """Live through a cluster's weeks, handing its rows to an exporter; return what there is in the end.

    `seen` is told of every week and what is true of it; `exporter_of` makes the exporter. Censuses are not written.
    Where exports come by the week, each week's files are all there before `support` is asked about the next.
    """
    draw = cluster.streams(plan.seed)
    world = world_of(plan, cluster, draw)
    exporter = exporter_of(**_export(plan, out, cluster, world, draw["files"]))
    write_reference(exporter, world)
    live = burn_in(world, draw)
    for week, moment in enumerate(world.moments):
        live, known = live_week(world, live, week, exporter, draw, support)
        seen(week, world, known)
        exporter.close_week(week, moment.monday.astype(object))
        if plan.weekly_from is not None:
            write_enrolments(exporter, world, week)
    write_enrolments(exporter, world, len(world.moments) - 1)
    return world, exporter, live


def world_of(plan: NetworkPlan, cluster: Cluster, draw: dict[str, np.random.Generator]) -> World:
    """Return a cluster's world: its schools, rolls and pupils."""
    schools = build_schools(cluster.sites, years=plan.years, until=plan.end, rng=draw["schools"])
    mondays = week_starts(plan.years, plan.end)
    rolls = plan_rolls(schools, plan.years, mondays, draw["rolls"])
    people = make_people(schools, rolls, plan.years, plan.mess, draw["people"], cluster=cluster.number)
    return World.build(schools, rolls, people, mondays, plan.mess, draw["traits"], plan.ways)


def _export(plan: NetworkPlan, out: Path, cluster: Cluster, world: World, rng: np.random.Generator) -> dict[str, Any]:
    """Return what an exporter of this cluster is made of."""
    words = vocabulary(date(plan.years[0], 7, 1), plan.last + timedelta(days=200), [s.urn for s in world.schools])
    mondays = [world.day(week) for week in range(len(world.moments))]
    return {
        "out": out,
        "words": words,
        "people": world.people,
        "until": plan.end,
        "windows": world.windows(plan.weekly_from),
        "whole_files": plan_whole_files(len(world.schools), mondays, world.rolls.year_of_week, plan.mess, rng),
        "tag": cluster.tag,
        "packed": plan.compact,
    }


def _gather(truth: Path, parts: Sequence[Path]) -> None:
    """Put the clusters' hazards into one file, a cluster in memory at a time."""
    if len(parts) == 1:
        parts[0].replace(truth)
        return
    with pq.ParquetWriter(truth, pq.read_schema(parts[0]), compression="zstd") as writer:
        for part in parts:
            writer.write_table(pq.read_table(part))
            part.unlink()
