"""One week of marks of a whole network: our ingest beside plain `pandas.read_csv` and `to_parquet` of the same file.

    python -m benchmarks.ingest                      1.2 million pupils, 12 million marks, one file
    python -m benchmarks.ingest --pupils 200000 --by-school --compact --command

Both sides run in a fresh process each, once per `--repeat`, turn by turn; the quickest of each counts. Their seconds
are those of the calls alone, without the imports. Ours checks structure, values and rows, makes pseudonyms, finds
repeated rows, shards and commits. Afterwards both must agree on the number of rows of each attendance code and of
pupils.
"""

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.measured import Measured, load, measure
from benchmarks.network_week import make_week, write_marks, write_weeks
from records import delta
from records.clock import Clock
from records.home import create_home, open_home
from records.intake.ingest import ingest
from records.tables import MARKS


def main() -> None:
    """Make the files, run both sides, compare what they hold, print the figures."""
    wanted = _arguments()
    if wanted.side:
        _side(wanted.side, Path(wanted.source), Path(wanted.out), wanted.shards)
        return
    with tempfile.TemporaryDirectory(dir=wanted.folder) as made:
        _compare(wanted, Path(made))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.ingest")
    parser.add_argument("--pupils", type=int, default=1_200_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--shards", type=int, default=8, help="of the home; the first home of a network has 8")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side; the quickest counts")
    parser.add_argument("--by-school", action="store_true", help="also the same marks as a file for each school")
    parser.add_argument("--compact", action="store_true", help="also the same marks as a string for each pupil's week")
    parser.add_argument("--command", action="store_true", help="also the whole `belong ingest`, its database included")
    parser.add_argument("--folder", help="where to make the files; default the system's own")
    parser.add_argument("--side", choices=("ours", "pandas", "pandas-pyarrow"), help=argparse.SUPPRESS)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(wanted: argparse.Namespace, made: Path) -> None:
    week = make_week(wanted.pupils, wanted.seed)
    for name in ("one", "schools", "weeks"):
        (made / name).mkdir()
    size = write_marks(week, made / "one", files=1)
    (source,) = (made / "one").iterdir()
    print(f"{size / 1e6:,.0f} MB in one file, {week.schools:,} schools; load of the machine {load()}")
    ours, plain, arrow = [], [], []
    for _ in range(wanted.repeat):
        plain.append(_run("pandas", source, made / "plain.parquet", wanted.shards))
        ours.append(_run("ours", made / "one", made / "home", wanted.shards))
        arrow.append(_run("pandas-pyarrow", source, made / "arrow.parquet", wanted.shards))
    expected = _held_in_parquet(made / "plain.parquet")
    _agree(expected, made / "home")
    extra: dict[str, Measured] = {}
    if wanted.by_school:
        write_marks(week, made / "schools", files=week.schools)
        extra["by_school"] = _run("ours", made / "schools", made / "home", wanted.shards)
        _agree(expected, made / "home")
    if wanted.compact:
        write_weeks(week, made / "weeks")
        extra["compact"] = _run("ours", made / "weeks", made / "home", wanted.shards)
        _agree(expected, made / "home")
    if wanted.command:
        shutil.rmtree(made / "home")
        create_home(made / "home", demo=True, shards=wanted.shards)
        command = ["-m", "serving.cli", "ingest", str(made / "one"), "--home", str(made / "home")]
        extra["command"] = measure(
            ["-c", f"import sys; sys.argv = {command[1:]!r}; from serving.cli import main; main()"]
        )
        _agree(expected, made / "home")
    print(f"load of the machine at the end {load()}")
    print(_figures(_quickest(ours), _quickest(plain), _quickest(arrow), extra))


