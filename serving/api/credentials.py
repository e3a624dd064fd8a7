"""Who calls: an integration's access token, its scopes, its schools, and how often it may."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from casework.callers import Integration, still_allowed
from serving.api.problems import Refusal
from serving.api.tokens import read
from serving.site import NO_SCHOOLS, Site

T = TypeVar("T")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Belong"'}
_STALE = {"WWW-Authenticate": 'Bearer realm="Belong", error="invalid_token"'}


def site_of(request: Request) -> Site:
    """Return what this process's doors share: home, clock, database, scoring door."""
    site: Site = request.app.state.site
    return site


def caller(request: Request, scope: str) -> Integration:
    """Return the integration that calls, if it holds the scope now; raises as `caller_and` does."""
    return caller_and(request, scope, lambda _: None)[0]


def caller_and(request: Request, scope: str, more: Callable[[Session], T]) -> tuple[Integration, T]:
    """Return the integration that calls, if it holds the scope now, and what `more` finds in the same transaction.

    Raises
    ------
    Refusal
        401: no token, or not one that Belong gave out (unknown, expired and withdrawn look alike).
        403: the data-protection officer has not granted it this scope. 429: it calls too often.
        503: nobody can be looked up.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refusal(401, "no_credentials", "Send an access token: Authorization: Bearer <token>.", headers=_CHALLENGE)
    site = site_of(request)
    claims = read(site.home, token.strip(), site.now())
    if claims is None:
        raise _bad()
    try:
        with site.database(NO_SCHOOLS) as session:
            found = still_allowed(session, claims.client_id, claims.secret, site.today())
            besides = more(session)
    except OperationalError:
        raise unavailable() from None
    if found is None:
        raise _bad()
    # What the token asked for, as far as it is still granted.
    found = found.limited_to(claims.scopes)
    if scope not in found.scopes:
        raise Refusal(403, "scope_missing", f"The integration has not been granted {scope}, or its token lacks it.")
    check_rate(site, found)
    return found, besides


def needs(scope: str) -> Callable[[Request], Integration]:
    """Return the dependency that gives the calling integration, which must hold the scope."""

    def calling(request: Request) -> Integration:
        return caller(request, scope)

    return calling


def check_rate(site: Site, found: Integration) -> None:
    """Refuse (429) a call beyond the integration's own limit."""
    seconds = site.rates.wait(found)
    if seconds is not None:
        raise Refusal(
            429,
            "too_many_calls",
            f"This integration may call {found.calls_per_minute} times a minute; wait and try again.",
            headers={"Retry-After": str(seconds)},
        )


def unavailable() -> Refusal:
    """Return the 503 for a database that cannot be reached."""
    return Refusal(503, "database_unavailable", "The operational database cannot be reached.")


def _bad() -> Refusal:
    sentence = "The token is unknown, expired or withdrawn; ask /api/v1/token for a new one."
    return Refusal(401, "bad_credentials", sentence, headers=_STALE)
