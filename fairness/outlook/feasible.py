"""Whether a policy's limits can hold together, can be kept and can be broken, before anything is trained.

The identity FPR = p/(1-p) x (1-PPV)/PPV x TPR (Chouldechova 2017; Kleinberg, Mullainathan and Raghavan 2016): where
base rates p differ, groups with equal recall (TPR) and equal worth of a flag (PPV) have unequal false-positive
rates. A policy that limits all three may ask for what no flags can do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairness.outlook.networks import capacity
from fairness.outlook.programme import Groups, possible
from fairness.outlook.rates import Rates
from fairness.policy import Attribute, Metric, Policy
from fairness.words import attribute_words, group_words
from records.refusal import Refusal

USUAL_ROLL = 860
# What a group-blind model of a simulated network of 12,000 pupils did on terms held out (docs/decisions.md, 49).
RECALL, PRECISION = 0.25, 0.20


class LimitsRefused(Refusal):
    """The policy's limits cannot hold together, or cannot be broken, or cannot be kept."""


@dataclass(frozen=True, kw_only=True)
class Implied:
    """What the identity implies for one group at common recall and precision.

    `base_rate` of a pupil-term; `fpr` the false-positive rate; `ratio` to that of all other pupils.
    """

    attribute: str
    group: str
    share: float
    base_rate: float
    fpr: float
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Feasibility:
    """`problems`: sentences for which the policy is refused; `implied`: a row for each group judged."""

    problems: tuple[str, ...]
    implied: tuple[Implied, ...]
    flagged: float
    recall: float
    precision: float


def fpr_of(base_rate: float, precision: float, recall: float) -> float:
    """Return the false-positive rate that the identity implies, 0 to 1 (more than 1: it cannot be)."""
    return base_rate / (1 - base_rate) * (1 - precision) / precision * recall


def flagged_share(policy: Policy, roll: float = USUAL_ROLL) -> float:
    """Return the largest share of a school's pupils that can be flagged in a term."""
    return min(capacity(policy, roll) / roll, 1.0)


def feasibility(
    policy: Policy, rates: Rates, *, roll: float = USUAL_ROLL, recall: float = RECALL, precision: float = PRECISION
) -> Feasibility:
    """Return whether the policy's limits can hold, be kept and be broken at these base rates.

    Parameters
    ----------
    roll
        Pupils of a usual school: with the policy's capacity it gives the share that can be flagged.
    recall, precision
        At which the implied false-positive rates are worked out; they refuse nothing.
    """
    flagged = flagged_share(policy, roll)
    judged = [_groups(a, rates) for a in policy.attributes if a.gate != "report" and _known(a, rates)]
    groups = [found for found in judged if len(found.names) > 1]
    problems = [*_worth(policy, rates, flagged), *_never_broken(policy, groups, flagged)]
    problems += [sentence for found in groups if (sentence := _together(policy, found, flagged))]
    implied = tuple(row for found in groups for row in _implied(found, recall, precision))
    return Feasibility(problems=tuple(problems), implied=implied, flagged=flagged, recall=recall, precision=precision)


def check_limits(policy: Policy, rates: Rates, *, roll: float = USUAL_ROLL) -> None:
    """Refuse limits that cannot hold together, or that cannot be broken or kept.

    Raises
    ------
    LimitsRefused
        With every reason and what to change.
    """
    found = feasibility(policy, rates, roll=roll)
    if found.problems:
        raise LimitsRefused(
            f"policy {policy.id}: {' '.join(found.problems)} Base rates: {rates.source}. "
            "`belong gate check-policy` shows the figures"
        )


def _known(attribute: Attribute, rates: Rates) -> bool:
    return all(column in rates.ratios for column in attribute.columns)


def _groups(attribute: Attribute, rates: Rates) -> Groups:
    """Return the declared groups; those of several columns as if the columns were independent."""
    names, shares, ratios = [], [], []
    for name in attribute.groups:
        parts = name.split(", ") if len(attribute.columns) > 1 else [name]
        both = list(zip(attribute.columns, parts, strict=True))
        names.append(name)
        shares.append(float(np.prod([rates.shares[column].get(part, 0.0) for column, part in both])))
        ratios.append(float(np.prod([rates.ratios[column].get(part, 1.0) for column, part in both])))
    size = np.array(shares)
    there = size > 0
    share, ratio = size[there] / max(size.sum(), 1e-12), np.array(ratios)[there]
    rate = np.minimum(rates.base_rate * ratio / max((share * ratio).sum(), 1e-12), 0.9)
    kept = tuple(name for name, is_there in zip(names, there, strict=True) if is_there)
    return Groups(attribute, kept, share, rate)


