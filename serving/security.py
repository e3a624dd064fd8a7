"""What every answer carries and every change must prove: headers, content policy, same-origin posts, limits."""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_PREFIX = "/api/"
ASSETS_PREFIX = "/assets/"
PAGE_BODY_BYTES = 64 * 1024
API_BODY_BYTES = 16 * 1024 * 1024

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}


class CrossSite(Exception):
    """A change was asked for from another site, or without this session's token."""


def content_policy(nonce: str) -> str:
    """Return the Content-Security-Policy: our own files only, scripts by file or nonce, no styles in pages."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; font-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def headers_without_a_page(*, https: bool) -> list[tuple[bytes, bytes]]:
    """Return the same headers for answers that hold no page: nothing at all may be loaded or framed."""
    headers = {**_HEADERS, "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
    if https:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class SafeHeaders:
    """Middleware that sets the security headers of every answer, and a nonce for the page's one inline script."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, adding headers as the answer starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers["content-security-policy"] = content_policy(nonce)
                if self.https:
                    headers["strict-transport-security"] = "max-age=31536000"
                if scope["path"].startswith(ASSETS_PREFIX) and message["status"] == 200:
                    headers["cache-control"] = "public, max-age=31536000, immutable"
                else:
                    # Pages about pupils must not stay in a shared computer's cache or come back with 'Back'.
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_safe)


class BodyLimits:
    """Middleware that refuses bodies (413) that are longer than a form, or than an API call, can be.

    `with_files` are the addresses whose forms carry files: they count for themselves (serving/uploading.py), so
    that who sends too much gets a page with a sentence.
    """

    def __init__(self, app: ASGIApp, with_files: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.with_files = with_files
        self.pages = RequestBodyLimitMiddleware(app, PAGE_BODY_BYTES)
        self.api = RequestBodyLimitMiddleware(app, API_BODY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under the limit of its door."""
        if scope["type"] == "http" and scope["path"] in self.with_files:
            await self.app(scope, receive, send)
            return
        api = scope["type"] == "http" and scope["path"].startswith(API_PREFIX)
        await (self.api if api else self.pages)(scope, receive, send)


def check_same_site(headers: Headers, address: str) -> None:
    """Let a change through only when the browser says that it comes from this site.

    Raises
    ------
    CrossSite
        `Sec-Fetch-Site` names another site or, in a browser without it, `Origin` does.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CrossSite
        return
    origin = headers.get("origin")
    if origin is not None and _origin(origin) != _origin(address):
        raise CrossSite


def check_token(given: str, expected: str) -> None:
    """Let a change through only with the token that this session's own pages carry.

    Raises
    ------
    CrossSite
        The token is missing or another session's.
    """
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        raise CrossSite


def cookie_name(plain: str, *, https: bool) -> str:
    """Return the cookie's name: over https with `__Host-`, which no other host or path can set."""
    return f"__Host-{plain}" if https else plain


def set_cookie(response: Response, name: str, value: str, *, https: bool, seconds: int | None = None) -> None:
    """Set a cookie that scripts cannot read and other sites' posts do not carry."""
    response.set_cookie(name, value, max_age=seconds, httponly=True, secure=https, samesite="lax", path="/")


def clear_cookie(response: Response, name: str, *, https: bool) -> None:
    """Remove a cookie that `set_cookie` set."""
    response.delete_cookie(name, httponly=True, secure=https, samesite="lax", path="/")


def nonce_of(request: Request) -> str:
    """Return the nonce of this answer's content policy."""
    return str(request.scope["state"]["nonce"])


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
