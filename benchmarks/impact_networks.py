"""Does the interval of 'does the flag help' hold the truth end to end: from schools' files to the estimate?

Each network is simulated pupil by pupil. Its schools' files go through `belong ingest` into a home; on the first Monday
of a list Belong's model is trained on them; from then on each Monday's files are taken in, pupils are scored and
flagged by Belong's own code, and the flagged, and nobody else, begin a course of support that changes what their
schools send in the weeks after. Outcomes and estimate are the product's own (`training.outcomes.mature`,
`learning.impact`), on the network's last term.

Effects are planted: 'none' is a course that does nothing, 'large' one that takes eight times as much off strain as
simulated mentoring does. A course that does nothing leaves a run as it is without any, to the last bit: its lists are
made when the run is over, each as its Monday knew the records. That this is the same is proven on the first network.

The truth is the effect of a flag this week against none this week, for pupils at the cut-off, in chances and not in
what came: of every pupil-term near the cut-off, the chance of a sanction within the horizon by the simulation's true
weekly hazards, less the same pupil's in the run on the same random numbers in which nobody is helped. That difference
is what help did, with all it led to. Just below the cut-off it is what later flags did, and the truth is its jump
there, over all networks together. Such a chance is about a twentieth too high, since a sanction raises the hazards of
the weeks after it, and some start after the horizon or are no outcome (lunchtime exclusions, withdrawn suspensions):
'came' stands beside 'expected'.

'Redrawn' says what so few networks cannot: lists as they are, and each network's outcomes drawn again from chances.

    python -m benchmarks.impact_networks [--networks 50] [--pupils 4000] [--effects none large]
"""

import argparse
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process with one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.impact_term import Begun, Belong, begun, flags, followed_up, known_as, take_in
from benchmarks.measured import load
from benchmarks.planted import chances, jump, percent
from learning.impact.discontinuity import TooFew, effect
from records.home import Home, create_home
from records.pseudonym import create_pepper
from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from records.synthetic.truth import read_truth
from training.settings import Settings

Array = npt.NDArray[np.float64]
SEED = 20261129
# How many times simulated mentoring. The large one leaves next to no strain within weeks: more cannot be prevented.
EFFECTS = {"none": 0.0, "small": 1.0, "large": 8.0}
SCHOOLS = 10
YEARS = (2023, 2024, 2025)
# Every school week from the first to the second. In autumn no year group leaves within a horizon; up to half-term every
# row arrives by the Monday after the day it bears (what is typed in on a holiday comes with the next school week's).
LISTS = (date(2025, 9, 8), date(2025, 10, 20))
UNTIL = date(2025, 12, 22)
DESIGN = ("pupil", "school", "term", "as_of", "probability", "x")
SETTINGS = Settings(capacity_share=0.01, threads=1, processes=1)


@dataclass(frozen=True)
class Job:
    """A network to live through: its number, its pupils, the effects, and whether it proves that lists are the same."""

    number: int
    pupils: int
    effects: tuple[str, ...]
    proves: bool

    @property
    def plan(self) -> NetworkPlan:
        """The network: secondary schools, where suspensions are."""
        return NetworkPlan(
            pupils=self.pupils,
            schools=SCHOOLS,
            phase="SS",
            years=YEARS,
            until=UNTIL,
            weekly_from=LISTS[0],
            seed=SEED + self.number,
            compact=True,
        )


@dataclass(frozen=True)
class Lived:
    """What came of a network: an estimate for each effect, and every pupil-term near the cut-off with its chances."""

    found: pd.DataFrame
    rows: pd.DataFrame


def work(job: Job) -> Lived:
    """Live through a network once for each effect."""
    with tempfile.TemporaryDirectory(prefix="belong-") as folder:
        place = Path(folder)
        simulate(job.plan, place / "none", truth=place / "none.parquet")
        home = create_home(place / "before", demo=True, shards=1, today=LISTS[0])
        create_pepper(home, demo_seed=job.plan.seed)
        start = begun(home, place / "none", LISTS, SETTINGS)
        base = _afterwards(start, place)
        if job.proves:
            _prove(start, base[1], job, place)
        found, rows = [], []
        for name in job.effects:
            lived = base if name == "none" else _with_help(start, job, name, place)
            estimate, near = _estimated(name, lived, start, place)
            found.append({"network": job.number, "effect": name, **estimate})
            rows.append(near.assign(network=job.number, effect=name))
    return Lived(pd.DataFrame(found), pd.concat(rows, ignore_index=True))


