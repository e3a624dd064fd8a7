"""An audit's cells as figures: each judged metric by group, with what may not be shown taken out, and its axis."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fairness.disclosure import PLACES, hides, rounded
from fairness.findings import EVERYONE, LIFT, Cell
from fairness.metrics import BY_NAME, Scale
from fairness.policy import Attribute, Metric, Policy
from fairness.words import attribute_words, group_words, heading

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
Hidden = Collection[tuple[str, ...]]


def figures_of(
    cells: Sequence[Cell],
    limits: Sequence[Metric],
    attributes: Sequence[Attribute],
    policy: Policy,
    hidden: Hidden,
) -> list[dict[str, Any]]:
    """Return one figure for each metric that any of the attributes has; `hidden` are (attribute, group)."""
    made = []
    for limit in limits:
        families = [
            [cell for cell in cells if (cell.attribute, cell.metric) == (attribute.name, limit.name)]
            for attribute in attributes
        ]
        present = [family for family in families if family]
        if present:
            made.append(_figure(present, limit, policy, hidden) | {"overall": _overall(cells, limit, policy)})
    return made


def lift_figure(cell: Cell, policy: Policy) -> dict[str, Any]:
    """Return the figure for all pupils: how much more a flag means than the usual chance."""
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


def _figure(families: Sequence[Sequence[Cell]], limit: Metric, policy: Policy, hidden: Hidden) -> dict[str, Any]:
    metric = BY_NAME[limit.name]
    blocks: list[dict[str, Any]] = [
        {
            "attribute": family[0].attribute,
            "title": heading(attribute_words(family[0].attribute)),
            "rows": [_row(cell, (cell.attribute, cell.group) in hidden, policy) for cell in family],
        }
        for family in families
    ]
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


def _overall(cells: Sequence[Cell], limit: Metric, policy: Policy) -> str:
    """Return everybody's own figure in words; it stands beside the groups and is never judged."""
    cell = next((one for one in cells if (one.attribute, one.metric) == (EVERYONE, limit.name)), None)
    if cell is None or cell.estimate is None or hides(cell, policy.disclosure):
        return ""
    figure = f"{cell.estimate * 100:.0f} in 100" if BY_NAME[limit.name].among else f"{cell.estimate:.2f}"
    return f"For all pupils together it is {figure}."


def _row(cell: Cell, hide: bool, policy: Policy) -> dict[str, Any]:
    rule = policy.disclosure
    few = cell.pupils < rule.primary
    n: int | str = rounded(cell.pupils, rule)
    if hide:
        n = f"fewer than {rule.primary}" if few else NOT_SHOWN
    figures = (None,) * 4 if hide else (cell.harm, cell.lower, cell.upper, cell.estimate)
    estimate, lower, upper, share = (None if figure is None else round(figure, PLACES) for figure in figures)
    return {
        "group": heading(group_words(cell.attribute, cell.group)),
        "n": n,
        "positives": NOT_SHOWN if hide else rounded(cell.positives, rule),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "share": share,
        "word": WORDS[cell.verdict],
        "shape": "none" if hide or cell.harm is None else SHAPES[cell.verdict],
        "why": cell.why,
    }


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
