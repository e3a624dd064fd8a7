"""A real browser for tests: the system's Chromium, what a window notes, and what every page must hold."""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from serving.doors import picture_name
from tests.site import RunningSite

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
WIDTHS = (1100, 375)
NARROWEST = 320
# A busy machine is slow, not wrong.
_PATIENCE_MS = 60_000
# The first screens of a long report show what it looks like.
_TALLEST = 3_000
_COLOURS = 32

# Every element that a keyboard reaches must look different once it is there; a radio's ring is its label's.
_KEYBOARD = """() => {
  const reached = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]
    .filter(one => !one.disabled && one.tabIndex >= 0 && one.checkVisibility());
  const looks = one => [one, ...(one.labels || [])].flatMap(part => [null, '::before', '::after'].map(which => {
    const style = getComputedStyle(part, which);
    return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow, style.backgroundColor,
      style.borderTopWidth, style.borderTopColor].join();
  })).join();
  const unseen = [];
  for (const one of reached) {
    document.activeElement.blur();
    const before = looks(one);
    one.focus({focusVisible: true});
    if (document.activeElement !== one || looks(one) === before) unseen.push(one.outerHTML.slice(0, 80));
  }
  document.activeElement.blur();
  return {unseen, first: reached[0].getAttribute('href'), jumps: reached.filter(one => one.tabIndex > 0).length};
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the system's Chromium. Where CI runs, a missing one is a failure and never a skip."""
    if CHROMIUM is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("Chromium is missing: `make setup` installs it with the system's package manager")
        pytest.skip("no Chromium on this machine; with CI=true this is a failure")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Window:
    """One browser window: what it asked for off the machine, and whatever its console said."""

    def __init__(self, browser: Browser, site: RunningSite, *, scripts: bool = True) -> None:
        self.site = site
        self.context = browser.new_context(
            viewport={"width": WIDTHS[0], "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
        )
        self.context.set_default_timeout(_PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            self.outside.append(request.url)

    def _said(self, said: ConsoleMessage) -> None:
        # Chromium notes a refusal's status as an error of the page; the tests ask for those themselves.
        if "the server responded with a status of" not in said.text:
            self.complaints.append(said.text)

    def sign_in(self, account: str) -> Page:
        """Sign in as a person does, by clicking."""
        self.page.goto(self.site.address)
        self.page.get_by_role("button", name="Sign in with a demonstration account").click()
        self.page.get_by_role("button", name=account, exact=True).click()
        self.page.wait_for_url(f"{self.site.address}/**")
        return self.page

    def become(self, account: str | None) -> None:
        """Be signed in as this account, or as nobody, without clicking: for walks that are about something else."""
        self.context.clear_cookies()
        if account is None:
            return
        client = self.site.client()
        client.sign_in(account)
        cookies = [{"name": c.name, "value": str(c.value), "url": self.site.address} for c in client.http.cookies.jar]
        client.close()
        self.context.add_cookies(cookies)  # type: ignore[arg-type]  # a typed dictionary of these three

    def open(self, path: str, status: int = 200) -> Page:
        """Open a page of the site, and stay there."""
        answer = self.page.goto(f"{self.site.address}{path}")
        assert answer is not None
        assert answer.status == status, f"{path} answered {answer.status}, wanted {status}"
        assert self.page.url == f"{self.site.address}{path}", f"{path} led elsewhere"
        return self.page

    def close(self) -> None:
        """Close the window; what it did on the way must have been silent and at home."""
        self.context.close()
        assert self.outside == [], "a page asked for something off this machine"
        assert self.complaints == [], "the browser complained of a page"


def check_page(window: Window, name: str) -> None:
    """Hold the page that is open to what every page must be, at each width, and draw it if asked to."""
    page = window.page
    frame: dict[str, Any] = page.evaluate(
        "({h1: document.querySelectorAll('h1').length, title: document.title, lang: document.documentElement.lang})"
    )
    assert frame["h1"] == 1, f"{name} has {frame['h1']} h1 elements"
    assert frame["lang"] == "en", f"{name} is in no language"
    assert frame["title"].endswith(" \N{EN DASH} Belong \N{EN DASH} Riverside Schools"), (
        f"{name} is titled {frame['title']!r}"
    )
    hidden = [word for word in (*window.site.ids, "risk", "exclu", "suspen", "score") if word in frame["title"]]
    assert not hidden, f"the title of {name} holds {hidden}: titles stay in browsers' histories"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        draw(page, name, width)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name} at {width} px: {found.generate_report()}"
    page.set_viewport_size({"width": NARROWEST, "height": 900})
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, f"{name} at {NARROWEST} px scrolls sideways by {beyond} px"
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    _check_keyboard(page, name)


def _check_keyboard(page: Page, name: str) -> None:
    """The first stop skips to the main content, stops come in the page's order, and each shows."""
    found = page.evaluate(_KEYBOARD)
    assert found["first"] == "#main-content", f"the keyboard's first stop on {name} is not the skip link"
    assert found["jumps"] == 0, f"{name} has {found['jumps']} elements with a tabindex above 0"
    assert found["unseen"] == [], f"on {name} the focus does not show on: {found['unseen']}"


def draw(page: Page, name: str, width: int) -> None:
    """Draw the page, or the top of a long one, into the folder that BELONG_PICTURES names; small, by few colours."""
    folder = os.environ.get("BELONG_PICTURES")
    if not folder:
        return
    tall = page.evaluate("document.documentElement.scrollHeight")
    part = {"x": 0, "y": 0, "width": width, "height": min(tall, _TALLEST)}
    drawn = page.screenshot(full_page=True, clip=part)  # type: ignore[arg-type]  # a rectangle, by its names
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    place = Path(folder) / picture_name(name, width)
    place.parent.mkdir(parents=True, exist_ok=True)
    # No dithering: it would make flat paper grainy, and the file large.
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(place, optimize=True)
