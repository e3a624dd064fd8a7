"""Learning reviews over HTTP: read week by week, taken on, concluded with themes; another school's is not there."""

from sqlalchemy import text

from tests.database import job_session
from tests.deployed import TODAY
from tests.house.test_addresses import OUTCOMES
from tests.journey.client import Client
from tests.lookbacks_made_up import save_lookbacks
from tests.site import PUPILS, RunningSite

KEY = "one-look-back"


def address(site: RunningSite, pupil: str = "Grace") -> str:
    with job_session(site.home) as session:
        query = text("SELECT id FROM lookbacks WHERE pupil_id = :pupil")
        return f"/lookbacks/{session.execute(query, {'pupil': site.ids[pupil]}).scalar_one()}"


def test_a_look_back_is_read_taken_on_concluded_and_opened_again(client: Client, site: RunningSite) -> None:
    client.sign_in("school-lead")
    assert "Nobody looks back yet" in client.get("/lookbacks").words()
    here = address(site)
    words = client.get(here).words()
    assert "Belong first flagged the pupil in the week of 11 May 2026, 1 week before." in words
    assert "Level and rise held, but the list was full" in words
    assert "Written down later" in words
    note = {
        "kind": "needed",
        "said": "A mentor from the autumn on, and not in May.",
        "themes": "offer_late",
        "key": KEY,
        "step": "",  # the page has two forms, and `send` fills in the hidden fields of both
    }
    assert "Take this look-back on first" in client.send(client.get(here), here, note, status=422).words()
    client.send(client.get(here), here, {"step": "take"})
    empty = client.send(client.get(here), here, {**note, "themes": "", "key": "another"}, status=422)
    assert "Select themes from the list" in empty.words()
    client.send(client.get(here), here, note)
    client.send(client.get(here), here, note)
    done = client.get(here).words()
    assert done.count("A mentor from the autumn on") == 1
    assert "Help came late" in done
    assert "What would have been needed is written down" in done
    client.send(client.get(here), here, {"step": "reopen"})
    assert "Somebody is looking back" in client.get(here).words()


def test_what_belong_did_stays_hidden_while_a_case_is_open_and_no_own_view_is_recorded(
    client: Client, site: RunningSite
) -> None:
    with job_session(site.home) as session:
        query = text("SELECT pseudonym FROM pupils WHERE id = :pupil")
        pseudonym, school = (
            session.execute(query, {"pupil": site.ids["Aisha"]}).scalar_one(),
            session.execute(
                text("SELECT school_urn FROM pupils WHERE id = :pupil"), {"pupil": site.ids["Aisha"]}
            ).scalar_one(),
        )
        save_lookbacks(session, pseudonym, school, TODAY)
    client.sign_in("school-lead")
    words = client.get(address(site, "Aisha")).words()
    assert "Shown once you have recorded your own view" in words
    assert not any(
        said in words for said in ("Belong first flagged", "first flagged", "the list was full", "Not rising")
    )
    here = address(site, "Aisha")
    note = {"kind": "adult", "said": "The list had her in May.", "key": "seen-before", "step": ""}
    client.send(client.get(here), here, note)
    assert "The list had her in May." in client.get(here).words(), "one's own words stay"
    client.sign_in("school-staff")
    assert "The list had her in May." not in client.get(here).words()


def test_another_schools_look_back_is_not_there_and_addresses_name_no_outcome(
    client: Client, site: RunningSite
) -> None:
    here = address(site)
    client.sign_in("other-school-lead")
    assert "Grace" not in client.get("/lookbacks").words()
    client.get(here, status=404)
    client.send(client.get("/pupils"), here, {"step": "take"}, status=404)
    client.sign_in("network-lead")
    page = client.get(here)
    assert "Take this look-back on" not in page.words()
    assert not OUTCOMES.search(here)
    for account in ("board-member", "data-scientist", "administrator"):
        client.sign_in(account)
        client.get("/lookbacks", status=403)


def test_the_board_reads_and_takes_what_reviews_say_together_and_schools_do_not(client: Client) -> None:
    client.sign_in("board-member")
    page = client.get("/themes")
    assert "What learning reviews say: 2025/26 Spring" in page.words()
    assert "About 140 pupils were looked back at" in page.words()
    assert not any(shape.forename in page.words() for shape in PUPILS)
    assert not any("/lookbacks" in one.get("href", "") or "/pupils" in one.get("href", "") for one in page.all("a"))
    assert "About 75 pupils were looked back at" in client.get("/themes?term=2025-09-01").words()
    client.get("/themes?term=2024-09-01", status=404)
    (link,) = [one.get("href", "") for one in page.all("a") if one.get("href", "").endswith(".pdf")]
    taken = client.http.get(link)
    assert taken.content.startswith(b"%PDF")
    assert "learning-reviews-2026-01-05.pdf" in taken.headers["content-disposition"]
    assert client.http.get(link.replace("2026-01-05", "none")).status_code == 404
    for account in ("school-lead", "school-staff", "data-scientist", "administrator"):
        client.sign_in(account)
        client.get("/themes", status=403)
