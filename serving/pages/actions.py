"""Actions with partners on our side: agreed on a pupil's case by school staff, on a place by the network's lead."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from starlette.responses import Response

from casework.audit_log import look
from casework.partner_actions import (
    OWNERS,
    STEPS,
    Action,
    NewAction,
    NoSuchAction,
    action_of,
    agree_on_place,
    agree_on_pupil,
    every_action,
    take_step,
)
from casework.partners import KINDS, Partner, partners
from casework.permissions import check_may
from casework.rules import RuleBroken
from serving.form_fields import date_field, id_of, needed_date, select_field, told_errors, typed_date
from serving.page import NotFound, Page, Visit
from serving.pages.action_words import action_words
from serving.pages.places import school_names
from serving.pages.pupil import read_pupil
from serving.pages.said import READ_BY_FAMILY, choice, words_field


def agree_form(visit: Visit) -> Response:
    """Ask what is agreed on a pupil's case, with whom, and by when."""
    return _agree_on_pupil(visit)


def save_agreed(visit: Visit) -> Response:
    """Keep what is agreed, and go back to the pupil."""
    pupil = read_pupil(visit)
    try:
        agree_on_pupil(visit.session, visit.person, pupil.pupil_id, _new(visit), visit.value("key"), visit.today)
    except RuleBroken as error:
        return _agree_on_pupil(visit, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=action#actions")


def _agree_on_pupil(visit: Visit, error: RuleBroken | None = None) -> Response:
    pupil = read_pupil(visit)
    check_may(visit.person, "record_action", pupil.school)
    able = [one for one in partners(visit.session) if one.may_act_at(pupil.school, visit.today)]
    fields = {
        **_agreed_with(visit, able),
        "reference": _line(
            visit,
            "reference",
            "How does the partner know the pupil?",
            "Their own reference or initials: all that the partner sees of who it is.",
        ),
        **_task(visit, READ_BY_FAMILY),
    }
    says = (
        "The partner sees what you write here, the date and the school's name, and nothing else of the pupil. Tell the "
        "pupil and family what is shared."
        if able
        else "No agreement in the data-sharing register covers actions with a partner at this school today."
    )
    back = (f"/pupils/{pupil.pupil_id}", "Back to the pupil", pupil.name)
    return _form(visit, ("Agree an action with a partner", says, "Save the action"), back, fields, error)


def follow_form(visit: Visit) -> Response:
    """Ask how an action on a pupil's case goes."""
    return _follow_on_pupil(visit)


def save_followed(visit: Visit) -> Response:
    """Keep the step, and go back to the pupil."""
    pupil = read_pupil(visit)
    action = _action(visit, "action_id")
    if action.pupil_id != pupil.pupil_id:
        raise NotFound
    try:
        take_step(visit.session, visit.person, action, _step(visit), visit.value("key"), visit.today)
    except RuleBroken as error:
        return _follow_on_pupil(visit, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=action#actions")


def _follow_on_pupil(visit: Visit, error: RuleBroken | None = None) -> Response:
    pupil = read_pupil(visit)
    action = _action(visit, "action_id")
    if action.pupil_id != pupil.pupil_id:
        raise NotFound
    check_may(visit.person, "record_action", pupil.school)
    return _follow(visit, action, (f"/pupils/{pupil.pupil_id}", "Back to the pupil", pupil.name), error)


def show_actions(visit: Visit) -> Response:
    """Show the network's lead what is agreed with whom: how much is overdue, by partner and by school or place."""
    look(visit.session, visit.person, "manage_place_actions")
    found, known = every_action(visit.session, visit.person), partners(visit.session)
    schools, titles = school_names(visit), {one.id: one.title for one in known}
    overdue = [one for one in found if one.is_overdue(visit.today)]
    return visit.show(
        "actions.html",
        title="Actions with partners",
        partners=[_partner_row(one, found, visit.today) for one in known],
        places=_by_place(found, schools, visit.today),
        overdue=[_overdue_row(one, titles, schools, visit.today) for one in overdue],
        on_places=[
            action_words(one, titles.get(one.partnership, one.partnership), visit.today) | {"where": one.place}
            for one in found
            if one.place is not None
        ],
    )


def place_form(visit: Visit) -> Response:
    """Ask what is agreed on a place."""
    return _agree_on_place(visit)


def save_place(visit: Visit) -> Response:
    """Keep what is agreed on a place, and go back to the actions."""
    try:
        agree_on_place(visit.session, visit.person, visit.value("place"), _new(visit), visit.value("key"), visit.today)
    except RuleBroken as error:
        return _agree_on_place(visit, error)
    return visit.go("/actions")


def _agree_on_place(visit: Visit, error: RuleBroken | None = None) -> Response:
    able = [one for one in partners(visit.session) if one.may_act_on_places(visit.today)]
    fields = {
        **_agreed_with(visit, able),
        "place": _line(visit, "place", "Which place?", "A ward, a street or a bus route. No pupil and no family."),
        **_task(visit, "The partner reads this. Name nobody."),
    }
    says = "What is agreed on a place is about no pupil."
    back = ("/actions", "Back to actions with partners", "")
    return _form(visit, ("Agree an action on a place", says, "Save the action"), back, fields, error)


def follow_place_form(visit: Visit) -> Response:
    """Ask how an action on a place goes."""
    return _follow_on_place(visit)


def save_followed_place(visit: Visit) -> Response:
    """Keep the step, and go back to the actions."""
    action = _place_action(visit)
    try:
        take_step(visit.session, visit.person, action, _step(visit), visit.value("key"), visit.today)
    except RuleBroken as error:
        return _follow_on_place(visit, error)
    return visit.go("/actions")


def _follow_on_place(visit: Visit, error: RuleBroken | None = None) -> Response:
    action = _place_action(visit)
    return _follow(visit, action, ("/actions", "Back to actions with partners", str(action.place)), error)


def _place_action(visit: Visit) -> Action:
    action = _action(visit, "place_action_id")
    if action.place is None:
        raise NotFound
    return action


def _action(visit: Visit, part: str) -> Action:
    asked = id_of(visit.part(part))
    try:
        return action_of(visit.session, asked or uuid.UUID(int=0))
    except NoSuchAction:
        raise NotFound from None


def _follow(visit: Visit, action: Action, back: tuple[str, str, str], error: RuleBroken | None = None) -> Response:
    steps = STEPS if action.state == "open" else {"learned": STEPS["learned"]}
    fields = {
        "step": choice(visit, "step", "What do you want to say?", steps),
        "said": words_field(visit, "said", "In a few words", "What came of it, and what you would do again."),
    }
    if action.state == "open":
        fields["due_on"] = date_field(visit, "due_on", "The date that is agreed now", "Only for another date.")
    told = action_words(action, "", visit.today)
    says = f"{told['what']} {told['owner']}, by {told['due']}."
    return _form(visit, ("How the action goes", says, "Save"), back, fields, error)


def _new(visit: Visit) -> NewAction:
    return NewAction(
        partnership=visit.value("partnership"),
        what=visit.value("what"),
        owner=visit.value("owner"),
        due_on=needed_date(visit, "due_on", "Enter the day by which it is to be done."),
        reference=visit.value("reference"),
    )


def _step(visit: Visit) -> tuple[str, str, date | None]:
    return visit.value("step"), visit.value("said"), typed_date(visit, "due_on")


def _agreed_with(visit: Visit, able: Iterable[Partner]) -> dict[str, dict[str, Any]]:
    choices = [(one.id, f"{one.title} ({KINDS[one.kind].lower()})") for one in able]
    field = select_field("partnership", "Agreed with", choices, visit.value("partnership"), "Choose a partner")
    label = {**field["label"], "classes": "govuk-label--s"}
    return {"partnership": {**field, "shape": "select", "label": label}}


def _task(visit: Visit, hint: str) -> dict[str, dict[str, Any]]:
    return {
        "what": {**words_field(visit, "what", "What is to be done?", hint), "rows": 3, "maxlength": 400},
        "owner": choice(visit, "owner", "Who does it?", OWNERS),
        "due_on": date_field(visit, "due_on", "By when?", "For example, 13 7 2026."),
    }


def _line(visit: Visit, name: str, label: str, hint: str) -> dict[str, Any]:
    return {
        "shape": "input",
        "id": name,
        "name": name,
        "value": visit.value(name),
        "label": {"text": label, "classes": "govuk-label--s"},
        "hint": {"text": hint},
    }


def _form(
    visit: Visit,
    words: tuple[str, str, str],
    back: tuple[str, str, str],
    fields: dict[str, dict[str, Any]],
    error: RuleBroken | None,
) -> Response:
    title, says, button = words
    return visit.show(
        "said_form.html",
        title=title,
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        back=back[0],
        back_words=back[1],
        action=visit.request.url.path,
        caption=back[2],
        says=says,
        button=button,
        version=0,
        key=visit.value("key") or uuid.uuid4().hex,
        fields=list(fields.values()),
    )


def _partner_row(one: Partner, found: Iterable[Action], today: date) -> dict[str, Any]:
    mine = [action for action in found if action.partnership == one.id]
    return {
        "name": one.title,
        "cells": [
            KINDS[one.kind],
            "Stands" if one.stands(today) else "Does not stand today",
            *_counted(mine, today),
            sum(any(step.step == "learned" for step in action.steps) for action in mine),
        ],
    }


def _by_place(found: Iterable[Action], schools: Mapping[int, str], today: date) -> list[dict[str, Any]]:
    by_where: dict[str, list[Action]] = {}
    for one in found:
        by_where.setdefault(_where(one, schools), []).append(one)
    return [{"name": where, "cells": _counted(mine, today)} for where, mine in sorted(by_where.items())]


def _counted(mine: Iterable[Action], today: date) -> list[int]:
    """Return how many are open, overdue and done."""
    rows = list(mine)
    return [
        sum(one.state == "open" for one in rows),
        sum(one.is_overdue(today) for one in rows),
        sum(one.state == "done" for one in rows),
    ]


def _overdue_row(one: Action, titles: Mapping[str, str], schools: Mapping[int, str], today: date) -> dict[str, Any]:
    """Return an overdue action; of a pupil's case only where it is and with whom, its words are on the pupil's page."""
    told = action_words(one, titles.get(one.partnership, one.partnership), today)
    link = f"/pupils/{one.pupil_id}#actions" if one.pupil_id else f"/actions/{one.id}"
    what = "On a pupil's case" if one.pupil_id else one.what
    return told | {"where": _where(one, schools), "what": what, "link": link}


def _where(one: Action, schools: Mapping[int, str]) -> str:
    return schools.get(one.school, "A school") if one.school is not None else str(one.place)


PAGES = (
    Page(
        name="agree an action",
        path="/pupils/{pupil_id}/actions",
        permission="record_action",
        show=agree_form,
        save=save_agreed,
    ),
    Page(
        name="follow up an action",
        path="/pupils/{pupil_id}/actions/{action_id}",
        permission="record_action",
        show=follow_form,
        save=save_followed,
    ),
    Page(
        name="actions with partners",
        path="/actions",
        permission="manage_place_actions",
        navigation="Partners",
        show=show_actions,
    ),
    Page(
        name="agree an action on a place",
        path="/actions/new",
        permission="manage_place_actions",
        show=place_form,
        save=save_place,
    ),
    Page(
        name="follow up an action on a place",
        path="/actions/{place_action_id}",
        permission="manage_place_actions",
        show=follow_place_form,
        save=save_followed_place,
    ),
)