def _afterwards(start: Begun, place: Path) -> tuple[Home, pd.DataFrame]:
    """Return the home of the run without help, all of it taken in, and its allocation log."""
    home = start.copied(place / "none-home")
    take_in(home, [path for path in (place / "none").glob("*.csv*") if path.name not in start.files], UNTIL)
    return home, flags(home, start.scorer, start.lists, ())


def _with_help(start: Begun, job: Job, name: str, place: Path) -> tuple[Home, pd.DataFrame]:
    """Return the home of a run in which the flagged are helped, all of it taken in, and its allocation log."""
    belong = Belong(start, start.copied(place / f"{name}-home"), place / name, EFFECTS[name])
    simulate(job.plan, belong.exports, truth=place / f"{name}.parquet", support=belong)
    belong.take_in(UNTIL)
    return belong.home, pd.concat(belong.log, ignore_index=True)


def _prove(start: Begun, log: pd.DataFrame, job: Job, place: Path) -> None:
    """Raise SystemExit unless courses that do nothing, begun week by week, give the lists that were made afterwards."""
    (place / "prove").mkdir()
    shutil.copytree(start.home.path, place / "prove" / "before")
    again = replace(start, home=replace(start.home, path=place / "prove" / "before"))
    _, weekly = _with_help(again, job, "none", place / "prove")
    by = ["as_of", "pupil"]
    try:
        pd.testing.assert_frame_equal(log.sort_values(by, ignore_index=True), weekly.sort_values(by, ignore_index=True))
    except AssertionError as error:
        raise SystemExit(f"lists made week by week are not those made afterwards: {error}") from error


def _estimated(
    name: str, lived: tuple[Home, pd.DataFrame], start: Begun, place: Path
) -> tuple[dict[str, float], pd.DataFrame]:
    """Return the product's estimate, NaN where it refuses, and the rows it rests on with their pupils' chances."""
    home, log = lived
    rows, outcome = followed_up(home, start.scorer, log, SETTINGS, UNTIL + timedelta(days=SETTINGS.settle_days))
    with_help, without = (true_chances(place / f"{run}.parquet", rows, home) for run in (name, "none"))
    near = rows[[*DESIGN]].assign(came=outcome, with_help=with_help, without=without)
    try:
        ours = effect(rows, outcome - rows["probability"].to_numpy(np.float64))
    except TooFew:
        return {"estimate": math.nan, "lower": math.nan, "upper": math.nan, "rows": len(rows)}, near
    counted = ours.above + ours.below
    return {"estimate": ours.estimate, "lower": ours.lower, "upper": ours.upper, "rows": counted}, near


def true_chances(path: Path, rows: pd.DataFrame, home: Home) -> Array:
    """Return each row's chance of a sanction within its horizon, by a run's true weekly hazards.

    A pupil who is on no roll has none.
    """
    truth = read_truth(path)
    numbers = truth["upn"].cat.categories
    return chances(rows, truth.assign(pupil=known_as(home, numbers)[truth["upn"].cat.codes.to_numpy()]))


def truth(rows: pd.DataFrame) -> float:
    """Return the effect of a flag this week against none this week: the jump, at the cut-off, of what help did."""
    return jump(rows["x"].to_numpy(np.float64), (rows["with_help"] - rows["without"]).to_numpy(np.float64))


def truth_error(rows: pd.DataFrame) -> float:
    """Return the truth's own Monte Carlo error, by leaving out one network at a time; NaN with one."""
    networks = rows["network"].unique()
    if len(networks) < 2:
        return math.nan
    left = np.array([truth(rows[rows["network"] != one]) for one in networks])
    return float(np.sqrt((len(left) - 1) * np.var(left)))


def redrawn(rows: pd.DataFrame, true: float, times: int) -> Array:
    """Return for each network the share of intervals that hold the truth where outcomes alone are drawn `times` again.

    They are drawn from the chances with help. Networks too small for an estimate are left out.
    """
    rng, shares = np.random.default_rng(SEED), []
    for _, mine in rows.groupby("network"):
        chance, said = (mine[name].to_numpy(np.float64) for name in ("with_help", "probability"))
        try:
            drawn = [effect(mine, (rng.random(len(mine)) < chance) - said) for _ in range(times)]
        except TooFew:
            continue
        shares.append(np.mean([one.lower <= true <= one.upper for one in drawn]))
    return np.array(shares)


