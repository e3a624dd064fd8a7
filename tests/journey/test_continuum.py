"""The exclusions continuum over HTTP: told in words to the network's lead, and to nobody else."""

from tests.house.test_addresses import OUTCOMES
from tests.journey.client import Client
from tests.site import PUPILS


def test_the_network_lead_reads_what_moved_in_words_pictures_and_numbers(client: Client) -> None:
    client.sign_in("network-lead")
    page = client.get("/continuum")
    words = page.words()
    assert "Riverside Example Academy: suspensions fell, and something else rose" in words
    assert "pupils leaving the roll doubled, from 21 to 41 in each 1,000." in words
    assert len(page.all("svg")) == 9
    assert "rose beyond chance" in words
    other = client.get("/continuum?place=sex-female").words()
    assert "Girls, for each 1,000 pupils" in other
    first = client.get("/continuum?term=2024-09-02&place=network-all").words()
    assert "not yet two earlier terms" in first
    client.get("/continuum?place=school-1", status=404)


def test_no_pupil_is_on_it_and_no_address_names_an_outcome(client: Client) -> None:
    client.sign_in("network-lead")
    page = client.get("/continuum")
    values = [one.get("value", "") for one in page.all("option")]
    addresses = [one.get("href", "") for one in page.all("a")]
    assert not any(shape.forename in page.words() for shape in PUPILS)
    assert not any("/pupils/" in one for one in addresses)
    assert [one for one in (*values, *addresses) if OUTCOMES.search(one)] == []


def test_others_do_not(client: Client) -> None:
    for account in ("school-lead", "school-staff", "board-member", "data-protection-officer", "administrator"):
        client.sign_in(account)
        client.get("/continuum", status=403)
