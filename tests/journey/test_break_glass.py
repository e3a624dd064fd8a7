"""The door of last resort over HTTP, and how sessions begin and end: flags, fixation, an hour, everyone told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest

from casework.break_glass import FREE_TRIES, Made, make_account
from records.home import HOME_FILE, Home
from serving.app import create_app
from serving.scoring import Refused
from tests.browsing import Window, check_page, chromium
from tests.command_line import Belong
from tests.database import job_session, superuser
from tests.in_process import InProcess
from tests.journey.client import Read, faults, running
from tests.site import NETWORK, RunningSite, StillDoor, free_port

START = datetime(2026, 6, 22, 9, 0, 10, tzinfo=UTC)
HTTPS = "https://belong.example.org"
NOTHING_SERVES = Refused(code="no_deployment", sentence="No model is deployed.")
SAME_SITE = {"sec-fetch-site": "same-origin"}


@dataclass
class Clock:
    """The wall clock of a site, as a test sets it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Served:
    """A real network's site, its clock, and its break-glass account."""

    http: httpx.Client
    clock: Clock
    made: Made

    def get(self, path: str, status: int = 200) -> Read:
        answer = self.http.get(path)
        assert answer.status_code == status, answer.text
        assert faults(answer) == []
        return Read(answer.text)

    def enter(self, password: str | None = None, **headers: str) -> httpx.Response:
        page = Read(self.http.get("/break-glass").text)
        hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
        form = hidden | {
            "password": password or self.made.password,
            "code": pyotp.TOTP(self.made.code_key).at(self.clock.now),
        }
        answer: httpx.Response = self.http.post("/break-glass", data=form, headers=SAME_SITE | headers)
        return answer


def real(home: Home) -> Home:
    """Return the same home as if it were a real network's."""
    return replace(home, demo=False, today=None, network=NETWORK)


@pytest.fixture
def served(casework_home) -> Iterator[Served]:
    """A site over https of a home that is no demonstration; nothing is deployed, nobody can sign in."""
    home, clock = real(casework_home), Clock()
    with job_session(home) as session:
        made = make_account(session, START)
    app = create_app(home, address=HTTPS, wall_clock=clock, door=StillDoor(NOTHING_SERVES))
    with httpx.Client(transport=InProcess(app), base_url=HTTPS) as http:
        yield Served(http, clock, made)
    app.state.site.engine.dispose()


def cookie(answer: httpx.Response) -> str:
    return next(one for one in answer.headers.get_list("set-cookie") if "belong_session" in one)


def test_it_opens_an_administrator_s_hour_and_every_page_tells_everyone_for_a_day(served):
    assert "Emergency access The break-glass" not in served.get("/sign-in").words()
    page = served.get("/break-glass")
    assert page.words("h1") == "Emergency access"
    assert "It sees no pupil." in page.words()
    entered = served.enter()
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    told = "Emergency access The break-glass administrator signed in on 22 June 2026 at 09:00 UTC."
    assert told in served.get("/audits").words()
    for closed in ("/pupils", "/records", "/handover", "/corrections"):
        refused = served.get(closed, status=403)
        assert "you hold administrator" in refused.words()
    mine = dict(served.http.cookies)
    served.http.cookies.clear()
    for public in ("/sign-in", "/approval", "/break-glass"):
        assert told in served.get(public).words(), public
    assert told in served.get("/nothing-here", status=404).words()
    # Busy all the time, and over after an hour all the same.
    for name, value in mine.items():
        served.http.cookies.set(name, value)
    for minutes in (20, 40, 59):
        served.clock.now = START + timedelta(minutes=minutes)
        served.get("/audits")
    served.clock.now = START + timedelta(minutes=60)
    assert served.http.get("/audits").headers["location"] == "/sign-in?then=/audits"
    served.clock.now = START + timedelta(hours=23, minutes=59)
    assert told in served.get("/sign-in").words()
    served.clock.now = START + timedelta(hours=24)
    assert told not in served.get("/sign-in").words()


def test_another_process_tells_it_too(served, casework_home):
    """What this process did not do itself it reads in the database."""
    with superuser(casework_home) as database:
        database.execute("UPDATE break_glass SET used_at = %s", [START])
    assert "The break-glass administrator signed in on 22 June 2026" in served.get("/sign-in").words()


