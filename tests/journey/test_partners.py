"""Partners over HTTP: an action from agreement to what was learned, and nothing without an agreement."""

from tests.database import superuser
from tests.deployed import SCHOOL
from tests.doors_reached import ACTION
from tests.journey.client import Client
from tests.site import PUPILS, RunningSite


def test_an_action_goes_from_the_school_to_the_partner_and_back(site: RunningSite, client: Client) -> None:
    here = f"/pupils/{site.ids['Aisha']}"
    client.sign_in("school-staff")
    page = client.send(client.get(f"{here}/actions"), f"{here}/actions", ACTION | {"reference": "YS-2041"})
    assert "The action with the partner is saved." in page.words()
    partner = site.client()
    page = partner.sign_in("youth-worker")
    words = page.words()
    assert page.words("h1") == "Agreed actions"
    assert "YS-2041, Riverside Example Academy" in words
    assert not any(shape.forename in words for shape in PUPILS)
    (road,) = {one["href"] for one in page.all("a") if one.get("href", "").startswith("/agreed/")}
    partner.send(partner.get(road), road, {"step": "learned", "said": "Thursdays suit them."})
    for elsewhere in (here, "/pupils", "/places", "/audits", "/actions", "/people"):
        partner.get(elsewhere, status=403)
    assert "Riverside" in partner.get("/counts").words(), "the ward, in counts"
    partner.close()
    # Of this week's case the reader has no view yet: others' words wait, that something is agreed does not.
    colleague = site.client()
    colleague.sign_in("school-lead")
    words = colleague.get(here).words()
    assert "Example Borough youth service" in words
    assert "Thursdays suit them." not in words
    assert "climbing club on two Thursdays" not in words
    paper = colleague.send(colleague.get(f"{here}/print"), f"{here}/print", {"purpose": "pupil_or_family"}).words()
    assert "Example Borough youth service: The partner, by 6 July 2026. Open." in paper
    assert "Thursdays" not in paper, "nobody's words on paper"
    colleague.close()
    client.sign_in("other-school-lead")
    client.get(f"{here}/actions", status=404)
    client.sign_in("network-lead")
    client.send(client.get("/actions/new"), "/actions/new", ACTION | {"place": "Old Dock"})
    words = client.get("/actions").words()
    assert "Old Dock" in words
    assert "YS-2041" not in words


def test_the_register_says_what_each_partner_sees(client: Client) -> None:
    client.sign_in("data-protection-officer")
    words = client.get("/agreements").words()
    assert "Actions agreed with it on a pupil's case, by its own reference and without a name or record" in words
    assert words.index("Example neighbourhood policing team") > words.index("Example Borough youth service")


def test_policing_sees_counts_by_place_and_places_and_no_pupil(site: RunningSite, client: Client) -> None:
    page = client.sign_in("neighbourhood-officer")
    assert "Nothing here is about a pupil." in page.words()
    assert "YS-2041" not in page.words()
    page = client.get("/counts?by=borough")
    assert "Exampleham" in page.words()
    assert [head for head in page.words_of["th"] if head.strip()][1:4] == [
        "Pupils",
        "Attendance",
        "Suspensions for 100 pupils",
    ]
    client.get(f"/places?place={SCHOOL}", status=403)


def test_a_partner_without_an_agreement_is_told_there_is_nothing_and_it_is_logged(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("youth-worker")
    with superuser(site.home) as database:
        database.execute("UPDATE partnerships SET ends_on = '2026-06-21' WHERE id = 'youth-service'")
    try:
        for path in ("/agreed", "/counts", "/agreed/00000000-0000-0000-0000-000000000000"):
            client.get(path, status=404)
        with superuser(site.home) as database:
            found = database.execute(
                "SELECT count(*) FROM looks WHERE detail LIKE 'no agreement covers %: youth-service'"
            ).fetchone()
        assert found[0] >= 2
    finally:
        with superuser(site.home) as database:
            database.execute("UPDATE partnerships SET ends_on = '2027-08-31' WHERE id = 'youth-service'")
