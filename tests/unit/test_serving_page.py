"""No permission, no page; and nothing that a template shows can become markup."""

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from serving.assets import NoAssets, read_assets
from serving.doors import PAGES
from serving.page import PUBLIC, Page, Visit
from serving.rendering import count_words, day_words, environment, full_day_words, year_words
from serving.security import CrossSite, check_same_site, check_token, content_policy, cookie_name


def show(visit: Visit) -> Response:
    raise AssertionError("never opened")


def test_a_page_needs_a_permission_that_exists() -> None:
    with pytest.raises(ValueError, match=r"'peek' is not one of .*see_caseload"):
        Page(name="x", path="/x", permission="peek", show=show)
    with pytest.raises(ValueError, match="answers nothing"):
        Page(name="x", path="/x", permission="see_pupil")


@pytest.mark.parametrize("said", [{"permission": PUBLIC}, {"permission": "see_pupil", "public_because": "why not"}])
def test_only_a_public_page_says_why_and_always_does(said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="public_because"):
        Page(name="x", path="/x", show=show, **said)


def test_doors_have_names_and_addresses_of_their_own_and_no_word_about_an_outcome() -> None:
    assert len({page.name for page in PAGES}) == len({page.path for page in PAGES}) == len(PAGES)
    assert not [page.path for page in PAGES for word in ("risk", "exclu", "suspen", "flag") if word in page.path]


def test_a_name_with_markup_in_it_stays_words() -> None:
    names = {"belong.css": "a.css", "belong.js": "a.js", "icon.svg": "a.svg"}
    sly = "<script>alert(1)</script>"
    text = (
        environment(names)
        .get_template("message.html")
        .render(
            title=sly, sentences=[sly], network=sly, navigation=[], notices=[], errors=[{"text": sly}], cspNonce="n"
        )
    )
    assert sly not in text
    assert text.count("&lt;script&gt;alert(1)") == 6  # twice in the title, then header, heading, sentence, error


def test_days_and_numbers_in_words() -> None:
    assert day_words("2026-06-02") == "2 June 2026"
    assert full_day_words("2026-06-22") == "Monday 22 June 2026"
    assert day_words(None) == ""
    assert count_words(1, "pupil", "pupils") == "1 pupil"
    assert count_words(1842, "pupil", "pupils") == "1,842 pupils"
    assert [year_words(year) for year in ("09", "R", "N2")] == ["Year 9", "Reception", "Nursery"]


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://belong.example"}, False),
        ({"origin": "https://belong.example"}, True),
        ({"origin": "https://belong.example:8443"}, False),
        ({"origin": "http://belong.example"}, False),
        ({"origin": "null"}, False),
        ({}, True),  # no browser: the form's token still decides
    ],
)
def test_a_change_must_come_from_this_site(headers: dict[str, str], passes: bool) -> None:
    if passes:
        check_same_site(Headers(headers), "https://belong.example")
    else:
        with pytest.raises(CrossSite):
            check_same_site(Headers(headers), "https://belong.example")


@pytest.mark.parametrize(("given", "expected"), [("", "secret"), ("secre", "secret"), ("", ""), ("é", "secret")])
def test_a_wrong_or_missing_token_is_refused(given: str, expected: str) -> None:
    with pytest.raises(CrossSite):
        check_token(given, expected)


def test_over_https_cookies_can_be_set_by_this_host_alone() -> None:
    assert cookie_name("belong_session", https=True) == "__Host-belong_session"
    assert cookie_name("belong_session", https=False) == "belong_session"


def test_the_content_policy_lets_no_inline_style_or_foreign_address_in() -> None:
    policy = content_policy("n")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self' 'nonce-n';")


def test_an_unbuilt_checkout_says_what_to_do(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's own
    with pytest.raises(NoAssets, match="make setup"):
        read_assets(tmp_path)
