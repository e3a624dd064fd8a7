"""Every route of the running site, by every role, at its own school and at another: as the tables say, and no leak.

Rendered without a browser. The entries are in tests/doors_walked.py, those who come in tests/visitors.py.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine

from casework.callers import UPNS_READ
from casework.cases import NewView, pupil_page, record_view
from casework.database import connect, scoped
from casework.permissions import may
from casework.rules import may_see_pupils
from casework.voices import NewVoice, record_voice
from serving.doors import PAGES
from serving.page import Page
from tests.database import superuser
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.doors_reached import OPENED, WHY, address_of, parameters, prepare
from tests.doors_walked import (
    API,
    ASKED_WORDS,
    DOORS,
    ELSEWHERE,
    MOUNTED,
    THEIR_WORDS,
    ApiDoor,
    Walk,
    betrayed,
    expected,
    expected_of_system,
    remember,
)
from tests.site import RunningSite
from tests.visitors import Visitor, come, systems, visitors

SAME_SITE = {"sec-fetch-site": "same-origin"}
EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")
OF_A_PUPIL = [page for page in PAGES if "pupil_id" in parameters(page)]


@pytest.fixture(scope="module")
def walk(site: RunningSite) -> Iterator[Walk]:
    """A site on which everything that pages show is there, and everyone stands at its doors."""
    prepare(site)
    with visitors(site.home, site.address) as people:
        made = Walk(site=site, people=people, systems=systems(site.home))
        views_of_their_own(made)
        remember(made)
        yield made


def of_pupil(walk: Walk, page: Page, pupil: str) -> str:
    """Return a page's address for this pupil; a support that it names is one of the other school's pupil."""
    there = page.path.replace("{pupil_id}", pupil).replace("{support_id}", walk.ids["support there"])
    return there.replace("{action_id}", walk.ids["action there"])


def views_of_their_own(walk: Walk) -> None:
    """Let everyone who may record a view of the two pupils, and write down what the other school's pupil says."""
    engine = connect(walk.site.home, "app")
    try:
        for visitor in walk.people.values():
            for named, school, words in ((OPENED, SCHOOL, WHY), (ELSEWHERE, OTHER_SCHOOL, THEIR_WORDS)):
                _view(walk, engine, visitor, (uuid.UUID(walk.site.ids[named]), school, words))
    finally:
        engine.dispose()


def _view(walk: Walk, engine: Engine, visitor: Visitor, about: tuple[uuid.UUID, int, str]) -> None:
    person, (pupil, school, words), key = visitor.person, about, f"{visitor.name}: {about[1]}"
    if person is None or not may(person, "record_view", school) or not may_see_pupils(person, TODAY):
        return
    with scoped(engine, person.schools) as session:
        case = pupil_page(session, person, pupil, TODAY).case
        new = NewView(case_id=case.id, opinion="no_concern", why=words, version=case.version, idempotency_key=key)
        record_view(session, person, new, TODAY)
        said = NewVoice(pupil_id=pupil, whose="pupil", said=words, asked_on=TODAY, idempotency_key=key)
        record_voice(session, person, said, TODAY)


def ask(walk: Walk, visitor: Visitor, page: Page, method: str, address: str) -> httpx.Response:
    """Ask a page as its own links and forms do."""
    if method != "POST":
        return visitor.http.request(method, address)
    form = {"csrf": visitor.csrf, **DOORS[page.name].form(walk)}
    several: Any = {"files": ("", b"")} if page.takes else None
    return visitor.http.post(address, data=form, files=several, headers=SAME_SITE)


def check(walk: Walk, visitor: Visitor, page: Page, answer: httpx.Response, wanted: set[int]) -> None:
    """Check status, where a redirect leads, and that the body tells nothing of pupils of other schools."""
    person, where = visitor.person, f"{answer.request.method} {page.name!r} for {visitor.name!r}"
    assert answer.status_code in wanted, f"{where}: {answer.status_code}, wanted {sorted(wanted)}"
    if answer.status_code == 303 and page.permission != "public":
        assert answer.headers["location"].startswith("/sign-in") == (person is None), where
    may_read = frozenset({ASKED_WORDS}) if person and may(person, "see_challenges", SCHOOL) else frozenset()
    may_read |= walk.opaque if page.permission == "see_looks" and answer.status_code == 200 else frozenset()
    found = betrayed(walk, answer, person.schools if person else frozenset(), may_read)
    assert not found, f"{where} tells of pupils of another school: {sorted(found)}"


