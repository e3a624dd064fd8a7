"""A map of places drawn on the server as SVG: shaded in steps of one hue, hatched where nothing is shown.

It stands after a table that says the same, and draws only what it is given: what the table hides it cannot know.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, groupby, pairwise

from markupsafe import Markup

from casework.outlines import Polygons
from fairness.documents import svg

STEPS = 4
# As wide as a phone's page, so that numbers in it are legible there; the style sheet makes them smaller where it grows.
_WIDTH, _TALLEST = 400, 480
_EDGE = 4
# Positions are drawn to half of the map's unit: what falls together is drawn once, alike on both sides of a border.
_UNIT = 2
# Heights at which a shape's roomiest place is looked for, to stand a number in.
_LOOKS = 9
_NOTHING = 1e-5

Point = tuple[float, float]
Place = Callable[[Sequence[float]], Point]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One place: what stands in it, what its title says, its step from 0, None where nothing is shown."""

    name: str
    number: str
    said: str
    step: int | None
    polygons: Polygons


def area_map(name: str, title: str, words: str, shapes: Sequence[Shape], borders: Sequence[Polygons]) -> Markup:
    """Return the shapes with their numbers and titles, and the borders of larger places drawn over them.

    Parameters
    ----------
    name
        Begins the picture's ids: `key_swatch` of the same name draws the same hatching.
    words
        What the picture shows, in a sentence.
    """
    place, height = _placing([one.polygons for one in shapes])
    parts = [_hatching(name)]
    parts += [_shape(name, one, _path(one.polygons, place)) for one in shapes]
    parts += [Markup('<path class="map-border" d="{}"/>').format(_path(one, place)) for one in borders]
    for one in shapes:
        if one.number:
            x, y = _roomiest(one.polygons, place)
            parts.append(svg.words(one.number, x, y, "middle", "map-number"))
    return svg.whole(name, height, title, words, parts, width=_WIDTH)


def key_swatch(name: str, step: int | None) -> Markup:
    """Return a little square shaded as a step of the map of this name is, hatched for None."""
    square = Markup('<rect class="map-shape {}"{} x="1" y="1" width="26" height="18"/>').format(
        _kind(step), _fill(name, step)
    )
    return Markup('<svg aria-hidden="true" focusable="false" viewBox="0 0 28 20">{}</svg>').format(square)


def steps(values: Iterable[float]) -> tuple[Callable[[float], int], tuple[str, ...]]:
    """Return which step a value is of, and the words of each: four at most, as wide as one another, at round limits.

    Values are rounded to tenths at most. A few whole numbers have steps such as '2 or 3', others such as '10 to under
    15'; the last ends at the highest value where that is its limit, as '75 to 100'. Nothing known: no step.
    """
    tenths = sorted({_tenths(value) for value in values})
    if not tenths:
        return (lambda _: 0), ()
    low, high = tenths[0], tenths[-1]
    few = all(one % 10 == 0 for one in tenths) and high - low < 10 * STEPS * 2
    widths = (10, 20) if few else _round_widths()
    # The highest value may be the last step's limit, of whole numbers its last: 100 in 100 has no 'under 125'.
    width = next(one for one in widths if high <= _first(low, one, few) + STEPS * one - 10 * few)
    first = _first(low, width, few)
    limits = range(first, max(high, first + 1) if not few else high + 1, width)
    said = tuple(_words(start, width, few, last=start + width == high) for start in limits)
    return (lambda value: min((_tenths(value) - first) // width, len(said) - 1)), said


def _tenths(value: float) -> int:
    return round(value * 10)


def _round_widths() -> Iterable[int]:
    yield from (1, 2, 5)
    for power in count():
        yield from (one * 10**power for one in (10, 20, 25, 50))


def _first(low: int, width: int, few: bool) -> int:
    return low if few else low // width * width


def _words(start: int, width: int, few: bool, *, last: bool) -> str:
    if not few:
        return f"{start / 10:,g} to {'' if last else 'under '}{(start + width) / 10:,g}"
    return f"{start // 10}" if width == 10 else f"{start // 10} or {start // 10 + 1}"


def _shape(name: str, one: Shape, path: str) -> Markup:
    shape = Markup('<path class="map-shape {}"{} d="{}"><title>{}: {}</title></path>')
    return shape.format(_kind(one.step), _fill(name, one.step), path, one.name, one.said)


def _kind(step: int | None) -> str:
    return "map-hatched" if step is None else f"map-step-{step}"


def _fill(name: str, step: int | None) -> Markup:
    # An attribute and no style: the content policy allows no style in a page, and a style sheet knows no picture's ids.
    return Markup(' fill="url(#{}-hatching)"').format(name) if step is None else Markup("")


def _hatching(name: str) -> Markup:
    return Markup(
        '<defs><pattern id="{}-hatching" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="map-blank" width="6" height="6"/>'
        '<line class="map-hatch" x1="1" y1="0" x2="1" y2="6"/></pattern></defs>'
    ).format(name)


def _placing(outlines: Sequence[Polygons]) -> tuple[Place, float]:
    """Return how a position is placed on the map, and the map's height.

    An equirectangular projection, true at the middle: over a few boroughs its error is far less than a line's width.
    """
    positions = [at for outline in outlines for polygon in outline for ring in polygon for at in ring]
    east, north = [at[0] for at in positions], [at[1] for at in positions]
    narrower = math.cos(math.radians((min(north) + max(north)) / 2))
    wide, tall = (max(east) - min(east)) * narrower, max(north) - min(north)
    # An outline may be of no width at all, whatever its publisher meant by it.
    scale = min((_WIDTH - 2 * _EDGE) / max(wide, _NOTHING), (_TALLEST - 2 * _EDGE) / max(tall, _NOTHING))
    left = (_WIDTH - wide * scale) / 2

    def place(at: Sequence[float]) -> Point:
        x, y = left + (at[0] - min_east) * narrower * scale, _EDGE + (max_north - at[1]) * scale
        return round(x * _UNIT) / _UNIT, round(y * _UNIT) / _UNIT

    min_east, max_north = min(east), max(north)
    return place, tall * scale + 2 * _EDGE


def _path(polygons: Polygons, place: Place) -> str:
    rings = ([at for at, _ in groupby(place(at) for at in ring)] for polygon in polygons for ring in polygon)
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in ring) + "Z" for ring in rings)


def _roomiest(polygons: Polygons, place: Place) -> Point:
    """Return the middle of the roomiest stretch inside the outline, of a few heights: a number there is inside it."""
    edges = [(place(start), place(end)) for polygon in polygons for ring in polygon for start, end in pairwise(ring)]
    heights = [y for edge in edges for _, y in edge]
    low, high = min(heights), max(heights)
    best, found = -1.0, (_WIDTH / 2, low)
    for look in range(1, _LOOKS + 1):
        # Off the half units on which corners lie: a line through a corner would cross two edges there.
        y = low + (high - low) * look / (_LOOKS + 1) + 0.01
        cuts = sorted(x1 + (y - y1) / (y2 - y1) * (x2 - x1) for (x1, y1), (x2, y2) in edges if (y1 > y) != (y2 > y))
        for start, end in zip(cuts[::2], cuts[1::2], strict=True):
            # Room to the sides, and above and below: a wide stretch along the shape's foot is no place for a number.
            room = min(end - start, 2 * (y - low), 2 * (high - y))
            if room > best:
                best, found = room, ((start + end) / 2, y)
    return found
