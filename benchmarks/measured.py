"""A piece of work in a process of its own: how long it took and how much memory its whole tree held at most."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no type information

EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """What a process said at its end, and the most memory that it and its children held at once.

    Attributes
    ----------
    said
        The last line it printed, which is JSON.
    seconds
        From start to end, imports included.
    peak_gb
        The largest sum of resident memory over the process and its children, in 10^9 bytes. Pages that
        two of them share count twice.
    """

    said: Any
    seconds: float
    peak_gb: float


def measure(arguments: list[str]) -> Measured:
    """Run Python with these arguments.

    Raises
    ------
    RuntimeError
        The process failed; its errors have been printed.
    """
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _tree(process.pid))
            time.sleep(EVERY_SECONDS)
        seconds = time.perf_counter() - began
        printed = process.stdout.read() if process.stdout is not None else ""
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} ended with exit code {process.returncode}")
    lines = printed.strip().splitlines()
    said = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    # A peak between two samples shows only in the process's own account of itself.
    return Measured(said, seconds, max(peak, int(said.get("peak_bytes", 0))) / 1e9)


def load() -> str:
    """Return how busy the machine is: figures from a busy one say less."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def _tree(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        return total  # it ended while we looked
    return total
