"""How every picture looks: plain titles, colours the colour-blind tell apart, legible in print, no small numbers."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours, darkest first; each is used with a marker or line of its own, for print in grey.
INK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
COLOURS = (BLUE, ORANGE, GREEN, INK)
MARKERS = ("o", "s", "^", "D")
LINES = ("-", "--", ":", "-.")
# Counts of pupils under this are not drawn (fairness/policy.toml, disclosure).
LEAST = 10


class Picture(Figure):
    """A figure that a notebook shows by itself: matplotlib leaves that to its windowing part, not used here."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()


def canvas(title: str, *, across: str, up: str, height: float = 4.2) -> tuple[Figure, Axes]:
    """Return a figure with one titled chart; no window is ever opened."""
    figure = Picture(figsize=(8.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def intervals(
    axes: Axes, names: Sequence[str], middle: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> None:
    """Draw one interval a line, the first at the top."""
    places = list(range(len(names)))[::-1]
    left = [max(0.0, at - end) for at, end in zip(middle, low, strict=True)]
    right = [max(0.0, end - at) for at, end in zip(middle, high, strict=True)]
    axes.errorbar(middle, places, xerr=[left, right], fmt="o", color=BLUE, ecolor=INK, capsize=4)
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(names) - 0.4)


def save(figure: Figure, file: Path) -> Path:
    """Write the figure as PNG, without the date that would make a rerun differ, and return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    return file
