"""The search as a picture: usefulness against the worst-off group's shortfall."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from fairness.mitigation.trying import Point
from training.plain import GREY, INK, ORANGE, canvas


def pareto(points: Sequence[Point]) -> Figure:
    """Return the points, those that no other beats marked with their number; bars are what the pupils drawn allow."""
    figure, axes = canvas(
        "What a fairer model costs",
        across="What the worst-off group lacks in recall, points in a hundred (left: fairer)",
        up="Suspended pupils found within capacity, in a hundred",
        height=5.0,
        note="Forward folds of the training period: for choosing. The audit of whatever is chosen is the promise.",
    )
    for point in points:
        colour = ORANGE if point.best else GREY
        across, up = 100 * point.shortfall, 100 * point.recall
        low, high = 100 * max(0.0, point.shortfall_lower), 100 * max(0.0, point.shortfall_upper)
        if point.best:
            ends = [100 * point.recall_lower, 100 * point.recall_upper]
            axes.plot([low, max(low, high)], [up, up], color=colour, linewidth=1, alpha=0.5)
            axes.plot([across, across], ends, color=colour, linewidth=1, alpha=0.5)
            axes.annotate(
                str(point.number), (across, up), xytext=(5, 5), textcoords="offset points", color=INK, fontsize=10
            )
        axes.scatter([across], [up], color=colour, zorder=3, s=36 if point.best else 16)
    return figure


def table(points: Sequence[Point]) -> pd.DataFrame:
    """Return one row for each point, as it is written to CSV."""
    return pd.DataFrame([point.__dict__ for point in points])
