"""What the gate lets pass, what it finds, and for which networks it can settle anything: the very gate, many times.

`python -m benchmarks.gate_power` has two parts. Direct draws (`gate_margin.py`): the truth of one comparison stands
exactly at the limit, and the gate says 'within' by mistake in about one of twenty draws, or fewer. Drawn networks
(`fairness/outlook/networks.py`): whole verdicts by size of network, in a fair world, and where a group is passed over
so far that it is found a tenth less often (the limit) or two tenths. How far is computed beforehand: the dial is turned
until the gap in a draw of a million pupils is that. `--full` draws 20,000 of every cell; `--write` keeps the table that
`belong gate power` reads.
"""

import argparse
import math
import os
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes, each with one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import brentq

from benchmarks.gate_margin import CELLS, Cell, passes
from benchmarks.measured import load
from fairness.comparisons import cells_of_metric
from fairness.gate import judge
from fairness.outlook import table
from fairness.outlook.chances import Chances, judged_only, one, together
from fairness.outlook.networks import Setting, draw
from fairness.outlook.rates import published_rates
from fairness.outlook.table import Row
from fairness.policy import Policy, read_policy
from fairness.sums import sums_of

SEED, PROCESSES, MILLION, PUPILS_A_SCHOOL, CHUNK = 20261122, 2, 1_000_000, 860, 250
SIZES = (6_000, 12_000, 24_000, 48_000, 120_000)
# Whom the dial strikes: a group of a fifth of pupils, and the smallest that is judged in full.
STRUCK = (("ethnicity", "Black"), ("ethnicity", "Other"))
SLIGHT, PLAIN = 0.10, 0.20


Dials = dict[tuple[tuple[str, str], float], float]


@dataclass(frozen=True)
class Job:
    """A part of the work for one process; `what` is a cell of direct draws or a setting of networks."""

    what: Cell | Setting
    numbers: range
    margin: bool = False


def setting(pupils: int, over: tuple[str, str, float] | None = None) -> Setting:
    """Return a network of this size with public base rates."""
    rates = published_rates()
    return Setting(
        pupils=pupils,
        schools=max(6, round(pupils / PUPILS_A_SCHOOL)),
        shares=rates.shares,
        ratios=rates.ratios,
        base_rate=rates.base_rate,
        passed_over=over,
    )


def true_gap(made: Setting, policy: Policy, seed: int) -> float:
    """Return everyone else's recall less the group's in one draw of this setting: no estimate, so many are drawn."""
    assert made.passed_over is not None
    column, group, _ = made.passed_over
    drawn = draw(made, policy, np.random.default_rng([SEED, 99, seed]))
    recall = next(tally for tally in drawn.tallies if tally.name == "recall")
    label = drawn.labels[column]
    mine = label.of_pupil[recall.pupil] == label.names.index(group)
    return float(
        recall.hits[~mine].sum() / recall.base[~mine].sum() - recall.hits[mine].sum() / recall.base[mine].sum()
    )


def dial(whom: tuple[str, str], gap: float, policy: Policy, draws: int) -> tuple[float, float]:
    """Return the share of incidents not written down at which the true gap is `gap`, and its standard error.

    Found on one draw of a million pupils, then put right by the mean of as many others as asked: one draw leaves the
    gap uncertain by half a point, which is much where a verdict hangs on it.
    """

    def at(share: float, seed: int) -> float:
        return true_gap(setting(MILLION, (*whom, share)), policy, seed)

    share = float(brentq(lambda tried: at(tried, 0) - gap, 0.0, 0.98, xtol=0.003))
    slope = (at(share + 0.05, 0) - at(share - 0.05, 0)) / 0.1
    found = np.array([at(share, seed) for seed in range(1, draws + 1)])
    return share + (gap - float(found.mean())) / slope, float(found.std(ddof=1) / math.sqrt(draws))


