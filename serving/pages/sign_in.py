"""Signing in through the network's own sign-in service, and out again. Belong holds no password."""

from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.people import find_person
from serving.demo_accounts import ACCOUNTS
from serving.identity import SignInRefused, begin, finish, local_path, seal, unseal
from serving.page import PUBLIC, NotFound, Page, Visit, links
from serving.pages.invitations import unknown_account
from serving.providers import Provider
from serving.security import clear_cookie, cookie_name, set_cookie
from serving.signed_in import end_signed_in, start_signed_in

STARTED_COOKIE = "belong_sign_in"
RETURN_PATH = "/sign-in/return"


def show_front(visit: Visit) -> Response:
    """Send the person to the first page that is theirs, or to sign in."""
    if visit.signed_in is None:
        return visit.go("/sign-in")
    mine = links(visit.request, visit.signed_in)
    if not mine:
        return visit.show(
            "message.html",
            title="Nothing is open to you yet",
            status=403,
            sentences=("Your account has no role in Belong. Ask the administrator of your network.",),
        )
    return visit.go(str(mine[0]["href"]))


def show_sign_in(visit: Visit) -> Response:
    """Show one button for each provider."""
    return _sign_in_page(visit)


def start(visit: Visit) -> Response:
    """Send the browser to the provider, remembering in a sealed cookie what it must bring back."""
    provider = _provider(visit, visit.part("provider"))
    try:
        address, started = begin(provider, return_address=_return_address(visit), then=visit.asked("then"))
    except SignInRefused as error:
        return _sign_in_page(visit, str(error), status=503)
    response = RedirectResponse(address, status_code=303)
    sealed = seal(started, visit.site.seal, visit.site.now().timestamp())
    name = cookie_name(STARTED_COOKIE, https=visit.site.https)
    set_cookie(response, name, sealed, https=visit.site.https, seconds=600)
    return response


def come_back(visit: Visit) -> Response:
    """Check the provider's answer and, if it names someone Belong knows, begin a session under a new id."""
    name = cookie_name(STARTED_COOKIE, https=visit.site.https)
    now = visit.site.now()
    try:
        started = unseal(visit.request.cookies.get(name), visit.site.seal, now.timestamp())
        provider = _provider(visit, started.provider)
        answer = dict(visit.request.query_params)
        identity = finish(provider, started, answer, return_address=_return_address(visit), now=now.timestamp())
    except SignInRefused as error:
        response = _sign_in_page(visit, f"{error} Sign in again.", status=400)
    else:
        person = find_person(visit.session, identity.issuer, identity.subject, visit.today)
        if person is None:
            response = unknown_account(visit, identity, started.then)
        else:
            response = visit.go(local_path(started.then))
            start_signed_in(visit.session, visit.site, visit.request, response, person)
    # One answer for one start: a second use of the same address finds no cookie.
    clear_cookie(response, name, https=visit.site.https)
    return response


def sign_out(visit: Visit) -> Response:
    """End the session on the server, so that its cookie is worth nothing even where it was copied."""
    response = visit.go("/sign-in")
    end_signed_in(visit.session, visit.site, visit.request, response)
    return response


def _sign_in_page(visit: Visit, problem: str = "", *, status: int = 200) -> Response:
    errors = [{"text": problem}] if problem else []
    return visit.show(
        "sign_in.html",
        title="Sign in",
        status=status,
        errors=errors,
        providers=visit.site.providers(),
        then=local_path(visit.asked("then")),
        demo=visit.site.home.demo,
        accounts=ACCOUNTS if visit.site.home.demo else (),
    )


def _provider(visit: Visit, name: str) -> Provider:
    found = [provider for provider in visit.site.providers() if provider.name == name]
    if not found:
        raise NotFound
    return found[0]


def _return_address(visit: Visit) -> str:
    return f"{visit.site.address}{RETURN_PATH}"


PAGES = (
    Page(
        name="front",
        path="/",
        permission=PUBLIC,
        public_because="it shows nothing and sends people on",
        show=show_front,
    ),
    Page(
        name="sign in",
        path="/sign-in",
        permission=PUBLIC,
        public_because="no one is signed in yet",
        show=show_sign_in,
    ),
    Page(
        name="return from the sign-in service",
        path=RETURN_PATH,
        permission=PUBLIC,
        public_because="no one is signed in yet",
        show=come_back,
    ),
    Page(
        name="start of sign-in",
        path="/sign-in/{provider}",
        permission=PUBLIC,
        public_because="no one is signed in yet",
        show=start,
    ),
    Page(
        name="sign out",
        path="/sign-out",
        permission=PUBLIC,
        public_because="anyone may stop being signed in",
        save=sign_out,
    ),
)
