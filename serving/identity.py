"""Sign-in through OpenID Connect (authorisation code flow with PKCE): the way to the provider and back.

Authlib's own client is not used: it warns on import that both its JOSE and its httpx parts are to be
replaced, and warnings are errors here. `joserfc`, its successor, checks the tokens; what remains is
three requests. Discovery and keys are read afresh at each sign-in, which is rare: a provider that
changes its keys is followed at once.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from records.home import Home
from serving.providers import Provider

if TYPE_CHECKING:
    import httpx

# Signatures by public key only: 'none' and HMAC with the client secret are how forged tokens get in.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 60
STARTED_SECONDS = 600
# The same sentence whatever is wrong with a token: what was found would help only whoever forged it.
_UNCHECKED = "The sign-in service's answer could not be checked."


class SignInRefused(Exception):
    """The provider's answer cannot be trusted, or it said no; the message may be shown to the person."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """What this browser must bring back from the provider, sealed in a cookie meanwhile."""

    provider: str
    state: str
    nonce: str
    verifier: str
    then: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the provider says this is. Never the e-mail address: addresses are reassigned and can be claimed."""

    issuer: str
    subject: str


def seal_key(home: Home) -> Fernet:
    """Return what seals cookies between leaving for a provider and coming back, making its key once."""
    file = home.secrets / "sign_in.key"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_bytes(Fernet.generate_key())
        partial.replace(file)
    return Fernet(file.read_bytes())


def begin(provider: Provider, *, return_address: str, then: str) -> tuple[str, Started]:
    """Return the provider's address to send the browser to, and what it must bring back.

    Raises
    ------
    SignInRefused
        The provider cannot be reached or is not the issuer it is configured as.
    """
    started = Started(
        provider=provider.name,
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        then=local_path(then),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(started.verifier.encode()).digest()).rstrip(b"=").decode()
    question = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": return_address,
        "scope": "openid",
        "state": started.state,
        "nonce": started.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with _client(provider) as client:
        known = _discover(client, provider)
    join = "&" if urlsplit(known["authorization_endpoint"]).query else "?"
    return f"{known['authorization_endpoint']}{join}{urlencode(question)}", started


def seal(started: Started, key: Fernet, now: float) -> str:
    """Return the started sign-in as a cookie value that only this home can read, for ten minutes."""
    return key.encrypt_at_time(json.dumps(vars(started)).encode(), int(now)).decode()


def unseal(cookie: str | None, key: Fernet, now: float) -> Started:
    """Return the sign-in this browser started.

    Raises
    ------
    SignInRefused
        There is none, it is older than ten minutes, or the cookie was changed.
    """
    try:
        told = json.loads(key.decrypt_at_time((cookie or "").encode(), STARTED_SECONDS, int(now)))
    except InvalidToken:
        raise SignInRefused("This sign-in was not started in this browser, or took longer than 10 minutes.") from None
    return Started(**told)


def finish(
    provider: Provider, started: Started, answer: Mapping[str, str], *, return_address: str, now: float
) -> Identity:
    """Return who signed in, from the provider's answer to the browser.

    Raises
    ------
    SignInRefused
        State, issuer, code or ID token do not belong to the sign-in that was started, or the provider said no.
    """
    if not secrets.compare_digest(answer.get("state", "").encode(), started.state.encode()):
        raise SignInRefused("The answer does not belong to the sign-in that was started here.")
    if answer.get("iss", provider.issuer).rstrip("/") != provider.issuer:
        raise SignInRefused("The answer came from another sign-in service.")
    if "error" in answer or not answer.get("code"):
        raise SignInRefused("The sign-in service did not sign you in.")
    with _client(provider) as client:
        known = _discover(client, provider)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": return_address,
            "code_verifier": started.verifier,
        }
        token = _redeem(client, known, provider, form).get("id_token")
        keys = _fetch(client, known["jwks_uri"])
    if not isinstance(token, str):
        raise SignInRefused("The sign-in service answered without saying who you are.")
    return check_token(token, keys, provider, nonce=started.nonce, now=now)


def check_token(token: str, keys: Mapping[str, Any], provider: Provider, *, nonce: str, now: float) -> Identity:
    """Return who the ID token names, once its signature, issuer, audience, times and nonce hold.

    Raises
    ------
    SignInRefused
        One of them does not (OpenID Connect Core 1.0, section 3.1.3.7).
    """
    try:
        decoded = jwt.decode(token, KeySet.import_key_set({"keys": list(keys["keys"])}), algorithms=_ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(decoded.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SignInRefused(_UNCHECKED) from error
    claims = decoded.claims
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", provider.client_id) != provider.client_id or (len(audiences) > 1 and "azp" not in claims):
        raise SignInRefused(_UNCHECKED)
    subject = claims.get(provider.subject_claim)
    if not isinstance(subject, str) or not subject or (provider.tenant and claims.get("tid") != provider.tenant):
        raise SignInRefused(_UNCHECKED)
    return Identity(issuer=provider.issuer, subject=subject)


def local_path(asked: str) -> str:
    """Return the asked page when it is a path on this site, otherwise the front page: never another site."""
    plain = asked.isascii() and asked.isprintable() and "\\" not in asked
    return asked if plain and asked.startswith("/") and not asked.startswith("//") else "/"


def _client(provider: Provider) -> "httpx.Client":
    # With the first sign-in, not while the process starts: it brings half of a command line with it.
    import httpx  # noqa: PLC0415  # see above

    # A proxy set for the outside world cannot reach a provider on loopback.
    return httpx.Client(timeout=10, follow_redirects=False, trust_env=not provider.local)


def _discover(client: "httpx.Client", provider: Provider) -> dict[str, Any]:
    known = _fetch(client, f"{provider.issuer}/.well-known/openid-configuration")
    if str(known.get("issuer", "")).rstrip("/") != provider.issuer:
        raise SignInRefused("The sign-in service is not the one this network uses.")
    if not all(isinstance(known.get(part), str) for part in ("authorization_endpoint", "token_endpoint", "jwks_uri")):
        raise SignInRefused("The sign-in service does not say how to use it.")
    return known


def _redeem(
    client: "httpx.Client", known: Mapping[str, Any], provider: Provider, form: Mapping[str, str]
) -> dict[str, Any]:
    """Return the token endpoint's answer, signing in as the client in the way the provider supports."""
    methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        return _fetch(client, known["token_endpoint"], form, (provider.client_id, provider.client_secret))
    secret = {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return _fetch(client, known["token_endpoint"], {**form, **secret})


def _fetch(
    client: "httpx.Client",
    address: str,
    form: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return the JSON object at an address: GET, or POST where there is a form, with the login if there is one."""
    import httpx  # noqa: PLC0415  # as in `_client`

    try:
        answer = (
            client.post(address, data=form, auth=login or httpx.USE_CLIENT_DEFAULT) if form else client.get(address)
        )
        answer.raise_for_status()
        said = answer.json()
    except (httpx.HTTPError, ValueError):
        raise SignInRefused("The sign-in service could not be reached, or refused the request.") from None
    if not isinstance(said, dict):
        raise SignInRefused("The sign-in service's answer could not be read.")
    return said
