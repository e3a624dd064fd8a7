"""How every picture looks: plain titles, colours the colour-blind tell apart, legible in print, no small numbers."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter, MonthLocator
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Okabe and Ito's colours, darkest first; each is used with a marker or line of its own, for print in grey.
INK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
GREY = "#5A5A5A"
COLOURS = (BLUE, ORANGE, GREEN, INK)
MARKERS = ("o", "s", "^", "D")
LINES = ("-", "--", ":", "-.")
# Counts of pupils under this are not drawn (fairness/policy.toml, disclosure).
LEAST = 10
_TITLE_LETTERS = 70


class Picture(Figure):
    """A figure that a notebook shows by itself: matplotlib leaves that to its windowing part, not used here."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()


def canvas(title: str, *, across: str, up: str, height: float = 4.4, note: str = "") -> tuple[Figure, Axes]:
    """Return a figure with one titled chart; no window is ever opened.

    `note` says in small letters below what a reader must know: what was hidden, how it was counted.
    """
    figure = Picture(figsize=(8.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("\n".join(wrap(title, _TITLE_LETTERS)), x=0.01, ha="left", fontsize=13, fontweight="bold")
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=GREY)
    if note:
        figure.supxlabel("\n".join(wrap(note, 110)), x=0.01, ha="left", fontsize=9, color=GREY)
    axes.set_ylabel(up, color=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#D9D9D9", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def percent(axes: Axes, *sides: str) -> None:
    """Show shares on the sides (`x`, `y`) as per cent."""
    for side in sides:
        at = getattr(axes, f"{side}axis")
        at.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        at.set_major_formatter(FuncFormatter(_as_percent))


def _as_percent(value: float, place: int | None) -> str:
    return f"{100 * value:.3g} %"


def months(axes: Axes) -> None:
    """Name the months in which the terms of a school year begin."""
    axes.xaxis.set_major_locator(MonthLocator(bymonth=(1, 5, 9)))  # type: ignore[no-untyped-call]  # matplotlib has few types
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))  # type: ignore[no-untyped-call]  # as above


def days(axes: Axes) -> None:
    """Name a few days along the bottom, so that they never run into each other."""
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=5))  # type: ignore[no-untyped-call]  # matplotlib has few types
    axes.xaxis.set_major_formatter(DateFormatter("%d %b %Y"))  # type: ignore[no-untyped-call]  # as above


def whole(axes: Axes, first: float, last: float) -> None:
    """Put a tick at every whole number along the bottom."""
    axes.set_xticks(range(int(first), int(last) + 1))


def intervals(
    axes: Axes, names: Sequence[str], middle: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> None:
    """Draw one interval a line, the first at the top."""
    places = list(range(len(names)))[::-1]
    left = [max(0.0, at - end) for at, end in zip(middle, low, strict=True)]
    right = [max(0.0, end - at) for at, end in zip(middle, high, strict=True)]
    axes.errorbar(middle, places, xerr=[left, right], fmt="o", markersize=8, color=BLUE, ecolor=GREY, capsize=4)
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x", color="#D9D9D9", linewidth=0.7)


def save(figure: Figure, file: Path) -> Path:
    """Write the figure as PNG, without the date that would make a rerun differ, and return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    return file
