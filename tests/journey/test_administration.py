"""The administrator's and the officer's walks: people, invitations, agreements, other systems, the log of looks."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from casework.database import looks_key
from casework.log_checks import check_log
from casework.people import save_identities
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from tests.database import identity, job_session, superuser
from tests.deployed import SCHOOL
from tests.journey.client import Client, Read
from tests.site import RunningSite


@pytest.fixture
def admin(site: RunningSite) -> Iterator[Client]:
    """A browser of the administrator."""
    made = site.client()
    made.sign_in("administrator")
    yield made
    made.close()


@pytest.fixture
def officer(site: RunningSite) -> Iterator[Client]:
    """A browser of the data-protection officer."""
    made = site.client()
    made.sign_in("data-protection-officer")
    yield made
    made.close()


def person_of(site: RunningSite, subject: str) -> str:
    with job_session(site.home) as session:
        return str(session.execute(text("SELECT id FROM people WHERE subject = :s"), {"s": subject}).scalar_one())


def test_an_administrator_adds_somebody_who_signs_in_and_sees_their_own_doors(
    site: RunningSite, admin: Client, client: Client
) -> None:
    form = admin.get("/people/add")
    wrong = admin.send(form, "/people/add", {"name": "Nadia Example", "role": "school_staff"}, status=422)
    assert "Select the service" in wrong.words() or "Enter the subject" in wrong.words()
    given = {"name": "Nadia Example", "provider": "demo", "subject": "nadia", "role": "board_member"}
    page = admin.send(wrong, "/people/add", given)
    assert page.words("h1") == "Nadia Example"
    assert "Board member" in page.words()
    assert "Nadia" not in page.words("title")
    assert "Signed in as Nadia Example" in client.sign_in("nadia").words()
    assert "Nadia Example" in admin.get("/people?name=nad&role=board_member").words()
    assert "Nobody fits" in admin.get("/people?name=nad&role=network_lead").words()


def test_a_role_taken_away_ends_the_session_and_is_in_the_list_of_changes(
    site: RunningSite, admin: Client, client: Client
) -> None:
    client.sign_in("data-scientist")
    here = f"/people/{person_of(site, 'data-scientist')}"
    page = admin.get(here)
    role = next(one["value"] for one in page.all("input") if one.get("name") == "held")
    after = admin.post(f"{here}/role/take", {"csrf": csrf(page), "held": role})
    assert "Taken away. Where they were signed in, they sign in again." in after.words()
    assert client.http.get("/audits").headers["location"].startswith("/sign-in")
    again = admin.post(f"{here}/role", {"csrf": csrf(page), "role": "data_scientist", "school": ""})
    assert "Data scientist" in again.words()
    changes = admin.get("/people/changes").words()
    assert "Role taken away: Data scientist Demonstration administrator" in changes
    assert "Role given: Data scientist" in changes


def csrf(page: Read) -> str:
    return next(one["value"] for one in page.all("input") if one.get("name") == "csrf")


def test_nobody_changes_themselves_and_the_page_offers_no_form_for_it(site: RunningSite, admin: Client) -> None:
    here = f"/people/{person_of(site, 'administrator')}"
    page = admin.get(here)
    assert "This is you." in page.words()
    assert "Give this role" not in page.words()
    sent = {"csrf": csrf(page), "role": "network_lead", "school": ""}
    assert "Nobody changes their own roles" in admin.post(f"{here}/role", sent, status=422).words()
    left = admin.post(f"{here}/left", {"csrf": csrf(page)}, status=422)
    assert "Nobody changes their own roles" in left.words()
    admin.get("/people/00000000-0000-0000-0000-000000000000", status=404)


def test_whoever_leaves_a_case_to_nobody_stays_until_somebody_leads(site: RunningSite, admin: Client) -> None:
    """The other school's lead is its only one, and it has open cases: they cannot go, and the page says why."""
    here = f"/people/{person_of(site, 'other-school-lead')}"
    page = admin.get(f"{here}/left")
    refused = admin.send(page, f"{here}/left", {}, status=422)
    assert "that nobody would look after" in refused.words()
    assert "Farid" not in refused.words()
    staff = f"/people/{person_of(site, 'school-staff')}"
    assert "What they wrote stays" in admin.get(f"{staff}/left").words()


