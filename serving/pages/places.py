"""Places: what is happening in each school, phase, year group and neighbourhood, in counts that lead to no pupil.

Nothing is worked out here but rates, from counts that are rounded already. Places stand in a fixed order, by name or
as they are numbered: nobody is ranked.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import select
from starlette.responses import Response

from casework.audit_log import look
from casework.permissions import may
from casework.places import (
    ELSEWHERE,
    LEVELS,
    NETWORK,
    SCHOOL,
    PlaceCounts,
    PlaceRelease,
    attendance,
    counts_of,
    course_of,
    rate,
    releases,
    sees_every_place,
)
from casework.tables_areas import AreaRow
from casework.tables_people import SchoolRow
from fairness.words import attribute_words, group_words, heading
from records.codes import PHASE, YEAR_GROUP
from serving.charts import Line, course
from serving.form_fields import select_field
from serving.page import NotFound, Page, Visit
from serving.rendering import day_words, year_words

NOT_SHOWN: Final = "not shown"
Names = Mapping[Any, str]
"""Names of schools by number, and of wards and boroughs by code."""

_ALL: Final = "all"
_UNKNOWN: Final = "unknown"
_CUTS: Final[Mapping[str, str]] = {
    SCHOOL: "School",
    "phase": "Phase",
    "year_group": "Year group",
    "deprivation": "Neighbourhood",
    "ward": "Ward",
    "borough": "Borough",
}
_YEARS: Final = list(YEAR_GROUP.meanings)
# Figure, as an address may name it (no word about an outcome) → its heading in a table, what the chart says over its
# line, and what one of its numbers is.
_FIGURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "attendance": ("Attendance", "Attendance, per cent of sessions", "%"),
    "lessons": ("Removals from lessons for 100 pupils", "Removals from lessons for each 100 pupils", ""),
    "home": ("Suspensions for 100 pupils", "Suspensions for each 100 pupils", ""),
    "home_for_incidents": ("Suspensions for 100 incidents", "Suspensions for each 100 recorded incidents", ""),
    "listed": ("On a list", "Pupils on a list, for each 100 pupils", ""),
}
_IN_TABLE: Final = ("attendance", "lessons", "home", "home_for_incidents")
_RATES: Final[Mapping[str, tuple[str, str]]] = {
    "lessons": ("removals", "pupils"),
    "home": ("suspensions", "pupils"),
    "home_for_incidents": ("suspensions", "incidents"),
    "listed": ("flagged", "pupils"),
}


def show_places(visit: Visit) -> Response:
    """Show one half-term by one cut, and the course of one place beside the network's."""
    out = releases(visit.session)
    everywhere = sees_every_place(visit.person)
    look(visit.session, visit.person, "see_places")
    if not out:
        return visit.show("places.html", title="Places", release=None, need=may(visit.person, "see_need"))
    release = next((one for one in out if one.half_term.isoformat() == visit.asked("half_term")), out[0])
    counts = counts_of(visit.session, visit.person, release.half_term)
    names = place_names(visit)
    there = [cut for cut in (*_CUTS, *_other_cuts(counts)) if any(one.cut == cut for one in counts)]
    cut = visit.asked("by") if visit.asked("by") in there else (there or [SCHOOL])[0]
    mine = in_order([one for one in counts if one.cut == cut], names)
    figure = visit.asked("chart") if visit.asked("chart") in _FIGURES else "attendance"
    query = f"half_term={release.half_term.isoformat()}&chart={figure}"
    return visit.show(
        "places.html",
        title="Places",
        release=_release_words(release),
        everywhere=everywhere,
        need=may(visit.person, "see_need"),
        choices=_choices(visit, out, release, there if everywhere else [], cut, figure),
        caption=f"{release.name}, by {cut_words(cut).lower()}" if everywhere else release.name,
        table=_table([*(one for one in counts if one.cut == NETWORK), *mine], names, f"{query}&by={cut}"),
        chart=_chart(visit, _chosen(visit, mine, everywhere), names, figure),
    )


def _chosen(visit: Visit, mine: Sequence[PlaceCounts], everywhere: bool) -> PlaceCounts | None:
    """Return the place whose course is drawn beside the network's: the one asked for, or the person's own school."""
    asked = visit.asked("place")
    if not asked and not everywhere:
        return mine[0] if mine else None
    found = next((one for one in mine if one.place == asked), None)
    if asked and found is None:
        raise NotFound
    return found


def _choices(
    visit: Visit, out: Sequence[PlaceRelease], release: PlaceRelease, cuts: Sequence[str], cut: str, figure: str
) -> list[dict[str, Any]]:
    half_terms = [(one.half_term.isoformat(), one.name) for one in out]
    charts = [(name, words[1]) for name, words in _FIGURES.items()]
    by = [select_field("by", "By", [(one, cut_words(one)) for one in cuts], cut)] if cuts else []
    return [
        *by,
        select_field("half_term", "Half-term", half_terms, release.half_term.isoformat()),
        select_field("chart", "Chart", charts, figure),
    ]


