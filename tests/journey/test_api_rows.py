"""Feature rows that were worked out elsewhere: by name and fingerprint or not at all, and every one counted."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.middleware import Middleware

from features.catalogue import CATALOGUE, fingerprint
from records.home import Home
from serving.api import router
from serving.api.fast_lane import FastLane
from serving.api.rows import Unwritten, door_of
from serving.app import closing
from serving.scoring import Deployed, Refused, open_deployed
from tests.deployed import TODAY
from tests.journey.api import Api as Found
from tests.journey.api import as_job, grant, problem, running_api, site_of
from tests.journey.client import running

NAMES = [feature.name for feature in CATALOGUE]


def body(some: list[list[float | None]], **changes: Any) -> dict[str, Any]:
    return {"fingerprint": fingerprint(), "names": NAMES, "rows": some, "reasons": False, **changes}


def rows(number: int) -> list[list[float | None]]:
    values = np.random.default_rng(3).normal(size=(number, len(NAMES))) * 3
    values[:, ::7] = np.nan
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]


@dataclass(frozen=True)
class Api:
    """The interface with its short way in, its home, and a token."""

    app: FastAPI
    client: httpx.Client
    home: Home
    token: str


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api() as found, served(found) as made:
        yield made


@contextmanager
def served(found: Found) -> Iterator[Api]:
    """Serve the same home and database once more, with the short way in."""
    app = FastAPI(lifespan=closing, middleware=[Middleware(FastLane, https=True, hosts=["127.0.0.1"])])
    app.include_router(router)
    app.state.site = site_of(found.home, found.engine)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(app, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield Api(app, client, found.home, found.token)


def post(api: Api, said: object, **headers: str) -> Any:
    content = said if isinstance(said, str | bytes) else json.dumps(said)
    given = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post("/api/v1/rows", content=content, headers=given)


def test_rows_score_as_the_deployed_model_scores_them_one_by_one_and_together(api: Api) -> None:
    some = rows(7)
    deployed = open_deployed(api.home, TODAY)
    assert isinstance(deployed, Deployed)
    expected = deployed.scorer.chances(np.array(some, dtype=np.float64), fingerprint()).tolist()
    answer = post(api, body(some)).json()
    assert answer["probabilities"] == expected
    assert (answer["bundle"], answer["approval"]) == (deployed.digest, deployed.approval.id)
    assert answer["reasons"] is None
    assert [post(api, body([row])).json()["probabilities"][0] for row in some] == expected


def test_reasons_come_only_when_they_are_asked_for(api: Api) -> None:
    [why] = post(api, body(rows(1), reasons=True)).json()["reasons"]
    said = why["reasons_for"] + why["reasons_against"]
    assert said
    assert all(set(one) == {"group", "sentence", "share", "changeable"} for one in said)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fingerprint": "0" * 64}, "other_catalogue"),
        ({"names": NAMES[::-1]}, "fields_wrong"),
        ({"names": [*NAMES[:-1], "ethnicity"]}, "fields_wrong"),
        ({"names": NAMES[:-1], "rows": [[0.0] * (len(NAMES) - 1)]}, "fields_wrong"),
        ({"rows": [[0.0] * (len(NAMES) - 1)]}, "fields_wrong"),
        ({"rows": [["0.5"] + [0.0] * (len(NAMES) - 1)]}, "fields_wrong"),
        ({"rows": [[True] + [0.0] * (len(NAMES) - 1)]}, "fields_wrong"),
        ({"rows": []}, "fields_wrong"),
        ({"reasons": None}, "fields_wrong"),
        ({"Q882100000001": 1}, "fields_wrong"),
    ],
)
def test_another_catalogue_or_other_features_are_never_scored(api: Api, changes: dict[str, Any], code: str) -> None:
    said = problem(post(api, body(rows(1), **changes)), 422, code)
    assert "Q882100000001" not in json.dumps(said)


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("1e999", 422, "fields_wrong"),
        ("NaN", 400, "not_json"),
        ("Infinity", 400, "not_json"),
        ("-1e999", 422, "fields_wrong"),
    ],
)
def test_a_value_that_is_no_finite_number_is_refused(api: Api, number: str, status: int, code: str) -> None:
    said = json.dumps(body([[0.25] + [0.0] * (len(NAMES) - 1)])).replace("0.25", number)
    problem(post(api, said), status, code)


def test_a_field_given_twice_is_refused(api: Api) -> None:
    problem(post(api, json.dumps(body(rows(1)))[:-1] + ', "rows": [[0.0]]}'), 422, "fields_wrong")
    problem(post(api, json.dumps(body(rows(1)))[:-1] + ', "reasons": true}'), 400, "said_twice")


def test_who_may_not_score_is_refused(api: Api) -> None:
    problem(post(api, body(rows(1)), authorization="Bearer nobody"), 401, "bad_credentials")
    token = grant(api.home, "lists-only", scopes=frozenset({"lists:read"}))
    problem(post(api, body(rows(1)), authorization=f"Bearer {token}"), 403, "scope_missing")


def test_calls_that_were_remembered_count_towards_the_callers_limit(api: Api) -> None:
    token = grant(api.home, "eager", calls_per_minute=5)
    found = [post(api, body(rows(1)), authorization=f"Bearer {token}").status_code for _ in range(8)]
    assert found == [200] * 5 + [429] * 3


def test_a_model_withdrawn_between_two_calls_is_silent_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert post(api, body(rows(1))).status_code == 200
    ended = Refused(code="revoked", sentence="The approval was taken back.")
    monkeypatch.setattr(api.app.state.site.door, "deployed", lambda: ended)
    problem(post(api, body(rows(1))), 503, "revoked")


def test_every_row_is_counted_in_the_log_of_looks_and_nothing_is_scored_where_it_cannot_be(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwritten = door_of(api.app).unwritten
    unwritten.write()
    before = _counted(api)
    for number in (1, 3):
        assert post(api, body(rows(number))).status_code == 200
    unwritten.write()
    assert _counted(api) == before + 4
    assert post(api, body(rows(2))).status_code == 200
    monkeypatch.setattr(unwritten, "_since", unwritten._since - 10)  # ten seconds in which nothing was written
    problem(post(api, body(rows(1))), 503, "log_unavailable")
    unwritten.write()
    assert _counted(api) == before + 6


def test_whoever_closes_the_database_waits_for_what_is_being_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer has taken the rows and has a connection: a site that ends now must not go on without it."""
    unwritten, begun, go_on = door_of(api.app).unwritten, threading.Event(), threading.Event()
    unwritten.write()
    database = unwritten.site.database

    @contextmanager
    def slow(schools: frozenset[int] | None) -> Iterator[Session]:
        with database(schools) as session:
            begun.set()
            assert go_on.wait(20)
            yield session

    site = SimpleNamespace(database=slow)
    monkeypatch.setattr(unwritten, "site", site)
    assert post(api, body(rows(1))).status_code == 200
    assert begun.wait(20), "the timer writes by itself"
    last = threading.Thread(target=unwritten.write)
    last.start()
    last.join(0.2)
    assert last.is_alive()
    go_on.set()
    last.join(20)
    assert not last.is_alive()


