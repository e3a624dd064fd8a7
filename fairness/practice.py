"""Sanctions for each incident of the same recorded severity, by group: what error rates cannot see.

A model that learns from unjust sanctions can be right about them for every group alike. So the audit
also asks, of behaviour that schools themselves graded the same, whose incidents ended in a removal.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from fairness.evaluation import labels_of
from fairness.findings import PracticeRow
from fairness.policy import Policy
from fairness.sums import Tally, sums_of

# Outcomes that take a pupil out of school, and those that take one out of lessons or out of school
# (reference/code_sets.csv, incident outcomes).
SUSPENSIONS = frozenset(
    {"Fixed Period Exclusion", "Excluded from School", "Permanent Exclusion", "Suspended from School"}
)
SANCTIONS = SUSPENSIONS | {"Internal Exclusion", "Isolation"}
# The pupil's part: only those the school recorded as having done something.
_BYSTANDERS = frozenset({"Target", "Witness"})


def practice(behaviour: pd.DataFrame, groups: pd.DataFrame, policy: Policy) -> tuple[PracticeRow, ...]:
    """Return, for each group, the sanctions that followed its incidents and those to be expected.

    Parameters
    ----------
    behaviour
        Known behaviour rows of the audit period: pupil, school, severity, role, outcome.
    groups
        `fairness.groups.groups`.

    Returns
    -------
    One row for each declared group with an incident. `expected`: sanctions if each of its incidents had
    ended as incidents of that severity end in the whole network. `ratio`: sanctions over expected, with
    90 % limits (Wilson on the n that is effective when whole pupils are drawn). It is not a verdict.
    """
    rows = taking_part(behaviour)
    if rows.empty:
        return ()
    sanctioned = np.asarray(rows["outcome"].astype("str").isin(SANCTIONS), dtype=np.float64)
    severity = rows["severity"].astype("int64").to_numpy()
    expected = pd.Series(sanctioned).groupby(severity).transform("mean").to_numpy(np.float64)
    ids = rows["pupil"].to_numpy(np.int64)
    pupils = np.unique(ids)
    place = np.searchsorted(pupils, ids).astype(np.int64)
    school = np.unique(rows["school"].to_numpy(np.int64), return_inverse=True)[1].astype(np.int64)
    tally = Tally(name="sanctions", pupil=place, school=school, hits=sanctioned, base=expected, rows=np.ones(len(rows)))
    judged = [attribute for attribute in policy.attributes if len(attribute.columns) == 1]
    labels = {attribute.name: labels_of(attribute, groups, pupils) for attribute in judged}
    inference = policy.inference
    sums = sums_of([tally], labels, len(pupils), replicates=inference.replicates, seed=inference.seed)
    z = NormalDist().inv_cdf(1 - inference.alpha)
    found: list[PracticeRow] = []
    for attribute in judged:
        for at, group in enumerate(labels[attribute.name].names):
            share, _ = sums[attribute.name, "sanctions"].sides(at)
            if share is None or group not in attribute.groups:
                continue
            possible = share.base > 0
            lower, upper = share.limits(z) if possible else (None, None)
            found.append(
                PracticeRow(
                    attribute=attribute.name,
                    group=group,
                    incidents=round(share.rows),
                    sanctions=round(share.hits),
                    expected=share.base,
                    ratio=share.value if possible else None,
                    lower=lower,
                    upper=upper,
                )
            )
    return tuple(found)


def taking_part(behaviour: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of pupils whom the school recorded as having done something, not seen or suffered it."""
    return behaviour[~behaviour["role"].astype("str").isin(_BYSTANDERS)]


def by_group(rows: Sequence[PracticeRow], attribute: str) -> dict[str, PracticeRow]:
    """Return one attribute's rows by group."""
    return {row.group: row for row in rows if row.attribute == attribute}
