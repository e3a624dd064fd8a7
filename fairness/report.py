"""An audit as the board's page shows it: words, figures under disclosure control, and the chart's axis.

This room is light: it reads findings and draws nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairness.disclosure import hides, hides_practice, rounded, with_secondary
from fairness.findings import EVERYONE, LIFT, Audit, Cell
from fairness.gate import approach_words, decide, judge
from fairness.metrics import BY_NAME, Scale
from fairness.policy import Policy, read_policy
from fairness.signoff import Approval

WORDS = {
    "within": "within limit",
    "not_settled": "not settled",
    "outside": "outside limit",
    "too_few": "too few pupils",
    "shown": "shown only",
}
SHAPES = {"within": "circle", "not_settled": "hollow", "outside": "square", "too_few": "hollow", "shown": "hollow"}
NOT_SHOWN = "not shown"
_ATTRIBUTES = {
    EVERYONE: "All pupils",
    "sex": "By sex",
    "ethnicity": "By ethnic group",
    "sen": "By special educational needs provision",
    "fsm": "By free school meals, now or in the last six years",
    "eal": "By first language",
    "sex_x_sen": "By sex and special educational needs provision",
}
_GROUPS = {
    ("sex", "female"): "Girls",
    ("sex", "male"): "Boys",
    ("sex", "unknown"): "Sex not known",
    ("ethnicity", "unclassified"): "Refused or not obtained",
    ("ethnicity", "Other"): "Any other ethnic group",
    ("sen", "none"): "No special educational need",
    ("sen", "support"): "SEN support",
    ("sen", "ehcp"): "EHC plan",
    ("sen", "unknown"): "Provision not known",
    ("fsm", "fsm"): "Free school meals",
    ("fsm", "not"): "No free school meals",
    ("fsm", "unknown"): "Not known",
    ("eal", "eal"): "English as an additional language",
    ("eal", "not"): "English first language",
    ("eal", "unknown"): "First language not known",
    (EVERYONE, EVERYONE): "All pupils",
    ("sex_x_sen", "not known"): "Not known",
}
_COMPARES: dict[Scale, str] = {
    "difference": "The figure is the gap to all other pupils as a share: 0 means none, 0.10 means ten "
    "pupils in a hundred worse off.",
    "ratio": "The figure is the group's share divided by that of all other pupils: 1 means the same.",
    "alone": "The figure is the group's own: 1 means that as many were suspended as expected.",
}


def view(audit: Audit, *, policy: Policy | None = None, approval: Approval | None = None) -> dict[str, Any]:
    """Return what the audit page shows, as plain JSON values.

    Parameters
    ----------
    policy
        The board's limits; None: those in force.
    approval
        The approval under which the bundle is deployed, when there is one.

    Returns
    -------
    verdict, headline, sentences; sections (one for each attribute and metric: rows with group, n
    (pupils), estimate, lower, upper, share, word, shape; axis with low, high, limit, log); waiver;
    baselines; practice.
    """
    policy = policy or read_policy()
    decision = decide(audit, policy)
    cells = judge(audit.cells, policy)
    waived = approval is not None and approval.verdict == "WAIVED"
    sections = [_lift_section(cells, policy)]
    for attribute in policy.attributes:
        for limit in policy.metrics:
            here = [cell for cell in cells if (cell.attribute, cell.metric) == (attribute.name, limit.name)]
            if here:
                sections.append(_section(here, policy))
    return {
        "verdict": "WAIVED" if waived else decision.verdict,
        "headline": decision.sentences[0],
        "sentences": list(decision.sentences[1:]),
        "sections": [section for section in sections if section["rows"]],
        "waiver": _waiver(approval) if approval is not None and waived else None,
        "baselines": [_baseline(row) for row in audit.comparison],
        "practice": _practice(audit, policy),
        "counts": {
            "pupils": rounded(audit.pupils, policy.disclosure),
            "pupil_terms": rounded(audit.pupil_terms, policy.disclosure),
            "schools": audit.schools,
            "terms": list(audit.terms),
            "period": [day.isoformat() for day in audit.period],
        },
    }


def _section(cells: Sequence[Cell], policy: Policy) -> dict[str, Any]:
    first = cells[0]
    metric = BY_NAME[first.metric]
    hidden = with_secondary([hides(cell, policy.disclosure) for cell in cells], [cell.pupils for cell in cells])
    rows = [_row(cell, hide, policy) for cell, hide in zip(cells, hidden, strict=True)]
    limit = policy.metric(first.metric)
    return {
        "attribute": first.attribute,
        "attribute_title": _ATTRIBUTES.get(first.attribute, f"By {first.attribute.replace('_', ' ')}"),
        "metric": first.metric,
        "title": metric.title,
        "explains": f"{metric.shows} {_COMPARES[metric.scale]}",
        "limit_text": limit_words(first, judged=limit.gate),
        "rows": rows,
        "axis": _axis(rows, first, metric.scale),
    }


def _lift_section(cells: Sequence[Cell], policy: Policy) -> dict[str, Any]:
    here = [cell for cell in cells if cell.metric == LIFT]
    rows = [_row(cell, hides(cell, policy.disclosure), policy) for cell in here]
    return {
        "attribute": EVERYONE,
        "attribute_title": _ATTRIBUTES[EVERYONE],
        "metric": LIFT,
        "title": "How much more a flag means than the usual chance",
        "explains": "Right flags for each one expected if pupils of the same phase were drawn by lot.",
        "limit_text": limit_words(here[0], judged=True) if here else "",
        "rows": rows,
        "axis": _axis(rows, here[0], "alone") if here else {},
    }


def _row(cell: Cell, hide: bool, policy: Policy) -> dict[str, Any]:
    few = cell.pupils < policy.disclosure.primary
    n: int | str = rounded(cell.pupils, policy.disclosure)
    if hide:
        n = f"fewer than {policy.disclosure.primary}" if few else NOT_SHOWN
    figures = (None,) * 4 if hide else (cell.harm, cell.lower, cell.upper, cell.estimate)
    estimate, lower, upper, share = (None if figure is None else round(figure, 3) for figure in figures)
    return {
        "group": _group(cell),
        "n": n,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "share": share,
        "word": WORDS[cell.verdict],
        "shape": "none" if hide or cell.harm is None else SHAPES[cell.verdict],
        "why": cell.why,
    }


def _group(cell: Cell) -> str:
    named = _GROUPS.get((cell.attribute, cell.group))
    if named is not None:
        return named
    parts = cell.group.split(", ")
    if cell.attribute == "sex_x_sen" and len(parts) == 2:
        sex, provision = _GROUPS[("sex", parts[0])], _GROUPS[("sen", parts[1])]
        return f"{sex}, {provision if provision.isupper() or provision[1].isupper() else provision.lower()}"
    return cell.group


def limit_words(cell: Cell, *, judged: bool) -> str:
    """Return a limit in words, for the page."""
    if not judged:
        return "Shown, not judged."
    low, high = cell.limit_low, cell.limit_high
    if low is not None and high is not None:
        return f"Limit: between {low:g} and {high:g}."
    if high is not None:
        return f"Limit: under {high:g}."
    return "No limit." if low is None else f"Limit: over {low:g}."


def _axis(rows: Sequence[Mapping[str, Any]], cell: Cell, scale: Scale) -> dict[str, Any]:
    """Return the chart's span: the limits with room beside them, wider where intervals need it, within reason."""
    shown = [row[end] for row in rows for end in ("estimate", "lower", "upper") if row[end] is not None]
    limits = [limit for limit in (cell.limit_low, cell.limit_high) if limit is not None]
    limit: Any = [cell.limit_low, cell.limit_high]
    if scale == "difference":
        reach = max([abs(end) for end in limits] or [0.1])
        low = max(-6 * reach, min([-2 * reach, *shown]))
        high = min(6 * reach, max([2 * reach, *shown]))
        return {"low": round(low, 3), "high": round(high, 3), "limit": limit, "log": False}
    positive = [value for value in shown if value > 0]
    widest = max(math.log(4), *(abs(math.log(end)) * 1.5 for end in limits)) if limits else math.log(4)
    low = max(math.exp(-widest), min([0.5, *positive]))
    high = min(math.exp(widest), max([2.0, *positive]))
    return {"low": round(low, 3), "high": round(high, 3), "limit": limit, "log": True}


