"""Walks in a real browser: axe, reflow at 320 px, no outside requests, keyboard, and what is hidden stays hidden.

`BELONG_SCREENSHOTS` names a folder for pictures of the five pages.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.site import RunningSite

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system. Where CI runs, a missing one is a failure and never a skip."""
    if CHROMIUM is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("Chromium is missing: `make setup` installs it with the system's package manager")
        pytest.skip("no Chromium on this machine; with CI=true this is a failure")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Walk:
    """One browser window, what it asked for off the site, and what its console complained of."""

    def __init__(self, browser: Browser, site: RunningSite, width: int, *, scripts: bool = True) -> None:
        self.site = site
        self.width = width
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
        self.page: Page = context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("console", lambda said: self.complaints.append(said.text))

    def _requested(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith(("http://127.0.0.1:", "data:")):
            self.outside.append(address)

    def sign_in(self, account: str) -> Page:
        """Sign in as a person does, by clicking."""
        self.page.goto(self.site.address)
        self.page.get_by_role("button", name="Sign in with a demonstration account").click()
        self.page.get_by_role("button", name=account, exact=True).click()
        self.page.wait_for_url(f"{self.site.address}/**")
        return self.page

    def open(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(f"{self.site.address}{path}")
        return self.page

    def close(self) -> None:
        """Close the window."""
        self.page.context.close()


@pytest.fixture
def walk(browser: Browser, site: RunningSite, request: pytest.FixtureRequest) -> Iterator[Walk]:
    """A window of ordinary width, or of the width a test asks for."""
    made = Walk(browser, site, getattr(request, "param", 1100))
    yield made
    assert made.outside == []
    assert [said for said in made.complaints if "Content Security Policy" in said] == []
    made.close()


def record_a_view(page: Page, why: str = "They told their tutor on Thursday that mornings are hard.") -> None:
    page.get_by_role("button", name="Record my view").click()
    page.get_by_label("This is new to us and needs a conversation").check()
    page.get_by_label("Why do you think so?").fill(why)
    page.get_by_role("button", name="Save my view").click()


@pytest.mark.parametrize("walk", [1100, 320], indirect=True)
def test_every_page_is_free_of_axe_violations_and_of_sideways_scrolling(walk: Walk) -> None:
    """The pupil is one of its own for each width, so that both see the page before and after a view."""
    site, name = walk.site, {1100: "Aisha", 320: "Chidi"}[walk.width]
    walk.open("/")
    check(walk, "sign_in")
    walk.sign_in("school-lead")
    check(walk, "caseload")
    page = walk.open(f"/pupils/{site.ids[name]}")
    check(walk, "pupil_before")
    for words in ("Show these numbers as a table", "Show what was recorded"):
        page.get_by_text(words).click()
    check(walk, "pupil_tables")
    walk.open(f"/pupils/{site.ids[name]}/view")
    check(walk, "record_view")
    page.get_by_role("button", name="Save my view").click()
    check(walk, "record_view_error")
    walk.open(f"/pupils/{site.ids[name]}")
    record_a_view(page)
    check(walk, "pupil_after")
    walk.open(f"/pupils/{site.ids[name]}/next")
    check(walk, "record_decision")
    walk.open("/audits")
    check(walk, "audits")
    walk.open(f"/audits/{site.digest}")
    check(walk, "audit")
    walk.open("/approval")
    check(walk, "approval")
    walk.open("/nothing-here")
    check(walk, "not_found")


@pytest.mark.parametrize("walk", [1100, 320], indirect=True)
def test_the_boards_report_is_free_of_axe_violations_and_of_sideways_scrolling(walk: Walk) -> None:
    walk.sign_in("board-member")
    page = walk.open("/audits")
    check(walk, "audits_board")
    page.get_by_role("link", name="Report on model").click()
    page.wait_for_url("**/report")
    check(walk, "report")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download this report as a PDF").click()
    assert taken.value.suggested_filename == f"belong-audit-{walk.site.digest[:12]}.pdf"


def check(walk: Walk, name: str) -> None:
    """Check the page that is open, and keep its picture if asked to."""
    folder = os.environ.get("BELONG_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        walk.page.screenshot(path=str(Path(folder) / f"{name}_{walk.width}.png"), full_page=True)
    found = Axe().run(walk.page)
    assert found.violations_count == 0, f"{name} at {walk.width}: {found.generate_report()}"
    beyond = walk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, f"{name} at {walk.width} px scrolls sideways by {beyond} px"


def test_a_keyboard_alone_reaches_the_first_pupil(walk: Walk) -> None:
    page = walk.sign_in("school-staff")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if "Example" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/pupils/*")
    assert "Record my view" in page.content()


def test_an_error_takes_the_reader_to_the_field(walk: Walk) -> None:
    walk.sign_in("school-staff")
    page = walk.open(f"/pupils/{walk.site.ids['Ben']}/view")
    page.get_by_role("button", name="Save my view").click()
    # The script that moves the focus is a module: it may run a moment after the page is there.
    page.wait_for_function("document.activeElement.getAttribute('class') === 'govuk-error-summary'")
    page.get_by_role("link", name="Select your view").click()
    assert page.evaluate("document.activeElement.name") == "opinion"


def test_the_whole_walk_works_without_scripts(browser: Browser, site: RunningSite) -> None:
    walk = Walk(browser, site, 1100, scripts=False)
    page = walk.sign_in("school-staff")
    page.get_by_role("link", name="Dylan Example").click()
    assert "in 100" not in page.content()
    record_a_view(page)
    assert "About 29 in 100" in page.content()
    assert walk.outside == []
    walk.close()
