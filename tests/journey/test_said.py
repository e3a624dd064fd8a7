"""Walks: what a family says and asks for, a case set aside, a fresh start, the letter, and the officer's answer."""

from tests.journey.client import Client
from tests.site import RunningSite

WHY = "The mentor starts on Monday; we look again when they have met."
DAY = {"day": "22", "month": "6", "year": "2026"}


def day(name: str, **changes: str) -> dict[str, str]:
    return {f"{name}-{part}": value for part, value in {**DAY, **changes}.items()}


def test_what_they_say_and_ask_stands_beside_the_facts_until_it_is_answered(site: RunningSite, client: Client) -> None:
    client.sign_in("school-staff")
    here = f"/pupils/{site.ids['Dylan']}"
    assert "Not asked yet." in client.get(here).words()
    form = client.get(f"{here}/voice")
    wrong = client.send(form, f"{here}/voice", {"whose": "pupil", "said": ""}, status=422)
    assert "Enter the day on which you asked." in wrong.words()
    kept = client.send(wrong, f"{here}/voice", {"whose": "pupil", "said": "I like Art best.", **day("asked_on")})
    assert "I like Art best." in kept.words("blockquote")
    asked = {"whose": "family", "about": "records", "said": "He was at the dentist.", **day("received_on")}
    page = client.send(client.get(f"{here}/correction"), f"{here}/correction", asked)
    assert "A correction is asked for. The pupil or a parent says that something in these records" in page.words()
    assert "answer by 22 July 2026" in page.words()
    other = site.client()
    other.sign_in("data-protection-officer")
    waiting = other.get("/corrections")
    (link,) = [one["href"] for one in waiting.all("a") if one["href"].startswith("/corrections/")]
    one = other.get(link)
    assert "He was at the dentist." in one.words("blockquote")
    assert "Dylan" not in one.words()
    done = other.send(one, link, {"step": "correct", "why": "The register was put right on 22 June."})
    assert "Put right." in done.words()
    other.close()
    after = client.get(here)
    assert "says that something in these records is wrong" not in after.words()
    assert "The register was put right on 22 June." in after.words()


def test_a_case_is_set_aside_and_a_fresh_start_granted_by_a_lead(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    here = f"/pupils/{site.ids['Chidi']}"
    assert "Set this case aside" not in client.get(here).words(), "nobody is set aside without a look"
    client.send(client.get(f"{here}/view"), f"{here}/view", {"opinion": "no_concern", "why": WHY})
    form = client.get(f"{here}/aside")
    late = client.send(form, f"{here}/aside", {"why": WHY, **day("until_on", month="9")}, status=422)
    assert "3 August 2026 at the latest" in late.words()
    page = client.send(late, f"{here}/aside", {"why": WHY, **day("until_on", month="7")})
    assert "Set aside until 22 July 2026" in page.words()
    assert site.ids["Chidi"] not in client.http.get("/pupils").text
    page = client.send(client.get(f"{here}/fresh-start"), f"{here}/fresh-start", {"why": WHY})
    assert "A fresh start from 22 June 2026" in page.words()
    answer = client.http.get(f"{here}/letter.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "Chidi" not in answer.headers["content-disposition"]
