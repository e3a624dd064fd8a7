"""An audit's intervals by group as a chart, with what is too small to show hidden."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairness.disclosure import hidden_cells
from fairness.findings import Audit
from fairness.metrics import BY_NAME, Metric
from fairness.policy import Policy
from fairness.words import attribute_words, group_words, heading
from training.plain import GREY, INK, ORANGE, canvas, intervals, percent

_ACROSS = {
    ("difference", "shortfall"): "Less often than all other pupils, points in a hundred (left of 0: more often)",
    ("difference", "excess"): "More often than all other pupils, points in a hundred (left of 0: less often)",
    ("ratio", "shortfall"): "Times that of all other pupils (1: the same; left: less)",
    ("ratio", "excess"): "Times that of all other pupils (1: the same; right: more)",
    ("ratio", "either"): "Times that of all other pupils (1: the same)",
}
_SAME = {"difference": 0.0, "ratio": 1.0}


def group_intervals(audit: Audit, policy: Policy, attribute: str, metric: str) -> Figure:
    """Return each group's harm with the interval that the gate judges, and the board's limits as lines."""
    hidden = hidden_cells(audit.cells, policy)
    cells = [
        cell
        for cell in audit.cells
        if (cell.attribute, cell.metric) == (attribute, metric)
        and (cell.attribute, cell.group, cell.metric) not in hidden
        and None not in (cell.harm, cell.lower, cell.upper)
    ]
    asked = BY_NAME[metric]
    harm = {limit.name: limit.harm for limit in policy.metrics}.get(metric, "excess")
    figure, axes = canvas(
        f"{asked.title}, by {attribute_words(attribute)}",
        across=_ACROSS.get((asked.scale, harm), "The group's own value"),
        up="",
        height=2.0 + 0.5 * max(1, len(cells)),
        note="The bar is what the records allow; dashed: the board's limit. A bar across it settles nothing.",
    )
    if not cells:
        axes.text(0.5, 0.5, "Too few pupils to show", transform=axes.transAxes, ha="center", color=INK)
        axes.set_yticks([])
        return figure
    numbers = [(float(cell.harm or 0.0), float(cell.lower or 0.0), float(cell.upper or 0.0)) for cell in cells]
    middle, low, high = (list(part) for part in zip(*numbers, strict=True))
    intervals(axes, [heading(group_words(attribute, cell.group)) for cell in cells], middle, low, high)
    _lines(axes, asked, (cells[0].limit_low, cells[0].limit_high))
    return figure


def _lines(axes: Axes, metric: Metric, limits: tuple[float | None, ...]) -> None:
    if metric.scale in _SAME:
        axes.axvline(_SAME[metric.scale], color=GREY, linewidth=1)
    for limit in limits:
        if limit is not None:
            axes.axvline(limit, color=ORANGE, linestyle="--", linewidth=1.5)
    if metric.scale == "difference":
        percent(axes, "x")
