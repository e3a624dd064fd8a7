"""Pulling from Wonde's interface against a local stand-in: pages to the last, the token to one host only."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from records.home import Home
from records.intake.ingest import ingest
from records.readers.wonde_pull import PullRefused, Wonde, pull, read_token
from tests import export_files as files

GOLDEN = Path(__file__).parents[1] / "golden" / "wonde" / "100001"
DAY = date(2025, 3, 7)
TOKEN = "a-token-for-tests"


def page(records: list[Any], following: str | None = None) -> dict[str, Any]:
    return {"data": records, "meta": {"pagination": {"next": following, "more": following is not None}}}


class Server:
    """A stand-in for the interface: the golden pull, each record a page of its own; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.next_of: dict[str, str] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        _, _, _, _, *rest = request.url.path.split("/")
        endpoint = rest[0] if rest else ""
        if not endpoint:
            return httpx.Response(200, content=(GOLDEN / "school.json").read_bytes())
        saved = GOLDEN / "2025-03-07" / f"{endpoint}_1.json"
        records = json.loads(saved.read_text(encoding="utf-8"))["data"] if saved.exists() else []
        number = int(request.url.params.get("page", 1))
        more = number < len(records)
        following = str(request.url.copy_set_param("page", number + 1)) if more else None
        return httpx.Response(200, json=page(records[number - 1 : number], self.next_of.get(endpoint, following)))


@pytest.fixture
def server() -> Server:
    return Server()


def client(server: Server) -> Wonde:
    http = httpx.Client(transport=httpx.MockTransport(server.answer))

    def fetch(address: str, headers: Mapping[str, str]) -> bytes:
        answer = http.get(address, headers=dict(headers), follow_redirects=False)
        answer.raise_for_status()
        return answer.content

    return Wonde(fetch, TOKEN, "A1930499544")


def test_a_pull_lands_whole_and_is_read(tmp_path, server):
    home: Home = files.make_home(tmp_path / "home", shards=1)
    folder = pull(home, client(server), today=DAY, updated_after=date(2025, 2, 28))
    assert folder == home.landing / "wonde-A1930499544" / "2025-03-07"
    assert len(list(folder.glob("attendance_*.json"))) == 4
    assert not list((home.path / "pulling").iterdir())
    summary = ingest(home, home.landing, clock=files.CLOCK, save_identities=None)
    assert summary.exit_code == 0
    # The golden rows: one mark names no pupil, one no code.
    assert [summary.tables[name].accepted for name in ("enrolments", "marks", "suspensions")] == [2, 2, 1]


def test_pupils_are_asked_for_whole_and_the_rest_since_the_last_pull(tmp_path, server):
    pull(files.make_home(tmp_path / "home"), client(server), today=DAY, updated_after=date(2025, 2, 28))
    first = {request.url.path.split("/")[4]: request.url.params for request in reversed(server.asked[1:])}
    assert {name: params.get("updated_after") for name, params in first.items()} == {
        **dict.fromkeys(("students", "attendance-codes")),
        **dict.fromkeys(("attendance", "behaviours", "achievements", "exclusions", "deletions"), "2025-02-28 00:00:00"),
    }
    assert first["students"]["include"] == "education_details,extended_details"
    assert {request.headers["Authorization"] for request in server.asked} == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in str(request.url) for request in server.asked)


@pytest.mark.parametrize(
    ("following", "message"),
    [
        (
            "https://elsewhere.example/v1.0/schools/A1/attendance/?page=2",
            "attendance: the next page lies on another host",
        ),
        ("http://api.wonde.com/v1.0/schools/A1/attendance/?page=2", "attendance: the next page lies on another host"),
        ("//elsewhere.example/page", "attendance: the next page lies on another host"),
        ("?page=1", "leads back or never ends"),
    ],
)
def test_the_token_follows_no_page_elsewhere_and_a_broken_pull_leaves_nothing(tmp_path, server, following, message):
    home = files.make_home(tmp_path / "home")
    server.next_of["attendance"] = following
    with pytest.raises(PullRefused, match=message):
        pull(home, client(server), today=DAY)
    assert {request.url.host for request in server.asked} == {"api.wonde.com"}
    assert not home.landing.exists()
    assert not list((home.path / "pulling").iterdir())


@pytest.mark.parametrize("body", [b"<html>", b'{"message": "no permission"}', b"[" * 200_000, b'{"data": NaN}'])
def test_an_answer_that_is_no_page_is_refused(body):
    with pytest.raises(PullRefused):
        list(Wonde(lambda address, headers: body, TOKEN, "A1").pages("attendance"))


def test_a_school_or_host_that_cannot_be_one_is_refused():
    with pytest.raises(PullRefused, match="letters and digits"):
        Wonde(lambda address, headers: b"", TOKEN, "../schools")
    with pytest.raises(PullRefused, match="is not an https address"):
        Wonde(lambda address, headers: b"", TOKEN, "A1", base="http://api.wonde.com/")


def test_the_token_lies_in_a_file_of_its_owner(tmp_path):
    home = files.make_home(tmp_path / "home")
    with pytest.raises(PullRefused, match="secrets/wonde-token cannot be read; write Wonde's token there"):
        read_token(home)
    path = home.secrets / "wonde-token"
    path.write_text("\n")
    path.chmod(0o600)
    with pytest.raises(PullRefused, match="is empty"):
        read_token(home)
    path.write_text(f"{TOKEN}\n")
    assert read_token(home) == TOKEN
    path.chmod(0o644)
    with pytest.raises(PullRefused, match="can be read by others than its owner; set its mode to 600") as refused:
        read_token(home)
    assert TOKEN not in str(refused.value)
