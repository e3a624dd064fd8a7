"""Models over HTTP: the list, one model, how it fared, what it reads; for those who build and answer for them."""

import pytest
from sqlalchemy import text

from tests.database import job_session
from tests.journey.client import Client
from tests.model_made_up import save_looks
from tests.site import RunningSite


@pytest.mark.parametrize("account", ["data-scientist", "board-member", "data-protection-officer"])
def test_from_the_list_to_a_model_and_what_it_found(client: Client, site: RunningSite, account: str) -> None:
    client.sign_in(account)
    words = client.get("/models").words()
    assert "Serves since 19 June 2026" in words
    assert "2025/26 Autumn: found 28%, right 21%" in words
    assert "2025/26 Summer: not shown" in words
    page = client.get(f"/models/{site.digest}")
    for said in (
        "marks 4",
        "The rule of thumb",
        "+9% (6% to 12%)",
        "Half-term by half-term",
        "What a longer list buys",
        "mlflow ui --backend-store-uri",
        "0f3a0f3a",
    ):
        assert said in page.words(), said
    client.get(f"/models/{'0' * 64}", status=404)
    client.get("/models/nothing", status=404)


def test_what_the_weekly_looks_found_and_when_it_goes_stale(client: Client, site: RunningSite) -> None:
    client.sign_in("data-scientist")
    assert "Nobody has looked at this model" in client.get(f"/models/{site.digest}/drift").words()
    with job_session(site.home) as session:
        save_looks(session, site.digest)
    page = client.get(f"/models/{site.digest}/drift")
    assert page.words_of["dt"] == ["5 July 2026", "20 July 2026", "21 August 2026"]
    assert page.words_of["dd"][0].startswith("It stops, unless it is looked at before then")
    assert page.words_of["td"][:5] == ["No outcomes yet", "no outcomes yet", "1", "1", "1 school"]
    assert "0.31" in page.words_of["td"]
    with job_session(site.home) as session:
        rows = session.execute(text("SELECT count(*) FROM looks WHERE action = 'see_models'")).scalar_one()
    assert rows >= 3


def test_what_a_model_reads_is_in_words_and_nothing_protected_is_among_it(client: Client) -> None:
    client.sign_in("data-scientist")
    words = client.get("/inputs").words()
    assert "Missed 25% of sessions, illness aside, in the last 2 school weeks" in words
    assert "Read by what serves" in words


def test_others_do_not(client: Client, site: RunningSite) -> None:
    for account in ("school-lead", "network-lead", "administrator"):
        client.sign_in(account)
        for path in ("/models", f"/models/{site.digest}", f"/models/{site.digest}/drift", "/inputs"):
            client.get(path, status=403)