def _table(places: Sequence[PlaceCounts], names: Names, query: str) -> dict[str, Any]:
    """Return a row for each place; columns of lists are left out where they are not counted by this cut."""
    listed = any("flagged" in one.counts for one in places if one.cut != NETWORK)
    heads = ["Pupils", *(_FIGURES[name][0] for name in _IN_TABLE)]
    heads += ["On a list", "Of those, looked at", "Of those, support in place"] if listed else []
    rows = []
    for one in places:
        cells = [_count(one, "pupils"), *(_said(one, name) for name in _IN_TABLE)]
        cells += [_count(one, name) for name in ("flagged", "reviewed", "supported")] if listed else []
        link = "" if one.cut == NETWORK else f"/places?{query}&place={one.place}#course"
        rows.append({"name": place_words(one.cut, one.place, names), "link": link, "cells": cells})
    return {"heads": heads, "rows": rows}


def _chart(visit: Visit, place: PlaceCounts | None, names: Names, figure: str) -> dict[str, Any]:
    """Return the course of a figure over the half-terms as a picture, and the same numbers as rows."""
    courses = [course_of(visit.session, visit.person, NETWORK, _ALL)]
    heads = ["The whole network"]
    if place is not None:
        courses.append(course_of(visit.session, visit.person, place.cut, place.place))
        heads.append(place_words(place.cut, place.place, names))
    out = {release.half_term: release.name for release in releases(visit.session)}
    days = sorted(out)
    found = [{one.half_term: figure_of(one.counts, figure) for one in one_course} for one_course in courses]
    lines = [Line(name=name, values=[mine.get(day) for day in days]) for name, mine in zip(heads, found, strict=True)]
    title, unit = _FIGURES[figure][1:]
    return {
        "title": title,
        "picture": course(f"course-{figure}", title, [out[day] for day in days], lines, unit=unit),
        "heads": heads,
        "rows": [{"name": out[day], "cells": [_number(mine.get(day), unit) for mine in found]} for day in days],
    }


def figure_of(counts: Mapping[str, int | None], figure: str) -> float | None:
    """Return a figure from rounded counts, for each hundred; None where one of its counts is not shown."""
    found = attendance(counts) if figure == "attendance" else rate(counts, *_RATES[figure])
    return None if found is None else 100 * found


_WORDS: Final[Mapping[str, Callable[[str, Names], str]]] = {
    NETWORK: lambda place, names: "The whole network",
    SCHOOL: lambda place, names: names.get(int(place), f"School {place}"),
    "phase": lambda place, names: heading(PHASE.meanings.get(place, place)),
    "year_group": lambda place, names: year_words(place),
}


def place_words(cut: str, place: str, names: Names) -> str:
    """Return a place's name as a row of a table has it."""
    if cut in _WORDS:
        return _WORDS[cut](place, names)
    if cut in LEVELS and place != _UNKNOWN:
        return "Wards with few of our pupils" if place == ELSEWHERE else names.get(place, place)
    if cut not in ("deprivation", *LEVELS):
        return heading(group_words(cut, place))
    ends = {"1": " (most deprived)", "10": " (least deprived)"}
    return "Neighbourhood not known" if place == _UNKNOWN else f"Tenth {place}{ends.get(place, '')}"


class Placed(Protocol):
    """Counts of a place, of whatever release."""

    @property
    def cut(self) -> str: ...
    @property
    def place(self) -> str: ...


_One = TypeVar("_One", bound=Placed)


def in_order(places: Iterable[_One], names: Names) -> list[_One]:
    """Return the places of one cut in their fixed order."""
    return sorted(places, key=lambda one: _order(one, names))


def _order(one: Placed, names: Names) -> tuple[int, str]:
    """Return where a place stands: schools by name, years and tenths as they are numbered, what is not known last."""
    words = place_words(one.cut, one.place, names)
    if one.place in (_UNKNOWN, "unclassified", ELSEWHERE):
        return (99, words)
    if one.cut == "year_group":
        return (_YEARS.index(one.place) if one.place in _YEARS else 98, words)
    return (int(one.place) if one.cut == "deprivation" else 0, words.casefold())


def cut_words(cut: str) -> str:
    """Return what a cut is called: 'School', 'Neighbourhood'."""
    return _CUTS.get(cut) or heading(attribute_words(cut))


def _other_cuts(counts: Sequence[PlaceCounts]) -> list[str]:
    return sorted({one.cut for one in counts} - set(_CUTS) - {NETWORK})


def _count(one: PlaceCounts, measure: str) -> str:
    count = one.counts.get(measure)
    return NOT_SHOWN if count is None else f"{count:,}"


def _said(one: PlaceCounts, figure: str) -> str:
    return _number(figure_of(one.counts, figure), _FIGURES[figure][2])


def _number(value: float | None, unit: str) -> str:
    return NOT_SHOWN if value is None else f"{value:.1f}{unit}"


def school_names(visit: Visit) -> dict[int, str]:
    """Return every school's name by its number."""
    rows = visit.session.execute(select(SchoolRow.urn, SchoolRow.name))
    return {row.urn: row.name for row in rows}


def place_names(visit: Visit) -> Names:
    """Return every school's name by its number, and every ward's and borough's by its code."""
    areas = visit.session.execute(select(AreaRow.code, AreaRow.name).where(AreaRow.level.in_(LEVELS)))
    return {**school_names(visit), **{row.code: row.name for row in areas}}


def _release_words(release: PlaceRelease) -> dict[str, str]:
    days: tuple[date, date] = (release.half_term, release.ends_on)
    return {
        "name": release.name,
        "days": f"{day_words(days[0])} to {day_words(days[1])}",
        "known_on": day_words(release.known_on),
    }


PAGES = (
    Page(
        name="places",
        path="/places",
        permission="see_places",
        navigation="Places",
        first_for=frozenset({"network_lead"}),
        show=show_places,
    ),
)
