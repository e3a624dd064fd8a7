"""Time and memory of simulating a network for one year, in a process of its own for each size.

`python -m benchmarks.simulate` measures 12 and 120 thousand pupils; `--pupils 1200000` other sizes.
Ends with one line of `key=value`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from serving.jobs.simulation import COMPACT, COMPACT_FROM_PUPILS, NETWORK

SIZES = (12_000, 120_000)
SEED = 7


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One simulation: seconds of the whole command and of its processors, its peak memory in GB, GB written.

    The peak is the largest process's own.
    """

    pupils: int
    kind: str
    seconds: float
    cpu_seconds: float
    peak_gb: float
    written_gb: float

    def figures(self) -> list[str]:
        """Return the figures as key=value."""
        name = f"{self.kind}_{self.pupils}"
        return [
            f"seconds_{name}={self.seconds:.1f}",
            f"cpu_seconds_{name}={self.cpu_seconds:.1f}",
            f"pupils_a_second_{name}={self.pupils / self.seconds:.0f}",
            f"peak_gb_{name}={self.peak_gb:.2f}",
            f"written_gb_{name}={self.written_gb:.2f}",
        ]


def measure(pupils: int, kind: str, jobs: int) -> Measured:
    """Simulate one year in a process of its own, and throw the files away."""
    with tempfile.TemporaryDirectory(prefix="belong-") as place:
        out = Path(place) / "network"
        command = [
            *(sys.executable, "-m", "serving.cli", "simulate", "--pupils", str(pupils), "--years", "1"),
            *("--seed", str(SEED), "--as", kind, "--jobs", str(jobs), "--out", str(out)),
        ]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"simulating {pupils} pupils ended with status {status}")
        unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
        written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        return Measured(
            pupils=pupils,
            kind=kind,
            seconds=seconds,
            cpu_seconds=used.ru_utime + used.ru_stime,
            peak_gb=used.ru_maxrss / unit,
            written_gb=written / 1e9,
        )


def main() -> None:
    """Measure the sizes asked for and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--as", dest="kind", choices=(NETWORK, COMPACT), help="default: what suits the size")
    parser.add_argument("--jobs", type=int, default=1)
    said = parser.parse_args()
    found = []
    for pupils in said.pupils:
        kind = said.kind or (COMPACT if pupils > COMPACT_FROM_PUPILS else NETWORK)
        found.append(measure(pupils, kind, said.jobs))
        print(
            f"{pupils:,} pupils, one year, as {kind}: {found[-1].seconds:.1f} s, {found[-1].peak_gb:.2f} GB", flush=True
        )
    print(" ".join(figure for one in found for figure in one.figures()))


if __name__ == "__main__":
    main()
