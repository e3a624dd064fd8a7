"""The chart of an audit: for each group what was found, how sure it is, and the board's limit.

Shape carries every meaning, colour none. The same numbers always stand in a table beside it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fairness.documents import svg
from fairness.documents.svg import WIDTH
from fairness.figures import NOT_SHOWN, WORDS

Place = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One group's estimate with its interval, or None where it may not be shown or cannot be computed.

    `shape` is 'circle' (within the limit), 'hollow' (not settled), 'square' (outside), 'stroke' (shown and
    not judged) or 'none'.
    """

    label: str
    n: str
    estimate: float | None
    lower: float | None
    upper: float | None
    word: str
    shape: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of an interval chart under one small heading; an empty title has none."""

    title: str
    rows: Sequence[Interval]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The span of an interval chart, the side of the limit that is allowed, and where 'the same' lies."""

    low: float
    high: float
    limit_low: float | None = None
    limit_high: float | None = None
    same: float | None = None
    log: bool = False


def chart_of(figure: Mapping[str, Any], name: str) -> Markup | None:
    """Return the chart of a figure (`fairness.report.view`), or None where not one group's figure may be shown.

    A group that is neither judged nor shown has nothing to draw; the table beside the chart names it.
    """
    blocks = [
        Block(title=str(block["title"]), rows=[_interval_of(row) for row in block["rows"] if _has_line(row)])
        for block in figure["blocks"]
    ]
    blocks = [block for block in blocks if block.rows]
    said = figure.get("axis") or {}
    if said.get("low") is None or all(row.estimate is None for block in blocks for row in block.rows):
        return None
    # A figure that is only shown has a limit for its axis, and no band.
    low, high = said.get("limit") or (None, None) if figure.get("judged") else (None, None)
    axis = Axis(
        low=float(said["low"]),
        high=float(said["high"]),
        limit_low=low,
        limit_high=high,
        same=1.0 if said.get("log") else 0.0 if float(said["low"]) <= 0 <= float(said["high"]) else None,
        log=bool(said.get("log")),
    )
    return intervals(blocks, axis, name=name, title=str(figure["title"]))


def _has_line(row: Mapping[str, Any]) -> bool:
    return row.get("estimate") is not None or row["word"] != WORDS["shown"]


def _interval_of(row: Mapping[str, Any]) -> Interval:
    return Interval(
        label=str(row["group"]),
        n=f"n = {row['n']:,}" if isinstance(row["n"], int) else str(row["n"]).replace(NOT_SHOWN, ""),
        estimate=row.get("estimate"),
        lower=row.get("lower"),
        upper=row.get("upper"),
        word=str(row["word"]).capitalize(),
        shape=str(row.get("shape", "none")),
    )


def intervals(blocks: Sequence[Block], axis: Axis, *, name: str, title: str) -> Markup:
    """Return one line for each group: its interval and estimate on a shared axis, with the verdict in words.

    A filled circle is within the limit, a hollow one not settled, a square outside, an upright stroke
    only shown. An interval that runs past the axis is cut at its end, where an arrowhead says so.
    """
    left, right, top, row_height = 325, 140, 34, 27
    lines: list[str | Interval] = []
    for block in blocks:
        lines += [block.title, *block.rows] if block.title else block.rows
    bottom = top + row_height * len(lines)

    def place(value: float) -> float:
        low, high, at = (math.log(v) if axis.log else v for v in (axis.low, axis.high, _inside(value, axis)))
        return left + (at - low) / (high - low) * (WIDTH - left - right)

    parts: list[Markup] = []
    if axis.limit_low is not None or axis.limit_high is not None:
        start = place(axis.low if axis.limit_low is None else axis.limit_low)
        end = place(axis.high if axis.limit_high is None else axis.limit_high)
        parts.append(svg.rect("chart-limit", start, top, end - start, bottom - top))
    for tick in _ticks(axis):
        x = place(tick)
        parts += [svg.line("chart-grid", x, top, x, bottom), svg.words(f"{tick:g}", x, top - 8, "middle")]
    if axis.same is not None:
        parts.append(svg.line("chart-axis", place(axis.same), top, place(axis.same), bottom))
    for at, line in enumerate(lines):
        y = top + row_height * (at + 0.5)
        if isinstance(line, str):
            parts.append(svg.words(line, 0, y + 7, "start", "chart-strong"))
            continue
        parts += [svg.words(line.label, 14, y + 5, "start", "chart-name"), svg.words(line.n, left - 14, y + 5, "end")]
        parts.append(svg.words(line.word, WIDTH - right + 14, y + 5, "start", "chart-name"))
        parts += _interval(line, y, axis, place)
    said = "; ".join(f"{line.label}: {line.word}" for line in lines if isinstance(line, Interval))
    return svg.whole(name, bottom + 10, title, f"{said}. The same numbers are in the table that follows.", parts)


def _interval(row: Interval, y: float, axis: Axis, place: Place) -> list[Markup]:
    if row.estimate is None or row.shape == "none":
        return [svg.words("not shown", place(axis.low) + 6, y + 5, "start")]
    parts = []
    if row.lower is not None or row.upper is not None:
        low, high = (axis.low if row.lower is None else row.lower), (axis.high if row.upper is None else row.upper)
        parts.append(svg.line("chart-interval", place(low), y, place(high), y))
        if low < axis.low:
            parts.append(svg.arrow(place(axis.low), y, -1))
        if high > axis.high:
            parts.append(svg.arrow(place(axis.high), y, 1))
    x = place(row.estimate)
    if row.shape == "square":
        parts.append(svg.rect("chart-point", x - 5.5, y - 5.5, 11, 11))
    elif row.shape == "stroke":
        parts.append(svg.line("chart-interval", x, y - 7, x, y + 7))
    else:
        parts.append(svg.circle("chart-point" + (" chart-point--open" if row.shape == "hollow" else ""), x, y, 6))
    return parts


def _inside(value: float, axis: Axis) -> float:
    return min(max(value, axis.low), axis.high)


def _ticks(axis: Axis) -> list[float]:
    """Return up to six round values that cover the axis, with the limits among them."""
    spans = math.log(axis.high / axis.low) if axis.log else axis.high - axis.low

    def gap(one: float, other: float) -> float:
        return abs(math.log(one / other)) if axis.log else abs(one - other)

    # A limit so near to no difference that their numbers would lie on each other is shown as a band alone.
    limits = [value for value in (axis.limit_low, axis.limit_high) if value is not None]
    named = {value for value in limits if axis.same is None or gap(value, axis.same) > spans / 30}
    named |= set() if axis.same is None else {axis.same}
    if axis.log:
        round_ones = [0.1, 0.25, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 8]
    else:
        step = 10 ** math.floor(math.log10((axis.high - axis.low) / 2))
        step *= next(times for times in (1, 2, 5, 10) if (axis.high - axis.low) / (step * times) <= 6)
        round_ones = [round(math.ceil(axis.low / step) * step + at * step, 10) for at in range(7)]
    kept = sorted(named)
    for value in round_ones:
        gaps = [gap(value, old) for old in kept]
        if axis.low <= value <= axis.high and min(gaps, default=spans) > spans / 12:
            kept.append(value)
    return sorted(value for value in kept if axis.low <= value <= axis.high)