def _implied(found: Groups, recall: float, precision: float) -> list[Implied]:
    fpr = np.array([fpr_of(float(rate), precision, recall) for rate in found.rates])
    negatives = found.shares * (1 - found.rates)
    rest = ((fpr * negatives).sum() - fpr * negatives) / np.maximum(negatives.sum() - negatives, 1e-12)
    return [
        Implied(
            attribute=found.attribute.name,
            group=name,
            share=float(found.shares[place]),
            base_rate=float(found.rates[place]),
            fpr=float(fpr[place]),
            ratio=float(fpr[place] / rest[place]) if rest[place] > 0 else float("nan"),
        )
        for place, name in enumerate(found.names)
    ]


def _worth(policy: Policy, rates: Rates, flagged: float) -> list[str]:
    """Whether a flag can be worth what the policy asks for, and a rule be beaten, at this capacity."""
    rule, base = policy.usefulness, rates.base_rate
    most = min(1.0, base / flagged) / base
    problems = []
    if rule.precision_floor_times_base_rate >= most:
        problems.append(
            f"usefulness.precision_floor_times_base_rate is {rule.precision_floor_times_base_rate:g}, and flags for "
            f"{flagged:.1%} of pupils a term cannot be worth more than {most:.1f} times the base rate of {base:.1%}, "
            f"were every one of those suspended among them: no model can pass. Set it under {most:.1f}, or flag fewer."
        )
    reach = min(1.0, flagged / base)
    if rule.metric == "recall" and rule.min_gain >= reach:
        problems.append(
            f"usefulness.min_gain is {rule.min_gain:g}, and flags for {flagged:.1%} of pupils a term cannot find more "
            f"than {reach:.0%} of those suspended: no model can pass. Set it far under {reach:.2f}."
        )
    return problems


def _limits(policy: Policy) -> Mapping[str, Metric]:
    return {metric.name: metric for metric in policy.metrics if metric.gate}


def _never_broken(policy: Policy, groups: list[Groups], flagged: float) -> list[str]:
    """Whether a margin is wider than the worst that could befall any group: none of its pupils ever flagged."""
    limits = _limits(policy)
    problems = []
    worst_recall, worst_omission = 0.0, 0.0
    for found in groups:
        positives = found.shares * found.rates
        for place in range(len(found.names)):
            others = positives.sum() - positives[place]
            reached = min(1.0, flagged / others) if others > 0 else 0.0
            worst_recall = max(worst_recall, reached)
            left = (1 - reached) * others / max(1 - found.shares[place] - reached * others, 1e-12)
            worst_omission = max(worst_omission, float(found.rates[place] - left))
    for name, worst in (("recall", worst_recall), ("false_omission", worst_omission)):
        limit = limits.get(name)
        if limit is not None and limit.margin is not None and groups and limit.margin >= worst:
            problems.append(
                f"metric {name}: its margin is {limit.margin:g}, and at this capacity no group can fall short by more "
                f"than {worst:.3f}, even if none of its pupils were ever flagged: the limit cannot fail anyone. Set it "
                f"under {worst:.3f}, or gate = false."
            )
    return problems


def _together(policy: Policy, found: Groups, flagged: float) -> str:
    """Return the sentence that no flags for the whole capacity hold all limits by this attribute; '' where some do."""
    limits = _limits(policy)
    if possible(limits, found, flagged):
        return ""
    culprits = [name for name in limits if possible({k: v for k, v in limits.items() if k != name}, found, flagged)]
    low, high = int(np.argmin(found.rates)), int(np.argmax(found.rates))
    named = [group_words(found.attribute.name, found.names[place]) for place in (low, high)]
    which = f" Give up or widen one of: {', '.join(culprits)}." if culprits else " Widen several of them."
    return (
        f"By {attribute_words(found.attribute.name)} the limits on {', '.join(limits)} cannot all hold: base rates run "
        f"from {found.rates[low]:.1%} ({named[0]}) to {found.rates[high]:.1%} ({named[1]}), and by FPR = p/(1-p) x "
        f"(1-PPV)/PPV x TPR equal recall and equal worth of a flag force unequal false-positive rates.{which}"
    )
