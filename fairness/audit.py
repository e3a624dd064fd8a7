"""The audit of held-out flags: every declared group beside the rest of the pupils, with intervals that hold."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from fairness.comparisons import cells_of
from fairness.evaluation import (
    AuditRefused,
    Evaluation,
    check_evaluation,
    evaluation_digest,
    labels_of,
    tallies_of,
)
from fairness.findings import EVERYONE, Audit, Cell, PracticeRow, read_audit, write_audit
from fairness.gate import judge
from fairness.metrics import METRICS
from fairness.points import check_points, point_values
from fairness.policy import Attribute, Policy
from fairness.resampling import Ints
from fairness.sums import Labels, Sums, sums_of

__all__ = ["Audit", "AuditRefused", "Cell", "audit", "read_audit", "write_audit"]


def audit(
    evaluation: Evaluation,
    groups: pd.DataFrame,
    policy: Policy,
    *,
    bundle_digest: str,
    comparison: pd.DataFrame,
    created_on: date,
    practice: Sequence[PracticeRow] = (),
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

    Raises
    ------
    AuditRefused
        A missing column, a value out of range, a group or a metric that the policy does not know.
    fairness.points.AuditError
        Fairlearn's point values and ours differ.
    """
    terms, weeks = evaluation.pupil_terms, evaluation.snapshots
    check_evaluation(terms, weeks, policy)
    pupils = np.unique(np.concatenate([terms["pupil"].to_numpy(np.int64), weeks["pupil"].to_numpy(np.int64)]))
    labels = {EVERYONE: Labels((EVERYONE,), np.zeros(len(pupils), np.int64))}
    labels |= {attribute.name: labels_of(attribute, groups, pupils) for attribute in policy.attributes}
    base_rates = {str(phase): float(rate) for phase, rate in terms.groupby("phase")["outcome"].mean().items()}
    tallies = tallies_of(terms, weeks, pupils, base_rates)
    inference = policy.inference
    sums = sums_of(tallies, labels, len(pupils), replicates=inference.replicates, seed=inference.seed)
    positives = np.bincount(
        np.searchsorted(pupils, terms["pupil"].to_numpy(np.int64)),
        weights=terms["outcome"].to_numpy(np.float64),
        minlength=len(pupils),
    )
    for attribute in policy.attributes:
        _check_against_fairlearn(attribute, labels[attribute.name], terms, pupils, sums)
    return Audit(
        bundle_digest=bundle_digest,
        policy_digest=policy.digest,
        period=(weeks["as_of"].min().date(), weeks["as_of"].max().date()),
        created_on=created_on,
        terms=tuple(sorted(map(str, terms["term"].unique()))),
        pupils=len(pupils),
        pupil_terms=len(terms),
        schools=int(terms["school"].nunique()),
        cells=judge(cells_of(sums, labels, policy, positives), policy),
        comparison=tuple(_rows(comparison)),
        practice=tuple(practice),
        base_rates=base_rates,
        evaluation_digest=evaluation_digest(terms, weeks),
        made_with={name: importlib.metadata.version(name) for name in ("numpy", "fairlearn", "scipy", "pandas")}
        | {"seed": str(inference.seed), "replicates": str(inference.replicates)},
    )


def _check_against_fairlearn(
    attribute: Attribute, label: Labels, terms: pd.DataFrame, pupils: Ints, sums: Mapping[tuple[str, str], Sums]
) -> None:
    of_row = label.of_pupil[np.searchsorted(pupils, terms["pupil"].to_numpy(np.int64))]
    points = point_values(terms, pd.Series(np.array(label.names, dtype=object)[of_row]))
    own: dict[tuple[str, str], float] = {}
    for metric in METRICS:
        if metric.rows != "pupil_terms":
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
