"""What a page is: a path, who may open it, and how it is shown. No permission, no page.

Routes, navigation and the printed table of doors all come from `Page`, so nothing can be reached that
the table does not name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from casework.permissions import PERMISSIONS, NotAllowed, Person, may
from serving.notices import Notice, notices, training_notice
from serving.security import nonce_of
from serving.signed_in import SignedIn
from serving.site import Site
from serving.uploading import FileLimits, Sent

PUBLIC = "public"
Form = Mapping[str, tuple[str, ...]]


class NotFound(Exception):
    """There is no such thing, or it is another school's: the answer is the same."""


@dataclass(kw_only=True)
class Visit:
    """One request by one person, inside one database transaction that sees only that person's schools."""

    site: Site
    request: Request
    signed_in: SignedIn | None
    session: Session
    form: Form = field(default_factory=dict)
    sent: Sent | None = None

    @property
    def person(self) -> Person:
        """The person who asks; pages that are not public always have one."""
        if self.signed_in is None:
            raise NotAllowed("Sign in first.")
        return self.signed_in.person

    @property
    def today(self) -> date:
        """The home's today."""
        return self.site.today()

    def value(self, name: str) -> str:
        """Return a field of the form, trimmed; '' where it is missing."""
        return next(iter(self.form.get(name, ())), "").strip()

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, as tick boxes send them."""
        return self.form.get(name, ())

    def asked(self, name: str) -> str:
        """Return a parameter of the address; '' where it is missing."""
        return str(self.request.query_params.get(name, ""))

    def part(self, name: str) -> str:
        """Return the part of the path that stands for `{name}`."""
        return str(self.request.path_params[name])

    def show(self, template: str, *, title: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the template as a page, within the frame that every page has."""
        around = frame_values(self.site, self.request, self.signed_in)
        text = self.site.templates.get_template(template).render(**{**around, "title": title, **values})
        return HTMLResponse(text, status)

    def go(self, path: str) -> RedirectResponse:
        """Return the redirect that follows a change, so that reloading repeats nothing."""
        return RedirectResponse(path, status_code=303)


Handler = Callable[[Visit], Response]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page.

    Attributes
    ----------
    name
        Its name in the table of doors.
    path
        Its address, with `{...}` for an opaque id. Never a name or a word about an outcome.
    permission
        A permission of `casework.permissions`, or `PUBLIC`, which needs a reason.
    public_because
        Why anyone may open it; empty unless it is public.
    show, save
        What answers GET, and POST.
    navigation
        What its link in the navigation says; '' keeps it out.
    first_for
        Roles of people for whom its link comes first, so that it is the page on which they begin.
    takes
        What files its form may carry; None: none, as for every page that does not say so.
    """

    name: str
    path: str
    permission: str
    show: Handler | None = None
    save: Handler | None = None
    public_because: str = ""
    navigation: str = ""
    first_for: frozenset[str] = frozenset()
    takes: FileLimits | None = None

    def __post_init__(self) -> None:
        if (self.permission == PUBLIC) != bool(self.public_because):
            raise ValueError(f"page {self.name!r}: a public page says why in public_because, and no other does")
        if self.permission != PUBLIC and self.permission not in PERMISSIONS:
            raise ValueError(
                f"page {self.name!r}: {self.permission!r} is not one of {', '.join(sorted(PERMISSIONS))}; "
                "add it to casework/permissions.py"
            )
        if self.show is None and self.save is None:
            raise ValueError(f"page {self.name!r} answers nothing")

    @property
    def methods(self) -> list[str]:
        """The methods it answers."""
        return [*(["GET", "HEAD"] if self.show else []), *(["POST"] if self.save else [])]


def links(request: Request, signed_in: SignedIn | None) -> list[dict[str, Any]]:
    """Return the navigation of this person: the pages they may open, the current one marked."""
    pages: tuple[Page, ...] = request.app.state.pages
    path = request.url.path
    roles = {role.name for role in signed_in.person.roles} if signed_in else set()
    return [
        {
            "href": page.path,
            "text": page.navigation,
            "current": path == page.path,
            "active": path.startswith(f"{page.path}/"),
        }
        for page in sorted(pages, key=lambda page: not page.first_for & roles)
        if page.navigation and signed_in is not None and may(signed_in.person, page.permission)
    ]


def _for(signed_in: SignedIn | None, all_notices: Iterable[Notice]) -> list[Notice]:
    """Return the notices without those that lead to what the person may not open: a partner reads no audit."""
    able = signed_in is None or may(signed_in.person, "see_audits") or not signed_in.person.roles
    return [one for one in all_notices if able or not one.link]


def frame_values(site: Site, request: Request, signed_in: SignedIn | None) -> dict[str, Any]:
    """Return what the frame of every page shows."""
    own = training_notice(signed_in.person, site.today()) if signed_in else None
    return {
        "network": site.home.network,
        "notices": (*_for(signed_in, notices(site)), *((own,) if own else ())),
        "navigation": links(request, signed_in),
        "person": signed_in.person if signed_in else None,
        "csrf": signed_in.csrf if signed_in else "",
        "cspNonce": nonce_of(request),
        "errors": [],
    }
