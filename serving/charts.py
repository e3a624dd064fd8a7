"""Charts drawn on the server as SVG: they need no script, print well and say in words what they show.

Shape carries every meaning, colour none. The page always shows the same numbers as a table.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from markupsafe import Markup

WIDTH = 900
LONGEST_GAP_WEEKS = 6
Place = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Week:
    """One week of a pupil's record; `possible` 0 is a week without school and leaves a gap."""

    start: date
    possible: int
    missed: int
    incidents: int
    suspended: bool


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


def timeline(weeks: Sequence[Week], *, listed: date | None, listed_words: str = "on this list") -> Markup:
    """Return weekly attendance as a line broken at holidays, incidents as bars and suspensions as triangles.

    A dashed line marks the day the pupil came on the list.
    """
    if not weeks:
        return Markup("")
    left, right, top, floor, base = 56, 12, 34, 180, 262
    places = _places(weeks)
    step = (WIDTH - left - right) / (places[-1] + 1)
    attended = [1 - week.missed / week.possible for week in weeks if week.possible]
    low = math.floor(min([0.5, *attended]) * 10) / 10
    tallest = max([5, *(week.incidents for week in weeks)])

    def middle(at: int) -> float:
        return left + (places[at] + 0.5) * step

    def height(share: float) -> float:
        return floor - (share - low) / (1 - low) * (floor - top)

    runs = list(_runs(weeks))
    parts = [
        _rect("chart-term", left + places[first] * step, top, (last - first + 1) * step, base - top)
        for first, last in runs
    ]
    for tenth in range(round(low * 10), 11):
        if tenth % 2 == 0 or low >= 0.5:
            y = height(tenth / 10)
            parts += [_line("chart-grid", left, y, WIDTH - right, y), _words(f"{tenth * 10}%", left - 8, y + 4, "end")]
    for count in (0, tallest):
        parts.append(_words(str(count), left - 8, base - count / tallest * 50 + 4, "end"))
    parts.append(_line("chart-axis", left, base, WIDTH - right, base))
    parts += _months(weeks, [left + place * step for place in places], base)
    for first, last in runs:
        points = [(middle(at), height(1 - weeks[at].missed / weeks[at].possible)) for at in range(first, last + 1)]
        parts.append(_polyline(points) if len(points) > 1 else _circle("chart-dot", *points[0], 3.5))
    for at, week in enumerate(weeks):
        if week.incidents:
            tall = week.incidents / tallest * 50
            parts.append(_rect("chart-bar", left + places[at] * step + 1, base - tall, max(step - 2, 1), tall))
        if week.suspended:
            parts.append(_triangle(middle(at), base + 14))
    if listed is not None:
        ahead = [place for place, week in zip(places, weeks, strict=True) if week.start + timedelta(days=7) > listed]
        parts += _listed(left + ahead[0] * step if ahead else WIDTH - right, listed_words, top, base)
    parts.append(_words("Attendance each week (line)", left, 14, "start", "chart-strong"))
    parts.append(_words("Behaviour incidents each week (bars)", left, floor + 20, "start", "chart-strong"))
    parts += [
        _words("▲ week with a suspension", left, base + 56, "start"),
        _words("grey: weeks of school; gaps: holidays", left + 190, base + 56, "start"),
    ]
    return _svg("timeline", 326, "Attendance and behaviour incidents, week by week", _timeline_words(weeks), parts)


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
        parts.append(_rect("chart-limit", start, top, end - start, bottom - top))
    for tick in _ticks(axis):
        x = place(tick)
        parts += [_line("chart-grid", x, top, x, bottom), _words(f"{tick:g}", x, top - 8, "middle")]
    if axis.same is not None:
        parts.append(_line("chart-axis", place(axis.same), top, place(axis.same), bottom))
    for at, line in enumerate(lines):
        y = top + row_height * (at + 0.5)
        if isinstance(line, str):
            parts.append(_words(line, 0, y + 7, "start", "chart-strong"))
            continue
        parts += [_words(line.label, 14, y + 5, "start", "chart-name"), _words(line.n, left - 14, y + 5, "end")]
        parts.append(_words(line.word, WIDTH - right + 14, y + 5, "start", "chart-name"))
        parts += _interval(line, y, axis, place)
    said = "; ".join(f"{line.label}: {line.word}" for line in lines if isinstance(line, Interval))
    return _svg(name, bottom + 10, title, f"{said}. The same numbers are in the table that follows.", parts)


def _interval(row: Interval, y: float, axis: Axis, place: Place) -> list[Markup]:
    if row.estimate is None or row.shape == "none":
        return [_words("not shown", place(axis.low) + 6, y + 5, "start")]
    parts = []
    if row.lower is not None or row.upper is not None:
        low, high = (axis.low if row.lower is None else row.lower), (axis.high if row.upper is None else row.upper)
        parts.append(_line("chart-interval", place(low), y, place(high), y))
        if low < axis.low:
            parts.append(_arrow(place(axis.low), y, -1))
        if high > axis.high:
            parts.append(_arrow(place(axis.high), y, 1))
    x = place(row.estimate)
    if row.shape == "square":
        parts.append(_rect("chart-point", x - 5.5, y - 5.5, 11, 11))
    elif row.shape == "stroke":
        parts.append(_line("chart-interval", x, y - 7, x, y + 7))
    else:
        parts.append(_circle("chart-point" + (" chart-point--open" if row.shape == "hollow" else ""), x, y, 6))
    return parts


