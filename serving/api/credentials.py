"""Who calls: an integration's access token, its scopes, its schools, and how often it may."""

from collections.abc import Callable
from datetime import date

from fastapi import Request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from casework.callers import Integration, still_allowed
from serving.api.problems import Refusal
from serving.api.tokens import Claims, read
from serving.site import NO_SCHOOLS, Site

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Belong"'}
_STALE = {"WWW-Authenticate": 'Bearer realm="Belong", error="invalid_token"'}


def site_of(request: Request) -> Site:
    """Return what this process's doors share: home, clock, database, scoring door."""
    site: Site = request.app.state.site
    return site


def caller(request: Request, scope: str) -> Integration:
    """Return the integration that calls, if it holds the scope now.

    Raises
    ------
    Refusal
        As `claims_of`, `integration_of` and `check_rate` have it. 503: nobody can be looked up.
    """
    site, claims = site_of(request), claims_of(request)
    try:
        with site.database(NO_SCHOOLS) as session:
            found = integration_of(session, claims, scope, site.today())
    except OperationalError:
        raise unavailable() from None
    check_rate(site, found)
    return found


def claims_of(request: Request) -> Claims:
    """Return what the request's token says; refuse (401) none, and one that Belong did not sign or that is over."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refusal(401, "no_credentials", "Send an access token: Authorization: Bearer <token>.", headers=_CHALLENGE)
    site = site_of(request)
    claims = read(site.home, token.strip(), site.now())
    if claims is None:
        raise _bad()
    return claims


def integration_of(session: Session, claims: Claims, scope: str, today: date) -> Integration:
    """Return the integration of these claims, with what its token asked for as far as it is still granted.

    Raises
    ------
    Refusal
        401: it is unknown, expired or withdrawn, which look alike. 403: the data-protection officer has not granted it
        this scope, or its token did not ask for it.
    """
    found = still_allowed(session, claims.client_id, claims.secret, today)
    if found is None:
        raise _bad()
    found = found.limited_to(claims.scopes)
    if scope not in found.scopes:
        raise Refusal(403, "scope_missing", f"The integration has not been granted {scope}, or its token lacks it.")
    return found


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