def _waiver(approval: Approval) -> dict[str, Any]:
    return {
        "expires_on": approval.expires_on.isoformat(),
        "review_date": None if approval.review_date is None else approval.review_date.isoformat(),
        "reason": approval.reason,
        "monitoring_plan": approval.monitoring_plan,
        "signers": [role.replace("_", " ") for role in approval.roles],
    }


def _baseline(row: Mapping[str, Any]) -> dict[str, Any]:
    named = approach_words(str(row["approach"]))
    figures = {key: row.get(key) for key in ("recall", "precision")}
    return {
        "approach": named[:1].upper() + named[1:],
        "found": None if figures["recall"] is None else f"{figures['recall']:.0%}",
        "right": None if figures["precision"] is None else f"{figures['precision']:.0%}",
    }


def _practice(audit: Audit, policy: Policy) -> list[dict[str, Any]]:
    rule = policy.disclosure
    made = []
    for attribute in dict.fromkeys(row.attribute for row in audit.practice):
        rows = [row for row in audit.practice if row.attribute == attribute]
        hidden = with_secondary([hides_practice(row, rule) for row in rows], [row.incidents for row in rows])
        for row, hide in zip(rows, hidden, strict=True):
            named = _GROUPS.get((row.attribute, row.group), row.group)
            some = not hide and None not in (row.ratio, row.lower, row.upper)
            made.append(
                {
                    "group": named,
                    "incidents": NOT_SHOWN if hide else rounded(row.incidents, rule),
                    "sanctions_for_each_expected": round(row.ratio, 2) if some and row.ratio is not None else None,
                    "likely_range": f"{row.lower:.2f} to {row.upper:.2f}" if some else NOT_SHOWN,
                }
            )
    return made
