"""The map of need and reach: the figures of the page's table, and nothing that the table does not show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casework.areas import NEEDS, Area, Need, Place
from casework.outlines import Outline
from serving.area_map import Shape, area_map, key_swatch, steps
from serving.pages.places import NOT_SHOWN

NOT_BY_ITSELF: Final = "not counted by itself"
_NAME: Final = "need-map"


@dataclass(frozen=True)
class _Measure:
    """What the map shows: in words, and of a place the figure and how the table says it; no figure where none is."""

    words: str
    of: Callable[[Place], tuple[float | None, str]]


def figure_words(need: Need, one: Place) -> str:
    """Return a figure as the page says it, in its table and on its map."""
    value = one.needs[need.name]
    if value is None:
        return "not published" if need.open else NOT_SHOWN
    return f"{value:.1f}"


def reach_words(one: Place) -> str:
    """Return of each 100 pupils on a list how many have support, as the page says it."""
    return NOT_SHOWN if one.reach is None else f"{one.reach:.0f}"


def high_words(one: Place) -> str:
    """Return how many signs of need are high, as the page says it."""
    return f"{len(one.high)} of {one.known}"


def need_map(
    level: str, order: str, places: Sequence[Place], areas: Sequence[Area], outlines: Sequence[Outline]
) -> Mapping[str, Any] | None:
    """Return the map of the places, numbered as the table's rows are; None where none of their outlines is known.

    A place that the table leaves out, since too few of our pupils live there, has its outline and no figure, not even
    an open one: the map says what the table says.

    Parameters
    ----------
    order
        By which the table is ordered: the need or the reach that is shown; otherwise the signs of need that are high.
    """
    measure = _measure(order)
    of_level = {one.code: one for one in outlines if one.level == level}
    if not any(one.code in of_level for one in places):
        return None
    told = {one.code: measure.of(one) for one in places}
    step_of, step_words = steps(value for value, _ in told.values() if value is not None)
    numbers = {one.code: number for number, one in enumerate(places, start=1)}
    shapes = []
    for area in areas:
        if area.level != level or area.code not in of_level:
            continue
        value, said = told.get(area.code, (None, NOT_BY_ITSELF))
        shapes.append(
            Shape(
                name=area.name,
                number=str(numbers.get(area.code, "")),
                said=said,
                step=None if value is None else step_of(value),
                polygons=of_level[area.code].polygons,
            )
        )
    larger = [one.polygons for one in outlines if one.level == "borough"] if level == "ward" else []
    words = f"Each {level} whose outline is known, shaded in steps or hatched. The table says the same, by number."
    hatched = any(one.step is None for one in shapes)
    key = [(key_swatch(_NAME, step), said) for step, said in enumerate(step_words)]
    nothing = f"Not shown, not published or {NOT_BY_ITSELF}"
    return {
        "picture": area_map(_NAME, f"Map: {measure.words}", words, shapes, larger),
        "shows": measure.words,
        "key": [*key, (key_swatch(_NAME, None), nothing)] if hatched else key,
        "without": [one.name for one in places if one.code not in of_level],
        "left_out": [one.name for one in shapes if not one.number],
        "borders": bool(larger),
    }


def outline_sources(outlines: Sequence[Outline]) -> list[str]:
    """Return who publishes the outlines, of which year, each once."""
    kinds = {"ward": "wards", "borough": "boroughs"}
    return sorted({f"Boundaries of {kinds[one.level]}: {one.publisher}, {one.from_on.year}" for one in outlines})


def _measure(order: str) -> _Measure:
    if order in NEEDS:
        need = NEEDS[order]
        return _Measure(f"{need.words}, {need.unit}", lambda one: _numbered(figure_words(need, one)))
    if order == "reach":
        return _Measure(
            "Support in place, for each 100 of our pupils on a list", lambda one: _numbered(reach_words(one))
        )
    return _Measure("Signs of need that are high", lambda one: (len(one.high) if one.known else None, high_words(one)))


def _numbered(said: str) -> tuple[float | None, str]:
    """Return the figure that words say, so that map and table part in no rounding; None where they say none."""
    return (float(said) if said[:1].isdecimal() else None), said