def test_an_invited_person_takes_their_place_with_a_code(site: RunningSite, admin: Client, client: Client) -> None:
    form = admin.get("/people/invitations")
    given = {"name": "Idris Example", "email": "", "role": "school_staff", "school": str(SCHOOL)}
    made = admin.send(form, "/people/invitations", given)
    code = made.words_of["p"][[("-" in words and len(words) == 23) for words in made.words_of["p"]].index(True)]
    assert "Idris Example" in admin.get("/people/invitations").words()
    away = client.http.get("/sign-in/demo")
    back = httpx.post(away.headers["location"], data={"sub": "idris"}, trust_env=False)
    unknown = client.get(back.headers["location"], status=403)
    assert unknown.words("h1") == "Your account is not known to Belong"
    assert "is not known" in client.post("/invitation", {"code": "AAAAA"}, status=422).words()
    welcome = client.post("/invitation", {"code": code.lower()})
    # A list comes after the training, which nobody new has taken.
    assert welcome.words("h1") == "Before you look at the list"
    assert "Idris" not in admin.get("/people/invitations").words()
    stranger = site.client()
    assert stranger.post("/invitation", {"code": code}).words("h1") == "Sign in to Belong"
    stranger.close()


def test_agreements_stand_with_their_days_left(site: RunningSite, admin: Client, officer: Client) -> None:
    for reader in (admin, officer):
        words = reader.get("/agreements").words()
        assert "In force, 436 days left." in words  # 22 June 2026 to 31 August 2027, both included
        assert "Public task: UK GDPR Article 6(1)(e)" in words
        assert "Nothing: every field that Belong can use is covered." in words
        assert "this is how it was read on 22 June 2026" in words


def test_a_system_gets_access_a_new_secret_and_loses_both(site: RunningSite, officer: Client) -> None:
    form = officer.get("/systems/add")
    given = {"client_id": "riverside-mis", "name": "Riverside MIS", "scope": ["lists:read"], "school": [str(SCHOOL)]}
    last = {"expires_on-day": "1", "expires_on-month": "9", "expires_on-year": "2026"}
    assert "Select what it may read" in officer.send(form, "/systems/add", {**given, "scope": []}, status=422).words()
    strange = {**given, **last, "school": ["123456"]}
    assert "school of this network" in officer.send(form, "/systems/add", strange, status=422).words()
    first = secret_of(officer.send(form, "/systems/add", {**given, **last}))
    assert officer.send(form, "/systems/add", {**given, **last}, status=422)
    assert token_status(site, first) == 200
    page = officer.get("/systems/riverside-mis")
    assert first not in page.words()
    second = secret_of(officer.send(page, "/systems/riverside-mis/secret", {"grace_days": "7"}))
    assert [token_status(site, one) for one in (first, second)] == [200, 200]
    page = officer.get("/systems/riverside-mis")
    assert "The older secret" in page.words()
    older = next(one["value"] for one in page.all("input") if one.get("name") == "secret")
    officer.post("/systems/riverside-mis/secret/withdraw", {"csrf": csrf(page), "secret": older})
    assert [token_status(site, one) for one in (first, second)] == [401, 200]
    officer.post("/systems/riverside-mis/revoke", {"csrf": csrf(page)})
    assert token_status(site, second) == 401
    assert "No access" in officer.get("/systems").words()
    log = officer.get("/looks").words()
    assert "Took a system's access away" in log
    assert "Gave a system access riverside-mis: lists:read for 1 schools until 2026-09-01" in log
    officer.get("/systems/no-such-system", status=404)


def secret_of(page: Read) -> str:
    return next(words for words in page.words_of["p"] if re.fullmatch(r"[\w-]{43}", words))


def token_status(site: RunningSite, secret: str) -> int:
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(f"{site.address}/api/v1/token", data=form, auth=("riverside-mis", secret), trust_env=False)
    return answer.status_code


def numbered_pupil(site: RunningSite, upn: str) -> str:
    """Add a pupil by their number, as the records' pseudonym has it, and return their id."""
    create_pepper(site.home, demo_seed=1)
    number = int(pseudonyms([upn], read_pepper(site.home))[0])
    with job_session(site.home) as session:
        save_identities(session, [identity(number, SCHOOL)])
        found = session.execute(text("SELECT id FROM pupils WHERE pseudonym = :n"), {"n": number})
        return str(found.scalar_one())


