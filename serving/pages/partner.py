"""A partner's own pages: what is agreed with it, and counts by place. Nothing else of Belong opens to a partner.

Without an agreement that stands today there is nothing here, and the attempt is in the log. No page of these has a
pupil's name, record, figure or flag: the partner knows a pupil by its own reference.
"""

import uuid
from typing import Any, Final

from starlette.responses import Response

from casework.partner_actions import (
    PARTNER_STEPS,
    STEPS,
    Action,
    NoSuchAction,
    action_of,
    actions_of_partner,
    take_partner_step,
)
from casework.partners import KINDS, Partner, come_as_partner
from casework.places import LEVELS, PlaceCounts, attendance, counts_for_partners, rate, releases
from casework.rules import RuleBroken
from records.partnerships import POLICE
from serving.form_fields import id_of, select_field, told_errors
from serving.page import NotFound, Page, Visit
from serving.pages.action_words import action_words
from serving.pages.places import NOT_SHOWN, in_order, place_names, place_words
from serving.pages.said import choice, words_field
from serving.rendering import day_words

_LEVEL_WORDS: Final = {"ward": "Ward", "borough": "Borough"}


def show_agreed(visit: Visit) -> Response:
    """Show what is agreed with the partner: the next due first, what is over last."""
    partner = _partner(visit)
    names = place_names(visit)
    rows = []
    for one in actions_of_partner(visit.session, partner, visit.today):
        school = "" if one.school is None else names.get(one.school, "a school")
        where = f"{one.reference}, {school}" if school else str(one.place)
        rows.append(action_words(one, partner.title, visit.today, by_partner=True) | {"where": where, "reference": ""})
    return visit.show(
        "agreed.html",
        title="Agreed actions",
        partner=partner,
        kind=KINDS[partner.kind],
        police=partner.kind == POLICE,
        until=day_words(partner.ends_on),
        actions=rows,
        overdue=sum(row["overdue"] for row in rows),
    )


def step_form(visit: Visit) -> Response:
    """Ask the partner how an action goes."""
    partner = _partner(visit)
    return _form(visit, partner, _action(visit, partner))


def save_step(visit: Visit) -> Response:
    """Keep what the partner says, and go back to its actions."""
    partner = _partner(visit)
    action = _action(visit, partner)
    try:
        said = (visit.value("step"), visit.value("said"))
        take_partner_step(visit.session, visit.person, action, said, visit.value("key"), visit.today)
    except RuleBroken as error:
        return _form(visit, partner, action, error)
    return visit.go("/agreed")


def show_counts(visit: Visit) -> Response:
    """Show counts by ward or borough, rounded and hidden; of lists and of groups there is nothing here."""
    _partner(visit, for_places=True)
    out = releases(visit.session)
    level = visit.asked("by") if visit.asked("by") in LEVELS else LEVELS[0]
    release = next((one for one in out if one.half_term.isoformat() == visit.asked("half_term")), (*out, None)[0])
    names = place_names(visit)
    counts = () if release is None else counts_for_partners(visit.session, release.half_term, level)
    return visit.show(
        "agreed_places.html",
        title="Counts by place",
        release=release,
        known_on="" if release is None else day_words(release.known_on),
        choices=[
            select_field("by", "By", list(_LEVEL_WORDS.items()), level),
            select_field("half_term", "Half-term", [(one.half_term.isoformat(), one.name) for one in out]),
        ],
        rows=[_row(one, place_words(one.cut, one.place, names)) for one in in_order(counts, names)],
    )


def _partner(visit: Visit, *, for_places: bool = False) -> Partner:
    """Return the partner whose session this is from now on; NotFound, and logged, where no agreement covers it."""
    found = come_as_partner(visit.session, visit.person, visit.today, for_places=for_places)
    if found is None:
        raise NotFound
    return found


def _action(visit: Visit, partner: Partner) -> Action:
    asked = id_of(visit.part("agreed_id"))
    covered = {one.id: one for one in actions_of_partner(visit.session, partner, visit.today)}
    try:
        return covered[action_of(visit.session, asked, partner).id] if asked else covered[uuid.UUID(int=0)]
    except (NoSuchAction, KeyError):
        raise NotFound from None


def _form(visit: Visit, partner: Partner, action: Action, error: RuleBroken | None = None) -> Response:
    steps = {name: STEPS[name] for name in PARTNER_STEPS if name == "learned" or action.state == "open"}
    hint = "The school and, of a pupil, the pupil and their parents can read this. Name nobody."
    fields = {
        "step": choice(visit, "step", "What do you want to say?", steps),
        "said": words_field(visit, "said", "In a few words", hint),
    }
    told = action_words(action, partner.title, visit.today, by_partner=True)
    return visit.show(
        "said_form.html",
        title="How it goes",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        back="/agreed",
        back_words="Back to agreed actions",
        action=visit.request.url.path,
        caption=action.reference or str(action.place),
        says=f"{told['what']} {told['owner']}, by {told['due']}.",
        button="Save",
        version=0,
        key=visit.value("key") or uuid.uuid4().hex,
        fields=list(fields.values()),
    )


def _row(one: PlaceCounts, name: str) -> dict[str, Any]:
    pupils, attended = one.counts.get("pupils"), attendance(one.counts)
    home = rate(one.counts, "suspensions", "pupils")
    return {
        "name": name,
        "cells": [
            NOT_SHOWN if pupils is None else f"{pupils:,}",
            NOT_SHOWN if attended is None else f"{100 * attended:.1f}%",
            NOT_SHOWN if home is None else f"{100 * home:.1f}",
        ],
    }


PAGES = (
    Page(
        name="agreed actions",
        path="/agreed",
        permission="see_partner_actions",
        navigation="Agreed actions",
        show=show_agreed,
    ),
    Page(name="counts for partners", path="/counts", permission="see_partner_actions", show=show_counts),
    Page(
        name="a partner says how it goes",
        path="/agreed/{agreed_id}",
        permission="see_partner_actions",
        show=step_form,
        save=save_step,
    ),
)
