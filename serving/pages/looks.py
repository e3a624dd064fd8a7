"""The log of looks, for those who answer for it: by pupil, by person, by day; who stands out; whether it holds."""

import uuid
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from casework import looks
from casework.looks import LogState, LookLine, Question, Volume
from casework.rules import RuleBroken
from records.pseudonym import PROVEN, canonical, doubt, pseudonyms, read_pepper
from serving.form_fields import date_field, id_of, told_errors, typed_date
from serving.page import Page, Visit
from serving.pages.look_words import WORDS, about_words
from serving.rendering import count_words, day_words

_UNCHECKED = "The chain has not been checked yet; belong looks, run each night on the server, does."
_NOT_A_NUMBER = "Enter a unique pupil number (a letter and twelve digits), or the id in the address of a pupil's page."


def show_looks(visit: Visit) -> Response:
    """List looks, newest first, fifty at a time; of one person or one day where it is asked for."""
    return _listed(visit)


def show_pupil(visit: Visit) -> Response:
    """Ask which pupil; the number is sent in a form, so that it stands in no address."""
    return _pupil(visit)


def save_pupil(visit: Visit) -> Response:
    """Show who looked at the pupil of a number or an id."""
    try:
        found = _asked_pupils(visit, visit.value("pupil"))
    except RuleBroken as error:
        return _pupil(visit, error)
    before = visit.value("before")
    question = Question(pupils=found, before=int(before) if before.isdecimal() and len(before) < 18 else None)
    lines, more = looks.read_log(visit.session, visit.person, question)
    return visit.show(
        "looks_pupil.html",
        title="Who looked at a pupil",
        field=_field(visit),
        answered=True,
        asked=visit.value("pupil"),
        rows=[_row(line) for line in lines],
        more=lines[-1].seq if more else "",
        older=question.before is not None,
    )


def show_volumes(visit: Visit) -> Response:
    """Show who looked at most pupils in the last seven days, and what is usual."""
    found = looks.volumes(visit.session, visit.person, visit.site.now())
    return visit.show(
        "looks_unusual.html",
        title="Unusual volumes",
        out=sum(one.stands_out for one in found),
        rows=[_volume(one) for one in found],
        least=looks.STANDS_OUT_PUPILS,
        weeks=looks.WEEKS_BEFORE,
    )


def _listed(visit: Visit) -> Response:
    error = None
    try:
        day = typed_date(visit, "on", visit.asked)
    except RuleBroken as broken:
        day, error = None, broken
    person, before = id_of(visit.asked("person")), visit.asked("before")
    older = before.isdecimal() and len(before) < 18
    question = Question(person=person, day=day, before=int(before) if older else None)
    lines, more = looks.read_log(visit.session, visit.person, question)
    fields = {"on": date_field(visit, "on", "Day", reading=visit.asked)}
    kept = _kept(person, day)
    return visit.show(
        "looks.html",
        title="Log of looks",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        field=fields["on"],
        whose=str(person or ""),
        person_words=_person_words(person, lines),
        state=_state(looks.log_state(visit.session, visit.person)),
        rows=[_row(line) for line in lines],
        pages=_pages(kept, str(lines[-1].seq) if more else "", first=not older),
    )


def _kept(person: uuid.UUID | None, day: date | None) -> dict[str, str]:
    kept = {"person": str(person)} if person else {}
    if day is not None:
        kept |= {"on-day": str(day.day), "on-month": str(day.month), "on-year": str(day.year)}
    return kept


def _person_words(person: uuid.UUID | None, lines: tuple[LookLine, ...]) -> str:
    if person is None:
        return ""
    return f"Only what {lines[0].who} looked at." if lines else "Only what one person looked at."


def _pages(kept: dict[str, str], before: str, *, first: bool) -> dict[str, Any] | None:
    links: dict[str, Any] = {"landmarkLabel": "Pages of the log"}
    if not first:
        links["previous"] = {"href": f"/looks?{urlencode(kept)}" if kept else "/looks", "text": "Newest"}
    if before:
        links["next"] = {"href": f"/looks?{urlencode({**kept, 'before': before})}", "text": "Older"}
    return links if len(links) > 1 else None


def _asked_pupils(visit: Visit, said: str) -> frozenset[uuid.UUID]:
    """Return by which ids the log knows who was asked for; none where nobody has the number. Raises RuleBroken."""
    known = id_of(said)
    if known is not None:
        return frozenset({known})
    number = canonical(said)
    if len(said) > 40 or doubt(number) != PROVEN:
        raise RuleBroken(_NOT_A_NUMBER, "pupil")
    pseudonym = int(pseudonyms([number], read_pepper(visit.site.home))[0])
    return looks.pupils_known_as(visit.session, visit.person, [pseudonym])


def _pupil(visit: Visit, error: RuleBroken | None = None) -> Response:
    field = _field(visit)
    return visit.show(
        "looks_pupil.html",
        title="Who looked at a pupil",
        status=200 if error is None else 422,
        errors=told_errors({"pupil": field}, error),
        field=field,
        answered=False,
    )


def _field(visit: Visit) -> dict[str, Any]:
    return {
        "id": "pupil",
        "name": "pupil",
        "value": visit.value("pupil"),
        "label": {"text": "Pupil", "classes": "govuk-label--s"},
        "hint": {"text": "Their unique pupil number, or the id from the address of their page."},
        "classes": "govuk-input--width-20",
        "autocomplete": "off",
        "spellcheck": False,
    }


def _row(line: LookLine) -> dict[str, Any]:
    return {
        "at": f"{day_words(line.at)}, {line.at:%H:%M}",
        "who": line.who,
        "person": line.person_id,
        "what": WORDS.get(line.action, line.action.replace("_", " ").capitalize()),
        "pupil": str(line.pupil) if line.pupil else "",
        "pupil_words": f"Pupil {str(line.pupil)[:8]}" if line.pupil else "",
        "school": line.school or "",
        "detail": about_words(line.action, line.detail),
    }


def _volume(one: Volume) -> dict[str, Any]:
    def usual(value: float | None) -> str:
        return "Nothing yet" if value is None else f"{value:g}"

    return {
        "person": one.person_id,
        "name": one.name,
        "roles": ", ".join(one.roles) or "No role now",
        "pupils": one.pupils,
        "own": usual(one.own_usual),
        "role": usual(one.role_usual),
        "out": one.stands_out,
    }


def _state(state: LogState) -> dict[str, Any]:
    if state.checked_at is None:
        return {"words": _UNCHECKED, "holds": True, "head": ""}
    when = f"{day_words(state.checked_at)}, {state.checked_at:%H:%M} UTC"
    since = state.looks - state.checked_looks
    found = f"Checked on {when}: {state.sentence}."
    if state.holds:
        found = f"Checked on {when}: every one of {count_words(state.checked_looks, 'look', 'looks')} holds."
        found += f" {count_words(since, 'look has', 'looks have')} been added since."
    return {"words": found, "holds": state.holds, "head": state.head}


PAGES = (
    Page(name="log of looks", path="/looks", permission="see_looks", navigation="Log of looks", show=show_looks),
    Page(name="who looked at a pupil", path="/looks/pupil", permission="see_looks", show=show_pupil, save=save_pupil),
    Page(name="unusual volumes", path="/looks/unusual", permission="see_looks", show=show_volumes),
)
