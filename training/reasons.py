"""Reasons in words: what the pupil's own record added to, and took from, the score.

Contributions are exact TreeSHAP values in log-odds (LightGBM's own `pred_contrib`, the same numbers as
shap's TreeExplainer). They are added up by feature group, because features of one group move together
and a list of ten attendance windows explains nothing. Patterns, not causes. No protected characteristic
can appear: the catalogue refuses to declare one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.catalogue import CATALOGUE
from features.feature import Feature
from features.matrix import Matrix
from training.scorer import Scorer

Array = npt.NDArray[np.float64]
MOST_FOR = 4
MOST_AGAINST = 3
# Of its side's total: below the first a group is not worth a sentence, from the second it is 'most'.
WORTH_SAYING = 0.05
MOST = 0.5
STRENGTHS = "Positives and strengths"
# Long gaps are good and short ones are not, with one sentence for both; 'on the same day of the week' is neither.
_NEITHER = frozenset({"context", "gap", "top_share"})


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One sentence for or against, from one feature group.

    `share` is 'most' when the group makes at least half of its side; `changeable`: what a pupil and a
    school do next can change it.
    """

    group: str
    sentence: str
    side: Literal["for", "against"]
    share: Literal["most", "some"]
    changeable: bool


def reasons(scorer: Scorer, matrix: Matrix, features: Sequence[Feature] = CATALOGUE) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons of each row, those for first."""
    return reasons_of(matrix.values, scorer.contributions(matrix), features)


def reasons_of(
    values: Array, contributions: Array, features: Sequence[Feature] = CATALOGUE
) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons of each row of values, by the scorer's contributions to it."""
    return tuple(reasons_of_row(row, parts[:-1], features) for row, parts in zip(values, contributions, strict=True))


def reasons_of_row(values: Array, contributions: Array, features: Sequence[Feature]) -> tuple[Reason, ...]:
    """Return the reasons that one row's values and contributions, in the features' order, give.

    Of each side the weightiest are taken; of these, what people can change comes first.
    """
    given, parts = values.tolist(), contributions.tolist()
    groups: dict[str, float] = {}
    members: dict[str, list[int]] = {}
    for at, (feature, part) in enumerate(zip(features, parts, strict=True)):
        groups[feature.group] = groups.get(feature.group, 0.0) + part
        members.setdefault(feature.group, []).append(at)
    row = _Row(given, parts, members, features)
    ups = _side(groups, row, "for")[:MOST_FOR]
    downs = _side(groups, row, "against")[:MOST_AGAINST]
    return tuple(sorted(ups, key=_fixed) + sorted(downs, key=_fixed))


def _fixed(reason: Reason) -> bool:
    return not reason.changeable


@dataclass(frozen=True)
class _Row:
    """A row's values and contributions, and the features of each group by number."""

    values: list[float]
    contributions: list[float]
    members: dict[str, list[int]]
    features: Sequence[Feature]


def _side(groups: dict[str, float], row: _Row, side: Literal["for", "against"]) -> list[Reason]:
    sign = 1.0 if side == "for" else -1.0
    weights = {group: sign * weight for group, weight in groups.items() if sign * weight > 0}
    total = sum(weights.values())
    found = []
    for group, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        if weight < WORTH_SAYING * total:
            continue
        spoken = _speaker(group, sign, row)
        if spoken is None:
            continue
        found.append(
            Reason(
                group=group,
                sentence=row.features[spoken].sentence(row.values[spoken]),
                side=side,
                share="most" if weight >= MOST * total else "some",
                changeable=row.features[spoken].changeable,
            )
        )
    return found


def _speaker(group: str, sign: float, row: _Row) -> int | None:
    """Return the feature that speaks for its group: the weightiest whose sentence reads the way it weighs.

    A known value comes before an unknown one. None: every sentence of the group would read backwards
    ('missed 11 % of sessions' as a reason against, because others missed more), which misleads.
    """
    values, parts = row.values, row.contributions
    able = [
        at for at in row.members[group] if sign * parts[at] > 0 and _reads(row.features[at], values[at]) in (sign, 0.0)
    ]
    if not able:
        return None
    return max(able, key=lambda at: (isfinite(values[at]), sign * parts[at]))


def _reads(feature: Feature, value: float) -> float:
    """Return 1.0 when the sentence reads as a difficulty, -1.0 as a strength, 0.0 as neither."""
    if feature.kind in _NEITHER or not isfinite(value):
        return 0.0
    there = value < feature.low if feature.kind == "since" else value > feature.low
    if feature.kind == "gap_change":
        there = not there  # a longer time since the incident before is good news
    return 1.0 if there != (feature.group == STRENGTHS) else -1.0


def harder(feature: Feature) -> int:
    """Return 1 where more of the feature reads as a difficulty, -1 where it reads as a strength, 0 as neither."""
    if feature.kind in ("context", "top_share"):
        return 0
    # Days since an achievement are a difficulty: a strength the other way round.
    calm = (feature.kind in ("since", "gap", "gap_change")) != (feature.group == STRENGTHS)
    return feature.monotone or (-1 if calm else 1)
