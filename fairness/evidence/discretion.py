"""How many of a group's outcomes would have to be discretion and not need before its verdict falls.

A suspension is a decision, and the outcome holds some that another school, or the same school with another pupil,
would not have made. Nobody can see which. So the question is turned round: the smallest share of a group's
outcomes that, struck out as no real need, would end the verdict. The worst case decides which are struck out
first: flagged ones make a group look less well served than it did, missed ones better. Struck out, a flagged
pupil is a false alarm. A small share says: this verdict rests on the sanctions being just.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from fairness.cells import Cell
from fairness.evaluation import Evaluation, labels_of
from fairness.exhibits import TippingPoint
from fairness.intervals import Share, newcombe
from fairness.metrics import BY_NAME
from fairness.policy import Metric, Policy
from fairness.resampling import Floats

Among = Literal["flagged", "missed"]
Reading = Literal["within", "outside", "doubt"]
ASKED = ("recall", "false_alarms", "precision_ratio", "oe_ratio")
_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Sums over the pupils of one side.

    Pupil-terms: `terms` in all, `positives` with the outcome, of those `caught` in time and `late` (flagged too late
    to act), `alarms` flagged without it. Weekly scores: `weeks`, `came` with the outcome, `expected`.
    """

    terms: float
    positives: float
    caught: float
    late: float
    alarms: float
    weeks: float
    came: float
    expected: float

    def without(self, struck: int, among: Among) -> "Counts":
        """Return the counts when so many of the outcomes are no need, the flagged or the missed ones first."""
        there = [self.caught, self.late, self.positives - self.caught - self.late]
        taken, left = [0.0, 0.0, 0.0], float(struck)
        for place in (0, 1, 2) if among == "flagged" else (2, 1, 0):
            taken[place] = min(left, there[place])
            left -= taken[place]
        return Counts(
            terms=self.terms,
            positives=self.positives - struck,
            caught=self.caught - taken[0],
            late=self.late - taken[1],
            alarms=self.alarms + taken[0] + taken[1],
            weeks=self.weeks,
            # Every outcome stands for as many weekly scores as another.
            came=self.came * (1 - struck / self.positives),
            expected=self.expected,
        )

    def share(self, metric: str, effect: float) -> Share | None:
        """Return the metric's hits, base and rows with this design effect; None: its base is nought."""
        hits, base, rows = {
            "recall": (self.caught, self.positives, self.positives),
            "false_alarms": (self.alarms, self.positives, self.terms),
            "precision_ratio": (self.caught, *(self.caught + self.late + self.alarms,) * 2),
            "oe_ratio": (self.came, self.expected, self.weeks),
        }[metric]
        if base <= 0:
            return None
        proportion = min(1.0, hits / rows)
        variance = effect * proportion * (1 - proportion) / rows * (rows / base) ** 2
        return Share(hits=hits, base=base, rows=rows, variance=variance, crowding=effect)


def tipping_points(
    cells: Sequence[Cell], evaluation: Evaluation, groups: pd.DataFrame, policy: Policy
) -> tuple[TippingPoint, ...]:
    """Return the tipping point of each settled verdict of a judged metric, in the cells' order.

    Intervals are the cell's own where nothing is struck out, and move with the counts from there; 'outside' is asked
    without Holm's correction. A cell that settles nothing has no verdict to lose.
    """
    asked = [cell for cell in cells if cell.metric in ASKED and cell.verdict in {"within", "outside"}]
    columns = _columns(evaluation)
    z = NormalDist().inv_cdf(1 - policy.inference.alpha)
    found = []
    for attribute in policy.attributes:
        here = [cell for cell in asked if cell.attribute == attribute.name]
        if not here:
            continue
        label = labels_of(attribute, groups, columns.index.to_numpy(np.int64))
        for cell in here:
            mine = columns[label.of_pupil == label.names.index(cell.group)]
            rest = columns[label.of_pupil != label.names.index(cell.group)]
            found.append(_tipping(_Case(cell, policy.metric(cell.metric), mine, rest, z)))
    order = {(cell.attribute, cell.group, cell.metric): place for place, cell in enumerate(cells)}
    return tuple(sorted(found, key=lambda point: order[point.attribute, point.group, point.metric]))


def _columns(evaluation: Evaluation) -> pd.DataFrame:
    """Return one row for each pupil, with the columns of `Counts`."""
    terms, weeks = evaluation.pupil_terms, evaluation.snapshots
    came = terms["outcome"].astype("float64")
    in_time, at_all = terms["flagged"].astype("float64"), terms["flagged_any"].astype("float64")
    of_terms = pd.DataFrame(
        {
            "terms": 1.0,
            "positives": came,
            "caught": came * in_time,
            "late": came * (at_all - in_time),
            "alarms": (1 - came) * at_all,
        }
    )
    of_weeks = pd.DataFrame(
        {"weeks": 1.0, "came": weeks["outcome"].astype("float64"), "expected": weeks["probability"]}
    )
    sums = [
        of_terms.groupby(terms["pupil"].to_numpy()).sum(),
        of_weeks.groupby(weeks["pupil"].to_numpy()).sum(),
    ]
    return pd.concat(sums, axis=1).fillna(0.0).sort_index()


