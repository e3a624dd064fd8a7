"""The audit of held-out flags: every declared group beside the rest of the pupils, with intervals that hold."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fairness.comparisons import comparisons
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
from fairness.metrics import METRICS
from fairness.points import check_points, point_values
from fairness.policy import Attribute, Policy
from fairness.resampling import Ints
from fairness.sums import Labels, Sums, sums_of

__all__ = ["Audit", "AuditRefused", "Cell", "audit", "read_audit", "write_audit"]
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
    if whole:
        for attribute in policy.attributes:
            _check_against_fairlearn(attribute, labels[attribute.name], terms, pupils, sums)
    return comparisons(sums, labels, policy, positives)


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


def _rows(comparison: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the comparison as plain rows: NaN becomes None, since not measured is not nought."""
    plain = comparison.astype("object").where(comparison.notna(), None)
    return [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        for row in plain.to_dict("records")
    ]