def told(found: pd.DataFrame, rows: pd.DataFrame, redraws: int) -> Iterator[tuple[str, int, int]]:
    """Print a line an effect; yield the effect, how many intervals hold the truth, and of how many."""
    print(
        f"{'effect':>8}{'networks':>9}{'refused':>8}{'rows':>6}{'came':>7}{'expected':>9}{'truth':>17}{'mean':>9}"
        f"{'spread':>8}{'error':>8}{'covers':>16}{'redrawn':>16}"
    )
    for name, mine in found.groupby("effect", sort=False):
        known, near = mine[mine["lower"].notna()], rows[(rows["effect"] == name) & rows["came"].notna()]
        if known.empty:
            print(f"{name!s:>8}{len(mine):>9}{len(mine):>8}, all of them for want of pupils near the cut-off")
            continue
        true = truth(near)
        holds = int(((known["lower"] <= true) & (true <= known["upper"])).sum())
        error = float(((known["upper"] - known["lower"]) / 2 / 1.96).mean())
        again = redrawn(near, true, redraws)
        means = {one: near[one].mean() for one in ("came", "with_help")}
        print(
            f"{name!s:>8}{len(mine):>9}{len(mine) - len(known):>8}{known['rows'].mean():>6.0f}"
            f"{means['came']:>7.3f}{means['with_help']:>9.3f}"
            f"{true:>9.4f} ± {truth_error(near):.4f}"
            f"{known['estimate'].mean():>9.4f}{known['estimate'].std():>8.4f}{error:>8.4f}"
            f"{percent(holds, len(known)):>16}{again.mean():>9.1%} ± {100 * again.std() / math.sqrt(len(again)):.1f}",
            flush=True,
        )
        yield str(name), holds, len(known)


def lived(jobs: Sequence[Job], processes: int) -> Iterator[Lived]:
    """Yield what came of each network, in this process where one is asked for."""
    if processes == 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        try:
            yield from pool.map(work, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


def main() -> None:
    """Live through the networks, print the table and the line of figures."""
    parser = argparse.ArgumentParser(
        description="How often the interval of a flag's effect holds the truth, end to end."
    )
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--pupils", type=int, default=4000, help="in each network")
    parser.add_argument("--effects", nargs="*", choices=list(EFFECTS), default=["none", "large"])
    parser.add_argument("--first", type=int, default=0, help="number of the first network, which makes its seed")
    parser.add_argument("--redraws", type=int, default=100, help="of each network's outcomes, from their true chances")
    parser.add_argument("--seconds", type=float, help="begin no other network after so long")
    parser.add_argument("--processes", type=int, default=1)
    asked, began, parts = parser.parse_args(), time.perf_counter(), []
    jobs = [Job(asked.first + at, asked.pupils, tuple(asked.effects), proves=at == 0) for at in range(asked.networks)]
    for one in lived(jobs, asked.processes):
        parts.append(one)
        seconds = time.perf_counter() - began
        print(f"network {len(parts)} of {len(jobs)}, seconds {seconds:.0f}", flush=True)
        if asked.seconds is not None and seconds > asked.seconds:
            break
    found = pd.concat([one.found for one in parts], ignore_index=True)
    cells = list(told(found, pd.concat([one.rows for one in parts], ignore_index=True), asked.redraws))
    shares = [holds / draws for _, holds, draws in cells]
    none = [1 - holds / draws for name, holds, draws in cells if name == "none"]
    print(f"load {load()}")
    print(
        f"coverage={sum(holds for _, holds, _ in cells) / sum(draws for _, _, draws in cells):.4f} "
        f"coverage_low={min(shares):.4f} coverage_high={max(shares):.4f} "
        f"false_positive={max(none, default=math.nan):.4f} "
        f"monte_carlo_error={math.sqrt(0.05 * 0.95 / max(1, min(draws for _, _, draws in cells))):.4f} "
        f"networks={len(parts)} seconds={time.perf_counter() - began:.0f}"
    )


if __name__ == "__main__":
    main()
