"""Short-lived access tokens: signed, bound to the secret that they came with, and worth nothing once it is withdrawn.

A token says who and for how long, never what: what the integration may do is read from the database at
every call, so that a change holds at once.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from casework.callers import Integration
from casework.embedded import read_or_make_secret
from records.home import Home

LIFE_SECONDS: Final = 900
LONGEST: Final = 2048
_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_AUDIENCE: Final = "belong-api-v1"
_KEY_FILE: Final = "api_tokens.key"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a valid token says: which integration, by which of its secrets, and the scopes that it asked for."""

    client_id: str
    secret: uuid.UUID
    scopes: frozenset[str]


def issue(home: Home, caller: Integration, now: datetime) -> str:
    """Return a token for the caller's scopes that ends `LIFE_SECONDS` from now."""
    at = int(now.timestamp())
    claims = {
        "aud": _AUDIENCE,
        "sub": caller.client_id,
        "sec": str(caller.secret),
        "scope": " ".join(sorted(caller.scopes)),
        "iat": at,
        "exp": at + LIFE_SECONDS,
        "jti": secrets.token_urlsafe(12),
    }
    return str(jwt.encode({"alg": _ALGORITHM, "typ": _TYPE}, claims, _key(home)))


def read(home: Home, token: str, now: datetime) -> Claims | None:
    """Return what the token says, or None where it is not one of this home's or its time is over."""
    if not 1 <= len(token) <= LONGEST or not token.isascii():
        return None
    try:
        said = jwt.decode(token, _key(home), algorithms=[_ALGORITHM])
        claims: dict[str, Any] = said.claims
        # Another kind of token signed with the same key must never pass for this one.
        if said.header.get("typ") != _TYPE or claims["aud"] != _AUDIENCE:
            return None
        if not claims["iat"] <= now.timestamp() + 60 or not now.timestamp() < claims["exp"]:
            return None
        return Claims(
            client_id=claims["sub"], secret=uuid.UUID(claims["sec"]), scopes=frozenset(claims["scope"].split())
        )
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _key(home: Home) -> OctKey:
    return _parsed(read_or_make_secret(home.secrets, _KEY_FILE, secrets.token_hex(32)))


@lru_cache(maxsize=4)
def _parsed(key: str) -> OctKey:
    return OctKey.import_key(bytes.fromhex(key))
