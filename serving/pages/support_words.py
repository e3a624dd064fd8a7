"""Support in words: on a pupil's page, beside the next review, and on paper."""

from datetime import date
from typing import Any

from casework.cases import PupilPage
from casework.support import REVIEWS, STANDINGS
from casework.support_read import Support, hours_words, supports_of
from serving.page import Visit
from serving.rendering import day_words

_LATER = "What others write of how it goes is shown once you have recorded your own view."


def support_words(visit: Visit, pupil: PupilPage) -> dict[str, list[dict[str, Any]]]:
    """Return what is in place (`now`) and what was tried (`before`), each as a page shows it.

    What others wrote of how it goes waits for the reader's own view of the week, as their reviews do.
    """
    waits = pupil.case is not None and pupil.own_view is None
    found = supports_of(visit.session, pupil.pupil_id)
    lists: dict[str, list[dict[str, Any]]] = {"now": [], "before": []}
    for one in found:
        told = _told(one, visit.today)
        told["voices"] = [voice for voice in pupil.voices if voice.support_id == one.id]
        if waits and one.by_id != visit.person.id:
            told |= {"review": "", "note": _LATER if one.review or one.note else ""}
        lists["now" if one.is_in_place(visit.today) else "before"].append(told)
    return lists


def support_on_paper(visit: Visit, pupil: PupilPage) -> list[str]:
    """Return a line for each offer, with nobody's words and nobody's name in it."""
    return [
        f"{one.kind.words}: {STANDINGS[one.standing].lower()}. {course_words(one, visit.today)}"
        for one in supports_of(visit.session, pupil.pupil_id)
    ]


def course_words(one: Support, today: date) -> str:
    """Return when it was offered, its days and its hours: 'Offered 1 June 2026. Since 3 June 2026, 6 hours so far.'"""
    said = f"Offered {day_words(one.offered_on)}."
    if one.start_on is None:
        return said
    if one.end_on is not None:
        days = f"From {day_words(one.start_on)} to {day_words(one.end_on)}"
    else:
        days = f"{'From' if one.start_on > today else 'Since'} {day_words(one.start_on)}"
    hours = "" if one.hours is None else f", {hours_words(one.hours)} {'hour' if one.hours == 1 else 'hours'} so far"
    return f"{said} {days}{hours}."


def _told(one: Support, today: date) -> dict[str, Any]:
    given = [
        f"Given by {one.provider}" if one.provider else "",
        f"paid for by {one.programme.name}" if one.programme else "",
    ]
    words = ", ".join(part for part in given if part)
    return {
        "id": one.id,
        "what": one.kind.words,
        "standing": STANDINGS[one.standing],
        "course": course_words(one, today),
        "given": f"{words[:1].upper()}{words[1:]}." if words else "",
        "review": REVIEWS[one.review] if one.review else "",
        "note": one.note,
        "by": f"Written down by {one.by} on {day_words(one.recorded_on)}",
        "offered_on": one.offered_on,
    }
