"""Actions agreed with partners, in words: on a pupil's page, on a partner's own, and on the network lead's."""

from datetime import date
from typing import Any

from casework.cases import PupilPage
from casework.partner_actions import OWNERS, STEPS, Action, actions_on
from casework.partners import partners
from serving.page import Visit
from serving.rendering import day_words

_LATER = "What others write of it is shown once you have recorded your own view."


def pupil_actions(visit: Visit, pupil: PupilPage) -> list[dict[str, Any]]:
    """Return the actions agreed on a pupil's case; others' words wait for the reader's own view, as everywhere."""
    waits = pupil.case is not None and pupil.own_view is None
    names = {one.id: one.title for one in partners(visit.session)}
    found = []
    for one in actions_on(visit.session, pupil.pupil_id):
        told = action_words(one, names.get(one.partnership, one.partnership), visit.today)
        mine = {step.person_id for step in one.steps} == {visit.person.id}
        if waits and not mine:
            told |= {"what": _LATER, "said": []}
        found.append(told)
    return found


def actions_on_paper(visit: Visit, pupil: PupilPage) -> list[str]:
    """Return a line for each action: with whom, whose it is, by when and how it stands; nobody's words."""
    names = {one.id: one.title for one in partners(visit.session)}
    told = [
        action_words(one, names.get(one.partnership, one.partnership), visit.today)
        for one in actions_on(visit.session, pupil.pupil_id)
    ]
    return [f"{one['partner']}: {one['owner']}, by {one['due']}. {one['standing']}." for one in told]


def action_words(one: Action, partner: str, today: date, *, by_partner: bool = False) -> dict[str, Any]:
    """Return an action as pages show it, with what was said of it in order; `by_partner`: as the partner reads it."""
    owners = {"ours": OWNERS["ours"], "theirs": "You"} if by_partner else OWNERS
    sides = {True: "you", False: "the school or network"} if by_partner else {True: "the partner", False: "us"}
    done = next((step.on for step in one.steps if step.step == "done"), None)
    standing = {
        "open": "Overdue" if one.is_overdue(today) else "Open",
        "done": "Done" if done is None else f"Done on {day_words(done)}",
        "withdrawn": "Not needed any more",
    }[one.state]
    said = [
        f"{STEPS[step.step]}, {day_words(step.on)}, {sides[step.by_partner]}: {step.said}"
        for step in one.steps
        if step.said
    ]
    return {
        "id": one.id,
        "partner": partner,
        "what": one.what,
        "owner": owners[one.owner],
        "due": day_words(one.due_on),
        "standing": standing,
        "is_open": one.state == "open",
        "overdue": one.is_overdue(today),
        "reference": one.reference,
        "said": said,
    }
