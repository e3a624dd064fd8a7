"""An audit's intervals by group as a chart, with what is too small to show hidden."""

from matplotlib.figure import Figure

from fairness.disclosure import hidden_cells
from fairness.findings import Audit
from fairness.metrics import BY_NAME
from fairness.policy import Policy
from training.plain import INK, canvas, intervals


def group_intervals(audit: Audit, policy: Policy, attribute: str, metric: str) -> Figure:
    """Return each group's harm with the interval that the gate judges, and the board's limits as lines."""
    hidden = hidden_cells(audit.cells, policy.disclosure)
    cells = [
        cell
        for cell in audit.cells
        if (cell.attribute, cell.metric) == (attribute, metric)
        and (cell.attribute, cell.group, cell.metric) not in hidden
        and None not in (cell.harm, cell.lower, cell.upper)
    ]
    figure, axes = canvas(
        BY_NAME[metric].title,
        across="Harm beside all other pupils; dashed: the board's limits",
        up="",
        height=1.4 + 0.5 * max(1, len(cells)),
    )
    if not cells:
        axes.text(0.5, 0.5, "Too few pupils to show", transform=axes.transAxes, ha="center", color=INK)
        return figure
    numbers = [(float(cell.harm or 0.0), float(cell.lower or 0.0), float(cell.upper or 0.0)) for cell in cells]
    middle, low, high = (list(part) for part in zip(*numbers, strict=True))
    intervals(axes, [cell.group for cell in cells], middle, low, high)
    for limit in (cells[0].limit_low, cells[0].limit_high):
        if limit is not None:
            axes.axvline(limit, color=INK, linestyle="--", linewidth=1)
    return figure
