"""Charts drawn on the server as SVG: they need no script, print well and say in words what they show.

Shape carries every meaning, colour none. The page always shows the same numbers as a table.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from markupsafe import Markup

from fairness.documents import svg
from fairness.documents.svg import WIDTH

LONGEST_GAP_WEEKS = 6


@dataclass(frozen=True, kw_only=True)
class Week:
    """One week of a pupil's record; `possible` 0 is a week without school and leaves a gap."""

    start: date
    possible: int
    missed: int
    incidents: int
    suspended: bool


def timeline(weeks: Sequence[Week], *, listed: date | None, listed_words: str = "on this list") -> Markup:
    """Return weekly attendance as a line broken at holidays, incidents as bars and suspensions as triangles.

    A dashed line marks the day the pupil came on the list.
    """
    if not weeks:
        return Markup("")
    left, right, top, floor, base = 56, 12, 34, 180, 276
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
        svg.rect("chart-term", left + places[first] * step, top, (last - first + 1) * step, base - top)
        for first, last in runs
    ]
    for tenth in range(round(low * 10), 11):
        if tenth % 2 == 0 or low >= 0.5:
            y = height(tenth / 10)
            parts += [
                svg.line("chart-grid", left, y, WIDTH - right, y),
                svg.words(f"{tenth * 10}%", left - 8, y + 4, "end"),
            ]
    for count in (0, tallest):
        parts.append(svg.words(str(count), left - 8, base - count / tallest * 50 + 4, "end"))
    parts.append(svg.line("chart-axis", left, base, WIDTH - right, base))
    parts += _months(weeks, [left + place * step for place in places], base)
    for first, last in runs:
        points = [(middle(at), height(1 - weeks[at].missed / weeks[at].possible)) for at in range(first, last + 1)]
        parts.append(svg.polyline(points) if len(points) > 1 else svg.circle("chart-dot", *points[0], 3.5))
    for at, week in enumerate(weeks):
        if week.incidents:
            tall = week.incidents / tallest * 50
            parts.append(svg.rect("chart-bar", left + places[at] * step + 1, base - tall, max(step - 2, 1), tall))
        if week.suspended:
            parts.append(svg.triangle(middle(at), base + 14))
    if listed is not None:
        ahead = [place for place, week in zip(places, weeks, strict=True) if week.start + timedelta(days=7) > listed]
        parts += _listed(left + ahead[0] * step if ahead else WIDTH - right, listed_words, top, base)
    parts.append(svg.words("Attendance each week (line)", left, 14, "start", "chart-strong"))
    parts.append(svg.words("Behaviour incidents each week (bars)", left, floor + 26, "start", "chart-strong"))
    parts += [
        svg.words("▲ week with a suspension", left, base + 56, "start"),
        svg.words("grey: weeks of school; gaps: holidays", left + 190, base + 56, "start"),
    ]
    return svg.whole("timeline", 340, "Attendance and behaviour incidents, week by week", _timeline_words(weeks), parts)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a course: its name, and a value for each step, None where it is not known and the line breaks."""

    name: str
    values: Sequence[float | None]


def course(name: str, title: str, steps: Sequence[str], lines: Sequence[Line], *, unit: str = "") -> Markup:
    """Return up to two lines over steps in time: the first drawn through with filled circles, the second dashed.

    The scale begins at nought, but for shares that all lie far above it: those begin where they lie, and say so.
    """
    known = [value for line in lines for value in line.values if value is not None]
    if not known or not steps:
        return Markup("")
    left, right, top, base = 56, 12, 44, 230
    low, high = _scale(min(known), max(known))
    apart = (WIDTH - left - right) / len(steps)
    parts = []
    for at in range(5):
        value = low + (high - low) * at / 4
        y = base - (base - top) * at / 4
        parts += [
            svg.line("chart-grid", left, y, WIDTH - right, y),
            svg.words(f"{value:.3g}{unit}", left - 8, y + 4, "end"),
        ]
    for at, step in enumerate(steps):
        first, _, rest = step.partition(" ")
        x = left + (at + 0.5) * apart
        parts += [
            svg.words(rest or first, x, base + 20, "middle"),
            svg.words(first if rest else "", x, base + 36, "middle"),
        ]
    for which, line in enumerate(lines):
        kind = "chart-line" if which == 0 else "chart-line chart-line--beside"
        points = [
            None if value is None else (left + (at + 0.5) * apart, base - (value - low) / (high - low) * (base - top))
            for at, value in enumerate(line.values)
        ]
        parts += [svg.polyline(run, kind) for run in _unbroken(points) if len(run) > 1]
        dot = "chart-point" if which == 0 else "chart-point chart-point--open"
        parts += [svg.circle(dot, *point, 4.5) for point in points if point is not None]
        x = left + which * (WIDTH - left) / 2
        parts += [
            svg.circle(dot, x + 6, 14, 4.5),
            svg.words(f"{line.name} ({'line' if which == 0 else 'dashed'})", x + 18, 18, "start", "chart-strong"),
        ]
    return svg.whole(name, base + 46, title, _course_words(steps, lines, unit), parts)


def _scale(least: float, most: float) -> tuple[float, float]:
    """Return the ends of a scale of round numbers that holds both."""
    if least > 50:
        return math.floor((least - 0.5) / 4) * 4.0, 100.0
    # Four lines of a round number each: a reader should not have to think in 7.5s.
    quarter = most / 4 or 1.0
    size = 10 ** math.floor(math.log10(quarter))
    return 0.0, 4 * size * next(round_number for round_number in (1, 2, 5, 10) if quarter <= round_number * size)


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return runs


def _course_words(steps: Sequence[str], lines: Sequence[Line], unit: str) -> str:
    said = []
    for line in lines:
        known = [(step, value) for step, value in zip(steps, line.values, strict=True) if value is not None]
        if known:
            (first, began), (last, ended) = known[0], known[-1]
            said.append(f"{line.name}: {began:.1f}{unit} in {first}, {ended:.1f}{unit} in {last}.")
    return f"{' '.join(said)} The same numbers are in the table that follows."


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
            parts.append(svg.words(f"{week.start:%b}", x, base + 32, "start"))
            free_from = x + 40
    return parts


def _listed(x: float, words: str, top: float, base: float) -> list[Markup]:
    side = "end" if x > WIDTH / 2 else "start"
    return [
        svg.line("chart-listed", x, top - 4, x, base),
        svg.words(words, x - 6 if side == "end" else x + 6, base - 58, side, "chart-strong"),
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
