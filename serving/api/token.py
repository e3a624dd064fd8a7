"""`POST /api/v1/token`: an integration's id and secret for a short-lived access token (RFC 6749, section 4.4)."""

import base64
import binascii
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.exc import OperationalError

from casework.callers import SCOPES, authenticate
from serving.api.answers import Answer
from serving.api.bodies import read_body
from serving.api.credentials import check_rate, site_of, unavailable
from serving.api.examples import TOKEN
from serving.api.problems import ProblemRoute
from serving.api.tokens import LIFE_SECONDS, issue
from serving.api.told import NO_DATABASE, TOO_OFTEN, TOO_SLOW, Responses, example_of, not_sent_as, refusals, too_large
from serving.site import NO_SCHOOLS

MOST_BYTES = 4096
_FORM = "application/x-www-form-urlencoded"

router = APIRouter(tags=["token"], route_class=ProblemRoute)


class TokenAnswer(Answer):
    """An access token, and how long it lasts."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # the kind of token, as the standard names it
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="The scopes that it carries, with spaces between.")


class TokenRefused(Answer):
    """A refusal in the standard's own form (RFC 6749, section 5.2), which client libraries read."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
    error_description: str


class _Refused(Exception):
    def __init__(self, error: str, words: str) -> None:
        super().__init__(words)
        self.error = error


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string", "description": "Left out where HTTP Basic carries id and secret."},
        "client_secret": {"type": "string", "format": "password"},
        "scope": {"type": "string", "description": "Scopes with spaces between; left out: all that are granted."},
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": _SCHEMA,
                "example": {
                    "grant_type": "client_credentials",
                    "client_id": "riverside-mis",
                    "client_secret": "the secret that was shown once",
                    "scope": "lists:read",
                },
            }
        },
    }
}
_WRONG: Final = "The id or the secret is wrong, or its time is over."
_NOT_GRANTED: Final = f"Not all of these are granted. Scopes are among {', '.join(SCOPES)}."


def _says(error: str, words: str, why: str) -> dict[str, Any]:
    example = {"error": error, "error_description": words}
    return {"model": TokenRefused, "description": why, "content": {"application/json": {"example": example}}}


_RESPONSES: Responses = {
    200: example_of("A token, for a quarter of an hour.", TOKEN),
    400: _says("invalid_scope", _NOT_GRANTED, "The request is not one for a token, or asks for what is not granted."),
    401: _says("invalid_client", _WRONG, "The id or the secret is wrong, or its time is over."),
    **refusals(
        TOO_SLOW, too_large(f"{MOST_BYTES} bytes"), not_sent_as(_FORM, "wrong_media_type"), TOO_OFTEN, NO_DATABASE
    ),
}


async def form_of(request: Request) -> list[tuple[str, str]]:
    """Return the form's fields in order, repeated ones too."""
    body = await read_body(request, _FORM, MOST_BYTES)
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:  # not UTF-8, or more fields than a request for a token has
        return []


@router.post(
    "/token",
    summary="Exchange an integration's secret for an access token",
    response_model=TokenAnswer,
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
def post_token(request: Request, form: Annotated[list[tuple[str, str]], Depends(form_of)]) -> JSONResponse:
    """Return a token that lasts a quarter of an hour; ask again when it is over.

    Id and secret come with HTTP Basic or in the form, never in an address.
    """
    try:
        return _answer(200, _granted(request, form))
    except _Refused as refused:
        status = 401 if refused.error == "invalid_client" else 400
        return _answer(status, TokenRefused.model_validate({"error": refused.error, "error_description": str(refused)}))


def _granted(request: Request, form: list[tuple[str, str]]) -> TokenAnswer:
    said = dict(form)
    if len(said) < len(form):
        raise _Refused("invalid_request", "A field stands twice.")
    if "grant_type" not in said:
        raise _Refused("invalid_request", "grant_type is required.")
    if said["grant_type"] != "client_credentials":
        raise _Refused("unsupported_grant_type", "Only client_credentials is supported.")
    client_id, secret = _credentials(request, said)
    site = site_of(request)
    try:
        with site.database(NO_SCHOOLS) as session:
            found = authenticate(session, client_id, secret, site.today())
    except OperationalError:
        raise unavailable() from None
    if found is None:
        raise _Refused("invalid_client", _WRONG)
    check_rate(site, found)
    asked = frozenset(said.get("scope", "").split()) or found.scopes
    if not asked <= found.scopes:
        raise _Refused("invalid_scope", _NOT_GRANTED)
    found = found.limited_to(asked)
    return TokenAnswer(
        access_token=issue(site.home, found, site.now()), expires_in=LIFE_SECONDS, scope=" ".join(sorted(found.scopes))
    )


def _credentials(request: Request, said: dict[str, str]) -> tuple[str, str]:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if not kind:
        return said.get("client_id", ""), said.get("client_secret", "")
    if kind.lower() != "basic" or "client_secret" in said:
        raise _Refused("invalid_request", "Send id and secret once: with HTTP Basic, or in the form.")
    try:
        plain = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _Refused("invalid_client", _WRONG) from None
    client_id, _, secret = plain.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _answer(status: int, said: Answer) -> JSONResponse:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Belong", charset="UTF-8"'
    return JSONResponse(said.model_dump(), status, headers)