def test_its_page_is_held_to_what_every_page_is_in_a_browser(casework_home):
    """The walk of every page has a demonstration's site, where this one is not there."""
    home, door, port = real(casework_home), StillDoor(NOTHING_SERVES), free_port()
    with job_session(home) as session:
        make_account(session, START)
    app = create_app(home, address=f"http://127.0.0.1:{port}", door=door)
    site = RunningSite(home=home, address=f"http://127.0.0.1:{port}", digest="", ids={}, door=door, app=app)
    with running(app, port), chromium() as browser:
        window = Window(browser, site)
        page = window.open("/break-glass")
        check_page(window, "break-glass")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in for one hour").click()
        check_page(window, "break-glass with an error")
        window.close()


def test_wrong_tries_open_nothing_and_a_pause_says_until_when(served):
    for _ in range(FREE_TRIES):
        answer = served.enter(password="AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
        assert answer.status_code == 422
        assert faults(answer) == []
        assert "The password or the code is wrong, or the code was used before." in Read(answer.text).words()
        assert "AAAA" not in answer.text
        assert "set-cookie" not in answer.headers
    paused = served.enter()
    assert paused.status_code == 422
    assert "Too many tries were wrong. Wait until 09:01 UTC" in Read(paused.text).words()
    served.clock.now += timedelta(minutes=1)
    assert served.enter().status_code == 303


def test_another_site_cannot_try_it(served):
    assert served.enter(**{"sec-fetch-site": "cross-site"}).status_code == 400


def test_it_is_in_no_navigation_and_not_there_unless_it_was_made(served, casework_home):
    served.enter()
    assert 'href="/break-glass"' not in served.http.get("/audits").text
    with superuser(casework_home) as database:
        database.execute("DELETE FROM break_glass")
    served.get("/break-glass", status=404)
    assert served.enter().status_code == 404


def test_a_session_begins_under_a_new_id_in_a_cookie_that_only_this_site_over_https_gets(served):
    brought = "b" * 43
    served.http.cookies.set("__Host-belong_session", brought)
    answer = served.enter()
    flags = cookie(answer).split("; ")
    name, _, token = flags[0].partition("=")
    assert name == "__Host-belong_session"
    assert token != brought
    assert len(token) >= 43
    assert set(flags[1:]) == {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}, "and no lifetime, no domain"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    served.clock.now += timedelta(minutes=2)
    again = cookie(served.enter()).partition("=")[2].partition(";")[0]
    served.http.cookies.clear()
    # The id of before is ended where somebody signs in over it.
    served.http.cookies.set("__Host-belong_session", token)
    assert served.http.get("/audits").status_code == 303
    served.http.cookies.clear()
    served.http.cookies.set("__Host-belong_session", again)
    assert served.http.get("/audits").status_code == 200


def test_an_idle_session_is_over_after_half_an_hour(served):
    served.enter()
    served.clock.now += timedelta(minutes=30)
    gone = served.http.get("/audits")
    assert gone.status_code == 303
    assert re.search('__Host-belong_session=""; expires=.*Max-Age=0', cookie(gone))


def test_a_changed_role_ends_the_session_that_it_was_begun_under(served, casework_home):
    served.enter()
    answer = served.http.get("/audits")
    assert answer.status_code == 200
    with superuser(casework_home) as database:
        database.execute("UPDATE person_roles SET expires_on = '2999-12-31'")
    assert served.http.get("/audits").status_code == 303


def test_the_command_makes_it_once_shows_it_once_and_never_in_a_demonstration(belong: Belong, casework_home):
    refused = belong("people", "break-glass", "--home", casework_home.path)
    assert refused.code == 2
    assert "is a demonstration, where nobody needs a break-glass account" in refused.err
    file = casework_home.path / HOME_FILE
    kept = file.read_text()
    file.write_text(kept.replace("demo = true", "demo = false"))
    try:
        gone = belong("people", "break-glass", "--remove", "--home", casework_home.path)
        assert (gone.code, "has no break-glass account" in gone.err) == (2, True)
        said = belong("people", "break-glass", "--home", casework_home.path)
        assert said.code == 0
        password = re.search(r"Password: ([A-Z2-7-]{29})\n", said.out)[1]
        key = re.search(r"Key for an authenticator app: ([A-Z2-7]{32})\n", said.out)[1]
        assert f"otpauth://totp/Belong:Break-glass%20administrator?secret={key}&issuer=Belong" in said.out
        again = belong("people", "break-glass", "--home", casework_home.path)
        assert password not in again.out
        assert "is gone" in belong("people", "break-glass", "--remove", "--home", casework_home.path).out
    finally:
        file.write_text(kept)
