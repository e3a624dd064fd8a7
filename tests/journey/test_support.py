"""Walks: from a decision to the support that is written down, by the keyboard alone, and on to how it goes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browsing import Window, check_page, chromium
from tests.journey.client import Client
from tests.site import RunningSite

WHY = "They told their tutor on Thursday that mornings are hard at home."
SAID = "I would like to meet on Thursdays."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all walks."""
    with chromium() as opened:
        yield opened


def day(name: str, day: int, month: int = 6) -> dict[str, str]:
    return {f"{name}-day": str(day), f"{name}-month": str(month), f"{name}-year": "2026"}


def decide(site: RunningSite, client: Client, pupil: str) -> str:
    """Record a view and an offer of a mentor, and return the pupil's address."""
    here = f"/pupils/{site.ids[pupil]}"
    client.send(client.get(f"{here}/view"), f"{here}/view", {"opinion": "no_concern", "why": WHY})
    offer = {"changed": "no", "action": "mentor", **day("review_on", 6, 7), "confirmed": "yes"}
    client.send(client.get(f"{here}/next"), f"{here}/next", offer)
    return here


def test_a_decision_leads_to_support_that_the_next_reader_sees(site: RunningSite, client: Client) -> None:
    client.sign_in("school-staff")
    here = decide(site, client, "Dylan")
    assert "Support was decided on. The next step" in client.get(here).words()
    form = client.get(f"{here}/support")
    (chosen,) = [one["value"] for one in form.all("option") if "selected" in one and one["value"]]
    assert chosen == "mentoring", "what was decided is chosen already"
    wrong = client.send(form, f"{here}/support", {"kind": chosen, "hours": "six", **day("offered_on", 22)}, status=422)
    assert "Enter hours as a number" in wrong.words()
    told = {"kind": chosen, "standing": "taken_up", "provider": "The youth club", "pupil_said": SAID}
    page = client.send(wrong, f"{here}/support", {**told, **day("offered_on", 19)})
    for words in ("In place", "A mentor", "Taken up", "Offered 19 June 2026. Since 19 June 2026.", SAID):
        assert words in page.words()
    assert "The next step" not in page.words()
    (road,) = [one["href"] for one in page.all("a") if one.get("href", "").startswith(f"{here}/support/")]
    form = client.get(road)
    later = {**told, "pupil_said": "", "hours": "1.5", "review": "helps", "note": "Twice so far."}
    page = client.send(form, road, {**later, **day("offered_on", 19), **day("end_on", 19)})
    assert "Tried before" in page.words()
    assert "From 19 June 2026 to 19 June 2026, 1.5 hours so far." in page.words()
    assert "It helps. Twice so far." in page.words()
    stale = client.send(form, road, {**told, **day("offered_on", 19), "key": "another"}, status=422)
    assert "Someone wrote about this support while you were writing" in stale.words()
    paper = client.send(client.get(f"{here}/print"), f"{here}/print", {"purpose": "support_meeting"})
    assert "A mentor: taken up. Offered 19 June 2026." in paper.words()
    assert SAID not in paper.words()

    other = site.client()
    other.sign_in("school-lead")
    before = other.get(f"{here}/view")
    assert "Support so far" in before.words()
    assert "Twice so far." not in before.words(), "others' words wait for one's own view"
    assert "What others write of how it goes is shown once you have recorded your own view." in before.words()
    other.send(before, f"{here}/view", {"opinion": "no_concern", "why": WHY})
    assert "Twice so far." in other.get(f"{here}/next").words()
    other.close()


def test_support_of_another_pupil_or_of_none_is_not_found(site: RunningSite, client: Client) -> None:
    client.sign_in("school-staff")
    here = f"/pupils/{site.ids['Grace']}"
    told = {"kind": "learning", "standing": "waiting", **day("offered_on", 22)}
    page = client.send(client.get(f"{here}/support"), f"{here}/support", told)
    (road,) = [one["href"] for one in page.all("a") if one.get("href", "").startswith(f"{here}/support/")]
    client.get(road.replace(site.ids["Grace"], site.ids["Dylan"]), status=404)
    client.get(f"{here}/support/1", status=404)


def test_the_form_is_filled_in_with_the_keyboard_in_few_strokes(site: RunningSite, browser: Browser) -> None:
    """From the button to 'saved': a stop for each field, two arrows, no mouse; an error is reached by its link."""
    client = site.client()
    client.sign_in("school-staff")
    here = decide(site, client, "Chidi")
    client.close()
    window = Window(browser, site)
    window.become("school-staff")
    page = window.open(f"{here}/support")
    page.locator("main").get_by_role("button", name="Save").press("Enter")
    page.get_by_role("link", name="Select how it stands.").press("Enter")
    assert page.evaluate("document.activeElement.name") == "standing"
    check_page(window, "write down support with an error")
    page.get_by_label("What is offered?").focus()
    strokes = 0
    for key in ("Tab", "Space", *["Tab"] * 20):  # to the first answer, which is 'Taken up', and on
        page.keyboard.press(key)
        strokes += 1
        if page.evaluate("document.activeElement.textContent").strip() == "Save":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/pupils/*#support")
    assert strokes < 16
    assert "The support is saved" in page.get_by_role("main").inner_text()
    window.close()