def _run(side: str, source: Path, out: Path, shards: int) -> Measured:
    if out.is_dir():
        shutil.rmtree(out)
    work = ["-m", "benchmarks.ingest", "--side", side, "--source", str(source), "--out", str(out)]
    found = measure([*work, "--shards", str(shards)])
    told = f"{found.said['seconds']:7.2f} s {found.said['cpu_seconds']:7.2f} s of processors {found.peak_gb:5.2f} GB"
    print(f"  {side:<15} {source.name:<28} {told}", flush=True)
    return found


def _side(side: str, source: Path, out: Path, shards: int) -> None:
    """Do one side's work and say as JSON how long the calls took."""
    rows = _ours(source, out, shards) if side == "ours" else _plain(side, source, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({**rows, "peak_bytes": peak}))


def _plain(side: str, source: Path, out: Path) -> Mapping[str, float]:
    clocks = _clocks()
    frame = pd.read_csv(source) if side == "pandas" else pd.read_csv(source, engine="pyarrow")
    frame.to_parquet(out)
    return {**_since(clocks), "rows": len(frame)}


def _ours(source: Path, out: Path, shards: int) -> Mapping[str, float]:
    home = create_home(out, demo=True, shards=shards)
    clocks = _clocks()
    summary = ingest(home, source, clock=Clock(date(2025, 7, 1)), save_identities=None)
    took = _since(clocks)
    if summary.exit_code:
        raise SystemExit(summary.as_text())
    return {**took, "rows": summary.tables["marks"].accepted}


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(clocks: tuple[float, float]) -> Mapping[str, float]:
    """Return the seconds that passed, and those that processors worked for us: a busy machine adds little to these."""
    return {"seconds": time.perf_counter() - clocks[0], "cpu_seconds": time.process_time() - clocks[1]}


def _held_in_parquet(path: Path) -> dict[str, int]:
    rows = pq.read_table(path, columns=["code", "upn"])
    counted = {one["values"]: one["counts"] for one in pc.value_counts(rows["code"]).to_pylist()}
    return counted | {"pupils": pc.count_distinct(rows["upn"]).as_py()}


def _agree(expected: Mapping[str, int], home: Path) -> None:
    here = open_home(home)
    held: dict[str, int] = {"pupils": 0}
    for shard in range(here.shards):
        rows = delta.scan(here.history, MARKS, shard, ["pupil", "code"])
        for one in pc.value_counts(rows["code"].cast("string")).to_pylist():
            held[one["values"]] = held.get(one["values"], 0) + one["counts"]
        held["pupils"] += pc.count_distinct(rows["pupil"]).as_py()
    if held != dict(expected):
        raise SystemExit(f"the two sides do not agree: {held} in the store, {dict(expected)} in the file")


def _quickest(runs: list[Measured]) -> Measured:
    return min(runs, key=lambda run: run.said["seconds"])


def _figures(ours: Measured, plain: Measured, arrow: Measured, extra: Mapping[str, Measured]) -> str:
    seconds = ours.said["seconds"]
    baseline = plain.said["seconds"]
    figures = {
        "rows": ours.said["rows"],
        "rows_per_second": round(ours.said["rows"] / seconds),
        "seconds": f"{seconds:.2f}",
        "baseline_seconds": f"{baseline:.2f}",
        "baseline_pyarrow_seconds": f"{arrow.said['seconds']:.2f}",
        "cpu_ratio": f"{ours.said['cpu_seconds'] / plain.said['cpu_seconds']:.2f}",
        "baseline_peak_gb": f"{plain.peak_gb:.2f}",
    }
    for name, run in extra.items():
        figures |= {
            f"{name}_seconds": f"{run.said.get('seconds', run.seconds):.2f}",
            f"{name}_peak_gb": f"{run.peak_gb:.2f}",
        }
    figures |= {
        "ratio": f"{seconds / baseline:.2f}",
        "peak_gb": f"{max(run.peak_gb for run in (ours, *extra.values())):.2f}",
    }
    return " ".join(f"{name}={value}" for name, value in figures.items())


if __name__ == "__main__":
    main()
