"""Simulating a network in whichever export format is asked for."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from records.refusal import Refusal
from records.synthetic.exported import read_exported
from records.synthetic.formats import FORMATS, write_as
from records.synthetic.places import write_places
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.simulate import Simulated, simulate

NETWORK, COMPACT = "network", "compact"
KINDS = (NETWORK, COMPACT, *FORMATS)
# Above it one row per mark takes more room than a network would send.
COMPACT_FROM_PUPILS = 200_000
# Other systems' formats are written from frames of text in memory.
MOST_PUPILS_AS = 20_000


class UnknownFormat(Refusal):
    """No such export format, or not for a network of this size."""


def kind_of(asked: str | None, pupils: int, *, places: bool = False) -> str:
    """Return the export format: the one asked for, or what suits the size.

    Raises
    ------
    UnknownFormat
        There is no such format, it is not made for that many pupils, or it cannot say where pupils live.
    """
    kind = asked or (COMPACT if pupils > COMPACT_FROM_PUPILS else NETWORK)
    if kind not in KINDS:
        raise UnknownFormat(f"--as must be one of {', '.join(KINDS)}, not {kind}")
    if kind in FORMATS and pupils > MOST_PUPILS_AS:
        raise UnknownFormat(
            f"--as {kind} is written for at most {MOST_PUPILS_AS:,} pupils, not {pupils:,}; give --as {COMPACT}"
        )
    if kind in FORMATS and places:
        raise UnknownFormat(f"an export as {kind} does not say where pupils live; give --places with --as {NETWORK}")
    return kind


def simulate_as(
    kind: str, plan: NetworkPlan, out: Path, *, truth: Path | None, say: Callable[[str], None], jobs: int,
    places: bool = False,
) -> tuple[Simulated, int]:  # fmt: skip
    """Write the plan's network into `out` in a format of `KINDS`; return it and the number of rows written.

    `places`: made-up wards and where each pupil lives are written too, which the network's own formats can say.
    The School Census stands beside every format: no other one carries protected characteristics.
    """

    def progress(stage: str, done: int, whole: int) -> None:
        say(f"{'week' if stage == 'simulate' else 'part'} {done:,} of {whole:,}")

    if kind in (NETWORK, COMPACT):
        made = simulate(replace(plan, compact=kind == COMPACT), out, truth=truth, progress=progress, jobs=jobs)
        return made, sum(made.rows.values()) + (write_places(out, plan.seed) if places else 0)
    if out.exists() and any(out.iterdir()):
        raise SimulationRefused(f"{out} is not empty; name a new folder, so that two simulations are never mixed")
    with tempfile.TemporaryDirectory(prefix="belong-") as place:
        made = simulate(plan, Path(place) / "network", truth=truth, progress=progress, jobs=jobs)
        say(f"writing as {kind}")
        out.mkdir(parents=True, exist_ok=True)
        rows = write_as(kind, read_exported(made.out), out)
        shutil.copytree(made.out / "census", out / "census", dirs_exist_ok=True)
    return replace(made, out=out), rows


def cost(seconds: float, jobs: int) -> str:
    """Return, in words, how long it took and the most memory that this process and its helpers ever held."""
    if sys.platform == "win32":
        return f"{seconds:.1f} seconds"
    import resource  # noqa: PLC0415  # not on Windows

    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    own, helper = (resource.getrusage(who).ru_maxrss / unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    each = f"; at most {helper:.2f} GB in each of {jobs} processes" if jobs > 1 and helper else ""
    return f"{seconds:.1f} seconds, peak memory {own:.2f} GB{each}"
