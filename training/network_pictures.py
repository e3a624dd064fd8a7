"""Pictures of the records themselves: attendance by week, events by week, and what comes before a suspension."""

import pandas as pd
from matplotlib.figure import Figure

from records.home import Home
from training.network_weeks import before_suspensions
from training.plain import BLUE, COLOURS, GREY, LEAST, LINES, MARKERS, canvas, months, percent, whole


def _with_gaps(counts: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every week, empty without school: a holiday is not a week in which nothing happened."""
    # A week of a day or two, at the edge of a holiday, would jump about.
    whole = counts[counts["possible"] >= counts["possible"].median() / 2]
    return whole.reindex(pd.date_range(whole.index[0], whole.index[-1], freq="7D"))


def attendance(counts: pd.DataFrame) -> Figure:
    """Return the share of possible sessions missed by week, and of those missed without permission.

    `counts` is `network_weeks.records_by_week`.
    """
    rows = _with_gaps(counts)
    figure, axes = canvas(
        "How much school is missed, week by week",
        across="",
        up="Share of possible sessions",
        note="Gaps are holidays. Sessions as the Department for Education counts them.",
    )
    for at, (name, says) in enumerate((("missed", "all absence"), ("without_permission", "without permission"))):
        axes.plot(rows.index, rows[name] / rows["possible"], color=COLOURS[at], linestyle=LINES[at], label=says)
    percent(axes, "y")
    months(axes)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.46))
    return figure


def events(counts: pd.DataFrame) -> Figure:
    """Return behaviour events by week for each hundred pupils in a full week of school."""
    rows = _with_gaps(counts)
    figure, axes = canvas(
        "How many behaviour events are recorded, week by week",
        across="",
        up="Events for each 100 pupils a week",
        note="Gaps are holidays. An event counts once for each pupil who took part.",
    )
    # Ten sessions make a week: short weeks stand beside whole ones.
    axes.plot(rows.index, rows["events"].where(rows["events"] >= LEAST) / rows["possible"] * 10 * 100, color=BLUE)
    months(axes)
    axes.set_ylim(bottom=0)
    return figure


def before_suspension(home: Home, until: pd.Timestamp) -> Figure:
    """Return events a pupil a week before a suspension, beside pupils of the same age never suspended."""
    found = before_suspensions(home, until)
    figure, axes = canvas(
        "Behaviour records rise in the weeks before a suspension",
        across="Weeks before the week of the suspension",
        up="Events a pupil a week",
        note=f"{found.suspensions:,} suspensions. The week of the suspension itself, with what led to it, is left out.",
    )
    if found.suspensions < LEAST:
        axes.text(0.5, 0.5, "Too few suspensions to show", transform=axes.transAxes, ha="center")
        return figure
    lines = (
        ("suspended", "pupils who were then suspended", BLUE, 0),
        ("others", "same year group and weeks, never suspended", GREY, 1),
    )
    for name, says, colour, at in lines:
        axes.plot(
            -found.events.index, found.events[name], color=colour, linestyle=LINES[at], marker=MARKERS[at], label=says
        )
    axes.set_ylim(bottom=0)
    whole(axes, -found.events.index.max(), -1)
    axes.set_xticklabels([str(week) for week in found.events.index[::-1]])
    axes.legend(frameon=False, loc="upper left")
    return figure
