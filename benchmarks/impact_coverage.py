"""Does the interval of 'does the flag help' hold the truth as often as it says?

Networks are drawn in which the truth is planted: weekly scores that drift as pupils' scores do, flags by Belong's own
allocation (`training.flags.allocate`), outcomes with pupils who stay as they are and schools and terms that differ.
A flag changes a pupil's chance of a suspension by 0, a little or much; those just missed may be flagged a week or
three later and are then helped as well, for what is left of the horizon. The truth is the effect of being flagged this
week against not this week, so later flags make it smaller than what was planted.

Beside ours: rdrobust as it comes, with its own bandwidth, clustered by school, on the same rows.

    python -m benchmarks.impact_coverage [--full] [--draws N] [--textbook N]
"""

import argparse
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process with one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.measured import load
from benchmarks.planted import at_cut_off, percent
from learning.impact.design import first_in_term, later_flags, near_cut_off
from learning.impact.discontinuity import TooFew, effect, first_schools
from learning.impact.textbook import density_chance, textbook
from training.calibration import logit
from training.flags import FlagRule, allocate

Array = npt.NDArray[np.float64]
SEED = 20261128
EFFECTS = {"none": 0.0, "small": -0.04, "large": -0.12}
SCHOOLS = (8, 20, 60)
LEAD, TERM_WEEKS, TERMS = 6, 10, 2
HORIZON = 6
RULE = FlagRule(
    level_least=0.12,
    rise="momentum",
    rise_least=0.2,
    past_weeks=12,
    past_least=4,
    since_weeks=6,
    snooze_weeks=HORIZON,
    capacity_share=0.004,
    capacity_min=1,
    capacity_max=15,
)
# Whoever never comes near the level takes no part in any allocation: leaving them out changes nothing but the time.
NEVER_NEAR = -1.9
_SHOCK, _STAYS, _CURVE = 0.3, 0.5, 0.2


@dataclass(frozen=True)
class Job:
    """So many networks of so many schools, from one seed; how many of them rdrobust reads as well."""

    schools: int
    networks: int
    textbook: int
    seed: int


@dataclass(frozen=True)
class Drawn:
    """What was found: one row a network and effect, and the later flags' share by distance, which gives the truth."""

    found: pd.DataFrame
    crossing: pd.DataFrame


