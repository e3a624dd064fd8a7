"""No page asks the database once for each row: a list of 50 pupils takes as many statements as a list of 5."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, event

from casework.database import connect, scoped
from casework.permissions import Role
from casework.sessions import start_session
from casework.take_away import PURPOSES
from records.home import Home
from serving.app import create_app
from serving.scoring import Refused
from serving.site import utc_now
from tests.database import NORTH, SOUTH, identity, make_person, publication, publish_now, save_pupils
from tests.journey.client import running
from tests.site import StillDoor, free_port

FEW = {1000 + at: NORTH for at in range(5)}
MANY = {2000 + at: SOUTH for at in range(50)}


@pytest.fixture
def engine(casework_home: Home) -> Iterator[Engine]:
    """The web role's engine, over one school with 5 pupils on its list and one with 50."""
    save_pupils(casework_home, *(identity(pupil, school) for pupil, school in (FEW | MANY).items()))
    publish_now(casework_home, publication(FEW | MANY, tuple(FEW | MANY)))
    made = connect(casework_home, "app")
    yield made
    made.dispose()


def test_a_longer_list_takes_no_more_statements(casework_home: Home, engine: Engine) -> None:
    port = free_port()
    address, door = f"http://127.0.0.1:{port}", StillDoor(Refused(code="none", sentence="Nothing serves."))
    app = create_app(casework_home, address=address, engine=engine, door=door)
    counted: dict[str, list[int]] = {}
    for school, pupils in ((NORTH, FEW), (SOUTH, MANY)):
        lead = make_person(casework_home, Role(name="school_lead", school=school), name=f"Lead {school}")
        with scoped(engine, frozenset()) as session:
            started = start_session(session, lead.id, utc_now() - timedelta(seconds=1))
        cookie = {"cookie": f"belong_session={started.token}"}
        with running(app, port), httpx.Client(base_url=address, headers=cookie, trust_env=False, timeout=60) as client:
            form = {"csrf": started.csrf_secret, "purpose": next(iter(PURPOSES)), "names": "yes"}
            for path in ("/pupils", "/handover", "/records"):
                counted.setdefault(path, []).append(_statements(engine, client, "GET", path, {}))
            counted.setdefault("print", []).append(_statements(engine, client, "POST", "/week/print", form))
            assert client.get("/pupils").text.count('href="/pupils/') == len(pupils)
    assert {page: (few, few) for page, (few, _) in counted.items()} == {k: tuple(v) for k, v in counted.items()}
    assert counted["/pupils"][0] > 3, "nothing was counted"


def _statements(engine: Engine, client: httpx.Client, method: str, path: str, form: dict[str, str]) -> int:
    seen: list[str] = []

    def note(*said: object) -> None:
        # An insert of many looks is one statement, whatever the number of its rows.
        seen.append(str(said[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = client.request(method, path, data=form or None, headers={"sec-fetch-site": "same-origin"})
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return len(seen)