def _inside(value: float, axis: Axis) -> float:
    return min(max(value, axis.low), axis.high)


def _ticks(axis: Axis) -> list[float]:
    """Return up to six round values that cover the axis, with the limits among them."""
    named = {value for value in (axis.limit_low, axis.limit_high, axis.same) if value is not None}
    if axis.log:
        round_ones = [0.1, 0.25, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 8]
    else:
        step = 10 ** math.floor(math.log10((axis.high - axis.low) / 2))
        step *= next(times for times in (1, 2, 5, 10) if (axis.high - axis.low) / (step * times) <= 6)
        round_ones = [round(math.ceil(axis.low / step) * step + at * step, 10) for at in range(7)]
    spans = math.log(axis.high / axis.low) if axis.log else axis.high - axis.low
    kept = sorted(named)
    for value in round_ones:
        gaps = [abs(math.log(value / old)) if axis.log else abs(value - old) for old in kept]
        if axis.low <= value <= axis.high and min(gaps, default=spans) > spans / 12:
            kept.append(value)
    return sorted(value for value in kept if axis.low <= value <= axis.high)


def _runs(weeks: Sequence[Week]) -> Iterable[tuple[int, int]]:
    """Yield (first, last) of every unbroken run of weeks with school, by calendar as well as by place."""
    first: int | None = None
    for at, week in enumerate(weeks):
        apart = at > 0 and week.start - weeks[at - 1].start > timedelta(days=7)
        if first is not None and (not week.possible or apart):
            yield first, at - 1
            first = None
        if week.possible and first is None:
            first = at
    if first is not None:
        yield first, len(weeks) - 1


def _places(weeks: Sequence[Week]) -> list[int]:
    """Return where each week stands, in weeks from the first: holidays take the room that they take in the calendar.

    A gap longer than the summer holiday is drawn as long as that, so that a year elsewhere does not
    squeeze what there is to see.
    """
    places = [0]
    for before, week in pairwise(weeks):
        places.append(places[-1] + min((week.start - before.start).days // 7, LONGEST_GAP_WEEKS + 1))
    return places


def _months(weeks: Sequence[Week], lefts: Sequence[float], base: float) -> list[Markup]:
    """Label the first week of every month, leaving out labels that would touch the one before."""
    parts, free_from = [], 0.0
    for at, (week, x) in enumerate(zip(weeks, lefts, strict=True)):
        if (at == 0 or weeks[at - 1].start.month != week.start.month) and x >= free_from:
            parts.append(_words(f"{week.start:%b}", x, base + 32, "start"))
            free_from = x + 40
    return parts


def _listed(x: float, words: str, top: float, base: float) -> list[Markup]:
    side = "end" if x > WIDTH / 2 else "start"
    return [
        _line("chart-listed", x, top - 4, x, base),
        _words(words, x - 6 if side == "end" else x + 6, base - 58, side, "chart-strong"),
    ]


def _timeline_words(weeks: Sequence[Week]) -> str:
    open_weeks = [week for week in weeks if week.possible]
    possible, missed = sum(week.possible for week in open_weeks), sum(week.missed for week in open_weeks)
    share = f"{1 - missed / possible:.0%} of sessions attended" if possible else "no sessions recorded"
    return (
        f"{len(open_weeks)} weeks of school from {weeks[0].start.day} {weeks[0].start:%B %Y}: {share}, "
        f"{sum(week.incidents for week in weeks)} incidents, "
        f"{sum(week.suspended for week in weeks)} weeks with a suspension. "
        "The same numbers are in the table that follows."
    )


def _svg(name: str, height: float, title: str, words: str, parts: Iterable[Markup]) -> Markup:
    body = Markup("").join(parts)
    return Markup(
        '<svg role="img" viewBox="0 0 {} {}" aria-labelledby="{}-title {}-words">'
        '<title id="{}-title">{}</title><desc id="{}-words">{}</desc>{}</svg>'
    ).format(WIDTH, round(height), name, name, name, title, name, words, body)


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return shape.format(kind, x, y, width, height)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def _circle(kind: str, x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(kind, x, y, radius)


def _polyline(points: Iterable[tuple[float, float]]) -> Markup:
    return Markup('<polyline class="chart-line" points="{}"/>').format(" ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def _triangle(x: float, y: float) -> Markup:
    return Markup('<path class="chart-mark" d="M{:.1f} {:.1f} h12 l-6 -11 z"/>').format(x - 6, y)


def _arrow(x: float, y: float, way: int) -> Markup:
    shape = Markup('<path class="chart-mark" d="M{:.1f} {:.1f} l{} 6 l{} 6 z"/>')
    return shape.format(x - way * 8, y - 6, way * 9, -way * 9)


def _words(words: str, x: float, y: float, anchor: str, kind: str = "chart-words") -> Markup:
    text = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return text.format(kind, x, y, anchor, words)
