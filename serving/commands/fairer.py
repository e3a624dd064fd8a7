"""What `belong train --fair` prints: what a fairer model would cost, and why no group has a threshold of its own."""

from pathlib import Path
from textwrap import fill

from rich.box import SIMPLE
from rich.table import Column, Table

from fairness.mitigation.trying import WHY_ONE_THRESHOLD, Point
from records.home import Home
from records.refusal import Refusal
from serving.commands.options import out
from serving.jobs.fair import PICTURE, TABLE, Search, search_fair, train_point
from serving.jobs.stages import Stages
from training.calibration import TooFewOutcomes
from training.candidate import Candidate
from training.model import MatrixRefused
from training.settings import Settings


def search_and_show(home: Home, settings: Settings) -> Search:
    """Try every variant, print those that no other beats, and say where the rest and the picture are."""
    with Stages(out)("Trying fairer models") as say:
        found = search_fair(home, settings, told=lambda name, done, of: say(f"{done} of {of}: {name}"))
        say(f"{len(found.tried.points)} tried")
    points = found.tried.points
    out.print(_table([point for point in points if point.best or point.number == 0]))
    out.print(
        f"{len(points)} tried on forward folds; those shown are what changes nothing, and what no other beats or "
        f"equals on both counts. All of them: {found.folder / TABLE}, {found.folder / PICTURE}",
        markup=False,
        highlight=False,
    )
    out.print(fill(WHY_ONE_THRESHOLD, 110), markup=False, highlight=False)
    return found


def train_one(home: Home, found: Search, number: int, people: tuple[str, ...], mlruns: Path) -> Candidate:
    """Train the point of this number as a candidate like any other: the audit has not seen it."""
    with Stages(out)("Training") as say:
        try:
            return train_point(
                home, found, number, people, mlruns, lambda stage, done, of: say(f"{stage} {done} of {of}")
            )
        except (TooFewOutcomes, MatrixRefused) as few:
            raise Refusal(str(few)) from few


def _table(points: list[Point]) -> Table:
    shown = Table(
        Column("point", justify="right"),
        "pupils found",
        "worst group lacks",
        Column("worst group", overflow="fold"),
        Column("what is done", overflow="fold"),
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for point in points:
        shown.add_row(
            str(point.number),
            f"{point.recall:.1%} ({point.recall_lower:.1%} to {point.recall_upper:.1%})",
            f"{100 * point.shortfall:.1f} ({100 * point.shortfall_lower:.1f} to {100 * point.shortfall_upper:.1f})",
            point.group or "none large enough",
            point.words,
        )
    return shown
