"""Whether the pupils who were evaluated are those on roll: a group cannot be left out of an audit unseen.

An evaluation lies in the candidate's folder, where whoever trained can reach it. What the records say of who was on
roll, and who was suspended, does not. A group of whom clearly fewer were evaluated than of all others is not settled.
"""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from fairness.evaluation import Evaluation, labels_of
from fairness.exhibits import Coverage
from fairness.intervals import Share, newcombe
from fairness.policy import Policy
from fairness.resampling import Ints

# Of a group's pupils at least nine in ten as many must be evaluated as of the others': fewer is another population.
LEAST_SHARE = 0.9
_SURE = NormalDist().inv_cdf(0.999)


def coverage(
    evaluation: Evaluation, on_roll: Ints, suspended: Ints, groups: pd.DataFrame, policy: Policy
) -> tuple[Coverage, ...]:
    """Return a row for each declared group.

    Parameters
    ----------
    on_roll, suspended
        Distinct pupils, as `Coverage` says. Of pupils on roll without any census nothing is known: they are nobody's.
    """
    evaluated = np.unique(evaluation.pupil_terms["pupil"].to_numpy(np.int64))
    pupils = np.unique(on_roll)
    inside, removed = np.isin(pupils, evaluated), np.isin(pupils, suspended)
    found = []
    for attribute in policy.attributes:
        label = labels_of(attribute, groups, pupils)
        for place, group in enumerate(label.names):
            if group not in attribute.groups:
                continue
            mine = label.of_pupil == place
            found.append(
                Coverage(
                    attribute=attribute.name,
                    group=group,
                    on_roll=int(mine.sum()),
                    evaluated=int((mine & inside).sum()),
                    suspended=int((mine & removed).sum()),
                    suspended_evaluated=int((mine & removed & inside).sum()),
                )
            )
    return tuple(found)


def left_out(rows: tuple[Coverage, ...]) -> Mapping[tuple[str, str], str]:
    """Return (attribute, group) → why nothing can be concluded of it: too few of its pupils were evaluated."""
    found = {}
    for row in rows:
        family = [one for one in rows if one.attribute == row.attribute]
        for all_of, some_of, whose in (
            ("on_roll", "evaluated", "pupils on roll"),
            ("suspended", "suspended_evaluated", "pupils suspended in the period"),
        ):
            own = getattr(row, some_of), getattr(row, all_of)
            sums = (sum(getattr(one, name) for one in family) for name in (some_of, all_of))
            rest = tuple(total - mine for total, mine in zip(sums, own, strict=True))
            if _clearly_less(own, (rest[0], rest[1])):
                found[row.attribute, row.group] = (
                    f"of this group's {whose} clearly fewer were evaluated than of all others', so it is not the group "
                    "that was audited: find out where they are, or train again"
                )
    return found


def _clearly_less(own: tuple[int, int], rest: tuple[int, int]) -> bool:
    """Whether the group's share is under nine tenths of the others', beyond what chance makes of it once in 1,000."""
    if 0 in (own[1], rest[1]) or rest[0] == 0:
        return False
    if own[0] / own[1] >= LEAST_SHARE * rest[0] / rest[1]:
        return False
    _, highest = newcombe(_share(own), _share(rest), "ratio", True, _SURE)
    return highest < 1


def _share(counts: tuple[int, int]) -> Share:
    some, every = counts
    proportion = some / every
    return Share(hits=some, base=every, rows=every, variance=proportion * (1 - proportion) / every, crowding=1.0)
