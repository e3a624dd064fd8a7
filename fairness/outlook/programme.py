"""A linear programme: are there any flags at all that hold a policy's limits by one attribute?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from fairness.policy import Attribute, Metric
from fairness.resampling import Floats

# Recall tried, of the most that the capacity allows: only limits that hold at none of them are refused.
_TRIED = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Groups:
    """An attribute's groups that are judged: shares of pupils (summing to 1) and base rates."""

    attribute: Attribute
    names: tuple[str, ...]
    shares: Floats
    rates: Floats


def possible(limits: Mapping[str, Metric], found: Groups, flagged: float) -> bool:
    """Return whether any flags for this share of pupils hold these limits, at whatever recall.

    Parameters
    ----------
    limits
        Metric → its limit; those on calibration bind no flags.
    """
    most = min(1.0, flagged / float((found.shares * found.rates).sum()))
    return any(_possible_at(limits, found, (share * most, flagged)) for share in _TRIED)


def _possible_at(limits: Mapping[str, Metric], found: Groups, at: tuple[float, float]) -> bool:
    """Return whether any flags hold these limits; unknowns are each group's right and wrong flags, a share of pupils.

    A linear programme. The limits on precision and on false omission are products of unknowns; in their place stand
    conditions that follow from them (a group below all is further below the rest), so what is said to be
    impossible is.
    """
    recall, flagged = at
    positives = found.shares * found.rates
    right, whole = recall * positives.sum(), positives.sum()
    size = len(found.names)
    rows: list[Floats] = []
    tops: list[float] = []
    for place in range(size):
        for row, top in _conditions(limits, found, place, (right, flagged, whole)):
            rows.append(row)
            tops.append(top)
    equal = np.zeros((2, 2 * size))
    equal[0, :size] = 1
    equal[1, size:] = 1
    bounds = [(0.0, float(p)) for p in positives] + [(0.0, float(n)) for n in found.shares * (1 - found.rates)]
    solved = linprog(
        np.zeros(2 * size),
        A_ub=np.array(rows) if rows else None,
        b_ub=np.array(tops) if rows else None,
        A_eq=equal,
        b_eq=np.array([right, flagged - right]),
        bounds=bounds,
        method="highs",
    )
    return bool(solved.status == 0)


def _conditions(
    limits: Mapping[str, Metric], found: Groups, place: int, whole: tuple[float, float, float]
) -> list[tuple[Floats, float]]:
    """Return (row, top): row @ unknowns <= top, for one group against the rest."""
    size = len(found.names)
    right, flagged, suspended = whole
    positives, negatives = found.shares * found.rates, found.shares * (1 - found.rates)
    kept: list[tuple[Floats, float]] = []

    def against_rest(part: slice, base: Floats, group: float, rest: float, top: float) -> None:
        """Add group x (group's share of base) - rest x (everyone else's) <= top."""
        row = np.zeros(2 * size)
        row[part] = -rest / max(base.sum() - base[place], 1e-12)
        row[part.start + place] = group / base[place]
        kept.append((row, top))

    recall, alarms = limits.get("recall"), limits.get("false_alarms")
    if recall is not None and recall.margin is not None:
        against_rest(slice(0, size), positives, -1.0, -1.0, recall.margin)
    if alarms is not None and alarms.limit is not None:
        against_rest(slice(size, 2 * size), positives, 1.0, alarms.limit, 0.0)
    for name, base, part in (("fpr_ratio", negatives, slice(size, 2 * size)),):
        limit = limits.get(name)
        if limit is not None and limit.limit is not None:
            against_rest(part, base, 1.0, limit.limit, 0.0)
    selection, worth, omission = (limits.get(name) for name in ("selection_ratio", "precision_ratio", "false_omission"))
    if selection is not None and selection.limit is not None:
        row = np.tile(np.full(size, -selection.limit / max(1 - found.shares[place], 1e-12)), 2)
        row[[place, size + place]] = 1 / found.shares[place]
        kept.append((row, 0.0))
    if worth is not None and worth.limit is not None:
        row = np.zeros(2 * size)
        least = worth.limit * right / flagged
        row[place], row[size + place] = least - 1, least
        kept.append((row, 0.0))
    if omission is not None and omission.margin is not None:
        most = (suspended - right) / (1 - flagged) + omission.margin
        row = np.zeros(2 * size)
        row[place], row[size + place] = most - 1, most
        kept.append((row, most * found.shares[place] - positives[place]))
    return kept
