"""The people of the network: a list in pages, adding somebody, and every change of anybody."""

from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from casework.permissions import ROLES, SCHOOL_ROLES
from casework.rules import RuleBroken
from casework.staff import Given, NewStaff, add_staff
from casework.staff_read import AT_ONCE, Change, StaffFilters, StaffLine, school_names, staff_changes, staff_list
from casework.training import last_day
from serving.form_fields import date_field, id_of, select_field, told_errors, typed_date, urn_of
from serving.page import Page, Visit
from serving.rendering import day_words

_HERE = {"here": "Work here", "without": "Have no role", "left": "Have left", "all": "Everybody"}


def show_people(visit: Visit) -> Response:
    """List people by name, fifty at a time."""
    here = visit.asked("here") if visit.asked("here") in _HERE else "here"
    role = visit.asked("role") if visit.asked("role") in ROLES else ""
    name = visit.asked("name").replace("\x00", "").strip()[:100]
    school = urn_of(visit.asked("school"))
    filters = StaffFilters(
        name=name,
        role=role,
        school=school,
        active={"left": False, "all": None}.get(here, True),
        without_role=here == "without",
    )
    lines, more = staff_list(visit.session, visit.person, filters, visit.today, id_of(visit.asked("after")))
    chosen = {"name": name, "here": here, "role": role, "school": str(school or "")}
    query = {key: value for key, value in chosen.items() if value}
    return visit.show(
        "people.html",
        title="People",
        choices=[
            select_field("here", "Who", list(_HERE.items()), here),
            select_field("role", "Role", list(ROLES.items()), role, empty="All"),
            select_field("school", "School", _schools(visit), str(school or ""), empty="All"),
        ],
        name={
            "id": "name",
            "name": "name",
            "value": name,
            "label": {"text": "Name"},
            "classes": "govuk-input--width-10",
        },
        rows=[_row(line, visit) for line in lines],
        pages=_pages("/people", query, "after", str(lines[-1].id) if more else "", first=not visit.asked("after")),
        at_once=AT_ONCE,
    )


def show_add(visit: Visit) -> Response:
    """Show the form for somebody whose subject is known."""
    return _add(visit)


def save_add(visit: Visit) -> Response:
    """Add somebody with a first role, and go to their page."""
    try:
        new = NewStaff(
            issuer=_issuer(visit), subject=visit.value("subject"), name=visit.value("name"), email=visit.value("email")
        )
        person_id = add_staff(visit.session, visit.person, new, given_role(visit), visit.today)
    except RuleBroken as error:
        return _add(visit, error)
    return visit.go(f"/people/{person_id}?saved=added")


def show_changes(visit: Visit) -> Response:
    """List every change of people and roles, newest first."""
    before = visit.asked("before")
    first = not (before.isdecimal() and len(before) < 18)
    changes, more = staff_changes(visit.session, visit.person, None if first else int(before))
    return visit.show(
        "people_changes.html",
        title="Changes of people and roles",
        rows=[change_row(change) for change in changes],
        pages=_pages("/people/changes", {}, "before", str(changes[-1].seq) if more else "", first=first),
    )


def given_role(visit: Visit) -> Given:
    """Return the role that a form gives. Raises RuleBroken."""
    return Given(role=visit.value("role"), school=urn_of(visit.value("school")), last_day=typed_date(visit, "last_day"))


def role_fields(visit: Visit) -> dict[str, dict[str, Any]]:
    """Return the fields that give a role: which, where, until when."""
    needs = " or ".join(ROLES[name].lower() for name in ROLES if name in SCHOOL_ROLES)
    return {
        "role": select_field("role", "Role", list(ROLES.items()), visit.value("role"), empty="Choose a role"),
        "school": {
            **select_field(
                "school", "School", _schools(visit), visit.value("school"), empty="No school: the whole network"
            ),
            "hint": {"text": f"For {needs}. The other roles are held across the network."},
        },
        "last_day": date_field(
            visit, "last_day", "Last day", "For a temporary role. Leave empty and it lasts until it is taken away."
        ),
    }