def _summed(pupils: pd.DataFrame) -> Counts:
    return Counts(**{str(name): float(total) for name, total in pupils.sum().items()})


class _Case:
    """A cell to be asked again with other counts: the same design effects and the same widening by schools."""

    def __init__(self, cell: Cell, limit: Metric, mine: pd.DataFrame, rest: pd.DataFrame, z: float) -> None:
        self.cell, self.limit, self.z = cell, limit, z
        self.scale = BY_NAME[cell.metric].scale
        self.counts = _summed(mine)
        self.effect = _effect(mine, cell.metric)
        self.rest = _summed(rest).share(cell.metric, _effect(rest, cell.metric))
        at_first = self._plain(0, "flagged")
        assert at_first is not None  # a settled cell has a base
        self.plain = at_first

    def reading(self, struck: int, among: Among) -> Reading:
        """Return what the cell would say with so many of its outcomes struck out."""
        ends = self._plain(struck, among)
        if ends is None:
            return "doubt"
        moved = (_moved(self.scale, *place) for place in zip(ends, self.plain, self._own, strict=True))
        low, high = moved
        lowest, highest = self.limit.bounds
        if (highest is not None and low > highest) or (lowest is not None and high < lowest):
            return "outside"
        inside = (highest is None or high < highest) and (lowest is None or low > lowest)
        return "within" if inside else "doubt"

    @property
    def _own(self) -> tuple[float, float]:
        return self.cell.lower or 0.0, np.inf if self.cell.upper is None else self.cell.upper

    def _plain(self, struck: int, among: Among) -> tuple[float, float] | None:
        share = self.counts.without(struck, among).share(self.cell.metric, self.effect)
        if share is None or (self.scale == "ratio" and (self.rest is None or self.rest.hits == 0)):
            return None
        return newcombe(share, self.rest, self.scale, self.limit.harm == "shortfall", self.z)


def _moved(scale: str, end: float, plain: float, own: float) -> float:
    """Return the cell's own end, moved as the plain interval's end moved: by a difference, or by a factor."""
    if scale == "difference":
        return own + end - plain
    if not np.isfinite(plain) or not np.isfinite(own) or not np.isfinite(end):
        return float("inf")
    return own * end / plain if plain > 0 else 0.0


def _effect(pupils: pd.DataFrame, metric: str) -> float:
    """Return the design effect of a metric over these pupils, linearised; 1 at least (`schools.design_effect`)."""
    share = _summed(pupils).share(metric, 1.0)
    if share is None or share.hits == 0:
        return 1.0
    hits, base = _hits_and_base(pupils, metric)
    apart = float(((hits - share.value * base) ** 2).sum()) / share.base**2
    binomial = share.proportion * (1 - share.proportion) / share.rows * (share.rows / share.base) ** 2
    return max(1.0, apart / binomial) if binomial > 0 else 1.0


def _hits_and_base(pupils: pd.DataFrame, metric: str) -> tuple[Floats, Floats]:
    flags = pupils["caught"] + pupils["late"] + pupils["alarms"]
    columns = {
        "recall": (pupils["caught"], pupils["positives"]),
        "false_alarms": (pupils["alarms"], pupils["positives"]),
        "precision_ratio": (pupils["caught"], flags),
        "oe_ratio": (pupils["came"], pupils["expected"]),
    }[metric]
    return columns[0].to_numpy(np.float64), columns[1].to_numpy(np.float64)


def _tipping(case: _Case) -> TippingPoint:
    cell = case.cell
    settled: Literal["within", "outside"] = "within" if cell.verdict == "within" else "outside"
    opposite = "outside" if settled == "within" else "within"
    among: Among = "flagged" if settled == "within" else "missed"
    positives = round(case.counts.positives)
    return TippingPoint(
        attribute=cell.attribute,
        group=cell.group,
        metric=cell.metric,
        verdict=settled,
        positives=positives,
        to_doubt=_first(positives, lambda struck: case.reading(struck, among) != settled),
        to_reverse=_first(positives, lambda struck: case.reading(struck, among) == opposite),
        among=among,
    )


def _first(positives: int, holds: Callable[[int], bool]) -> float | None:
    """Return the smallest share of the outcomes at which something holds, looked for in steps of one in a hundred."""
    before = 1
    for struck in _grid(positives):
        if holds(struck):
            return next(one for one in range(before, struck + 1) if holds(one)) / positives
        before = struck
    return None


def _grid(positives: int) -> Iterator[int]:
    """Yield how many are struck out, never all: nothing would be left to judge."""
    yield from map(int, np.unique(np.linspace(1, positives - 1, min(positives - 1, _STEPS)).astype(np.int64)))
