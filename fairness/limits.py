"""The board's limits and the audit's method in plain words, for the report and the documents."""

from typing import Any

from fairness.findings import Audit
from fairness.metrics import BY_NAME
from fairness.policy import Metric, Policy
from fairness.words import attribute_words, group_words, heading, listed


def limits_of(policy: Policy) -> dict[str, Any]:
    """Return the limits in force with the board's reasons, as plain JSON values."""
    return {
        "policy": policy.id,
        "owner": policy.owner,
        "decided_on": policy.decided_on.isoformat(),
        "figures": [
            {"figure": BY_NAME[metric.name].title, "limit": limit_phrase(metric), "reason": metric.reason}
            for metric in policy.metrics
        ],
        "groups": [
            {
                "by": heading(attribute_words(attribute.name)),
                "groups": listed([group_words(attribute.name, group) for group in attribute.groups]),
                "judged": {
                    "full": "every group must be shown to be within the limits",
                    "fail_only": "a group can fail the audit, but does not hold it open",
                    "report": "shown, not judged",
                }[attribute.gate],
                "reason": attribute.reason,
            }
            for attribute in policy.attributes
        ],
        "usefulness": policy.usefulness.reason,
        "disclosure": policy.disclosure.reason,
    }


def limit_phrase(metric: Metric) -> str:
    """Return a metric's limit in words: 'at most 10 in 100 fewer than of other pupils'."""
    if not metric.gate:
        return "shown, not judged"
    low, high = metric.bounds
    if metric.scale == "difference":
        fewer = "fewer" if metric.harm == "shortfall" else "more"
        return f"less than {100 * (high or 0):g} in 100 {fewer} than of all other pupils"
    if metric.scale == "alone":
        return f"between {low:g} and {high:g} suspended for each one expected"
    if high is not None:
        return f"less than {high:g} times that of all other pupils"
    return f"more than {low:g} times that of all other pupils"


def method_of(audit: Audit, policy: Policy) -> list[str]:
    """Return how the audit was made, a paragraph each."""
    population, inference = policy.population, policy.inference
    sure = f"{1 - inference.alpha:.0%}"
    return [
        (
            f"What is counted: flags on pupils' records that the model had not learned from, in {len(audit.terms)} "
            f"term(s) of {audit.schools} schools. A pupil counts once for each term. A flag is in time if it came at "
            f"least {population.lead_school_days} school days before {population.outcome}, within "
            f"{population.horizon_school_weeks} school weeks of a weekly score."
        ),
        (
            "Whom a group is set beside: all other pupils, never the best-off group. The groups, the figures and the "
            "limits were written down before the results were known."
        ),
        (
            "How sure the figures are: whole pupils are drawn again and again "
            f"({inference.replicates:,} times), because a pupil's terms are alike, and whole schools too, because "
            "schools differ. The wider range counts. A comparison passes only if its whole range lies within the "
            f"limit ({sure} sure of each end); it fails only if the records show that it lies outside, after allowing "
            "for how many comparisons are made (Holm's correction)."
        ),
        (
            f"Too few: with fewer than {inference.min_positives} pupils of a group, or of all others, suspended or "
            "excluded, nothing is concluded."
        ),
        (
            f"Small numbers: figures that rest on fewer than {policy.disclosure.primary} pupils are not shown, nor "
            "those from which they could be worked out by subtraction; other counts are rounded to "
            f"{policy.disclosure.round}. Results are always said in words, worked out from the unrounded figures."
        ),
        (
            "What is compared: the model also has to find more pupils than rules that anyone can apply, with as many "
            "flags, or it is of no use."
        ),
    ]
