"""Walks in a real browser: every page there is, each role from sign-in to its main task, and the keyboard.

`BELONG_PICTURES` names a folder for pictures of every page (`make pictures`).
"""

from collections.abc import Iterator
from itertools import groupby

import pytest
from playwright.sync_api import Browser, Page

from serving.demo_accounts import ACCOUNTS
from serving.doors import PAGES
from tests.browsing import Window, check_page, chromium
from tests.doors_reached import SHOWS_NOTHING, account_of, address_of, prepare
from tests.site import RunningSite


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all walks."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def window(browser: Browser, site: RunningSite) -> Iterator[Window]:
    """A window that runs scripts."""
    made = Window(browser, site)
    yield made
    made.close()


@pytest.fixture
def plain(browser: Browser, site: RunningSite) -> Iterator[Window]:
    """A window that runs no script."""
    made = Window(browser, site, scripts=False)
    yield made
    made.close()


def record_a_view(page: Page, why: str = "They told their tutor on Thursday that mornings are hard.") -> None:
    page.get_by_role("button", name="Record my view").click()
    page.get_by_label("This is new to us and needs a conversation").check()
    page.get_by_label("Why do you think so?").fill(why)
    page.get_by_role("button", name="Save my view").click()


def test_every_page_there_is(window: Window, site: RunningSite) -> None:
    """Each is free of axe violations, asks for nothing elsewhere, reflows, and shows where the keyboard is."""
    prepare(site)
    shown = [page for page in PAGES if page.show and page.name not in SHOWS_NOTHING]
    for account, pages in groupby(sorted(shown, key=lambda page: account_of(page) or ""), key=account_of):
        window.become(account)
        for page in pages:
            window.open(address_of(page, site))
            check_page(window, page.name)


def test_pages_in_other_states(window: Window, site: RunningSite) -> None:
    """Before one's own view, with tables unfolded, with an error, with nobody on a list, and with no page at all."""
    window.become("school-staff")
    here = f"/pupils/{site.ids['Aisha']}"
    page = window.open(here)
    for words in ("Show these numbers as a table", "Show what was recorded"):
        page.get_by_text(words).click()
    check_page(window, "pupil before a view")
    page = window.open(f"{here}/view")
    page.get_by_role("button", name="Save my view").click()
    check_page(window, "record a view with an error")
    window.open("/pupils?state=snoozed")
    check_page(window, "caseload with nobody")
    window.open("/nothing-here", status=404)
    check_page(window, "page not found")
    window.become("board-member")
    window.open("/pupils", status=403)
    check_page(window, "no access")
    window.become("network-lead")
    window.open("/pupils")
    check_page(window, "caseload of the network")


@pytest.mark.parametrize("account", [account.subject for account in ACCOUNTS])
def test_everyone_gets_everywhere_without_scripts(plain: Window, account: str) -> None:
    """From signing in by clicking, through each link of one's navigation, to signing out."""
    page = plain.sign_in(account)
    links = page.get_by_role("navigation", name="Menu").get_by_role("link")
    places = [(link.inner_text(), link.get_attribute("href")) for link in links.all()]
    assert places, f"{account} has nowhere to go"
    for words, address in places:
        page.get_by_role("navigation", name="Menu").get_by_role("link", name=words, exact=True).click()
        assert page.url == f"{plain.site.address}{address}"
        assert page.locator("h1").count() == 1
        assert page.get_by_role("navigation", name="Menu").locator("[aria-current]").inner_text() == words
    page.get_by_role("button", name="Sign out").click()
    assert page.locator("h1").inner_text() == "Sign in to Belong"


def test_staff_look_say_what_they_think_read_why_and_offer_help(plain: Window) -> None:
    page = plain.sign_in("school-staff")
    page.get_by_role("link", name="Dylan Example").click()
    assert "in 100" not in page.content()
    record_a_view(page)
    assert "About 29 in 100" in page.content()
    page.get_by_role("button", name="Record what happens next").click()
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_label("A conversation with a trusted adult").check()
    for part, value in (("Day", "6"), ("Month", "7"), ("Year", "2026")):
        page.get_by_label(part, exact=True).fill(value)
    page.get_by_role("button", name="Continue").click()
    assert page.locator("h1").inner_text() == "Check your answers"
    page.get_by_role("button", name="Save what happens next").click()
    assert "A conversation with a trusted adult" in page.get_by_role("main").inner_text()


def test_the_board_reads_the_audit_and_takes_its_report(plain: Window) -> None:
    page = plain.sign_in("board-member")
    page.get_by_role("link", name="Fairness audits", exact=True).click()
    page.get_by_role("link", name="Report on model").click()
    assert page.url.endswith("/report")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download this report as a PDF").click()
    assert taken.value.suggested_filename == f"belong-audit-{plain.site.digest[:12]}.pdf"


def test_a_keyboard_alone_reaches_the_first_pupil(window: Window) -> None:
    page = window.sign_in("school-staff")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if "/pupils/" in page.evaluate("document.activeElement.getAttribute('href') || ''"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/pupils/*")
    assert page.get_by_role("main").get_by_role("heading", level=1).count() == 1


def test_an_error_takes_the_reader_to_the_field(window: Window, site: RunningSite) -> None:
    window.become("school-staff")
    page = window.open(f"/pupils/{site.ids['Ben']}/view")
    page.get_by_role("button", name="Save my view").click()
    # The script that moves the focus is a module: it may run a moment after the page is there.
    # A selector waits for it; a function would be evaluated from a string, which the content policy refuses.
    page.locator(".govuk-error-summary:focus").wait_for()
    page.get_by_role("link", name="Select your view").click()
    assert page.evaluate("document.activeElement.name") == "opinion"
