"""The audit of held-out flags: every declared group beside the rest of the pupils, with intervals that hold."""

import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from fairness.evaluation import (
    AuditRefused,
    Evaluation,
    check_evaluation,
    evaluation_digest,
    labels_of,
    tallies_of,
)
from fairness.findings import EVERYONE, LIFT, Audit, Cell, Evidence, PracticeRow, read_audit, write_audit
from fairness.gate import judge
from fairness.intervals import SchoolSpread, Share, chance_beyond, harm, newcombe
from fairness.metrics import BY_NAME, METRICS, Scale
from fairness.points import check_points, point_values
from fairness.policy import Attribute, Policy
from fairness.policy import Metric as Limit
from fairness.resampling import Ints, spread_over_schools
from fairness.sums import Labels, Sums, sums_of

__all__ = ["Audit", "AuditRefused", "Cell", "audit", "read_audit", "write_audit"]
# More replicates of schools than this without the group: its pupils are in too few schools to tell.
MOST_UNDEFINED = 0.05
NOBODY: Mapping[tuple[str, str], str] = MappingProxyType({})


def audit(
    evaluation: Evaluation,
    groups: pd.DataFrame,
    policy: Policy,
    *,
    bundle_digest: str,
    comparison: pd.DataFrame,
    created_on: date,
    practice: Sequence[PracticeRow] = (),
    evidence: Evidence | None = None,
    left_out: Mapping[tuple[str, str], str] = NOBODY,
) -> Audit:
    """Return what held-out flags show of each declared group, under a policy.

    Parameters
    ----------
    evaluation
        Of the audit period only, never of weeks trained or calibrated on.
    groups
        `fairness.groups.groups`, as of the audit period's start. Pupils it lacks count as not known.
    comparison
        One row for each approach, `approach` and its `recall` and `precision` within capacity.
    practice
        `fairness.practice.practice`, shown beside the errors.
    evidence
        `fairness.evidence.gathered.gather`, shown beside the cells.
    left_out
        `fairness.evidence.coverage.left_out`: groups that nothing can be concluded of, and why.

    Raises
    ------
    AuditRefused
        A missing column, a value out of range, a group or a metric that the policy does not know.
    fairness.points.AuditError
        Fairlearn's point values and ours differ.
    """
    cells = [
        replace(cell, why=left_out.get((cell.attribute, cell.group), cell.why))
        for cell in cells_of(evaluation, groups, policy)
    ]
    terms, weeks = evaluation.pupil_terms, evaluation.snapshots
    inference = policy.inference
    return Audit(
        bundle_digest=bundle_digest,
        policy_digest=policy.digest,
        period=(weeks["as_of"].min().date(), weeks["as_of"].max().date()),
        created_on=created_on,
        terms=tuple(sorted(map(str, terms["term"].unique()))),
        pupils=len(_pupils(terms, weeks)),
        pupil_terms=len(terms),
        schools=int(terms["school"].nunique()),
        cells=judge(cells, policy),
        comparison=tuple(_rows(comparison)),
        practice=tuple(practice),
        base_rates=_base_rates(terms),
        evaluation_digest=evaluation_digest(terms, weeks),
        made_with={name: importlib.metadata.version(name) for name in ("numpy", "fairlearn", "scipy", "pandas")}
        | {"seed": str(inference.seed), "replicates": str(inference.replicates)},
        evidence=evidence,
    )


def cells_of(evaluation: Evaluation, groups: pd.DataFrame, policy: Policy, *, whole: bool = True) -> list[Cell]:
    """Return one cell for each metric and group of the policy, not judged yet.

    `whole`: the lift too, and every point value compared with Fairlearn's; without, for a part of an evaluation
    whose whole has been.

    Raises
    ------
    AuditRefused, fairness.points.AuditError
        As `audit`.
    """
    terms, weeks = evaluation.pupil_terms, evaluation.snapshots
    check_evaluation(terms, weeks, policy)
    pupils = _pupils(terms, weeks)
    labels = {EVERYONE: Labels((EVERYONE,), np.zeros(len(pupils), np.int64))}
    labels |= {attribute.name: labels_of(attribute, groups, pupils) for attribute in policy.attributes}
    wanted = {limit.name for limit in policy.metrics} | ({LIFT} if whole else set())
    tallies = [one for one in tallies_of(terms, weeks, pupils, _base_rates(terms)) if one.name in wanted]
    inference = policy.inference
    sums = sums_of(tallies, labels, len(pupils), replicates=inference.replicates, seed=inference.seed)
    positives = np.bincount(
        np.searchsorted(pupils, terms["pupil"].to_numpy(np.int64)),
        weights=terms["outcome"].to_numpy(np.float64),
        minlength=len(pupils),
    )
    cells = [_lift(sums[EVERYONE, LIFT], policy, positives)] if whole else []
    for limit in policy.metrics:
        cells.append(_overall(limit, sums[EVERYONE, limit.name], positives))
    for attribute in policy.attributes:
        label = labels[attribute.name]
        if whole:
            _check_against_fairlearn(attribute, label, terms, pupils, sums)
        for limit in policy.metrics:
            cells += _cells(attribute, limit, label, sums[attribute.name, limit.name], (policy, positives))
    return cells