def draw(job: Job, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the allocation log and the pupil-terms near the cut-off of every network of the job, each with its own."""
    schools, weeks = job.networks * job.schools, LEAD + TERM_WEEKS * TERMS
    sizes = rng.integers(500, 1500, schools)
    school = np.repeat(np.arange(schools), sizes // 5)
    usual = rng.normal(-2.6, 0.7, len(school)) + rng.normal(0, 0.3, schools)[school]
    drift = np.empty((weeks, len(school)))
    drift[0] = rng.normal(0, 0.6, len(school))
    for week in range(1, weeks):
        drift[week] = 0.8 * drift[week - 1] + rng.normal(0, 0.36, len(school))
    odds = usual + drift
    near = odds.max(axis=0) > NEVER_NEAR
    odds, school = odds[:, near], school[near]
    days = np.datetime64("2025-09-01", "s") + np.arange(weeks) * np.timedelta64(7, "D")
    scores = pd.DataFrame(
        {
            "pupil": np.tile(np.arange(len(school)), weeks),
            "as_of": np.repeat(days, len(school)),
            "school": np.tile(school, weeks),
            "year_group": "8",
            "abstain": "",
            "probability": (1 / (1 + np.exp(-odds))).ravel(),
        }
    )
    roll = pd.DataFrame(
        {"school": np.tile(np.arange(schools), weeks), "as_of": np.repeat(days, schools), "roll": np.tile(sizes, weeks)}
    )
    log = allocate(scores, roll, RULE, start=pd.Timestamp(days[LEAD]).date())
    week = ((log["as_of"].to_numpy() - days[LEAD]) / np.timedelta64(7, "D")).astype(int)
    log = log.assign(term=week // TERM_WEEKS, week=week, level_least=RULE.level_least, rise_asked=True)
    rows = first_in_term(near_cut_off(log))
    return log, rows.assign(network=rows["school"] // job.schools)


def flag_weight(log: pd.DataFrame, rows: pd.DataFrame) -> Array:
    """Return how much of a flag's effect each pupil had within the horizon: a later flag helps for what is left."""
    after = later_flags(log, rows, HORIZON)
    later = np.where(np.isfinite(after), (HORIZON - np.nan_to_num(after)) / HORIZON, 0.0)
    return np.asarray(np.where(rows["flagged"].to_numpy(bool), 1.0, later), np.float64)


def chances(rows: pd.DataFrame, rng: np.random.Generator) -> Array:
    """Return each pupil-term's chance of a suspension without a flag.

    Not what the model said: it is off by a slope and a level, pupils stay as they are, schools, their terms and their
    weeks differ, and near the cut-off the chance bends.
    """

    def shock(keys: list[str], spread: float) -> Array:
        at = rows.groupby(keys).ngroup().to_numpy()
        return np.asarray(rng.normal(0, spread, at.max() + 1)[at], np.float64)

    said = 0.2 + 0.85 * logit(rows["probability"].to_numpy(np.float64))
    bend = _CURVE * np.tanh(3 * rows["x"].to_numpy(np.float64))
    differ = shock(["school"], _SHOCK) + shock(["school", "term"], _SHOCK) + shock(["school", "as_of"], _SHOCK)
    return np.asarray(1 / (1 + np.exp(-(said + bend + differ + shock(["pupil"], _STAYS)))), np.float64)


def work(job: Job) -> Drawn:
    """Draw the networks of a job and estimate each at every effect."""
    rng = np.random.default_rng(job.seed)
    log, rows = draw(job, rng)
    weight = flag_weight(log, rows)
    found = []
    for name, size in EFFECTS.items():
        chance = np.clip(chances(rows, rng) + size * weight, 0, 1)
        outcome = (rng.random(len(rows)) < chance) - rows["probability"].to_numpy(np.float64)
        for network, mine in enumerate(rows.groupby("network").indices.values()):
            found.append(
                {
                    "schools": job.schools,
                    "effect": name,
                    **_estimates(rows.iloc[mine], outcome[mine], network < job.textbook),
                }
            )
    crossing = pd.DataFrame({"schools": job.schools, "x": rows["x"], "weight": weight})
    return Drawn(pd.DataFrame(found), crossing[crossing["x"] < 0])


def _estimates(rows: pd.DataFrame, outcome: Array, also_textbook: bool) -> dict[str, float]:
    try:
        ours = effect(rows, outcome)
    except TooFew:
        return {"estimate": math.nan, "lower": math.nan, "upper": math.nan}
    said = {"estimate": ours.estimate, "lower": ours.lower, "upper": ours.upper, "rows": ours.above + ours.below}
    if also_textbook:
        x = rows["x"].to_numpy(np.float64)
        their = textbook(x, outcome, first_schools(rows))
        said |= {"their": their.estimate, "their_lower": their.lower, "their_upper": their.upper}
        said["density"] = density_chance(x)
    return said


def truth(crossing: pd.DataFrame, size: float) -> float:
    """Return the effect of a flag this week against none this week: of all that was planted, what later flags leave."""
    return size * (1 - at_cut_off(crossing["x"].to_numpy(np.float64), crossing["weight"].to_numpy(np.float64)))


def told(drawn: Drawn) -> Iterator[tuple[str, float, int]]:
    """Print a line for each size and effect; yield the effect, the share of intervals that hold the truth, how many."""
    print(
        f"{'schools':>8}{'effect':>8}{'rows':>7}{'truth':>9}{'mean':>9}{'spread':>8}{'error':>8}{'covers':>16}"
        f"{'rdrobust: covers':>18}{'error':>8}"
    )
    for (schools, name), mine in drawn.found.groupby(["schools", "effect"], sort=False):
        crossing = drawn.crossing[drawn.crossing["schools"] == schools]
        true, known = truth(crossing, EFFECTS[str(name)]), mine[mine["lower"].notna()]
        holds = int(((known["lower"] <= true) & (true <= known["upper"])).sum())
        theirs = known[known["their"].notna()] if "their" in known else known.iloc[:0]
        their = int(((theirs["their_lower"] <= true) & (true <= theirs["their_upper"])).sum()) if len(theirs) else 0
        longer = float(((theirs["their_upper"] - theirs["their_lower"]) / 2 / 1.96).mean()) if len(theirs) else math.nan
        error = float(((known["upper"] - known["lower"]) / 2 / 1.96).mean())
        print(
            f"{schools:>8}{name!s:>8}{known['rows'].mean():>7.0f}{true:>9.4f}{known['estimate'].mean():>9.4f}"
            f"{known['estimate'].std():>8.4f}{error:>8.4f}{percent(holds, len(known)):>16}"
            f"{percent(their, len(theirs)) if len(theirs) else '-':>18}{longer:>8.4f}",
            flush=True,
        )
        yield str(name), holds / len(known), len(known)


def main() -> None:
    """Draw, estimate, print the table and the line of figures."""
    parser = argparse.ArgumentParser(description="How often the interval of a flag's effect holds the truth.")
    parser.add_argument("--full", action="store_true", help="2,000 networks of each size")
    parser.add_argument("--draws", type=int, help="networks of each size")
    parser.add_argument("--textbook", type=int, default=0, help="of those, how many rdrobust and rddensity read too")
    parser.add_argument("--schools", type=int, nargs="*", default=list(SCHOOLS))
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    draws, begun = asked.draws or (2000 if asked.full else 200), time.perf_counter()
    parts = []
    with ProcessPoolExecutor(asked.processes) as pool:
        for schools in asked.schools:
            size = max(1, 100 // schools)
            each = math.ceil(asked.textbook / math.ceil(draws / size))
            jobs = [
                Job(schools, min(size, draws - at), each, SEED + 10_000 * schools + at) for at in range(0, draws, size)
            ]
            parts += list(pool.map(work, jobs))
    drawn = Drawn(pd.concat([one.found for one in parts]), pd.concat([one.crossing for one in parts]))
    cells = list(told(drawn))
    shares = [share for _, share, _ in cells]
    covered, all_draws = round(sum(share * n for _, share, n in cells)), sum(n for _, _, n in cells)
    none = [1 - share for name, share, _ in cells if name == "none"]
    if "density" in drawn.found:
        checks = drawn.found["density"].dropna()
        print(f"\nrddensity finds steering where there is none: {percent(int((checks < 0.05).sum()), len(checks))}")
    print(f"\nload {load()}; {draws:,} networks of each size, seconds {time.perf_counter() - begun:.0f}")
    error = math.sqrt(0.05 * 0.95 / draws)
    print(
        f"coverage={covered / all_draws:.4f} coverage_low={min(shares):.4f} coverage_high={max(shares):.4f} "
        f"false_positive={max(none, default=math.nan):.4f} false_positive_mean={sum(none) / max(1, len(none)):.4f} "
        f"monte_carlo_error={error:.4f}"
    )


if __name__ == "__main__":
    main()
