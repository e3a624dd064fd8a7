"""The exclusions continuum: whether fewer suspensions are fewer pupils out of lessons, school by school.

What is said in words here is worked out from counts that are rounded already. What drifted was judged by the nightly
job on the true ones. No pupil is on the page or behind it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from starlette.responses import Response

from casework.audit_log import look
from casework.continuum import (
    DOWN,
    PUPILS,
    STEPS,
    SUSPENDED,
    UP,
    Course,
    Drift,
    TermRelease,
    courses,
    drifts_of,
    terms_out,
)
from casework.places import NETWORK, SCHOOL
from casework.tables_people import SchoolRow
from serving.change_words import change_words
from serving.form_fields import select_field
from serving.page import NotFound, Page, Visit
from serving.pages.places import NOT_SHOWN, place_words
from serving.rendering import day_words
from serving.small_charts import small_course

_MOST_BEFORE: Final = 6
# A fall by less is chance or rounding, and is said beside a drift as no change.
_LEAST_CHANGE: Final = 0.9
_WHOLE: Final = "network-all"


def show_continuum(visit: Visit) -> Response:
    """Show what drifted in a term, and one place's course along the whole continuum."""
    out = terms_out(visit.session)
    look(visit.session, visit.person, "see_continuum")
    title = "Exclusions continuum"
    if not out:
        return visit.show("continuum.html", title=title, release=None)
    asked = visit.asked("term")
    release = next((one for one in out if one.term.isoformat() == asked), out[0])
    known = [one for one in reversed(out) if one.term <= release.term][-_MOST_BEFORE - 1 :]
    names = {row.urn: row.name for row in visit.session.execute(select(SchoolRow.urn, SchoolRow.name))}
    places = {f"{one.cut}-{one.place}": one for one in courses(visit.session, visit.person)}
    drifted = drifts_of(visit.session, visit.person, release.term)
    chosen = visit.asked("place") or next((f"{one.cut}-{one.place}" for one in drifted), _WHOLE)
    if chosen not in places:
        raise NotFound
    days = [one.term for one in known]
    return visit.show(
        "continuum.html",
        title=title,
        release=_release_words(release),
        found=_found(drifted, places, days, names),
        compared=release.compared,
        choices=[
            select_field("term", "Term", [(one.term.isoformat(), one.name) for one in out], release.term.isoformat()),
            select_field("place", "School or group", _places(places.values(), names), chosen),
        ],
        place=_name(places[chosen], names),
        pictures=_pictures(places[chosen], known),
        table=_table(places[chosen], known, drifted),
        steps=[(one.words, one.means) for one in STEPS.values()],
    )


def said_of(course: Course, steps: Sequence[str], days: Sequence[date]) -> str:
    """Return what drifted at a place in a sentence that begins with what became of its suspensions.

    Parameters
    ----------
    steps
        What drifted upwards, as `STEPS` name it.
    days
        The terms, the oldest first; the last is the one spoken of.
    """
    clauses = [_clause(course, step, days) for step in steps]
    change = _change(course, SUSPENDED, days)
    if SUSPENDED in steps or change is None:
        return _sentence(clauses)
    fewer = change <= _LEAST_CHANGE
    first = f"{STEPS[SUSPENDED].words} {change_words(change)}" if fewer else ""
    return _sentence([first, *clauses] if first else clauses)


def _sentence(clauses: Sequence[str]) -> str:
    first, *rest = clauses
    return "; ".join([first, *(f"{clause[:1].lower()}{clause[1:]}" for clause in rest)]) + "."


def _clause(course: Course, step: str, days: Sequence[date]) -> str:
    change = _change(course, step, days)
    words = STEPS[step].words
    if change is None:
        return f"{words} became more than chance allows, in counts too small to show"
    now, before = _rate(course, step, days[-1]), _usual(course, step, days[:-1])
    return f"{words} {change_words(change)}, from {before:.0f} to {now:.0f} in each 1,000"