def _pupils(terms: pd.DataFrame, weeks: pd.DataFrame) -> Ints:
    both = np.concatenate([terms["pupil"].to_numpy(np.int64), weeks["pupil"].to_numpy(np.int64)])
    return np.unique(both).astype(np.int64)


def _base_rates(terms: pd.DataFrame) -> dict[str, float]:
    return {str(phase): float(rate) for phase, rate in terms.groupby("phase")["outcome"].mean().items()}


def _check_against_fairlearn(
    attribute: Attribute, label: Labels, terms: pd.DataFrame, pupils: Ints, sums: Mapping[tuple[str, str], Sums]
) -> None:
    of_row = label.of_pupil[np.searchsorted(pupils, terms["pupil"].to_numpy(np.int64))]
    points = point_values(terms, pd.Series(np.array(label.names, dtype=object)[of_row]))
    own: dict[tuple[str, str], float] = {}
    for metric in METRICS:
        if metric.rows != "pupil_terms" or (attribute.name, metric.name) not in sums:
            continue
        for place, name in enumerate(label.names):
            share, _ = sums[attribute.name, metric.name].sides(place)
            if share is not None:
                own[name, metric.name] = share.value
    check_points(points, own)


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
    return _compared(cell, (share, None), "alone", False, (sums, 0, policy))


def _cells(
    attribute: Attribute, limit: Limit, label: Labels, sums: Sums, context: tuple[Policy, np.ndarray[Any, Any]]
) -> list[Cell]:
    policy, positives = context
    metric = BY_NAME[limit.name]
    cells = []
    for place, group in enumerate(label.names):
        mine = label.of_pupil == place
        declared = group in attribute.groups
        if not declared and not mine.any():
            continue
        gate: Literal["full", "fail_only", "report"] = attribute.gate if declared and limit.gate else "report"
        low, high = limit.bounds
        cell = Cell(
            attribute=attribute.name,
            group=group,
            metric=limit.name,
            gate=gate,
            pupils=int(mine.sum()),
            n=0,
            positives=int(positives[mine].sum()),
            rest_positives=int(positives[~mine].sum()),
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
            cells.append(_compared(cell, (share, rest), metric.scale, limit.harm == "shortfall", (sums, place, policy)))
    return cells


def _compared(
    cell: Cell,
    sides: tuple[Share, Share | None],
    scale: Scale,
    shortfall: bool,
    context: tuple[Sums, int, Policy],
) -> Cell:
    """Return the cell with its harm, the wider of its two intervals, and its p-value."""
    share, rest = sides
    sums, place, policy = context
    alpha = policy.inference.alpha
    value = harm(share, rest, scale, shortfall)
    lower, upper = newcombe(share, rest, scale, shortfall, NormalDist().inv_cdf(1 - alpha))
    bounds = (cell.limit_low, cell.limit_high)
    p_outside = chance_beyond(share, rest, scale, shortfall, bounds)
    schools = sums.schools_of(place)
    spread, why = _school_spread(sums, place, scale, policy)
    if spread is not None:
        low, high = spread.limits(value, alpha, log=scale != "difference")
        lower, upper = min(lower, low), max(upper, high)
        p_outside = max(p_outside, spread.chance_outside(value, bounds, log=scale != "difference"))
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
        schools=schools,
        why=why,
    )


def _school_spread(sums: Sums, place: int, scale: Scale, policy: Policy) -> tuple[SchoolSpread | None, str]:
    inference = policy.inference
    schools = sums.schools_of(place)
    if schools < 2:
        return (
            None,
            "all pupils of this group who count here are in one school, so chance and school cannot be told apart",
        )
    rng = np.random.default_rng([inference.seed, 7])
    error, undefined = spread_over_schools(sums.schools(place), inference.replicates, rng, scale=scale)
    if undefined > MOST_UNDEFINED:
        return None, "this group's pupils are in too few schools to tell chance and school apart"
    return SchoolSpread(standard_error=error, schools=schools, few=schools < inference.few_clusters), ""


def _rows(comparison: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the comparison as plain rows: NaN becomes None, since not measured is not nought."""
    plain = comparison.astype("object").where(comparison.notna(), None)
    return [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        for row in plain.to_dict("records")
    ]
