"""Need and reach: where deprivation, violence, absence and suspension gather by ward or borough, and support does not.

Open figures of places beside our own counts, which are rounded and hidden already. An order of places, never of pupils
or schools: it says where to ask first, and by which rule it was made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from casework.areas import (
    MOST_DEPRIVED_TENTHS,
    NEEDS,
    Area,
    Figure,
    Need,
    Place,
    Standing,
    areas_of,
    figures_of,
    left_over,
    need_and_reach,
    open_rates,
    standing_of,
)
from casework.audit_log import look
from casework.outlines import outlines_of
from casework.places import ELSEWHERE, LEVELS, PlaceCounts, PlaceRelease, counts_of, releases
from serving.form_fields import select_field
from serving.page import NotFound, Page, Visit
from serving.pages.need_map import figure_words, high_words, need_map, outline_sources, reach_words
from serving.pages.places import NOT_SHOWN
from serving.rendering import day_words
from serving.small_charts import Bar, small_bars

_MOST_DRAWN: Final = 12
_NEED, _REACH, _NAME = "need", "reach", "name"
_LEVEL_WORDS: Final[Mapping[str, str]] = {"ward": "Ward", "borough": "Borough"}
_ORDERS: Final[Mapping[str, str]] = {
    _NEED: "Most signs of need, least support",
    _REACH: "Support reaches fewest",
    **{name: need.short for name, need in NEEDS.items()},
    _NAME: "By name",
}
_SMALL_AREAS: Final = ("violence", "admissions", "unsafe")


def show_need(visit: Visit) -> Response:
    """Show the places of one level for one half-term, in the order asked for; and one place's small areas."""
    look(visit.session, visit.person, "see_need")
    standing, out = standing_of(visit.session), releases(visit.session)
    areas, figures = areas_of(visit.session, visit.person), figures_of(visit.session, visit.person)
    level = visit.asked("by") if visit.asked("by") in LEVELS else LEVELS[0]
    order = visit.asked("order") if visit.asked("order") in _ORDERS else _NEED
    release = next((one for one in out if one.half_term.isoformat() == visit.asked("half_term")), (*out, None)[0])
    counts = () if release is None else counts_of(visit.session, visit.person, release.half_term)
    places = in_order(need_and_reach(level, areas, figures, counts), order)
    outlines = outlines_of(visit.session, visit.person)
    drawn = need_map(level, order, places, areas, outlines)
    chosen = _chosen(visit, areas)
    return visit.show(
        "need.html",
        title="Need and reach",
        standing=_standing_words(standing),
        release=release,
        days="" if release is None else f"{day_words(release.half_term)} to {day_words(release.ends_on)}",
        choices=[] if release is None else _choices(out, release, level, order),
        caption=f"{_LEVEL_WORDS[level]}s, {_ORDERS[order][:1].lower()}{_ORDERS[order][1:]}",
        rows=[_row(one, level, order, release) for one in places],
        map=drawn,
        level=level,
        pictures=_pictures(places[:_MOST_DRAWN]),
        drawn=min(len(places), _MOST_DRAWN),
        unpublished=[need.words[:1].lower() + need.words[1:] for need in NEEDS.values() if not _is_known(need, places)],
        heads=[(need.short, need.unit) for need in NEEDS.values()],
        figures=[{"name": one.name, "cells": [figure_words(need, one) for need in NEEDS.values()]} for one in places],
        left=[_left_words(one) for one in left_over(level, counts)],
        chosen=chosen,
        small_areas=_small_areas(chosen, areas, figures),
        sources=_sources(figures) + ([] if drawn is None else outline_sources(outlines)),
        needs=[(need.words, need.unit, need.open) for need in NEEDS.values()],
        tenths=MOST_DEPRIVED_TENTHS,
    )


def in_order(places: Sequence[Place], order: str) -> list[Place]:
    """Return the places in the order asked for; what is not known comes last, places that are alike by name."""
    if order == _NEED:
        return list(places)
    by_name = sorted(places, key=lambda one: one.name.casefold())
    if order == _NAME:
        return by_name
    if order == _REACH:
        return sorted(by_name, key=lambda one: (one.reach is None, one.reach or 0.0))
    return sorted(by_name, key=lambda one: (one.needs[order] is None, -(one.needs[order] or 0.0)))