def at_margin(made: Setting, policy: Policy, number: int) -> Chances:
    """Return whether the recall of the group passed over was found within the limit: a pass, by mistake."""
    assert made.passed_over is not None
    column, group, _ = made.passed_over
    drawn = draw(made, policy, np.random.default_rng([SEED, 7, number]))
    recall = [tally for tally in drawn.tallies if tally.name == "recall"]
    labels = {column: drawn.labels[column]}
    sums = sums_of(recall, labels, drawn.pupils, replicates=policy.inference.replicates, seed=policy.inference.seed)
    attribute, limit = policy.attribute(column), policy.metric("recall")
    made_cells = cells_of_metric(attribute, limit, labels[column], sums[column, "recall"], (policy, drawn.positives))
    verdict = next(c.verdict for c in judge(made_cells, policy) if c.group == group)
    return Chances(draws=1, passed=int(verdict == "within"), failed=int(verdict == "outside"), named=0, settled={})


def work(job: Job) -> Chances:
    """Do one part; the process reads the policy that Belong ships with."""
    policy = judged_only(read_policy())
    if isinstance(job.what, Cell):
        passed, failed = passes(job.what, policy, job.numbers, SEED)
        return Chances(draws=len(job.numbers), passed=passed, failed=failed, named=0, settled={})
    if job.margin:
        return together([at_margin(job.what, policy, number) for number in job.numbers])
    return together([one(job.what, policy, SEED, number) for number in job.numbers])


def done(jobs: Iterable[Job], pool: ProcessPoolExecutor) -> Chances:
    """Return the chances of all parts counted together."""
    return together(list(pool.map(work, jobs)))


def parts(what: Cell | Setting, draws: int, size: int, *, margin: bool = False) -> list[Job]:
    """Return the work in parts of at most `size` draws."""
    return [Job(what, range(at, min(at + size, draws)), margin) for at in range(0, draws, size)]


def percent(count: int, draws: int) -> str:
    """Return a share with the Monte Carlo error of its count, as in '4.8 % ± 0.2'."""
    share = count / draws
    # Agresti and Coull's two added hits and misses keep the error of nought and of all from being nought.
    likely = (count + 2) / (draws + 4)
    return f"{share:5.1%} ± {100 * math.sqrt(likely * (1 - likely) / (draws + 4)):.1f}"


def direct(draws: int, pool: ProcessPoolExecutor) -> list[float]:
    """Print the table of direct draws; return each cell's share of false passes."""
    print(f"\nThe truth exactly at the limit, {draws:,} draws of each: how often the gate said ...\n")
    print(f"{'comparison':<48}{'within (false)':>18}{'outside':>16}")
    rates = []
    for cell in CELLS:
        found = done(parts(cell, draws, CHUNK), pool)
        rates.append(found.passed / found.draws)
        said = f"{percent(found.passed, found.draws):>18}{percent(found.failed, found.draws):>16}"
        print(f"{cell.words:<48}{said}", flush=True)
    return rates


def margins(draws: int, dials: Dials, pool: ProcessPoolExecutor) -> list[float]:
    """Print how often a group whose true gap in a whole network is the limit passes; return the shares."""
    print(f"\nNetworks in which a group's true gap in recall is the limit, {draws:,} of each:\n")
    rates = []
    whom = STRUCK[0]
    for size in (24_000, 120_000):
        found = done(parts(setting(size, (*whom, dials[whom, SLIGHT])), draws, 20, margin=True), pool)
        rates.append(found.passed / found.draws)
        where = f"{size:>9,} pupils, {whom[1]}"
        print(f"{where:<48}{percent(found.passed, draws):>18}{percent(found.failed, draws):>16}", flush=True)
    return rates


