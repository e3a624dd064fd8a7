"""An audit as the board's page shows it: words, figures under disclosure control, and each chart's axis.

This room is light: it reads findings and draws nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairness.disclosure import hidden_cells, hides, hides_practice, rounded, with_secondary
from fairness.findings import EVERYONE, LIFT, Audit, Cell
from fairness.gate import decide, judge, means
from fairness.metrics import BY_NAME, Scale
from fairness.policy import Attribute, Metric, Policy, read_policy
from fairness.signoff import Approval
from fairness.words import approach_words, attribute_words, group_words, heading

WORDS = {
    "within": "within limit",
    "not_settled": "not settled",
    "outside": "outside limit",
    "too_few": "too few pupils",
    "shown": "shown only",
}
SHAPES = {"within": "circle", "not_settled": "hollow", "outside": "square", "too_few": "hollow", "shown": "stroke"}
NOT_SHOWN = "not shown"
_COMPARES: dict[Scale, str] = {
    "difference": "The figure is the gap to all other pupils as a share: 0 means none, 0.10 means ten "
    "pupils in a hundred worse off.",
    "ratio": "The figure is the group's share divided by that of all other pupils: 1 means the same.",
    "alone": "The figure is the group's own: 1 means that as many were suspended as expected.",
}
# So that an interval's end is seen to end, and does not run into the frame.
_ROOM = 1.05
_NUMBERS = {1: "one term", 2: "two terms", 3: "three terms"}


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
    verdict, headline, means, sentences; `figures`, one for each judged metric: title, explains, overall,
    limit_text, axis (low, high, limit, log) and blocks, one for each attribute that is judged in full
    (title, and rows with group, n [pupils], estimate, lower, upper, share, word, shape); `lift`, a figure
    of the same form for all pupils; `folds`, figures of the attributes and the metrics that are not
    judged in full; waiver; baselines; practice; past_lists.
    """
    policy = policy or read_policy()
    decision = decide(audit, policy)
    cells = judge(audit.cells, policy)
    waived = approval is not None and approval.verdict == "WAIVED"
    said = means(decision.verdict, policy)
    lift = [cell for cell in cells if cell.metric == LIFT]
    full = [attribute for attribute in policy.attributes if attribute.gate == "full"]
    others = [attribute for attribute in policy.attributes if attribute.gate != "full"]
    judged = [limit for limit in policy.metrics if limit.gate]
    shown = [limit for limit in policy.metrics if not limit.gate]
    return {
        "verdict": "WAIVED" if waived else decision.verdict,
        "headline": decision.sentences[0],
        "means": " ".join(said),
        "sentences": [sentence for sentence in decision.sentences[1:] if sentence not in said],
        "figures": _figures(cells, judged, full, policy),
        "lift": _lift(lift[0], policy) if lift else None,
        "folds": [
            *_folds([(f"By {attribute_words(one.name)}", _figures(cells, judged, [one], policy)) for one in others]),
            *_folds([("Figures that are shown and not judged", _figures(cells, shown, policy.attributes, policy))]),
        ],
        "waiver": _waiver(approval) if approval is not None and waived else None,
        "baselines": [_baseline(row) for row in audit.comparison],
        "practice": _practice(audit, policy),
        "past_lists": _past_lists(audit, policy),
        "counts": {
            "pupils": rounded(audit.pupils, policy.disclosure),
            "pupil_terms": rounded(audit.pupil_terms, policy.disclosure),
            "schools": audit.schools,
            "terms": list(audit.terms),
            "period": [day.isoformat() for day in audit.period],
        },
    }


