"""Who signs in for which partner: set by an administrator, once the role of a partner is given."""

import uuid

from starlette.responses import Response

from casework.partners import KINDS, members, partners, set_member
from casework.rules import RuleBroken
from casework.staff import NoSuchPerson
from serving.form_fields import id_of, select_field, told_errors
from serving.page import NotFound, Page, Visit
from serving.rendering import day_words


def show_members(visit: Visit) -> Response:
    """Show everybody with the role of a partner, and the form."""
    return _shown(visit)


def save_member(visit: Visit) -> Response:
    """Say for whom somebody signs in."""
    try:
        asked = id_of(visit.value("person"))
        if asked is None:
            raise RuleBroken("Select a person.", "person")
        set_member(visit.session, visit.person, asked, visit.value("partnership"), visit.today)
    except RuleBroken as error:
        return _shown(visit, error)
    except NoSuchPerson:
        raise NotFound from None
    return visit.go("/partners")


def _shown(visit: Visit, error: RuleBroken | None = None) -> Response:
    found, known = members(visit.session, visit.person), partners(visit.session)
    titles = {one.id: one.title for one in known}
    people = [(str(one.person_id), one.name) for one in found if one.person_id != visit.person.id]
    organisations = [(one.id, one.title) for one in known]
    fields = {
        "person": select_field("person", "Person", people, visit.value("person"), "Choose a person"),
        "partnership": select_field(
            "partnership", "Signs in for", organisations, visit.value("partnership"), "No partner any more"
        ),
    }
    return visit.show(
        "partner_people.html",
        title="People of partners",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        fields=list(fields.values()),
        key=uuid.uuid4().hex,
        members=[{"name": one.name, "partner": titles.get(one.partnership, one.partnership)} for one in found],
        partners=[
            {
                "name": one.title,
                "kind": KINDS[one.kind],
                "sees": ", ".join(
                    words
                    for words, is_so in (("actions on pupils' cases", one.actions), ("places", one.places))
                    if is_so
                ),
                "until": day_words(one.ends_on),
                "stands": one.stands(visit.today),
            }
            for one in known
        ],
    )


PAGES = (
    Page(
        name="people of partners",
        path="/partners",
        permission="manage_people",
        navigation="People of partners",
        show=show_members,
        save=save_member,
    ),
)