def test_who_looked_at_this_pupil_by_id_and_by_number_in_no_address(site: RunningSite, officer: Client) -> None:
    upn = "H801200001001"
    pupil = numbered_pupil(site, upn)
    lead = site.client()
    lead.sign_in("school-lead")
    lead.get(f"/pupils/{pupil}")
    lead.close()
    form = officer.get("/looks/pupil")
    for wrong in ("", "not a number", "A" * 50, "A801200001001"):
        refused = officer.send(form, "/looks/pupil", {"pupil": wrong}, status=422)
        assert "Enter a unique pupil number" in refused.words()
    for asked in (pupil, upn, upn.lower()):
        page = officer.send(form, "/looks/pupil", {"pupil": asked})
        assert "Demonstration school lead Opened the pupil's page Riverside Example Academy" in page.words()
    # The search is a look itself, and it is written with whom it was about.
    assert page.words().count("Demonstration data-protection officer Read this log") == 2
    nobody = {"pupil": "00000000-0000-0000-0000-000000000000"}
    assert "Nobody has looked" in officer.send(form, "/looks/pupil", nobody).words()


def test_the_log_is_read_by_person_by_day_and_in_pages(site: RunningSite, admin: Client) -> None:
    with superuser(site.home) as connection:
        who = connection.execute("SELECT id FROM people WHERE subject = 'network-lead'").fetchone()
    assert who is not None
    watched = site.client()
    watched.sign_in("network-lead")
    for _ in range(12):
        watched.get("/pupils")
    watched.close()
    page = admin.get(f"/looks?person={who[0]}")
    assert "Only what Demonstration network lead looked at." in page.words()
    older = next(link["href"] for link in page.all("a") if "before=" in link.get("href", ""))
    assert f"person={who[0]}" in older
    assert "Newest" in admin.get(older).words()
    now = datetime.now(UTC)
    today = f"on-day={now.day}&on-month={now.month}&on-year={now.year}"
    assert "Opened the week's list" in admin.get(f"/looks?{today}").words()
    gone = now - timedelta(days=400)
    assert (
        "No looks to show" in admin.get(f"/looks?on-day={gone.day}&on-month={gone.month}&on-year={gone.year}").words()
    )
    assert "Enter a real date" in admin.get("/looks?on-day=32&on-month=1&on-year=2026", status=422).words()


def test_the_state_of_the_chain_is_said(site: RunningSite, admin: Client) -> None:
    assert "The chain has not been checked yet" in admin.get("/looks").words()
    with job_session(site.home) as session:
        state = check_log(session, looks_key(site.home), datetime.now(UTC))
    assert state.ok
    page = admin.get("/looks").words()
    assert f"every one of {state.looks:,} looks holds" in page
    assert state.head.hash in page
    with job_session(site.home) as session:
        session.execute(
            text(
                "INSERT INTO look_checks (checked_at, holds, looks, head, sentence) "
                "VALUES (now(), false, 3, repeat('0', 64), 'look 4 was changed')"
            )
        )
    assert "The chain does not hold. Checked on" in admin.get("/looks").words()
    with job_session(site.home) as session:
        check_log(session, looks_key(site.home), datetime.now(UTC))


def test_whoever_sees_far_more_pupils_than_usual_stands_out(site: RunningSite, officer: Client) -> None:
    page = officer.get("/looks/unusual")
    assert "Nothing yet" in page.words()
    assert "Demonstration" in page.words()


@pytest.mark.parametrize(
    ("account", "doors"),
    [
        ("school-lead", set()),
        ("network-lead", set()),
        ("board-member", set()),
        ("data-scientist", set()),
        ("data-protection-officer", {"/agreements", "/looks", "/looks/pupil", "/looks/unusual", "/systems"}),
        ("administrator", {"/people", "/people/add", "/agreements", "/looks", "/looks/pupil", "/looks/unusual"}),
    ],
)
def test_administration_is_for_those_who_answer_for_it(client: Client, account: str, doors: set[str]) -> None:
    every = {"/people", "/people/add", "/agreements", "/looks", "/looks/pupil", "/looks/unusual", "/systems"}
    client.sign_in(account)
    for door in sorted(every):
        client.get(door, status=200 if door in doors else 403)
