"""Sixty windowed features at every school week: our engine beside Polars and DuckDB, from the same Parquet files.

    python -m benchmarks.features                    100,000 pupils, one year, about 39 million marks
    python -m benchmarks.features --city             every declared feature, up to 1.2 million pupils

Each side runs in a process of its own on all processors, from the files to the whole matrix in memory; its imports,
and numba's reading of machine code it has made before, are not counted. Afterwards every value of the three is
compared: counts exactly, others to 1e-9. The year is made by `benchmarks.network_year` and not timed.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import feature_duckdb, feature_polars
from benchmarks.feature_peers import Asked
from benchmarks.features_city import SIZES, measure_sizes
from benchmarks.measured import load, measure
from benchmarks.network_year import Year, files_of, make_home, week_starts
from features.asked import SUMS
from features.catalogue import CATALOGUE
from features.compiled import build
from features.feature import Feature
from records.home import Home, open_home
from records.memory import use_small_pages
from records.store import Store

TABLES = frozenset({"marks", "behaviour", "positives", "suspensions"})
SIDES = ("ours", "polars", "duckdb")
HOW_MANY = 60


def windowed() -> tuple[Feature, ...]:
    """Return the catalogue's first sixty features that are sums over school weeks of the tables made here."""
    sums = [feature for feature in CATALOGUE if feature.kind in SUMS and feature.span == "weeks"]
    return tuple(f for f in sums if {m.table for m in f.measures} <= TABLES)[:HOW_MANY]


def main() -> None:
    """Make the year, run the sides, compare what they found, print the figures."""
    wanted = _arguments()
    use_small_pages()  # as every command of `belong`; for the processes started from here, of all sides
    if wanted.side:
        print(json.dumps(_side(wanted.side, open_home(Path(wanted.home)), Path(wanted.out))))
        return
    if wanted.city:
        measure_sizes(wanted.sizes, wanted.homes, wanted.folder)
        return
    with tempfile.TemporaryDirectory(dir=wanted.folder, prefix="belong-") as made:
        home = (
            Path(wanted.home)
            if wanted.home
            else make_home(Year(wanted.pupils, wanted.shards), Path(made) / "home").path
        )
        _compare(wanted, home, Path(made))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.features")
    parser.add_argument("--pupils", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=8, help="of the home; the first home of a network has 8")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each side, turn by turn; the quickest counts")
    parser.add_argument("--folder", help="where to make the files; default the system's own")
    parser.add_argument("--city", action="store_true", help="measure every declared feature at each of --sizes instead")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="pupils, with --city")
    parser.add_argument("--homes", nargs="+", default=[], help="homes made before, one for each of --sizes")
    parser.add_argument("--home", help="a home made before, instead of making one")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(wanted: argparse.Namespace, home: Path, made: Path) -> None:
    print(f"load of the machine {load()}", flush=True)
    quickest: dict[str, dict[str, float]] = {}
    for _ in range(wanted.repeat):
        for side in SIDES:
            out = made / side
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            os.sync()  # or a side would pay for writing out what the one before it left
            run = measure(["-m", "benchmarks.features", "--side", side, "--home", str(home), "--out", str(out)])
            said = {**run.said, "peak_gb": run.said["peak_bytes"] / 1e9}
            print(
                f"  {side:<7} {said['seconds']:7.2f} s {said['cpu_seconds']:7.2f} s of processors "
                f"{said['peak_gb']:5.2f} GB, {said['rows']:,} rows",
                flush=True,
            )
            if side not in quickest or said["seconds"] < quickest[side]["seconds"]:
                quickest[side] = said
    for side in SIDES[1:]:
        _agree(made / "ours", made / side, side)
    print(f"the three agree; load of the machine at the end {load()}")
    ours, polars, duckdb = (quickest[side] for side in SIDES)
    faster = min((polars, duckdb), key=lambda said: said["seconds"])
    cpu = min(polars["cpu_seconds"], duckdb["cpu_seconds"]) / ours["cpu_seconds"]
    print(
        f"cpu_ratio={cpu:.2f} ratio={faster['seconds'] / ours['seconds']:.2f} ours_s={ours['seconds']:.2f} "
        f"polars_s={polars['seconds']:.2f} duckdb_s={duckdb['seconds']:.2f} peak_gb={ours['peak_gb']:.2f}"
    )


