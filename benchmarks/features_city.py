"""Every declared feature of a whole city: tonight's, and every week's into a trainer's sample.

`python -m benchmarks.features --city`: 12,000, 120,000 and 1.2 million pupils, one year.

On all processors, a shard at a time in each process: reading included, making the year (`benchmarks.network_year`) not.
Then, on one shard of the smallest, what each form costs, and which forms are no prefix sums.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measured import load, measure
from benchmarks.network_year import TONIGHT, Year, make_home, week_starts
from features.asked import SERIES, SUMS, asked
from features.catalogue import CATALOGUE
from features.compiled import MACHINE, build
from features.engine import ROWS_AT_ONCE, Made, value_of
from features.engine_work import Work
from features.grid import grid
from features.matrix import Matrix, concat
from features.shards import over_shards
from records.home import Home, open_home
from records.store import Store

SIZES = (12_000, 120_000, 1_200_000)
PUPILS_IN_A_SHARD = 18_750
# One row in a hundred: half a million of a city's, about what LightGBM needs to find everything there is.
ONE_IN = 100


def main() -> None:
    """Do one task in this process, and say as JSON how long it took."""
    parser = argparse.ArgumentParser(prog="benchmarks.features_city")
    parser.add_argument("task", choices=("tonight", "weeks"))
    parser.add_argument("home", type=Path)
    wanted = parser.parse_args()
    print(json.dumps(_run(wanted.task, open_home(wanted.home))))


def measure_sizes(pupils: Sequence[int], homes: Sequence[str], folder: str | None) -> None:
    """Measure each size, in the home given for it or one made now, and each form; print the figures."""
    print(f"load of the machine {load()}", flush=True)
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=folder, prefix="belong-") as made:
        for place, size in enumerate(pupils):
            if homes:
                home = open_home(Path(homes[place]))
            else:
                home = make_home(Year(size, max(1, size // PUPILS_IN_A_SHARD)), Path(made) / str(size))
            if place == 0:
                _forms(Store(home))
            for task in ("tonight", "weeks"):
                figures |= _measured(task, size, home)
    print(f"load of the machine at the end {load()}")
    print(" ".join(f"{name}={value}" for name, value in figures.items()))


def _measured(task: str, pupils: int, home: Home) -> dict[str, str]:
    run = measure(["-m", "benchmarks.features_city", task, str(home.path)])
    said = run.said
    print(
        f"{pupils:>9,} pupils, {task:<7} {said['seconds']:7.1f} s, {said['cpu_seconds']:7.1f} s of processors, "
        f"{run.peak_gb:5.2f} GB, {said['rows']:,} rows, {said['kept']:,} kept; "
        f"{said['cpu_seconds'] / pupils * 1e6:.0f} processor microseconds a pupil",
        flush=True,
    )
    return {
        f"{task}_s_{pupils}": f"{said['seconds']:.1f}",
        f"{task}_cpu_s_{pupils}": f"{said['cpu_seconds']:.1f}",
        f"{task}_peak_gb_{pupils}": f"{run.peak_gb:.2f}",
    }


def _run(task: str, home: Home) -> dict[str, float]:
    work = partial(_tonight if task == "tonight" else _weeks, home)
    began = time.perf_counter()
    cpu, rows, parts = 0.0, 0, []
    for sample, number, seconds in over_shards(work, home.shards, processes=os.cpu_count() or 1):
        cpu, rows = cpu + seconds, rows + number
        parts.append(sample)
    sample = concat(parts)
    return {"seconds": time.perf_counter() - began, "cpu_seconds": cpu, "rows": rows, "kept": len(sample)}


def _tonight(home: Home, shard: int) -> tuple[Matrix, int, float]:
    began = time.process_time()
    matrix = build(Store(home).history(shard), [TONIGHT])
    return matrix, len(matrix), time.process_time() - began


def _weeks(home: Home, shard: int) -> tuple[Matrix, int, float]:
    """Return the shard's part of the trainer's sample; the rest of its matrix is gone when the next one is built."""
    began = time.process_time()
    matrix = build(Store(home).history(shard), week_starts())
    rng = np.random.default_rng([home.shards, shard])
    sample = matrix.where(rng.random(len(matrix)) < 1 / ONE_IN)
    return sample, len(matrix), time.process_time() - began


def _forms(store: Store) -> None:
    """Print what each form costs at every week, in microseconds for a pupil."""
    history = store.history(0)
    build(history, week_starts())
    spent: defaultdict[str, float] = defaultdict(float)
    features: Counter[str] = Counter(feature.kind for feature in CATALOGUE)
    began = time.process_time()
    rows = grid(history, week_starts(), MACHINE)
    spent["(who is on roll)"] = time.process_time() - began
    began, asks = time.process_time(), asked(CATALOGUE)
    work = Work(history, rows, asks, MACHINE)
    spent["(reading and lining up)"] = time.process_time() - began
    began = time.process_time()
    for block in work.blocks(ROWS_AT_ONCE):
        spent["(prefix sums)"] += time.process_time() - began
        made: Made = {}
        columns = np.empty((len(CATALOGUE), len(block)))
        for loop, recipes in ((MACHINE.sums, asks.sums), (MACHINE.series, asks.series)):
            for kind in (*SUMS, *SERIES):
                mine = np.isin(recipes[0], [at for at, feature in enumerate(CATALOGUE) if feature.kind == kind])
                began = time.process_time()
                loop(columns, block.totals, block.held, tuple(part[mine] for part in recipes))
                spent[kind] += time.process_time() - began
        for column, feature in asks.others:
            began = time.process_time()
            columns[column] = value_of(block, feature, made)
            spent[feature.kind] += time.process_time() - began
        began = time.process_time()
    for form, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        how = "prefix sums" if form in SUMS or form in SERIES or form.startswith("(") else "no prefix sum"
        each = f"{seconds / len(rows.pupils) * 1e6:8.1f} microseconds a pupil"
        print(f"  {form:<24} {features[form]:>3} features {seconds:7.2f} s {each}  {how}", flush=True)


if __name__ == "__main__":
    main()
