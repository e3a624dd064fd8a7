"""What leaving a feature out would change: recall for all, and each group's shortfall, on the same held-out terms.

Every figure compares two models on the same pupils, so its interval is that of the difference, linearised over
pupils: much narrower than that of either.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from fairness.evaluation import labels_of
from fairness.exhibits import LeftOut, ShortfallChange
from fairness.policy import Policy
from fairness.resampling import Floats, Ints
from fairness.sums import Labels
from features.catalogue import CATALOGUE
from training.again import Bench, Told, terms_without

Bools = npt.NDArray[np.bool_]
Which = Literal["risk", "all"]
# What a suggestion may cost in recall, and must narrow a gap by at least.
MOST_COST, LEAST_NARROWED = 0.005, 0.01


def leave_out(
    bench: Bench, groups: pd.DataFrame, policy: Policy, which: Which, told: Told | None = None
) -> tuple[LeftOut, ...]:
    """Return what each feature (`risk`: with a declared risk; `all`) and each family of features is worth, and to whom.

    One fit each: those that narrow the worst gap the most come first.
    """
    asked = list(_asked(bench.inputs, which))
    with_all = terms_without(bench, ())
    found = []
    for done, (name, features, risk) in enumerate(asked):
        if told is not None:
            told(done, len(asked))
        found.append(compared(with_all, terms_without(bench, features), groups, policy, (name, features, risk)))
    return tuple(sorted(found, key=lambda one: (one.worst_without - one.worst_with_all, one.name)))


def _asked(inputs: Sequence[str], which: Which) -> list[tuple[str, tuple[str, ...], str]]:
    """Return name, features and declared risk of whatever is left out at one time."""
    used = [feature for feature in CATALOGUE if feature.name in set(inputs)]
    singly = [
        (feature.name, (feature.name,), feature.proxy_risk.of if feature.proxy_risk is not None else "")
        for feature in used
        if which == "all" or feature.proxy_risk is not None
    ]
    families: dict[str, list[str]] = {}
    for feature in used:
        families.setdefault(feature.group, []).append(feature.name)
    # A model without any input is no model.
    return singly + [(name, tuple(held), "") for name, held in families.items() if len(held) < len(used)]


def compared(
    with_all: pd.DataFrame,
    without: pd.DataFrame,
    groups: pd.DataFrame,
    policy: Policy,
    what: tuple[str, tuple[str, ...], str],
) -> LeftOut:
    """Return one exhibit from two models' pupil-terms of the same pupils and terms."""
    name, features, risk = what
    pairs = with_all.merge(without[["pupil", "term", "flagged"]], on=["pupil", "term"], suffixes=("", "_without"))
    pairs = pairs[pairs["outcome"] == 1]
    pupils, place = np.unique(pairs["pupil"].to_numpy(np.int64), return_inverse=True)
    both = pairs["flagged"].to_numpy(np.float64), pairs["flagged_without"].to_numpy(np.float64)
    z = NormalDist().inv_cdf(1 - policy.inference.alpha)
    everyone = np.ones(len(pairs), bool)
    change, spread = _change(both, everyone, place)
    shortfalls = tuple(_shortfalls(both, pupils, place, groups, policy, z))
    worst = [max([0.0, *(getattr(one, side) for one in shortfalls)]) for side in ("with_all", "without")]
    return LeftOut(
        name=name,
        features=features,
        risk=risk,
        recall=float(both[1].mean()) if len(pairs) else 0.0,
        recall_change=change,
        lower=change - z * spread,
        upper=change + z * spread,
        shortfalls=shortfalls,
        worst_with_all=worst[0],
        worst_without=worst[1],
        suggested=change > -MOST_COST and any(_narrowed(one) > LEAST_NARROWED for one in shortfalls),
    )


def _narrowed(one: ShortfallChange) -> float:
    """Return by how much a gap narrows, from either side: a gap turned round is none narrowed."""
    return abs(one.with_all) - abs(one.without)


def _change(both: tuple[Floats, Floats], mine: Bools, place: Ints) -> tuple[float, float]:
    """Return the change of recall of some rows, and its standard error over pupils."""
    number = int(mine.sum())
    if not number:
        return 0.0, 0.0
    each = (both[1] - both[0])[mine]
    change = float(each.mean())
    moved = np.bincount(place[mine], weights=each - change)
    return change, math.sqrt(float((moved**2).sum())) / number


def _shortfalls(
    both: tuple[Floats, Floats], pupils: Ints, place: Ints, groups: pd.DataFrame, policy: Policy, z: float
) -> list[ShortfallChange]:
    least = policy.inference.min_positives
    found = []
    for attribute in policy.attributes:
        if attribute.gate != "full":
            continue
        label: Labels = labels_of(attribute, groups, pupils)
        for at, group in enumerate(label.names):
            mine = label.of_pupil[place] == at
            if group not in attribute.groups or min(int(mine.sum()), int((~mine).sum())) < least:
                continue
            gaps = [float(flags[~mine].mean() - flags[mine].mean()) for flags in both]
            # Groups hold pupils whole, so the two sides are independent.
            spread = math.hypot(_change(both, mine, place)[1], _change(both, ~mine, place)[1])
            found.append(
                ShortfallChange(
                    attribute=attribute.name,
                    group=group,
                    positives=int(mine.sum()),
                    with_all=gaps[0],
                    without=gaps[1],
                    change=gaps[1] - gaps[0],
                    lower=gaps[1] - gaps[0] - z * spread,
                    upper=gaps[1] - gaps[0] + z * spread,
                )
            )
    return found