def test_a_site_that_ends_has_written_its_rows_and_leaves_nothing_running() -> None:
    before = _timers()
    with running_api() as found:
        with served(found) as api:
            assert post(api, body(rows(2))).status_code == 200
        assert _counted(api) == 2
        assert _timers() <= before


def test_a_site_that_ends_waits_for_no_database_that_is_gone(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unwritten, before = Unwritten(api.app.state.site), _timers()

    def gone(schools: object) -> None:
        raise OperationalError("", None, Exception("gone"))

    monkeypatch.setattr(unwritten, "site", SimpleNamespace(database=gone))
    unwritten.count(SimpleNamespace(client_id="timetable"), "ab" * 32, 3)
    unwritten.close()
    assert _timers() <= before
    assert "3 feature rows were scored and could not be entered" in caplog.text


def _timers() -> set[threading.Thread]:
    """The threads that would still write rows to the log."""
    waiting = (one for one in threading.enumerate() if isinstance(one, threading.Timer) and not one.finished.is_set())
    return {one for one in waiting if getattr(one.function, "__func__", None) is Unwritten.write}


def _counted(api: Api) -> int:
    with as_job(api.home) as session:
        said = session.scalars(text("SELECT detail FROM looks WHERE action = 'score_rows'")).all()
    return sum(int(detail.split()[0]) for detail in said)


def test_the_short_way_in_takes_only_what_every_door_would(api: Api) -> None:
    """By the short way and by the usual one the same answer; a strange host is not the short way's business."""
    short = post(api, body(rows(1)))
    assert short.headers["content-security-policy"].startswith("default-src 'none'")
    assert short.headers["strict-transport-security"]
    assert short.headers["cache-control"] == "no-store"
    for other in ({"host": "elsewhere"}, {"content_type": "application/json; charset=utf-8"}):
        usual = post(api, body(rows(1)), **other)
        assert "content-security-policy" not in usual.headers
        assert usual.json() == short.json()
    problem(api.client.get("/api/v1/rows"), 405, "wrong_method")
    problem(post(api, body(rows(1)), content_type="text/plain"), 415, "not_json")
