"""`belong pull`: whose token, since when, and what happens when Wonde answers badly."""

from datetime import date
from pathlib import Path

import httpx
import pytest

from records.home import Home
from records.readers.wonde_pull import PullRefused
from serving.jobs import pulling
from tests import export_files as files

GOLDEN = Path(__file__).parents[1] / "golden" / "wonde" / "100001"
SCHOOL = "A1930499544"
TOKEN = "a-token-for-tests"
EMPTY = {"data": [], "meta": {"pagination": {"next": None, "more": False}}}


class Server:
    """A stand-in that knows one school without records; `answers` come before that."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.asked: list[httpx.Request] = []
        self.answers = list(answers)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.answers:
            return self.answers.pop(0)
        if request.url.path.endswith(SCHOOL):
            return httpx.Response(200, content=(GOLDEN / "school.json").read_bytes())
        return httpx.Response(200, json=EMPTY)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a token of its own; nothing waits between two tries."""
    made = files.make_home(tmp_path / "home")
    (made.secrets / "wonde-token").write_text(TOKEN)
    (made.secrets / "wonde-token").chmod(0o600)
    monkeypatch.setattr(pulling.time, "sleep", lambda seconds: None)
    monkeypatch.delenv(pulling.TOKEN_VARIABLE, raising=False)
    return made


def pulled(home: Home, server: Server, since: date | None = None) -> tuple[Path, ...]:
    transport = httpx.MockTransport(server.answer)
    return pulling.pull(home, [SCHOOL], since=since, say=lambda said: None, transport=transport)


def asked_since(server: Server) -> set[str | None]:
    return {r.url.params.get("updated_after") for r in server.asked if "/attendance/" in r.url.path}


def test_the_token_comes_from_the_home_or_the_environment(home, monkeypatch):
    server = Server()
    assert pulled(home, server) == (home.landing / f"wonde-{SCHOOL}" / files.TODAY.isoformat(),)
    assert {request.headers["Authorization"] for request in server.asked} == {f"Bearer {TOKEN}"}
    monkeypatch.setenv(pulling.TOKEN_VARIABLE, "another")
    server = Server()
    pulled(home, server)
    assert {request.headers["Authorization"] for request in server.asked} == {"Bearer another"}


def test_the_first_pull_asks_for_everything_and_the_next_since_the_last_before_today(home):
    server = Server()
    pulled(home, server)
    # A second pull of one day takes the place of the first, so it asks for the same.
    pulled(home, server)
    assert asked_since(server) == {None}
    school = home.landing / f"wonde-{SCHOOL}"
    (school / "2025-06-24").mkdir()
    (school / "notes").mkdir()
    server = Server()
    pulled(home, server)
    assert asked_since(server) == {"2025-06-24 00:00:00"}
    server = Server()
    pulled(home, server, since=date(2025, 6, 1))
    assert asked_since(server) == {"2025-06-01 00:00:00"}


def test_what_may_pass_is_asked_again(home):
    server = Server(httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(503))
    assert pulled(home, server)
    assert [str(request.url) for request in server.asked[:3]] == [str(server.asked[0].url)] * 3


@pytest.mark.parametrize(
    ("status", "times", "said"),
    [(401, 1, "does not know the token"), (404, 1, "no such school"), (302, 1, "answered 302"), (503, 5, "503")],
)
def test_what_does_not_pass_ends_in_a_sentence_without_the_token(home, status, times, said):
    server = Server(*[httpx.Response(status, headers={"Location": "https://elsewhere.example/"})] * times)
    with pytest.raises(PullRefused, match=said) as refusal:
        pulled(home, server)
    assert TOKEN not in str(refusal.value)
    assert len(server.asked) == times
    assert not home.landing.exists()


def test_a_host_that_cannot_be_reached_is_said_without_its_address(home):
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(PullRefused, match=r"cannot be reached \(ConnectError\)") as refusal:
        pulling.pull(home, [SCHOOL], since=None, say=lambda said: None, transport=httpx.MockTransport(unreachable))
    assert SCHOOL not in str(refusal.value)
