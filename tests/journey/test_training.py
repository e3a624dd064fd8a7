"""The training: it stands before the pupils, is walked through case by case, and leads to the page asked for."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from serving.pages.training_words import CASES
from tests.database import job_session
from tests.deployed import TODAY
from tests.journey.client import Client
from tests.site import RunningSite


def train(site: RunningSite, subject: str, days_ago: int | None) -> None:
    """Say when someone was last trained; None: never."""
    with job_session(site.home) as session:
        day = None if days_ago is None else TODAY - timedelta(days=days_ago)
        session.execute(text("UPDATE people SET training_on = :day WHERE subject = :who"), {"day": day, "who": subject})


def taken(site: RunningSite, subject: str) -> list[tuple[object, str]]:
    with job_session(site.home) as session:
        rows = session.execute(
            text(
                "SELECT t.taken_on, t.course FROM trainings t JOIN people p ON p.id = t.person_id "
                "WHERE p.subject = :who ORDER BY t.seq"
            ),
            {"who": subject},
        )
        return [(row.taken_on, row.course) for row in rows]


@pytest.mark.parametrize(("subject", "days_ago"), [("school-staff", None), ("school-lead", 365)])
def test_training_comes_first_and_leads_to_what_was_asked_for(
    site: RunningSite, client: Client, subject: str, days_ago: int | None
) -> None:
    train(site, subject, days_ago)
    client.sign_in(subject)
    asked = f"/pupils/{site.ids['Aisha']}"
    interrupted = client.http.get(asked)
    assert interrupted.status_code == 303
    page = client.get(asked)
    assert page.words("h1") == "Before you look at the list"
    assert ("Your training ended on 21 June 2026" in page.words()) == (days_ago == 365)
    # No case is explained before it is answered, nor any case out of turn; nothing is recorded on the way.
    assert client.get("/training/3").words("h1") == "Before you look at the list"
    for place, case in enumerate(CASES, start=1):
        question = client.get(f"/training/{place}")
        assert case.question in question.words()
        assert case.happened[0] not in question.words()
        assert client.send(question, f"/training/{place}", {}, status=422).words("title").startswith("Error: ")
        early = client.send(question, "/training-taken", {})
        assert early.words("h1") == "Before you look at the list"
        told = client.send(question, f"/training/{place}", {"answer": "2"})
        assert case.happened[0] in told.words()
        assert case.choices[2].reply in told.words()
    before = len(taken(site, subject))
    there = client.send(told, "/training-taken", {})
    assert "Record your own view first" in there.words()
    assert taken(site, subject)[before:] == [(TODAY, "reading-the-list-1")]
    # Sent once more, nothing more is recorded.
    client.send(told, "/training-taken", {})
    assert len(taken(site, subject)) == before + 1
    assert "Your training holds until 21 June 2027" in client.get("/training").words()
    assert client.get("/training/1").words("h1") == "Before you look at the list"


def test_a_form_sent_without_training_is_told_so_and_saves_nothing(site: RunningSite, client: Client) -> None:
    train(site, "other-school-lead", None)
    page = client.sign_in("other-school-lead")
    here = f"/pupils/{site.ids['Farid']}/view"
    form = {"opinion": "no_concern", "why": "They told their tutor that mornings are hard."}
    refused = client.send(page, here, form, status=403)
    assert "Nothing was saved." in refused.words()
    assert "/training" in [link["href"] for link in refused.all("a")]
    train(site, "other-school-lead", 30)
    assert "Record your own view first" in client.get(f"/pupils/{site.ids['Farid']}").words()


def test_it_may_be_renewed_within_a_month_of_its_last_day_and_the_frame_says_so(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("network-lead")
    assert "Take it again" not in client.get("/pupils").words()
    train(site, "network-lead", 335)
    client.sign_in("network-lead")
    assert "Training Yours ends on 21 July 2026. Take it again, in 10 minutes" in client.get("/pupils").words()
    assert "Go on to the past cases" in client.get("/training").words()
    train(site, "network-lead", 30)


def test_anothers_way_is_not_mine(site: RunningSite, client: Client) -> None:
    """The cookie of one person's answers, in another's browser, is no way at all."""
    train(site, "school-staff", None)
    client.sign_in("school-staff")
    client.get("/training?then=/pupils")
    client.send(client.get("/training/1"), "/training/1", {"answer": "0"})
    other = site.client()
    train(site, "other-school-lead", None)
    other.sign_in("other-school-lead")
    other.http.cookies.set("belong_training", client.http.cookies["belong_training"])
    assert "answered" not in other.get("/training/1").words()
    assert CASES[0].happened[0] not in other.get("/training/1").words()
    other.close()
    for subject in ("school-staff", "other-school-lead"):
        train(site, subject, 30)


def test_no_address_off_this_site_is_led_to(site: RunningSite, client: Client) -> None:
    train(site, "school-staff", None)
    client.sign_in("school-staff")
    client.get("/training?then=https://elsewhere.test/")
    for place in range(1, len(CASES) + 1):
        told = client.send(client.get(f"/training/{place}"), f"/training/{place}", {"answer": "0"})
    assert client.send(told, "/training-taken", {}).words("h1") == "Pupils to look at this week"
