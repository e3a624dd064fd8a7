"""The door of last resort: an administrator by password and code, when no sign-in service answers.

It is in no navigation, and not there at all in a demonstration or where the command line made no account.
"""

from typing import Any

from starlette.responses import Response

from casework.break_glass import LONGEST, is_made, try_account
from serving.page import PUBLIC, NotFound, Page, Visit
from serving.signed_in import start_signed_in


def show_form(visit: Visit) -> Response:
    """Ask for the password and the code."""
    _check_there(visit)
    return _form(visit)


def save(visit: Visit) -> Response:
    """Begin a session of an hour, or say in one sentence that nothing is opened."""
    _check_there(visit)
    now = visit.site.now()
    tried = try_account(visit.session, visit.value("password"), visit.value("code"), now, visit.today)
    if tried.person is None:
        return _form(visit, tried.sentence)
    response = visit.go("/")
    start_signed_in(visit.session, visit.site, visit.request, response, tried.person, LONGEST)
    visit.site.emergency.used(now)
    return response


def _check_there(visit: Visit) -> None:
    if visit.site.home.demo or not is_made(visit.session):
        raise NotFound


def _form(visit: Visit, problem: str = "") -> Response:
    password: dict[str, Any] = {
        "id": "password",
        "name": "password",
        "type": "password",
        "autocomplete": "off",
        "spellcheck": False,
        "label": {"text": "Password", "classes": "govuk-label--s"},
        "hint": {"text": "As it was written down when the account was made. Capitals and hyphens do not matter."},
        "classes": "govuk-input--width-30",
    }
    code: dict[str, Any] = {
        "id": "code",
        "name": "code",
        "inputmode": "numeric",
        "autocomplete": "one-time-code",
        "label": {"text": "Code", "classes": "govuk-label--s"},
        "hint": {"text": "The six figures that the authenticator app shows now. Each code opens once."},
        "classes": "govuk-input--width-10",
    }
    if problem:
        password["errorMessage"] = {"text": problem}
    return visit.show(
        "break_glass.html",
        title="Emergency access",
        status=422 if problem else 200,
        errors=[{"text": problem, "href": "#password"}] if problem else [],
        fields=[password, code],
    )


PAGES = (
    Page(
        name="break-glass",
        path="/break-glass",
        permission=PUBLIC,
        public_because="no one is signed in yet, and no sign-in service answers",
        show=show_form,
        save=save,
    ),
)
