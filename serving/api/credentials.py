"""Who calls: an integration's bearer token, its scopes and its schools."""

from fastapi import Request
from sqlalchemy.exc import OperationalError

from casework.integrations import Integration, find_integration
from serving.api.problems import Refusal
from serving.site import NO_SCHOOLS, Site

SCORES_READ = "scores:read"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Belong"'}


def site_of(request: Request) -> Site:
    """Return what this process's doors share: home, clock, database, scoring door."""
    site: Site = request.app.state.site
    return site


def caller(request: Request, scope: str) -> Integration:
    """Return the integration that calls, if it holds the scope today.

    Raises
    ------
    Refusal
        401: no token, or not one that Belong gave out (unknown, expired and withdrawn look alike).
        403: the data-protection officer has not granted it this scope. 503: nobody can be looked up.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refusal(
            401, "no_credentials", "Send the integration's token: Authorization: Bearer <token>.", headers=_CHALLENGE
        )
    site = site_of(request)
    try:
        with site.database(NO_SCHOOLS) as session:
            found = find_integration(session, token.strip(), site.today())
    except OperationalError:
        raise Refusal(503, "database_unavailable", "The operational database cannot be reached.") from None
    if found is None:
        raise Refusal(401, "bad_credentials", "The token is unknown, expired or withdrawn.", headers=_CHALLENGE)
    if scope not in found.scopes:
        raise Refusal(403, "scope_missing", f"The integration has not been granted {scope}.")
    return found
