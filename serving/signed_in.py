"""Who is signed in: the cookie on one side, the server's sign-in session and the person on the other."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from casework.people import person_by_id
from casework.permissions import Person
from casework.sessions import LONGEST, end_session, find_session, start_session
from serving.security import clear_cookie, cookie_name, set_cookie
from serving.site import Site

SESSION_COOKIE = "belong_session"


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The person of this request, and the token that forms of this session carry."""

    person: Person
    csrf: str


def session_cookie(site: Site) -> str:
    """Return the name of the session's cookie."""
    return cookie_name(SESSION_COOKIE, https=site.https)


def find_signed_in(session: Session, site: Site, request: Request) -> SignedIn | None:
    """Return who is signed in, with today's roles; None where the session ended or the person was removed."""
    token = request.cookies.get(session_cookie(site))
    found = find_session(session, token, site.now()) if token else None
    person = person_by_id(session, found.person_id, site.today()) if found else None
    return SignedIn(person=person, csrf=found.csrf_secret) if found and person else None


def start_signed_in(
    session: Session, site: Site, request: Request, response: Response, person: Person, longest: timedelta = LONGEST
) -> None:
    """Begin a session under a new id, whatever id the browser brought, and give the browser its cookie."""
    old = request.cookies.get(session_cookie(site))
    if old:
        end_session(session, old, site.now())
    started = start_session(session, person.id, site.now(), longest)
    # No lifetime: the cookie goes with the browser, and the server's limits hold meanwhile.
    set_cookie(response, session_cookie(site), started.token, https=site.https)


def end_signed_in(session: Session, site: Site, request: Request, response: Response) -> None:
    """End the session on the server and remove its cookie."""
    token = request.cookies.get(session_cookie(site))
    if token:
        end_session(session, token, site.now())
    clear_cookie(response, session_cookie(site), https=site.https)
