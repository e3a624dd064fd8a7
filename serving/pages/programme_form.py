"""Entering a programme of support, and changing what was entered: by the network lead alone."""

import re
import uuid
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from casework.permissions import check_may
from casework.programmes import Programme, ProgrammeSaid, add_programme, change_programme
from casework.rules import RuleBroken
from casework.support_kinds import KINDS
from serving.form_fields import date_field, told_errors, typed_date, urn_of
from serving.page import Page, Visit
from serving.pages.places import school_names
from serving.pages.programmes import named_programme


def enter_form(visit: Visit) -> Response:
    """Ask what the programme is."""
    return _form(visit, None)


def save_entered(visit: Visit) -> Response:
    """Keep the programme, and show it."""
    try:
        made = add_programme(visit.session, visit.person, _said(visit), visit.today)
    except RuleBroken as error:
        return _form(visit, None, error)
    return visit.go(f"/programmes/{made}")


def change_form(visit: Visit) -> Response:
    """Show the form as the programme stands."""
    check_may(visit.person, "manage_programmes")
    return _form(visit, named_programme(visit))


def save_changed(visit: Visit) -> Response:
    """Keep the programme as it is now, and show it."""
    programme = named_programme(visit)
    version = visit.value("version")
    seen = int(version) if version.isdecimal() and len(version) < 9 else 0
    try:
        change_programme(visit.session, visit.person, programme, seen, _said(visit), visit.today)
    except RuleBroken as error:
        return _form(visit, programme, error)
    return visit.go(f"/programmes/{programme.id}")


def _said(visit: Visit) -> ProgrammeSaid:
    hour = _money(visit.value("hour"), "hour", "for example 32.50")
    budget = _money(visit.value("budget"), "budget", "for example 24000")
    return ProgrammeSaid(
        name=visit.value("name"),
        funder=visit.value("funder"),
        start_on=typed_date(visit, "start"),
        end_on=typed_date(visit, "end"),
        kinds=visit.values("kinds"),
        schools=tuple(urn_of(one) or 0 for one in visit.values("schools")),
        budget_pounds=None if budget is None else round(budget),
        hour_pence=None if hour is None else round(hour * 100),
    )


def _money(typed: str, field: str, example: str) -> Decimal | None:
    """Return pounds; a sign is read, so that what is below nothing is refused for what it is."""
    plain = typed.replace(",", "").removeprefix("£")
    if not plain:
        return None
    if not re.fullmatch(r"-?£?[0-9]{1,12}(\.[0-9]{1,2})?", plain):
        raise RuleBroken(f"Enter pounds as a number, {example}.", field)
    return Decimal(plain.replace("£", ""))


def _given(programme: Programme) -> dict[str, tuple[str, ...]]:
    hour = "" if programme.hour_pence is None else f"{programme.hour_pence / 100:.2f}"
    days = {
        f"{name}-{part}": (str(getattr(day, part)),)
        for name, day in (("start", programme.start_on), ("end", programme.end_on))
        for part in ("day", "month", "year")
    }
    return {
        "name": (programme.name,),
        "funder": (programme.funder,),
        "kinds": programme.kinds,
        "schools": tuple(str(school) for school in programme.schools),
        "budget": ("" if programme.budget_pounds is None else str(programme.budget_pounds),),
        "hour": (hour,),
        **days,
    }


def _form(visit: Visit, programme: Programme | None, error: RuleBroken | None = None) -> Response:
    if not visit.form and programme is not None:  # shown for the first time: the fields read what stands there already
        visit.form = _given(programme)
    fields = {
        "name": _line(visit, "name", "What is it called?"),
        "funder": _line(visit, "funder", "Who pays for it?"),
        "start": date_field(visit, "start", "When does it start?", "For example, 1 9 2026."),
        "end": date_field(visit, "end", "When does it end?", "As planned. It can be moved later."),
        "kinds": _boxes(visit, "kinds", "What does it pay for?", [(k.name, k.words, k.means) for k in KINDS.values()]),
        "budget": _line(
            visit, "budget", "What does it cost in all? (pounds)", "Leave empty if only an hour has a price."
        ),
        "hour": _line(
            visit, "hour", "What does an hour of it cost? (pounds)", "Leave empty if it has no price by the hour."
        ),
        "schools": _boxes(
            visit,
            "schools",
            "Which schools is it for?",
            [(str(urn), name, "") for urn, name in sorted(school_names(visit).items(), key=lambda one: one[1])],
        ),
    }
    for name in ("budget", "hour"):
        fields[name] |= {"classes": "govuk-input--width-10", "prefix": {"text": "£"}}
    errors = told_errors(fields, error)
    return visit.show(
        "said_form.html",
        title="Enter a programme" if programme is None else "Change a programme",
        status=200 if error is None else 422,
        errors=errors,
        back="/programmes" if programme is None else f"/programmes/{programme.id}",
        back_words="Back",
        action=visit.request.url.path,
        caption=programme.name if programme else "Programmes",
        says="A programme pays for support. Staff choose it where they write down what they offer.",
        button="Save",
        version=programme.version if programme else 0,
        key=uuid.uuid4().hex,
        fields=list(fields.values()),
    )


def _line(visit: Visit, name: str, label: str, hint: str = "") -> dict[str, Any]:
    field = {
        "shape": "input",
        "id": name,
        "name": name,
        "value": visit.value(name),
        "label": {"text": label, "classes": "govuk-label--s"},
    }
    return {**field, "hint": {"text": hint}} if hint else field


def _boxes(visit: Visit, name: str, legend: str, choices: list[tuple[str, str, str]]) -> dict[str, Any]:
    chosen = visit.values(name)
    return {
        "shape": "boxes",
        "name": name,
        "idPrefix": name,
        "classes": "govuk-checkboxes--small",
        "fieldset": {"legend": {"text": legend, "classes": "govuk-fieldset__legend--s"}},
        "items": [
            {
                "value": value,
                "text": words,
                "checked": value in chosen,
                **({"hint": {"text": f"{means[:1].upper()}{means[1:]}"}} if means else {}),
            }
            for value, words, means in choices
        ],
    }


PAGES = (
    Page(
        name="enter a programme",
        path="/programmes/new",
        permission="manage_programmes",
        show=enter_form,
        save=save_entered,
    ),
    Page(
        name="change a programme",
        path="/programmes/{programme_id}/change",
        permission="manage_programmes",
        show=change_form,
        save=save_changed,
    ),
)
