"""An HTTP client that checks every page it touches, and a server on loopback for it to touch."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Elements that never close, so that the reader below keeps its count of what is open.
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta"})


class Read(HTMLParser):
    """A page as the checks below need it: its elements with their attributes, and its visible words."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words_of: dict[str, list[str]] = {}
        self.labelled: set[str] = set()
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "h1":
            self.words_of.setdefault("h1", []).append("")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Note words under the element that holds them."""
        if self._open and not {"script", "style"} & set(self._open):
            # A drawing has a title of its own, which is not the page's.
            kind = f"svg {self._open[-1]}" if "svg" in self._open[:-1] else self._open[-1]
            self.words_of.setdefault(kind, []).append(data)
            self.words_of.setdefault("all", []).append(data)

    def words(self, tag: str = "all") -> str:
        """Return the words of an element, or of the whole page."""
        return " ".join("".join(self.words_of.get(tag, [])).split())

    def all(self, *tags: str) -> list[dict[str, str]]:
        """Return the attributes of every element of these kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def faults(answer: httpx.Response) -> list[str]:
    """Return what is wrong with a page that every page must have right."""
    page = Read(answer.text)
    found = []
    if len(page.all("h1")) != 1 or not page.words("h1"):
        found.append(f"{len(page.all('h1'))} h1 elements, saying {page.words('h1')!r}; wanted one with words")
    if not re.fullmatch("(Error: )?.+ \N{EN DASH} Belong \N{EN DASH} Riverside Schools", page.words("title")):
        found.append(f"title {page.words('title')!r} does not name page, service and network")
    found += [f"id {name!r} {times} times" for name, times in _ids(page).items() if times > 1]
    found += _unlabelled(page)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    found += [f"h{b} follows h{a}" for a, b in pairwise(levels) if b > a + 1]
    for tag, attributes in page.elements:
        if "style" in attributes or any(name.startswith("on") for name in attributes):
            found.append(f"<{tag}> carries inline style or script, which the content policy blocks")
        for name in ("src", "href", "action"):
            if re.match(r"(https?:)?//", attributes.get(name, "")):
                found.append(f"<{tag}> points off the site: {attributes[name]}")
    for trace in ("Undefined", "None", "{{", "}}", "&lt;"):
        if trace in page.words():
            found.append(f"the words hold {trace!r}, a value that was never filled in")
    return found + _headers_wrong(answer, page)


def _ids(page: Read) -> Mapping[str, int]:
    return Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)


def _unlabelled(page: Read) -> list[str]:
    labels = {attributes.get("for", "") for attributes in page.all("label")}
    named = [one for one in page.all("input", "select", "textarea") if one.get("type") != "hidden"]
    return [f"field {one.get('name')!r} has no label" for one in named if one.get("id") not in labels]


def _headers_wrong(answer: httpx.Response, page: Read) -> list[str]:
    nonces = {attributes["nonce"] for attributes in page.all("script") if "nonce" in attributes}
    wanted = {POLICY.format(nonce=nonce) for nonce in nonces}
    found = []
    if {answer.headers.get("content-security-policy", "")} != wanted:
        found.append("the content policy is not the one agreed, or not this page's nonce")
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
    ):
        if answer.headers.get(name) != value:
            found.append(f"header {name} is {answer.headers.get(name)!r}, not {value!r}")
    return found


class Client:
    """A browser without scripts: it keeps cookies, follows redirects on request and checks every page."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, trust_env=False, timeout=30)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def get(self, path: str, *, status: int = 200) -> Read:
        """Open a page, following redirects on this site, and check it."""
        return self._check(self._follow(self.http.get(path)), status)

    def post(self, path: str, form: Mapping[str, Any], *, status: int = 200, **headers: str) -> Read:
        """Send a form as this page's own forms do, follow where it leads, and check the page there."""
        said = {"sec-fetch-site": "same-origin"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self._check(self._follow(self.http.post(path, data=dict(form), headers=said)), status)

    def send(self, page: Read, path: str, form: Mapping[str, Any], *, status: int = 200) -> Read:
        """Fill in the form of a page, hidden fields included, and send it."""
        hidden = {one["name"]: one.get("value", "") for one in page.all("input") if one.get("type") == "hidden"}
        return self.post(path, {**hidden, **form}, status=status)

    def sign_in(self, subject: str) -> Read:
        """Walk through the sign-in service as this account, and return the page it leads to."""
        away = self.http.get("/sign-in/demo")
        assert away.status_code == 303, away.text
        with httpx.Client(trust_env=False) as there:
            back = there.post(away.headers["location"], data={"sub": subject})
        assert back.status_code == 302, back.text
        return self._check(self._follow(self.http.get(back.headers["location"])))

    def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect:
            where = answer.headers["location"]
            assert where.startswith("/"), f"a redirect leads off the site: {where}"
            answer = self.http.get(where)
        return answer

    def _check(self, answer: httpx.Response, status: int = 200) -> Read:
        assert answer.status_code == status, f"{answer.request.url.path}: {answer.status_code}, wanted {status}"
        wrong = faults(answer)
        assert not wrong, f"{answer.request.url.path}: {'; '.join(wrong)}"
        return Read(answer.text)


@contextmanager
def running(app: FastAPI, port: int) -> Iterator[None]:
    """Serve the app on loopback until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started = time.monotonic()
    while not server.started:
        if not thread.is_alive() or time.monotonic() - started > 20:
            raise RuntimeError("the site did not start")
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
