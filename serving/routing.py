"""From a request to a page: who asks, whether they may, and what a refusal or a fault looks like."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from casework.database import see_schools
from casework.permissions import NotAllowed, check_may, may
from casework.rules import TrainingNeeded
from serving.page import PUBLIC, Form, NotFound, Page, Visit, frame_values
from serving.security import CrossSite, check_same_site, check_token, clear_cookie
from serving.signed_in import SignedIn, find_signed_in, session_cookie
from serving.site import NO_SCHOOLS, Site
from serving.uploading import Sent, read_files

log = logging.getLogger(__name__)

_MORE_FIELDS = 100
_TRAIN = "Take the training"
_PLAIN = {
    400: (
        "This page could not take what was sent",
        ("The form may have been open too long, or was sent from another site. Nothing was saved.",),
    ),
    403: ("You do not have access to this", ()),
    404: (
        "Page not found",
        ("If you typed the address, check it. The page may also be about a school that you do not work with.",),
    ),
    405: ("This page could not take what was sent", ("Nothing was saved.",)),
    413: (
        "What was sent is too long",
        ("Nothing was saved. Go back and shorten the text, or send a smaller file: a shorter period in each.",),
    ),
    500: (
        "Something went wrong in Belong",
        ("Nothing was saved. The fault is in the service's log, without any pupil's details. Try again later.",),
    ),
}


def add_pages(app: FastAPI, site: Site, pages: tuple[Page, ...]) -> None:
    """Give every page its routes, and the router's own refusals a page."""
    app.state.pages = pages
    for page in pages:
        app.add_api_route(
            page.path, _endpoint(site, page), methods=page.methods, include_in_schema=False, response_model=None
        )

    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return plain_page(site, request, status if status in _PLAIN else 400)

    app.add_exception_handler(HTTPException, refused)


def plain_page(
    site: Site,
    request: Request,
    status: int,
    signed_in: SignedIn | None = None,
    sentence: str = "",
    link: tuple[str, str] = ("/", "Go to the first page"),
) -> HTMLResponse:
    """Return the page for a refusal or a fault, in words."""
    title, standing = _PLAIN[status]
    text = site.templates.get_template("message.html").render(
        **frame_values(site, request, signed_in),
        title=title,
        sentences=(sentence,) if sentence else standing,
        link=link[0],
        link_words=link[1],
    )
    return HTMLResponse(text, status)


async def _read_form(request: Request) -> Sent:
    """Return the form's fields; files are never taken."""
    if request.method != "POST":
        return Sent(form={}, files={})
    said = await request.form(max_fields=_MORE_FIELDS, max_files=0)
    fields = {name: tuple(v for v in said.getlist(name) if not isinstance(v, UploadFile)) for name in said}
    return Sent(form=fields, files={})


def _reader(site: Site, page: Page) -> Callable[[Request], Awaitable[Sent]]:
    """Return what reads the page's forms: with files only where the page takes them and this person may send them."""
    limits = page.takes
    if limits is None:
        return _read_form

    async def read(request: Request) -> Sent:
        if request.method != "POST" or not await run_in_threadpool(_may_send, site, page, request):
            return Sent(form={}, files={})
        return await read_files(request, site.home, limits)

    return read


def _may_send(site: Site, page: Page, request: Request) -> bool:
    """Whether a large body is worth reading: its sender is signed in, may, and comes from this site.

    The answer proper is given by `_answer`, to a form that was not read.
    """
    try:
        check_same_site(request.headers, site.address)
    except CrossSite:
        return False
    with site.database(NO_SCHOOLS) as session:
        signed_in = find_signed_in(session, site, request)
    return signed_in is not None and may(signed_in.person, page.permission)


def _endpoint(site: Site, page: Page) -> Callable[..., Response]:
    def answer(request: Request, sent: Annotated[Sent, Depends(_reader(site, page))]) -> Response:
        try:
            return _answer(site, page, request, sent)
        except Exception as error:
            # An exception's text may hold a pupil's record, so only its kind and the lines of code are logged.
            lines = "".join(traceback.format_tb(error.__traceback__)[-6:])
            log.error("page %r failed: %s\n%s", page.name, type(error).__name__, lines)
            return plain_page(site, request, 500)
        finally:
            sent.close()

    return answer


def _answer(site: Site, page: Page, request: Request, sent: Sent) -> Response:
    form = sent.form
    signed_in = None
    try:
        # One transaction for who asks and what they see. Person and roles are read at every request: a role taken
        # away holds from the next click. Until then it sees no school, and afterwards only theirs.
        with site.database(NO_SCHOOLS) as session:
            signed_in = find_signed_in(session, site, request)
            if signed_in is None and page.permission != PUBLIC:
                return _sign_in_first(site, request)
            _check(site, page, request, form, signed_in)
            if signed_in is not None:
                see_schools(session, signed_in.person.schools)
            visit = Visit(site=site, request=request, signed_in=signed_in, session=session, form=form, sent=sent)
            handler = page.save if request.method == "POST" else page.show
            assert handler is not None  # a method without a handler has no route
            try:
                return handler(visit)
            except NotFound:
                pass  # inside the transaction, so that the look that found nothing is kept
        return plain_page(site, request, 404, signed_in)
    except CrossSite:
        return plain_page(site, request, 400, signed_in)
    except TrainingNeeded as error:
        return _training_first(site, request, signed_in, error.sentence)
    except NotAllowed as error:
        return plain_page(site, request, 403, signed_in, error.sentence)


def _check(site: Site, page: Page, request: Request, form: Form, signed_in: SignedIn | None) -> None:
    """Raise CrossSite or NotAllowed unless the request comes from this site's own pages and the person may open it."""
    if request.method == "POST":
        check_same_site(request.headers, site.address)
    if signed_in is not None and page.permission != PUBLIC:
        check_may(signed_in.person, page.permission)
    # After the permission: of whoever may not send it, a large form was not read at all, its token neither.
    if signed_in is not None and request.method == "POST":
        check_token(next(iter(form.get("csrf", ())), ""), signed_in.csrf)


def _training_first(site: Site, request: Request, signed_in: SignedIn | None, sentence: str) -> Response:
    """Send the browser to the training, and afterwards back to the page it asked for; a form is told so in words."""
    if request.method in ("GET", "HEAD"):
        asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(f"/training?{urlencode({'then': asked})}", status_code=303)
    return plain_page(site, request, 403, signed_in, f"{sentence} Nothing was saved.", ("/training", _TRAIN))


def _sign_in_first(site: Site, request: Request) -> Response:
    """Send the browser to sign in, and afterwards back to the page it asked for."""
    again = request.method in ("GET", "HEAD") and request.url.path != "/"
    response = RedirectResponse(f"/sign-in?then={request.url.path}" if again else "/sign-in", status_code=303)
    if session_cookie(site) in request.cookies:
        clear_cookie(response, session_cookie(site), https=site.https)
    return response