def _side(side: str, home: Home, out: Path) -> dict[str, float]:
    """Do one side's work, keep what it found for the comparison, and say how long the work took."""
    asked = Asked(windowed(), week_starts(), {name: files_of(home, name) for name in (*TABLES, "enrolments")})
    work = {"ours": _ours, "polars": _polars, "duckdb": _duckdb}[side](home, asked)
    clocks = time.perf_counter(), time.process_time()
    found = work()
    took = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    pupil, week, columns = found()
    order = np.lexsort((week, pupil))
    np.save(out / "pupil.npy", pupil[order])
    np.save(out / "week.npy", week[order])
    for number in range(len(asked.features)):
        np.save(out / f"{number}.npy", columns(number)[order])
    return {"seconds": took[0], "cpu_seconds": took[1], "peak_bytes": peak, "rows": len(pupil)}


# pupil, as-of date's number, and each feature by its place.
Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Callable[[int], npt.NDArray[np.float64]]]
Keep = Callable[[], Found]


def _ours(home: Home, asked: Asked) -> Callable[[], Keep]:
    with tempfile.TemporaryDirectory(prefix="belong-") as small:
        # A school of twenty, so that every loop's machine code is there, as the other sides' is.
        build(Store(make_home(Year(20, 1), Path(small))).history(0), asked.as_ofs, asked.features)

    def work() -> Keep:
        store = Store(home)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(lambda at: build(store.history(at), asked.as_ofs, asked.features), store.shards))

        def keep() -> Found:
            days = np.array(asked.as_ofs, dtype="datetime64[D]")
            as_of = np.concatenate([part.keys["as_of"].to_numpy().astype("datetime64[D]") for part in parts])
            pupil = np.concatenate([part.keys["pupil"].to_numpy() for part in parts])
            return (
                pupil,
                np.searchsorted(days, as_of),
                lambda at: np.concatenate([part.values[:, at] for part in parts]),
            )

        return keep

    return work


def _polars(home: Home, asked: Asked) -> Callable[[], Keep]:
    def work() -> Keep:
        frame = feature_polars.build(asked)
        names = [feature.name for feature in asked.features]
        return lambda: (
            frame["pupil"].to_numpy(),
            frame["week"].to_numpy().astype(np.int64),
            lambda at: frame[names[at]].to_numpy(),
        )

    return work


def _duckdb(home: Home, asked: Asked) -> Callable[[], Keep]:
    def work() -> Keep:
        table = feature_duckdb.build(asked)
        names = [feature.name for feature in asked.features]
        return lambda: (
            table["pupil"].to_numpy(),
            table["week"].to_numpy().astype(np.int64),
            lambda at: table[names[at]].to_numpy(),
        )

    return work


def _agree(ours: Path, theirs: Path, side: str) -> None:
    for name in ("pupil", "week"):
        if not np.array_equal(np.load(ours / f"{name}.npy"), np.load(theirs / f"{name}.npy")):
            raise SystemExit(f"{side} has other rows than ours")
    for number, feature in enumerate(windowed()):
        mine, other = np.load(ours / f"{number}.npy"), np.load(theirs / f"{number}.npy")
        apart = np.nanmax(np.abs(mine - other), initial=0.0)
        if apart > (0.0 if feature.kind == "count" else 1e-9) or not np.array_equal(np.isnan(mine), np.isnan(other)):
            rows = np.flatnonzero((mine != other) & ~(np.isnan(mine) & np.isnan(other)))
            raise SystemExit(f"{side} does not agree on {feature.name}: {len(rows):,} rows, at most {apart} apart")


if __name__ == "__main__":
    main()
