"""Transparent rules: conditions that anybody can read, declared as data, with exact parts of the score.

A rule speaks when at least one of its conditions is met; how far past their limits they are decides the
order of the list. It is a candidate like any other: calibrated, audited, signed and deployed as a bundle,
so that a network too young for a model starts with the rule it can read, labelled as such.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import factorial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from training.calibration import logit

Array = npt.NDArray[np.float64]
# The score's two ranges, as if they were probabilities: a rule that does not speak, and where speaking begins.
SILENT, SPEAKS, ROOM = 0.25, 0.5, 0.49


class RuleRefused(ValueError):
    """The text is not one of the rules declared here, or a feature that it reads is missing."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Met when the feature is past `beyond`: above it, or below it where `unit` is negative; unknown is not met.

    `unit` is the distance past the limit that counts as one, in the feature's own unit.
    """

    feature: str
    beyond: float
    unit: float


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule in words and as conditions.

    `by`: the list is in order of the furthest condition, or of all distances added up. `half`: the
    distance at which half of the score's room is used.
    """

    name: str
    means: str
    conditions: tuple[Condition, ...]
    by: Literal["furthest", "sum"]
    half: float

    def text(self) -> str:
        """Return the rule as JSON: the bytes that a bundle holds."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="rule_of_thumb",
            means="attendance under 90% over 12 school weeks, illness aside, or three incidents in four school weeks",
            conditions=(
                Condition(feature="missed_rate_12w", beyond=0.10, unit=0.90),
                Condition(feature="incidents_4w", beyond=2.0, unit=30.0),
            ),
            by="furthest",
            half=0.2,
        ),
        Rule(
            name="prior_suspensions",
            means="any suspension in the last three school years; more and more recent ones first",
            conditions=(
                Condition(feature="suspensions_117w", beyond=0.0, unit=4.0),
                Condition(feature="suspensions_39w", beyond=0.0, unit=1.0),
                # Five schoolyears' days would be one: recency orders those with as many suspensions.
                Condition(feature="days_since_suspension_39w", beyond=195.0, unit=-980.0),
            ),
            by="sum",
            half=2.0,
        ),
    )
}


class RuleScore:
    """A rule over a matrix with these feature names."""

    def __init__(self, rule: Rule, names: Sequence[str]) -> None:
        missing = [one.feature for one in rule.conditions if one.feature not in names]
        if missing:
            raise RuleRefused(f"{rule.name} reads {', '.join(missing)}, which the catalogue lacks; train again")
        self.rule, self.features = rule, len(names)
        self._at = [list(names).index(one.feature) for one in rule.conditions]

    def raw(self, values: Array) -> Array:
        """Return each row's score in log-odds: under 0 where no condition is met, above 0 where one is."""
        return self._raw(self._distances(values))

    def contributions(self, values: Array) -> Array:
        """Return each feature's exact share of the score (Shapley over the conditions), the last column the usual.

        The usual score is that of a rule that does not speak; conditions that are not met have no share.
        Shape ``(len(values), features + 1)``; a row adds up to its score.
        """
        far, many = self._distances(values), len(self._at)
        parts = np.zeros((len(values), self.features + 1))
        parts[:, -1] = float(logit(np.array([SILENT]))[0])
        for one in range(many):
            others = [at for at in range(many) if at != one]
            for size in range(many):
                weight = factorial(size) * factorial(many - size - 1) / factorial(many)
                for met in combinations(others, size):
                    parts[:, self._at[one]] += weight * (self._of(far, (*met, one)) - self._of(far, met))
        return parts

    def _distances(self, values: Array) -> Array:
        """Return how far each row is past each condition's limit, in the condition's unit; 0 where it is not met."""
        steps = [
            (values[:, at] - one.beyond) / one.unit for at, one in zip(self._at, self.rule.conditions, strict=True)
        ]
        return np.maximum(np.nan_to_num(np.stack(steps, axis=1), nan=0.0), 0.0)

    def _of(self, far: Array, met: tuple[int, ...]) -> Array:
        only = np.zeros_like(far)
        only[:, list(met)] = far[:, list(met)]
        return self._raw(only)

    def _raw(self, far: Array) -> Array:
        whole = far.max(axis=1, initial=0.0) if self.rule.by == "furthest" else far.sum(axis=1)
        return logit(np.where(whole > 0, SPEAKS + ROOM * whole / (whole + self.rule.half), SILENT))


def declared_rule(text: str) -> Rule:
    """Return the rule that this text declares.

    Raises
    ------
    RuleRefused
        It is not, to the last number, a rule declared here: a rule's name must never stand for another.
    """
    try:
        said: dict[str, Any] = json.loads(text)
        rule = RULES[said["name"]]
    except (ValueError, KeyError, TypeError) as error:
        raise RuleRefused(f"no transparent rule of Belong's; there are {', '.join(RULES)}") from error
    if rule.text() != text:
        raise RuleRefused(f"{rule.name!r} says something else here than in training/rules.py; train again")
    return rule