def test_every_route_of_the_running_site_has_an_entry(walk: Walk) -> None:
    there = {route.path: set(route.methods or ()) for route in iter_route_contexts(walk.site.app.routes)}
    pages = {page.path for page in PAGES}
    unknown = there.keys() - pages - API.keys() - MOUNTED
    assert not unknown, f"add an entry to tests/doors_walked.py for {', '.join(sorted(unknown))}"
    assert pages | API.keys() | MOUNTED == there.keys(), "an entry of tests/doors_walked.py is of a route that is gone"
    unsaid = {page.name for page in PAGES} ^ DOORS.keys()
    assert not unsaid, f"add to DOORS in tests/doors_walked.py, or take out: {', '.join(sorted(unsaid))}"
    for path, door in API.items():
        assert door.method in there[path], path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_answers_everyone_as_the_tables_say(walk: Walk, page: Page) -> None:
    door = DOORS[page.name]
    address = address_of(page, walk.site).partition("?")[0]
    for visitor in walk.people.values():
        for method in [method for method in page.methods if method != "HEAD"]:
            answer = ask(walk, visitor, page, method, address + (door.query if method == "GET" else ""))
            wanted = expected(page, door, method, visitor.person, door.school)
            if page.path == "/" and visitor.person is None:
                assert answer.headers["location"] == "/sign-in"
            check(walk, visitor, page, answer, wanted)
            if door.undo and method == "POST" and visitor.person and answer.status_code == 303:
                with superuser(walk.site.home) as database:
                    database.execute(door.undo)
            if page.name == "sign out" and visitor.person is not None:
                assert visitor.http.get("/approval").text.count("Sign out") == 0
                come(walk.site.home, visitor)


@pytest.mark.parametrize("page", OF_A_PUPIL, ids=lambda page: page.name)
def test_the_same_holds_for_a_pupil_of_the_other_school(walk: Walk, page: Page) -> None:
    address = of_pupil(walk, page, walk.site.ids[ELSEWHERE])
    for visitor in walk.people.values():
        for method in [method for method in page.methods if method != "HEAD"]:
            answer = ask(walk, visitor, page, method, address)
            check(walk, visitor, page, answer, expected(page, DOORS[page.name], method, visitor.person, OTHER_SCHOOL))


@pytest.mark.parametrize("page", OF_A_PUPIL, ids=lambda page: page.name)
def test_a_pupil_of_another_school_and_one_who_is_not_there_look_the_same(walk: Walk, page: Page) -> None:
    visitor = walk.people["school_lead here"]
    stranger = str(uuid.uuid4())
    for method in [method for method in page.methods if method != "HEAD"]:
        told = []
        for pupil in (walk.site.ids[ELSEWHERE], stranger):
            answer = ask(walk, visitor, page, method, of_pupil(walk, page, pupil))
            assert answer.status_code == 404
            told.append(re.sub(r'nonce="[^"]+"', "", answer.text).replace(pupil, "the pupil"))
        assert told[0] == told[1]


def test_what_asks_without_reading_is_told_no_more(walk: Walk) -> None:
    for visitor in (walk.people["nobody"], walk.people["board_member"]):
        for page in [page for page in PAGES if page.show]:
            answer = visitor.http.head(address_of(page, walk.site).partition("?")[0])
            door = DOORS[page.name]
            check(walk, visitor, page, answer, expected(page, door, "GET", visitor.person, door.school))


def test_no_page_answers_a_method_that_it_does_not_declare(walk: Walk) -> None:
    visitor = walk.people["school_lead here"]
    for page in PAGES:
        address = address_of(page, walk.site).partition("?")[0]
        for method in EVERY_METHOD:
            if method not in page.methods:
                answer = visitor.http.request(method, address, headers=SAME_SITE)
                check(walk, visitor, page, answer, {405})


@pytest.mark.parametrize("path", API)
def test_the_interface_answers_every_system_as_its_scopes_and_schools_say(walk: Walk, path: str) -> None:
    door = API[path]
    for name, system in walk.systems.items():
        headers = {"authorization": f"Bearer {system.token}"} if system.token and door.scope else {}
        answer = call(walk, path, door, headers)
        wanted = expected_of_system(door, system)
        assert answer.status_code == wanted, f"{path} for {name!r}: {answer.status_code}, wanted {wanted}"
        found = betrayed(walk, answer, system.schools if door.scope else frozenset(), frozenset())
        assert not found, f"{path} tells {name!r} of pupils of another school: {sorted(found)}"
        if UPNS_READ not in system.scopes:
            assert "T0000" not in answer.text, f"{path} tells {name!r} a number"


def call(walk: Walk, path: str, door: ApiDoor, headers: dict[str, str]) -> httpx.Response:
    address = path.replace("{pupil}", walk.site.ids[OPENED]).replace("{rest:path}", "nothing")
    return walk.people["nobody"].http.request(door.method, address, headers=headers, **door.asks(walk))


def test_whoever_is_signed_in_has_no_key_to_the_interface_and_no_token_opens_a_page(walk: Walk) -> None:
    for path, door in API.items():
        if door.scope is not None:
            address = path.replace("{pupil}", walk.site.ids[OPENED])
            for name in ("network_lead", "administrator"):
                answer = walk.people[name].http.request(door.method, address, **door.asks(walk))
                assert answer.status_code == 401, f"{path} for {name}"
    token = walk.systems["everything everywhere"].token
    for page in PAGES:
        if page.show and page.permission != "public":
            headers = {"authorization": f"Bearer {token}"}
            answer = walk.people["nobody"].http.get(address_of(page, walk.site), headers=headers)
            assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), page.name


def test_what_is_mounted_holds_our_files_and_nothing_beside_them(walk: Walk) -> None:
    browser = walk.people["nobody"].http
    style = re.search(r'href="(/assets/[^"]+\.css)"', browser.get("/sign-in").text)[1]
    assert browser.get(style).status_code == 200
    for beside in ("/assets/", "/assets/nothing.css", "/assets/..%2f..%2fapp.py", "/assets/%2e%2e/app.py"):
        assert browser.get(beside).status_code in (400, 404), beside
