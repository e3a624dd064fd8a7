"""Every comparison of a group with the rest of the pupils: its harm, its interval, what cannot be concluded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from fairness.findings import EVERYONE, LIFT, Cell
from fairness.intervals import SchoolSpread, Share, chance_beyond, harm, newcombe
from fairness.metrics import BY_NAME, Scale
from fairness.policy import Attribute, Policy
from fairness.policy import Metric as Limit
from fairness.sums import Labels, Sums

# More replicates of schools than this without the group: its pupils are in too few schools to tell.
MOST_UNDEFINED = 0.05


@dataclass(frozen=True, kw_only=True)
class OverSchools:
    """In how many schools a group counts, and how far its harm moves between them; None where it cannot be told."""

    schools: int
    spread: SchoolSpread | None = None
    why: str = ""


def _over_schools(sums: Sums, scale: Scale, policy: Policy) -> list[OverSchools]:
    """Return one for each group."""
    inference = policy.inference
    errors, undefined = sums.spread(inference.replicates, (inference.seed, 7), scale=scale)
    found = []
    for place in range(len(errors)):
        schools = sums.schools_of(place)
        if schools < 2:
            why = "all pupils of this group who count here are in one school, so chance and school cannot be told apart"
            found.append(OverSchools(schools=schools, why=why))
        elif undefined[place] > MOST_UNDEFINED:
            why = "this group's pupils are in too few schools to tell chance and school apart"
            found.append(OverSchools(schools=schools, why=why))
        else:
            few = schools < inference.few_clusters
            spread = SchoolSpread(standard_error=float(errors[place]), schools=schools, few=few)
            found.append(OverSchools(schools=schools, spread=spread))
    return found


def comparisons(
    sums: Mapping[tuple[str, str], Sums],
    labels: Mapping[str, Labels],
    policy: Policy,
    positives: np.ndarray[Any, Any],
) -> list[Cell]:
    """Return every comparison that the policy asks for, not yet judged.

    Parameters
    ----------
    sums
        (attribute, metric) → its sums, with `EVERYONE` among the attributes; `LIFT` where it is asked for.
    labels
        Attribute → each pupil's group.
    positives
        Each pupil's pupil-terms with the outcome.
    """
    cells = [_lift(sums[EVERYONE, LIFT], policy, positives)] if (EVERYONE, LIFT) in sums else []
    for limit in policy.metrics:
        cells.append(_overall(limit, sums[EVERYONE, limit.name], positives))
    for attribute in policy.attributes:
        for limit in policy.metrics:
            found = sums[attribute.name, limit.name]
            cells += cells_of_metric(attribute, limit, labels[attribute.name], found, (policy, positives))
    return cells


def _overall(limit: Limit, sums: Sums, positives: np.ndarray[Any, Any]) -> Cell:
    """Return everybody's own value of a metric: shown beside the groups, never judged."""
    share, _ = sums.sides(0)
    cell = Cell(
        attribute=EVERYONE,
        group=EVERYONE,
        metric=limit.name,
        gate="report",
        pupils=len(positives),
        n=0,
        positives=int(positives.sum()),
    )
    if share is None:
        return replace(cell, why="the period has no such pupil")
    return replace(cell, n=round(share.rows), estimate=share.value, schools=sums.schools_of(0))


def _lift(sums: Sums, policy: Policy, positives: np.ndarray[Any, Any]) -> Cell:
    """Return how many times the usual chance in the pupil's phase a flag means, against the policy's floor."""
    share, _ = sums.sides(0)
    floor = policy.usefulness.precision_floor_times_base_rate
    cell = Cell(
        attribute=EVERYONE,
        group=EVERYONE,
        metric=LIFT,
        gate="full",
        pupils=len(positives),
        n=0,
        positives=int(positives.sum()),
        limit_low=floor,
    )
    if share is None or share.base == 0:
        return replace(cell, why="no pupil was flagged, or none suspended, in the period")
    schools = _over_schools(sums, "alone", policy)
    return _compared(cell, (share, None), "alone", False, (schools[0], policy.inference.alpha))


def cells_of_metric(
    attribute: Attribute, limit: Limit, label: Labels, sums: Sums, context: tuple[Policy, np.ndarray[Any, Any]]
) -> list[Cell]:
    """Return one metric's comparisons by one attribute, not yet judged; `context`: the policy, and `positives`."""
    policy, positives = context
    metric = BY_NAME[limit.name]
    schools = _over_schools(sums, metric.scale, policy)
    pupils = np.bincount(label.of_pupil, minlength=len(label.names))
    came = np.bincount(label.of_pupil, weights=positives, minlength=len(label.names))
    cells = []
    for place, group in enumerate(label.names):
        declared = group in attribute.groups
        if not declared and not pupils[place]:
            continue
        gate: Literal["full", "fail_only", "report"] = attribute.gate if declared and limit.gate else "report"
        low, high = limit.bounds
        cell = Cell(
            attribute=attribute.name,
            group=group,
            metric=limit.name,
            gate=gate,
            pupils=int(pupils[place]),
            n=0,
            positives=int(came[place]),
            rest_positives=int(came.sum() - came[place]),
            limit_low=low,
            limit_high=high,
        )
        share, rest = sums.sides(place)
        if share is None:
            cells.append(replace(cell, why=metric.empty))
        elif rest is None and metric.scale != "alone":
            cells.append(
                replace(cell, n=round(share.rows), estimate=share.value, why="no other pupils to compare with")
            )
        elif metric.scale == "ratio" and rest is not None and rest.hits == 0:
            why = "the share of all other pupils is nought, so there is no ratio to it"
            cells.append(replace(cell, n=round(share.rows), estimate=share.value, rest_estimate=0.0, why=why))
        else:
            context_of_group = schools[place], policy.inference.alpha
            cells.append(_compared(cell, (share, rest), metric.scale, limit.harm == "shortfall", context_of_group))
    return cells


def _compared(
    cell: Cell,
    sides: tuple[Share, Share | None],
    scale: Scale,
    shortfall: bool,
    context: tuple["OverSchools", float],
) -> Cell:
    """Return the cell with its harm, the wider of its two intervals, and its p-value."""
    share, rest = sides
    schools, alpha = context
    value = harm(share, rest, scale, shortfall)
    lower, upper = newcombe(share, rest, scale, shortfall, NormalDist().inv_cdf(1 - alpha))
    bounds = (cell.limit_low, cell.limit_high)
    p_outside = chance_beyond(share, rest, scale, shortfall, bounds)
    if schools.spread is not None:
        low, high = schools.spread.limits(value, alpha, log=scale != "difference")
        lower, upper = min(lower, low), max(upper, high)
        p_outside = max(p_outside, schools.spread.chance_outside(value, bounds, log=scale != "difference"))
    return replace(
        cell,
        n=round(share.rows),
        estimate=share.value,
        rest_estimate=None if rest is None else rest.value,
        harm=value,
        lower=lower,
        upper=upper if math.isfinite(upper) else None,
        p_outside=p_outside,
        effective_n=share.effective_n,
        schools=schools.schools,
        why=schools.why,
    )