def _folds(titled: Sequence[tuple[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    return [{"title": title, "figures": figures} for title, figures in titled if figures]


def _figures(
    cells: Sequence[Cell], limits: Sequence[Metric], attributes: Sequence[Attribute], policy: Policy
) -> list[dict[str, Any]]:
    made = []
    for limit in limits:
        families = [
            [cell for cell in cells if (cell.attribute, cell.metric) == (attribute.name, limit.name)]
            for attribute in attributes
        ]
        present = [family for family in families if family]
        if present:
            made.append(_figure(present, limit, policy) | {"overall": _overall(cells, limit, policy)})
    return made


def _figure(families: Sequence[Sequence[Cell]], limit: Metric, policy: Policy) -> dict[str, Any]:
    metric = BY_NAME[limit.name]
    blocks = [_block(family, policy) for family in families]
    rows = [row for block in blocks for row in block["rows"]]
    first = families[0][0]
    return {
        "metric": metric.name,
        "title": metric.title,
        "explains": f"{metric.shows} {_COMPARES[metric.scale]}",
        "limit_text": limit_words(first, judged=limit.gate),
        "judged": limit.gate,
        "own_share": metric.scale != "alone",
        "blocks": blocks,
        "axis": _axis(rows, first, metric.scale),
    }


def _block(family: Sequence[Cell], policy: Policy) -> dict[str, Any]:
    """Return one attribute's rows of a figure. Hiding is worked out here, within the attribute."""
    attribute = family[0].attribute
    hidden = hidden_cells(family, policy.disclosure)
    rows = [_row(cell, (cell.attribute, cell.group, cell.metric) in hidden, policy) for cell in family]
    return {"attribute": attribute, "title": heading(attribute_words(attribute)), "rows": rows}


def _lift(cell: Cell, policy: Policy) -> dict[str, Any]:
    rows = [_row(cell, hides(cell, policy.disclosure), policy)]
    return {
        "metric": LIFT,
        "title": "How much more a flag means than the usual chance",
        "explains": "Right flags for each one expected if pupils of the same phase were drawn by lot.",
        "overall": "",
        "limit_text": limit_words(cell, judged=True),
        "judged": True,
        "own_share": False,
        "blocks": [{"attribute": EVERYONE, "title": "", "rows": rows}],
        "axis": _axis(rows, cell, "alone"),
    }


def _overall(cells: Sequence[Cell], limit: Metric, policy: Policy) -> str:
    """Return everybody's own figure in words; it stands beside the groups and is never judged."""
    cell = next((one for one in cells if (one.attribute, one.metric) == (EVERYONE, limit.name)), None)
    if cell is None or cell.estimate is None or hides(cell, policy.disclosure):
        return ""
    figure = f"{cell.estimate * 100:.0f} in 100" if BY_NAME[limit.name].among else f"{cell.estimate:.2f}"
    return f"For all pupils together it is {figure}."


def _past_lists(audit: Audit, policy: Policy) -> str:
    """Return what became of pupils on past lists, in people: right in time, right too late, and wrong.

    A pupil counts once for each term on the list. Empty where the counts are too small to show.
    """
    overall = {cell.metric: cell for cell in audit.cells if cell.attribute == EVERYONE}
    right, wrong = overall.get("precision_ratio"), overall.get("false_alarms")
    if right is None or wrong is None or right.estimate is None or wrong.estimate is None:
        return ""
    counts = [right.estimate * right.n, wrong.estimate * wrong.positives]
    counts.append(right.n - sum(counts))
    least = policy.disclosure.primary
    # As everywhere on the page: nought may be shown, and a few may not.
    if right.n < least or any(0.5 < count < least - 0.5 for count in counts):
        return ""
    in_time, never = (round(100 * count / right.n) for count in counts[:2])
    terms = _NUMBERS.get(len(audit.terms), f"{len(audit.terms)} terms")
    said = (
        f"Of every 100 pupils on this network's lists in the {terms} audited, about {in_time} were suspended or "
        f"excluded after there was time to act, and {never} were not suspended or excluded."
    )
    late = 100 - in_time - never
    return f"{said} The other {late} were, but before there was time to act." if late > 0 else said


def _row(cell: Cell, hide: bool, policy: Policy) -> dict[str, Any]:
    few = cell.pupils < policy.disclosure.primary
    n: int | str = rounded(cell.pupils, policy.disclosure)
    if hide:
        n = f"fewer than {policy.disclosure.primary}" if few else NOT_SHOWN
    figures = (None,) * 4 if hide else (cell.harm, cell.lower, cell.upper, cell.estimate)
    estimate, lower, upper, share = (None if figure is None else round(figure, 3) for figure in figures)
    return {
        "group": heading(group_words(cell.attribute, cell.group)),
        "n": n,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "share": share,
        "word": WORDS[cell.verdict],
        "shape": "none" if hide or cell.harm is None else SHAPES[cell.verdict],
        "why": cell.why,
    }


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
    """Return the chart's span: the limits with room beside them, wider where intervals need it, within reason.

    Rows that are only shown do not widen it: a group of twenty would press all others together.
    """
    judged = [row for row in rows if row["word"] != WORDS["shown"]]
    shown = [row[end] for row in judged or rows for end in ("estimate", "lower", "upper") if row[end] is not None]
    limits = [limit for limit in (cell.limit_low, cell.limit_high) if limit is not None]
    limit: Any = [cell.limit_low, cell.limit_high]
    if scale == "difference":
        reach = max([abs(end) for end in limits] or [0.1])
        low = max(-6 * reach, _ROOM * min([-2 * reach, *shown]))
        high = min(6 * reach, _ROOM * max([2 * reach, *shown]))
        return {"low": round(low, 3), "high": round(high, 3), "limit": limit, "log": False}
    positive = [value for value in shown if value > 0]
    widest = max(math.log(4 if judged else 8), *(abs(math.log(end)) * 1.5 for end in limits or [1.0]))
    low = max(math.exp(-widest), min([0.5, *positive]) / _ROOM)
    high = min(math.exp(widest), max([2.0, *positive]) * _ROOM)
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
    figures = {key: row.get(key) for key in ("recall", "precision")}
    return {
        "approach": heading(approach_words(str(row["approach"]))),
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
            some = not hide and None not in (row.ratio, row.lower, row.upper)
            made.append(
                {
                    "group": heading(group_words(row.attribute, row.group)),
                    "incidents": NOT_SHOWN if hide else rounded(row.incidents, rule),
                    "sanctions_for_each_expected": round(row.ratio, 2) if some and row.ratio is not None else None,
                    "likely_range": f"{row.lower:.2f} to {row.upper:.2f}" if some else NOT_SHOWN,
                }
            )
    return made