def networks(draws: int, dials: Dials, pool: ProcessPoolExecutor) -> list[Row]:
    """Print whole verdicts by size of network, in words a board can read; return the rows."""
    print(f"\nWith a network your size this gate can settle ... ({draws:,} networks of each size and world)\n")
    struck = "".join(f"{f'{whom[1]} .20 worse: FAIL':>26}" for whom in STRUCK)
    print(f"{'pupils':>9}{'fair: PASS':>16}{'fair: FAIL':>16}{struck}")
    rows = []
    for size in SIZES:
        fair = done(parts(setting(size), draws, 10), pool)
        plain = {whom: done(parts(setting(size, (*whom, dials[whom, PLAIN])), draws, 10), pool) for whom in STRUCK}
        rows.append(Row(pupils=size, fair=fair, struck={whom[1]: found for whom, found in plain.items()}))
        told = "".join(f"{percent(found.named, found.draws):>26}" for found in plain.values())
        print(f"{size:>9,}{percent(fair.passed, draws):>16}{percent(fair.failed, draws):>16}{told}", flush=True)
    print("\nIn a fair world, all groups of an attribute settled:\n")
    print(f"{'pupils':>9}" + "".join(f"{name:>14}" for name in rows[0].fair.settled))
    for row in rows:
        print(f"{row.pupils:>9,}" + "".join(f"{count / draws:>14.0%}" for count in row.fair.settled.values()))
    return rows


def turned(wanted: list[tuple[tuple[str, str], float, int]], pool: ProcessPoolExecutor) -> Dials:
    """Turn the dials: (whom, true gap, draws of a million it is put right by); print and return the shares."""
    policy = judged_only(read_policy())
    narrow = policy.model_copy(
        update={"metrics": (policy.metric("recall"),), "attributes": (policy.attribute("ethnicity"),)}
    )
    found = list(pool.map(dial, *zip(*((whom, gap, narrow, n) for whom, gap, n in wanted), strict=True)))
    for (whom, gap, _), (share, error) in zip(wanted, found, strict=True):
        said = f"{whom[1]}: {share:.1%} of incidents not written down for a true gap of {gap:.2f} ± {error:.4f}"
        print(said, flush=True)
    return {(whom, gap): share for (whom, gap, _), (share, _) in zip(wanted, found, strict=True)}


def main() -> None:
    """Run both parts, or one, and print the line of figures."""
    parser = argparse.ArgumentParser(description="What the gate lets pass, what it finds, what it can settle.")
    parser.add_argument("--full", action="store_true", help="20,000 direct draws a cell, 400 networks a size")
    parser.add_argument("--draws", type=int, help="direct draws a cell")
    parser.add_argument("--networks", type=int, help="networks of each size and world")
    parser.add_argument("--only", choices=("margins", "sizes"), help="what passes at the limit, or verdicts by size")
    parser.add_argument("--write", action="store_true", help="keep the table by size for `belong gate power`")
    asked = parser.parse_args()
    draws = asked.draws or (20_000 if asked.full else 5_000)
    number = asked.networks or (400 if asked.full else 100)
    begun = time.perf_counter()
    figures: dict[str, str] = {}
    with ProcessPoolExecutor(PROCESSES) as pool:
        if asked.only != "sizes":
            rates = direct(draws, pool)
            # At the limit the gap must be known well; where it is plain a rough one will do.
            rates += margins(4 * number, turned([(STRUCK[0], SLIGHT, 16)], pool), pool)
            figures |= {"false_pass": f"{max(rates):.4f}", "false_pass_mean": f"{sum(rates) / len(rates):.4f}"}
        if asked.only != "margins":
            dials = turned([(whom, PLAIN, 2) for whom in STRUCK], pool)
            rows = networks(number, dials, pool)
            last = rows[-1]
            worst = min(found.named for found in last.struck.values())
            figures |= {"pass_fair": f"{last.fair.passed / number:.3f}", "detected": f"{worst / number:.3f}"}
            if asked.write:
                file = Path(table.__file__).with_name(table.TABLE)
                kept = {whom[1]: dials[whom, PLAIN] for whom in STRUCK}
                table.write_table(rows, read_policy(), kept, file)
    print(f"\nload {load()}")
    figures["seconds"] = f"{time.perf_counter() - begun:.0f}"
    print(" ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