def _chosen(visit: Visit, areas: Sequence[Area]) -> Area | None:
    asked = visit.asked("place")
    found = next((one for one in areas if one.code == asked and one.level in LEVELS), None)
    if asked and found is None:
        raise NotFound
    return found


def _choices(out: Sequence[PlaceRelease], release: PlaceRelease, level: str, order: str) -> list[dict[str, Any]]:
    half_terms = [(one.half_term.isoformat(), one.name) for one in out]
    return [
        select_field("by", "By", list(_LEVEL_WORDS.items()), level),
        select_field("order", "Order", list(_ORDERS.items()), order),
        select_field("half_term", "Half-term", half_terms, release.half_term.isoformat()),
    ]


def _row(one: Place, level: str, order: str, release: PlaceRelease | None) -> dict[str, Any]:
    signs = [need.short.lower() for name, need in NEEDS.items() if name in one.high]
    half_term = "" if release is None else release.half_term.isoformat()
    return {
        "name": one.name,
        "link": f"/places/need?by={level}&order={order}&half_term={half_term}&place={one.code}#areas",
        "borough": one.borough,
        "pupils": NOT_SHOWN if one.pupils is None else f"{one.pupils:,}",
        "high": high_words(one),
        "signs": ", ".join(signs),
        "listed": figure_words(NEEDS["listed"], one),
        "reach": reach_words(one),
    }


def _pictures(places: Sequence[Place]) -> list[dict[str, Any]]:
    """Return a picture for each need and one for reach, the places in one order in all of them."""
    found = []
    for name, need in NEEDS.items():
        if not _is_known(need, places):
            continue
        bars = [Bar(name=one.name, value=one.needs[name], marked=name in one.high) for one in places]
        found.append({"title": f"{need.words}, {need.unit}", "picture": small_bars(f"need-{name}", need.short, bars)})
    reach = [Bar(name=one.name, value=one.reach, marked=False) for one in places]
    title = "Support in place, for each 100 of our pupils on a list"
    return [*found, {"title": title, "picture": small_bars("reach", "Support in place", reach)}]


def _is_known(need: Need, places: Sequence[Place]) -> bool:
    return any(one.needs[need.name] is not None for one in places)


def _left_words(one: PlaceCounts) -> dict[str, str]:
    pupils = one.counts.get("pupils")
    whose = "live in wards with fewer than 40 of our pupils" if one.place == ELSEWHERE else "live where no list says"
    return {"pupils": NOT_SHOWN if pupils is None else f"{pupils:,}", "whose": whose}


def _small_areas(chosen: Area | None, areas: Sequence[Area], figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the open figures of the small areas in a place; none of our counts is of a place so small."""
    if chosen is None:
        return []
    rates = open_rates(areas, figures)
    tenths = {one.code: one.count for one in figures if one.measure == "deprivation"}
    return [
        {
            "name": area.name,
            "code": area.code,
            "tenth": "not published" if area.code not in tenths else str(tenths[area.code]),
            "cells": [_published(rates.get((area.code, name))) for name in _SMALL_AREAS],
        }
        for area in areas
        if area.level == "area" and chosen.code in (area.ward, area.borough)
    ]


def _published(value: float | None) -> str:
    return "not published" if value is None else f"{value:.1f}"


def _sources(figures: Sequence[Figure]) -> list[str]:
    """Return who publishes what, over which days, each once."""
    words = {"deprivation": "Deprivation", "violence": "Recorded violence", "admissions": "Assault admissions"}
    found = {
        f"{words.get(one.measure, 'Feeling safe')}: {one.publisher}, "
        + (day_words(one.to_on) if one.from_on == one.to_on else f"{day_words(one.from_on)} to {day_words(one.to_on)}")
        for one in figures
    }
    return sorted(found)


def _standing_words(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "edition": standing.edition,
        "known_on": day_words(standing.known_on),
        "unlisted": standing.unlisted,
        "left_out": standing.figures_left_out,
    }


PAGES = (
    Page(
        name="need and reach",
        path="/places/need",
        permission="see_need",
        show=show_need,
    ),
)