def _found(
    drifted: Sequence[Drift], places: Mapping[str, Course], days: Sequence[date], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return a row for each place at which something drifted: those first whose suspensions fell meanwhile."""
    rows = []
    by_place: dict[tuple[str, str], list[Drift]] = {}
    for one in drifted:
        by_place.setdefault((one.cut, one.place), []).append(one)
    for (cut, place), mine in by_place.items():
        course = places[f"{cut}-{place}"]
        up = [one.step for one in mine if one.way == UP]
        elsewhere = [step for step in up if step != SUSPENDED]
        change = _change(course, SUSPENDED, days)
        fell = any(one.way == DOWN for one in mine) or (change is not None and change <= _LEAST_CHANGE)
        words = said_of(course, up, days) if up else f"{STEPS[SUSPENDED].words} {_fell(change)}, and nothing else rose."
        rows.append(
            {
                "name": _name(course, names),
                "words": words,
                "moved": bool(fell and elsewhere),
                "link": f"/continuum?term={days[-1].isoformat()}&place={cut}-{place}#course",
                "order": (not (fell and elsewhere), cut != SCHOOL, _name(course, names)),
            }
        )
    return sorted(rows, key=lambda row: row["order"])


def _fell(change: float | None) -> str:
    return "became fewer than chance allows" if change is None else change_words(change)


def _pictures(course: Course, known: Sequence[TermRelease]) -> list[dict[str, Any]]:
    days = [one.term for one in known]
    names = [_short(one.name) for one in known]
    return [
        {
            "title": step.words,
            "picture": small_course(
                f"small-{step.name}",
                step.words,
                names,
                [_rate(course, step.name, day) for day in days],
                _usual(course, step.name, days[:-1]),
            ),
        }
        for step in STEPS.values()
    ]


def _table(course: Course, known: Sequence[TermRelease], drifted: Sequence[Drift]) -> dict[str, Any]:
    """Return the same numbers as rows: pupils on roll, and each step for each 1,000 of them."""
    days = [one.term for one in known]
    mine = {one.step: one.way for one in drifted if (one.cut, one.place) == (course.cut, course.place)}
    told = {UP: "rose beyond chance", DOWN: "fell beyond chance"}
    rows = [
        {
            "name": step.words,
            "cells": [_number(_rate(course, step.name, day)) for day in days],
            "usual": _number(_usual(course, step.name, days[:-1])),
            "said": told.get(mine.get(step.name, ""), ""),
        }
        for step in STEPS.values()
    ]
    rolls = [course.terms.get(day, {}).get(PUPILS) for day in days]
    return {
        "heads": [one.name for one in known],
        "rows": rows,
        "pupils": [NOT_SHOWN if roll is None else f"{roll:,}" for roll in rolls],
    }


def _rate(course: Course, step: str, day: date) -> float | None:
    """Return pupils in the step for each 1,000 at the place, from rounded counts."""
    counts = course.terms.get(day, {})
    above, below = counts.get(step), counts.get(PUPILS)
    return None if above is None or not below else 1000 * above / below


def _usual(course: Course, step: str, days: Sequence[date]) -> float | None:
    """Return the mean rate of the terms in which it is shown."""
    rates = [rate for day in days if (rate := _rate(course, step, day)) is not None]
    return sum(rates) / len(rates) if rates else None


def _change(course: Course, step: str, days: Sequence[date]) -> float | None:
    now, before = _rate(course, step, days[-1]), _usual(course, step, days[:-1])
    return None if now is None or not before else now / before


def _places(found: Any, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return the places to choose from: the network, schools by name, then groups."""
    order = sorted(found, key=lambda one: (one.cut != NETWORK, one.cut != SCHOOL, one.cut, _name(one, names)))
    return [(f"{one.cut}-{one.place}", _name(one, names)) for one in order]


def _name(course: Course, names: Mapping[int, str]) -> str:
    return place_words(course.cut, course.place, names)


def _short(name: str) -> str:
    """Return '2025/26 Spring' as a small picture has it: 'Spring 26'."""
    year, season = name.split(" ", 1)
    return f"{season} {year[2:4] if season == 'Autumn' else year[-2:]}"


def _number(value: float | None) -> str:
    return NOT_SHOWN if value is None else f"{value:.0f}"


def _release_words(release: TermRelease) -> dict[str, str]:
    return {
        "name": release.name,
        "days": f"{day_words(release.term)} to {day_words(release.ends_on)}",
        "known_on": day_words(release.known_on),
    }


PAGES = (
    Page(
        name="the exclusions continuum",
        path="/continuum",
        permission="see_continuum",
        navigation="Continuum",
        show=show_continuum,
    ),
)