def name_fields(name: str, email: str) -> dict[str, dict[str, Any]]:
    """Return the fields for how somebody is called, and where letters go."""
    return {
        "name": {
            "id": "name",
            "name": "name",
            "value": name,
            "label": {"text": "Name", "classes": "govuk-label--s"},
            "hint": {"text": "As colleagues know them: it stands beside what they write."},
            "classes": "govuk-input--width-20",
        },
        "email": {
            "id": "email",
            "name": "email",
            "type": "email",
            "value": email,
            "label": {"text": "Email address (optional)", "classes": "govuk-label--s"},
            "hint": {"text": "Monday's letter goes there. It plays no part in signing in."},
            "classes": "govuk-input--width-20",
        },
    }


def change_row(change: Change) -> dict[str, Any]:
    """Return a change as a line of a table."""
    until, at = f", until {day_words(change.last_day)}" if change.last_day else "", change.at.astimezone(UTC)
    return {
        "at": f"{day_words(at)}, {at:%H:%M} UTC",
        "person_id": change.person_id,
        "person": change.person,
        "what": f"{change.what}: {change.about}{until}" if change.about else change.what,
        "by": change.by or "A command on the server",
    }


def training_words(line: StaffLine, visit: Visit) -> str:
    """Return when somebody was trained, and whether it still holds."""
    if line.training_on is None:
        return "Never"
    last = last_day(line.training_on)
    return f"Ended on {day_words(last)}" if last < visit.today else f"Holds until {day_words(last)}"


def _add(visit: Visit, error: RuleBroken | None = None) -> Response:
    providers = visit.site.providers()
    fields = {
        **name_fields(visit.value("name"), visit.value("email")),
        "provider": select_field(
            "provider", "Sign-in service", [(one.name, one.issuer) for one in providers], visit.value("provider")
        ),
        "subject": {
            "id": "subject",
            "name": "subject",
            "value": visit.value("subject"),
            "label": {"text": "Subject", "classes": "govuk-label--s"},
            "hint": {
                "text": "The sign-in service's own id for their account: Microsoft Entra's Object ID, with others the "
                "subject (`sub`). An email address is none: it can be given to somebody else."
            },
            "classes": "govuk-input--width-20",
        },
        **role_fields(visit),
    }
    return visit.show(
        "people_add.html",
        title="Add somebody",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        fields=fields,
    )


def _issuer(visit: Visit) -> str:
    found = [one.issuer for one in visit.site.providers() if one.name == visit.value("provider")]
    if not found:
        raise RuleBroken("Select the service through which they sign in.", "provider")
    return found[0]


def _schools(visit: Visit) -> list[tuple[str, str]]:
    return [(str(urn), name) for urn, name in school_names(visit.session)]


def _row(line: StaffLine, visit: Visit) -> dict[str, Any]:
    return {
        "id": line.id,
        "name": line.name,
        "left": not line.active,
        "roles": [f"{one.words}{_until(one.last_day, over=one.over)}" for one in line.roles],
        "training": training_words(line, visit),
    }


def _until(day: Any, *, over: bool) -> str:
    if day is None:
        return ""
    return f" (ended on {day_words(day)})" if over else f" (until {day_words(day)})"


def _pages(path: str, query: dict[str, str], key: str, after: str, *, first: bool) -> dict[str, Any] | None:
    """Return the links to the first page and the next; None where there is one page."""
    links: dict[str, Any] = {"landmarkLabel": "Pages of the list"}
    if not first:
        links["previous"] = {"href": f"{path}?{urlencode(query)}" if query else path, "text": "First page"}
    if after:
        links["next"] = {"href": f"{path}?{urlencode({**query, key: after})}", "text": "Next page"}
    return links if len(links) > 1 else None


PAGES = (
    Page(name="people", path="/people", permission="manage_people", navigation="People", show=show_people),
    Page(name="add somebody", path="/people/add", permission="manage_people", show=show_add, save=save_add),
    Page(name="changes of people", path="/people/changes", permission="manage_people", show=show_changes),
)
