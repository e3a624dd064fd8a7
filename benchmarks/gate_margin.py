"""Comparisons drawn directly, in which the truth stands exactly at the limit: how often the gate lets them pass.

Drawn are only pupils who count for the metric, in sixty schools that differ, each with up to two terms that are alike
(a pupil's own chance is a beta or gamma draw). Every draw goes through the audit's own sums, comparisons and judgement.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fairness.comparisons import cells_of_metric
from fairness.gate import judge
from fairness.policy import Policy
from fairness.resampling import Floats, Ints
from fairness.sums import Labels, Tally, sums_of

SCHOOLS, TERMS, ALIKE = 60, 2, 0.3
ATTRIBUTE, GROUPS = "fsm", ("fsm", "not")
WEEKS, AHEAD = 13, 6


@dataclass(frozen=True)
class Cell:
    """A metric and a size: `pupils` of the group who count, and of the rest; `side` of an interval with two limits."""

    metric: str
    pupils: int
    rest: int
    level: float
    side: str = ""

    @property
    def words(self) -> str:
        """How the table names it."""
        return f"{self.metric}{self.side} at {self.level:g}, {self.pupils:,} pupils"


CELLS = (
    *(Cell("recall", pupils, 1_500, level) for level in (0.3, 0.6) for pupils in (25, 100, 400)),
    *(Cell("false_alarms", pupils, 6_000, 1.3) for pupils in (1_000, 4_000)),
    *(Cell("precision_ratio", pupils, 1_500, 0.3) for pupils in (60, 250)),
    *(Cell("oe_ratio", 3_000, 3_000, 0.03, side) for side in (" low", " high")),
)


def _chances(mean: Floats, rng: np.random.Generator) -> Floats:
    """Return each pupil's own chance: a beta draw with this mean, whose two terms are alike to `ALIKE`."""
    sure = 1 / ALIKE - 1
    return rng.beta(mean * sure, (1 - mean) * sure)


def _places(cell: Cell, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Floats]:
    """Return each pupil's group and school, each row's pupil, and each pupil's share of their school's difference."""
    group = np.repeat([0, 1], [cell.pupils, cell.rest])
    school = rng.integers(0, SCHOOLS, len(group))
    pupil = np.repeat(np.arange(len(group)), rng.integers(1, TERMS + 1, len(group)))
    return group, school, pupil, rng.uniform(-1, 1, SCHOOLS)[school]


def _share(cell: Cell, at: tuple[float, float], rng: np.random.Generator) -> tuple[Labels, Tally, Floats]:
    """Return a share of rows: the group's is at[0] and the rest's at[1]."""
    group, school, pupil, differs = _places(cell, rng)
    chance = _chances(np.array(at)[group] * (1 + 0.15 * differs), rng)
    hits = (rng.random(len(pupil)) < chance[pupil]).astype(np.float64)
    ones = np.ones(len(pupil))
    tally = Tally(name=cell.metric, pupil=pupil, school=school[pupil], hits=hits, base=ones, rows=ones)
    return Labels(GROUPS, group), tally, ones


def _recall(cell: Cell, policy: Policy, rng: np.random.Generator) -> tuple[Labels, Tally, Floats]:
    margin = policy.metric("recall").margin
    assert margin is not None
    return _share(cell, (cell.level - margin, cell.level), rng)


def _precision(cell: Cell, policy: Policy, rng: np.random.Generator) -> tuple[Labels, Tally, Floats]:
    limit = policy.metric("precision_ratio").limit
    assert limit is not None
    return _share(cell, (cell.level * limit, cell.level), rng)


def _false_alarms(cell: Cell, policy: Policy, rng: np.random.Generator) -> tuple[Labels, Tally, Floats]:
    """Suspended and wrongly flagged pupils: `level` of these for each of those, times the limit in the group."""
    limit = policy.metric("false_alarms").limit
    assert limit is not None
    group, school, pupil, differs = _places(cell, rng)
    came = 0.03 * rng.gamma(1.0, 1.0, len(group)) * (1 + 0.3 * differs)
    wrong = came * np.array([cell.level * limit, cell.level])[group]
    drawn = rng.random(len(pupil))
    outcome = (drawn < came[pupil]).astype(np.float64)
    hits = ((drawn < (came + wrong)[pupil]) - outcome).astype(np.float64)
    tally = Tally(name=cell.metric, pupil=pupil, school=school[pupil], hits=hits, base=outcome, rows=np.ones(len(hits)))
    return Labels(GROUPS, group), tally, outcome


def _expected(cell: Cell, policy: Policy, rng: np.random.Generator) -> tuple[Labels, Tally, Floats]:
    """Suspended pupils over those expected: the group's stands at one end of the interval, the rest's at 1."""
    interval = policy.metric("oe_ratio").interval
    assert interval is not None
    group, school, pupil, differs = _places(cell, rng)
    said = cell.level * rng.gamma(1.0, 1.0, len(group))
    truth = np.array([interval[0 if cell.side == " low" else 1], 1.0])[group] * said * (1 + 0.15 * differs)
    outcome = (rng.random(len(pupil)) < truth[pupil]).astype(np.float64)
    rows = np.full(len(pupil), float(WEEKS))
    hits, base = AHEAD * outcome, AHEAD * said[pupil]
    tally = Tally(name=cell.metric, pupil=pupil, school=school[pupil], hits=hits, base=base, rows=rows)
    return Labels(GROUPS, group), tally, outcome


_DRAWN: dict[str, Callable[[Cell, Policy, np.random.Generator], tuple[Labels, Tally, Floats]]] = {
    "recall": _recall,
    "precision_ratio": _precision,
    "false_alarms": _false_alarms,
    "oe_ratio": _expected,
}


def judged(cell: Cell, policy: Policy, rng: np.random.Generator) -> str:
    """Return the gate's verdict on the group of one draw."""
    labels, tally, positives = _DRAWN[cell.metric](cell, policy, rng)
    pupils = cell.pupils + cell.rest
    inference = policy.inference
    sums = sums_of([tally], {ATTRIBUTE: labels}, pupils, replicates=inference.replicates, seed=inference.seed)
    came = np.bincount(tally.pupil, weights=positives, minlength=pupils)
    if cell.metric == "precision_ratio":
        came = np.full(pupils, 1.0)  # flags are drawn, not suspended pupils: of those there are enough
    cells = cells_of_metric(
        policy.attribute(ATTRIBUTE), policy.metric(cell.metric), labels, sums[ATTRIBUTE, cell.metric], (policy, came)
    )
    return judge(cells, policy)[0].verdict


def passes(cell: Cell, policy: Policy, numbers: range, seed: int) -> tuple[int, int]:
    """Return in how many of these draws the gate said 'within', and in how many 'outside'."""
    place = CELLS.index(cell)
    found = [judged(cell, policy, np.random.default_rng([seed, place, number])) for number in numbers]
    return found.count("within"), found.count("outside")
