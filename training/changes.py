"""What changed since a pupil was last at ease: contributions then and now, by feature group, in sentences.

The difference of two exact explanations adds up to the difference of the two scores, so a group's share of it
is the group's share of the rise. Patterns, not causes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.feature import Feature
from training.reasons import MOST, WORTH_SAYING, harder

Array = npt.NDArray[np.float64]
MOST_UP = 4
MOST_DOWN = 2
# Another half-term is no harder and no easier: it can speak for a rise and for a fall.
BOTH = 2.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """One sentence with then and now, from one feature group, and which way that moved the figure.

    `share` is 'most' when the group makes at least half of its side; `changeable` as for a reason.
    """

    group: str
    sentence: str
    way: Literal["up", "down"]
    share: Literal["most", "some"]
    changeable: bool


@dataclass(frozen=True)
class Moment:
    """A pupil's row at one as-of date: values and contributions in the features' order."""

    values: Array
    contributions: Array


def changes_of_row(now: Moment, then: Moment, on: date, features: Sequence[Feature]) -> tuple[Change, ...]:
    """Return what moved the figure since `on`: up first, and of each side what people can change first."""
    moved = now.contributions - then.contributions
    return (*_side(now, then, moved, on, features, "up"), *_side(now, then, moved, on, features, "down"))


def _side(
    now: Moment, then: Moment, moved: Array, on: date, features: Sequence[Feature], way: Literal["up", "down"]
) -> list[Change]:
    sign, most = (1.0, MOST_UP) if way == "up" else (-1.0, MOST_DOWN)
    groups: dict[str, float] = {}
    for feature, part in zip(features, moved, strict=True):
        groups[feature.group] = groups.get(feature.group, 0.0) + sign * float(part)
    weights = {group: weight for group, weight in groups.items() if weight > 0}
    total, found = sum(weights.values()), []
    for group, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        spoken = _speaker(group, sign, now, then, sign * moved, features)
        if weight < WORTH_SAYING * total or spoken is None:
            continue
        feature = features[spoken]
        found.append(
            Change(
                group=group,
                sentence=then_and_now(feature, float(now.values[spoken]), float(then.values[spoken]), on),
                way=way,
                share="most" if weight >= MOST * total else "some",
                changeable=feature.changeable,
            )
        )
    return sorted(found[:most], key=lambda change: not change.changeable)


def _speaker(
    group: str, sign: float, now: Moment, then: Moment, weight: Array, features: Sequence[Feature]
) -> int | None:
    """Return the feature that speaks for its group: a count or a share before others, then the weightiest.

    Only features whose words changed, the way that the figure moved: 'incidents: 1, before 3' is no reason for a rise.
    """
    able = [
        at
        for at, feature in enumerate(features)
        if feature.group == group
        and weight[at] > 0
        and _moved(feature, now.values[at], then.values[at]) in (sign, BOTH)
    ]
    if not able:
        return None
    return max(able, key=lambda at: (features[at].kind in _TOLD, float(weight[at])))


def _moved(feature: Feature, now: float, then: float) -> float:
    """Return 1.0 where the feature became harder, -1.0 where easier, `BOTH` where neither, 0.0 if said as before."""
    if not (np.isfinite(now) and np.isfinite(then)) or _said(feature, now) == _said(feature, then):
        return 0.0
    return float(np.sign(now - then)) * harder(feature) or BOTH


_TOLD = {"count": "{:.0f}", "rate": "{:.0%}"}


def _said(feature: Feature, value: float) -> str:
    """Return a value in words: its number alone where a sentence can name the measure and the window once for both."""
    form = _TOLD.get(feature.kind) if feature.window_weeks and feature.measure is not None else None
    return form.format(value) if form else feature.sentence(value)


def then_and_now(feature: Feature, now: float, then: float, on: date) -> str:
    """Return both values in one sentence: 'Removals from lessons: 3 in the last 4 school weeks, 0 in the 4 before ...'.

    Other forms than counts and shares over school weeks say both of their own sentences.
    """
    day, said, before = f"{on.day} {on:%B}", _said(feature, float(now)), _said(feature, float(then))
    weeks = feature.window_weeks
    if feature.kind not in _TOLD or not weeks or feature.measure is None:
        return f"{said}. Before {day}: {before[:1].lower()}{before[1:]}"
    means = feature.measure.means
    last, those = ("school week", "week") if weeks == 1 else (f"{weeks} school weeks", str(weeks))
    return f"{means[:1].upper()}{means[1:]}: {said} in the last {last}, {before} in the {those} before {day}"
