"""Inviting somebody whose subject nobody knows: a code that the administrator hands over, and who takes it."""

import json
from datetime import datetime
from typing import Final

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from casework.invitations import Invitation, accept, invitations, invite, withdraw_invitation
from casework.rules import RuleBroken
from serving.form_fields import id_of, told_errors
from serving.identity import Identity, local_path
from serving.page import PUBLIC, Page, Visit
from serving.pages.people import given_role, name_fields, role_fields
from serving.rendering import day_words
from serving.security import clear_cookie, cookie_name, set_cookie
from serving.signed_in import start_signed_in

WAITING_COOKIE: Final = "belong_unknown"
_WAITING_SECONDS: Final = 15 * 60


def show_invitations(visit: Visit) -> Response:
    """Show who is invited, and the form for one more."""
    return _shown(visit)


def save_invitation(visit: Visit) -> Response:
    """Keep a place, and show its code, this once."""
    try:
        code = invite(
            visit.session,
            visit.person,
            visit.value("name"),
            visit.value("email"),
            given_role(visit),
            visit.today,
            visit.site.now(),
        )
    except RuleBroken as error:
        return _shown(visit, error)
    return visit.show(
        "invitation_made.html",
        title="The code of an invitation",
        name=visit.value("name"),
        code=code,
        address=visit.site.address,
    )


def save_withdrawal(visit: Visit) -> Response:
    """Withdraw an invitation."""
    found = id_of(visit.value("invitation"))
    if found is not None:
        withdraw_invitation(visit.session, visit.person, found, visit.today, visit.site.now())
    return visit.go("/people/invitations?saved=withdrawn")


def unknown_account(visit: Visit, identity: Identity, then: str) -> Response:
    """Say that an account is not known, and let its owner use a code; who signed in is remembered, sealed."""
    response = _ask_code(visit, status=403)
    told = {"issuer": identity.issuer, "subject": identity.subject, "then": then}
    sealed = visit.site.seal.encrypt_at_time(json.dumps(told).encode(), int(visit.site.now().timestamp())).decode()
    set_cookie(response, _name(visit), sealed, https=visit.site.https, seconds=_WAITING_SECONDS)
    return response


def save_acceptance(visit: Visit) -> Response:
    """Bind the account that signed in a moment ago to the invitation of the code, and begin its session."""
    told = _waiting(visit)
    if told is None:
        return visit.go("/sign-in")
    try:
        # A wrong code changes nothing, so nothing of the attempt may stay.
        with visit.session.begin_nested():
            person = accept(
                visit.session, told["issuer"], told["subject"], visit.value("code"), visit.today, visit.site.now()
            )
    except RuleBroken as error:
        return _ask_code(visit, status=422, error=error)
    response = visit.go(local_path(told["then"]))
    start_signed_in(visit.session, visit.site, visit.request, response, person)
    clear_cookie(response, _name(visit), https=visit.site.https)
    return response


def _shown(visit: Visit, error: RuleBroken | None = None) -> Response:
    fields = {**name_fields(visit.value("name"), visit.value("email")), **role_fields(visit)}
    return visit.show(
        "invitations.html",
        title="Invite somebody",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved="The invitation is withdrawn." if visit.asked("saved") == "withdrawn" else "",
        fields=fields,
        rows=[_row(one) for one in invitations(visit.session, visit.person, visit.site.now())],
    )


def _row(one: Invitation) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "role": one.role_words, "by": one.by, "ends": _moment(one.ends_at)}


def _moment(at: datetime) -> str:
    return f"{day_words(at)}, {at:%H:%M}"


def _ask_code(visit: Visit, *, status: int, error: RuleBroken | None = None) -> Response:
    fields = {
        "code": {
            "id": "code",
            "name": "code",
            "label": {"text": "Code of your invitation", "classes": "govuk-label--s"},
            "hint": {"text": "Four groups of five letters and digits, from your administrator."},
            "classes": "govuk-input--width-20",
            "autocomplete": "off",
            "spellcheck": False,
        }
    }
    return visit.show(
        "unknown_account.html",
        title="Your account is not known to Belong",
        status=status,
        errors=told_errors(fields, error),
        field=fields["code"],
    )


def _name(visit: Visit) -> str:
    return cookie_name(WAITING_COOKIE, https=visit.site.https)


def _waiting(visit: Visit) -> dict[str, str] | None:
    sealed = (visit.request.cookies.get(_name(visit)) or "").encode()
    try:
        told = json.loads(visit.site.seal.decrypt_at_time(sealed, _WAITING_SECONDS, int(visit.site.now().timestamp())))
    except InvalidToken:
        return None
    # The same seal closes other cookies; only one with an account in it is ours.
    return dict(told) if {"issuer", "subject", "then"} == set(told) else None


PAGES = (
    Page(
        name="invite somebody",
        path="/people/invitations",
        permission="manage_people",
        show=show_invitations,
        save=save_invitation,
    ),
    Page(
        name="withdraw an invitation",
        path="/people/invitations/withdraw",
        permission="manage_people",
        save=save_withdrawal,
    ),
    Page(
        name="accept an invitation",
        path="/invitation",
        permission=PUBLIC,
        public_because="whoever is invited has no account here yet; the code and the sign-in service say who they are",
        save=save_acceptance,
    ),
)
