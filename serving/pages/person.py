"""One person: how they sign in, their roles, given and taken away, their training, and what changed."""

import uuid
from typing import Any

from starlette.responses import Response

from casework.rules import RuleBroken
from casework.staff import NoSuchPerson, end_staff, give_role, let_back, save_details, take_role
from casework.staff_read import StaffPage, staff_page
from serving.form_fields import id_of, told_errors
from serving.page import NotFound, Page, Visit
from serving.pages.people import change_row, given_role, name_fields, role_fields, training_words
from serving.rendering import count_words, day_words

_SAVED = {
    "added": "Added. They can sign in now, and take the training at their first visit to a pupil.",
    "role": "Saved. Where they were signed in, they sign in again.",
    "taken": "Taken away. Where they were signed in, they sign in again.",
    "details": "Saved.",
    "ended": "They have left: signed out everywhere, and every role is taken away.",
    "back": "They may sign in again. Give them a role: they have none.",
}
_NOBODY = uuid.UUID(int=0)


def show_person(visit: Visit) -> Response:
    """Show one person."""
    return _person(visit)


def save_person(visit: Visit) -> Response:
    """Keep another name or address for letters."""
    try:
        save_details(visit.session, visit.person, _id(visit), visit.value("name"), visit.value("email"), visit.today)
    except RuleBroken as error:
        return _person(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go(f"/people/{_id(visit)}?saved=details")


def save_role(visit: Visit) -> Response:
    """Give a role, or another last day."""
    try:
        give_role(visit.session, visit.person, _id(visit), given_role(visit), visit.today)
    except RuleBroken as error:
        return _person(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go(f"/people/{_id(visit)}?saved=role")


def save_taken(visit: Visit) -> Response:
    """Take a role away."""
    try:
        take_role(visit.session, visit.person, _id(visit), id_of(visit.value("held")) or _NOBODY, visit.today)
    except RuleBroken as error:
        return _person(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go(f"/people/{_id(visit)}?saved=taken")


def show_end(visit: Visit) -> Response:
    """Ask whether somebody has left, and say what follows."""
    return _end(visit)


def save_end(visit: Visit) -> Response:
    """End somebody: no role, no session, and their cases fall to the lead."""
    try:
        end_staff(visit.session, visit.person, _id(visit), visit.today)
    except RuleBroken as error:
        return _end(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go(f"/people/{_id(visit)}?saved=ended")


def save_back(visit: Visit) -> Response:
    """Let somebody back in."""
    try:
        let_back(visit.session, visit.person, _id(visit), visit.today)
    except RuleBroken as error:
        return _person(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go(f"/people/{_id(visit)}?saved=back")


def _id(visit: Visit) -> uuid.UUID:
    return id_of(visit.part("person_id")) or _NOBODY


def _read(visit: Visit) -> StaffPage:
    try:
        return staff_page(visit.session, visit.person, _id(visit), visit.today)
    except NoSuchPerson:
        raise NotFound from None


def _person(visit: Visit, error: RuleBroken | None = None) -> Response:
    found = _read(visit)
    line = found.line
    # What was typed stays, in the form that was sent.
    renamed = "name" in visit.form
    fields = {
        **name_fields(
            visit.value("name") if renamed else line.name, visit.value("email") if renamed else found.email or ""
        ),
        **role_fields(visit),
    }
    return visit.show(
        "person.html",
        title="Somebody's roles",
        name=line.name,
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved=_SAVED.get(visit.asked("saved"), ""),
        person_id=line.id,
        left=not line.active,
        myself=line.id == visit.person.id,
        facts=_facts(found, visit),
        roles=[_role(one) for one in line.roles],
        fields=fields,
        changes=[change_row(change) for change in found.changes],
    )


def _end(visit: Visit, error: RuleBroken | None = None) -> Response:
    found = _read(visit)
    return visit.show(
        "person_end.html",
        title="Somebody has left",
        status=200 if error is None else 422,
        errors=told_errors({}, error),
        person_id=found.line.id,
        name=found.line.name,
        follows=[
            "They are signed out everywhere at once, and cannot sign in again.",
            f"{count_words(len(found.line.roles), 'role is', 'roles are')} taken away.",
            *(_falling(school, cases) for school, cases in found.cases),
            "Absences that they cover for a colleague are covered by nobody: the lead arranges it anew.",
            "What they wrote stays, with their name.",
        ],
    )


def _falling(school: str, cases: int) -> str:
    return f"{count_words(cases, 'open case', 'open cases')} at {school} fall to the lead there, who can hand them on."


def _facts(found: StaffPage, visit: Visit) -> list[tuple[str, str]]:
    last = [f"{day_words(day)} ({course})" for day, course in found.trainings[:3]]
    return [
        ("Signs in through", found.issuer),
        ("Subject there", found.subject),
        ("Training", training_words(found.line, visit)),
        ("Took it on", ", ".join(last) or "No record"),
        ("Looks after", ", ".join(_looks_after(*one) for one in found.cases) or "No open case"),
    ]


def _looks_after(school: str, cases: int) -> str:
    return f"{count_words(cases, 'open case', 'open cases')} at {school}"


def _role(one: Any) -> dict[str, Any]:
    if one.last_day is None:
        until = "Until it is taken away"
    else:
        until = f"Ended on {day_words(one.last_day)}" if one.over else f"Until {day_words(one.last_day)}"
    return {"id": one.id, "words": one.words, "until": until}


PAGES = (
    Page(name="one person", path="/people/{person_id}", permission="manage_people", show=show_person),
    Page(
        name="change a name or address",
        path="/people/{person_id}/details",
        permission="manage_people",
        save=save_person,
    ),
    Page(name="give a role", path="/people/{person_id}/role", permission="manage_people", save=save_role),
    Page(name="take a role away", path="/people/{person_id}/role/take", permission="manage_people", save=save_taken),
    Page(
        name="somebody has left",
        path="/people/{person_id}/left",
        permission="manage_people",
        show=show_end,
        save=save_end,
    ),
    Page(name="let somebody back", path="/people/{person_id}/back", permission="manage_people", save=save_back),
)
