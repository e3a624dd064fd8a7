"""Places over HTTP: counts for those who answer for the network, one's own school for its lead, no pupil anywhere."""

import pytest

from tests.deployed import OTHER_SCHOOL, SCHOOL
from tests.house.test_addresses import OUTCOMES
from tests.journey.client import Client, Read
from tests.places_made_up import WARDS
from tests.site import PUPILS


def addresses(page: Read) -> list[str]:
    return [one.get("href", "") for one in page.all("a")]


def test_a_network_lead_begins_at_places_before_pupils(client: Client) -> None:
    page = client.sign_in("network-lead")
    assert page.words("h1") == "Places"
    assert [one for one in addresses(page) if one in ("/places", "/pupils")] == ["/places", "/pupils"]
    assert client.sign_in("school-lead").words("h1") != "Places"


@pytest.mark.parametrize("account", ["network-lead", "board-member", "data-protection-officer"])
def test_every_cut_for_those_who_answer_for_the_network(client: Client, account: str) -> None:
    client.sign_in(account)
    words = client.get("/places").words()
    assert "Hillside Example School" in words
    assert "Riverside Example Academy" in words
    assert words.index("Hillside") < words.index("Riverside Example Academy"), "by name, whatever their figures"
    assert "Tenth 1 (most deprived)" in client.get("/places?by=deprivation").words()
    groups = client.get("/places?by=ethnicity").words()
    assert "Black" in groups
    assert "not shown" in groups
    assert "On a list" not in "".join(client.get("/places?by=sex").words_of["th"])
    older = client.get("/places?by=school&half_term=2025-09-01").words()
    assert "2025/26 Autumn 1, by school" in older


def test_a_lead_sees_their_own_school_beside_the_network_and_no_other(client: Client) -> None:
    client.sign_in("school-lead")
    words = client.get("/places?by=deprivation").words()
    assert "Riverside Example Academy" in words
    assert "The whole network" in words
    assert "Hillside" not in words
    assert "Tenth" not in words
    client.get(f"/places?place={OTHER_SCHOOL}", status=404)
    assert any(f"place={SCHOOL}" in one for one in addresses(client.get("/places")))


def test_others_do_not(client: Client) -> None:
    for account in ("school-staff", "data-scientist", "administrator"):
        client.sign_in(account)
        client.get("/places", status=403)


def test_no_pupil_is_on_the_page_or_behind_it(client: Client) -> None:
    client.sign_in("network-lead")
    for cut in ("school", "phase", "year_group", "deprivation", "sex", "ethnicity"):
        page = client.get(f"/places?by={cut}&chart=home")
        assert not any(shape.forename in page.words() for shape in PUPILS)
        assert not any("/pupils/" in one for one in addresses(page))


def test_how_a_schools_records_stand_is_counted_on_its_page_and_on_no_other(client: Client) -> None:
    client.sign_in("school-lead")
    words = client.get("/records").words()
    assert "Registers, week by week" in words
    assert "14 rows, not taken in: attendance code not in the list. Use a code." in words
    assert "'Attendance and behaviour' ends on 31 July 2026" in words
    client.sign_in("other-school-lead")
    assert "No row of files that name this school alone." in client.get("/records").words()


def wards(page: Read) -> list[str]:
    """Return the wards' names in the order of the table's links."""
    found = [name for one, name in zip(page.all("a"), page.words_of["a"], strict=False) if one]
    return [name for name in found if name in {ward for ward, *_ in WARDS.values()}]


def test_need_and_reach_by_ward_most_need_and_least_support_first(client: Client) -> None:
    """Worked by hand from the made-up wards: of two that are alike the name decides; Market's reach is hidden."""
    client.sign_in("network-lead")
    page = client.get("/places/need")
    words = page.words()
    assert wards(page) == ["Old Dock", "Riverside", "Market", "Long Meadow and Parkside", "Hilltop", "St Anne's"]
    assert "3 of 5: deprived areas, recorded violence, suspensions" in words[words.index("Riverside") :]
    assert "What is true of a place need not be true of anyone who lives there" in words
    assert "Bring that edition's list too, for example areas_2011.csv" in words
    assert "3 figures are left out" in words
    assert wards(client.get("/places/need?order=name")) == sorted(wards(page))
    inside = client.get("/places/need?place=E05000901").words()
    assert "Exampleham 001D" in inside
    assert "Testborough 005A" not in inside
    client.get("/places/need?place=E05999999", status=404)
    assert "Hilltop" in client.get("/places?by=ward").words()


def shapes(page: Read) -> dict[str, str]:
    """Return what each shape of the map says of its place; the map's own title comes first."""
    titles = [title for title in page.words_of["svg title"] if ": " in title]
    return dict(title.split(": ", 1) for title in titles if not title.startswith("Map: "))


@pytest.mark.parametrize("level", ["ward", "borough"])
def test_the_map_says_what_the_table_says_in_every_order_and_no_more(client: Client, level: str) -> None:
    """Market's reach is hidden and Far Fields is not in the table, though a figure of it is published: both hatched."""
    client.sign_in("network-lead")
    for order in ("need", "reach", "violence", "admissions", "missed", "listed", "name"):
        page = client.get(f"/places/need?by={level}&order={order}")
        drawn = [one["class"] for one in page.all("path") if "map-shape" in one.get("class", "")]
        said = shapes(page)
        assert len(drawn) == len(said) == (7 if level == "ward" else 2), order
        cells = "; ".join(page.words_of["td"]) + "; not counted by itself"
        assert [figure for figure in said.values() if figure not in cells] == []
        hatched = sum("map-hatched" in kind for kind in drawn)
        silent = ("not shown", "not published", "not counted by itself")
        assert hatched == sum(figure in silent for figure in said.values())
        if level == "ward":
            assert said["Far Fields"] == "not counted by itself"
            assert "99.0" not in page.words()
            assert "Far Fields" not in wards(page)
    assert shapes(client.get("/places/need?order=reach"))["Market"] == "not shown"


@pytest.mark.parametrize("account", ["school-lead", "school-staff", "data-scientist", "administrator"])
def test_need_and_reach_is_for_those_who_answer_for_the_network(client: Client, account: str) -> None:
    client.sign_in(account)
    client.get("/places/need", status=403)


def test_no_address_of_places_names_an_outcome(client: Client) -> None:
    """A form's values stand in the address once it is sent, so they are held to the rule for addresses."""
    client.sign_in("network-lead")
    for page in (client.get("/places"), client.get("/places/need")):
        values = [one.get("value", "") for one in page.all("option")]
        assert [one for one in (*values, *addresses(page)) if OUTCOMES.search(one)] == []
