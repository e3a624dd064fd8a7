"""'Does it help?' over HTTP: for those who answer for the network or its models; no pupil, no outcome in an address."""

import pytest

from serving.doors import PAGES
from tests.house.test_addresses import OUTCOMES
from tests.journey.client import Client
from tests.site import PUPILS


@pytest.mark.parametrize("account", ["network-lead", "data-scientist", "board-member", "data-protection-officer"])
def test_the_verdict_the_interval_and_what_would_settle_it(client: Client, account: str) -> None:
    client.sign_in(account)
    page = client.get("/impact")
    words = page.words()
    assert "We cannot tell yet." in words
    assert "980 more pupil-terms" in words
    assert "-8.6 to +2.4" in words
    assert "were flagged later within the horizon" in words
    assert "Too few pupils to say." in words
    assert "Does the flag help, summer term : not known yet" in words.replace("term:", "term :")
    assert not any(shape.forename in words for shape in PUPILS)
    links = [one.get("href", "") for one in page.all("a")]
    assert not any("/pupils/" in link for link in links if link.startswith("/impact"))
    assert [link for link in links if OUTCOMES.search(link)] == []
    [coming] = [link for link in links if link.startswith("/impact?study=")]
    assert "It is looked at once" in client.get(coming).words()


def test_a_study_that_is_not_there_is_not_found(client: Client) -> None:
    client.sign_in("board-member")
    client.get("/impact?study=nothing", status=404)


def test_nobody_else_sees_it(client: Client) -> None:
    for account in ("school-staff", "school-lead", "administrator"):
        client.sign_in(account)
        client.get("/impact", status=403)


@pytest.mark.parametrize(
    ("account", "first"), [("network-lead", "/places"), ("board-member", "/audits"), ("data-scientist", "/models")]
)
def test_who_comes_for_one_task_begins_with_it(client: Client, account: str, first: str) -> None:
    client.sign_in(account)
    navigation = {page.path for page in PAGES if page.navigation}
    links = [one.get("href") for one in client.get("/impact").all("a")]
    assert next(link for link in links if link in navigation) == first
