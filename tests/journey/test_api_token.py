"""An integration's secret becomes a token for a quarter of an hour, and how it may not."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import text

from casework.callers import authenticate
from casework.integrations import integrations, revoke_secret, rotate_integration
from serving.api import tokens
from tests.deployed import TODAY
from tests.journey.api import SECRET_VALUE, Api, as_job, grant, officer, problem, running_api

TOKEN = "/api/v1/token"


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api() as found:
        yield found


@pytest.fixture(scope="module")
def secret(api: Api) -> str:
    """Return a secret of the integration 'mis', which may read lists and numbers."""
    grant(api.home, "mis", scopes=frozenset({"lists:read", "upns:read"}))
    with as_job(api.home) as session:
        return rotate_integration(session, officer(), "mis", TODAY, grace_days=0)


def ask(api: Api, secret: str, **said: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": "mis", "client_secret": secret, **said}
    answer: httpx.Response = api.client.post(TOKEN, data=form)
    return answer


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert SECRET_VALUE not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_secret_buys_a_token_that_opens_the_lists(api, secret):
    answer = ask(api, secret)
    said = answer.json()
    assert (answer.status_code, said["token_type"], said["expires_in"]) == (200, "Bearer", 900)
    assert said["scope"] == "lists:read upns:read"
    assert answer.headers["cache-control"] == "no-store"
    assert api.get("flags", token=said["access_token"]).status_code == 200
    problem(api.post({}, token=said["access_token"]), 403, "scope_missing")


def test_basic_does_as_the_form_does(api, secret):
    basic = base64.b64encode(f"mis:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "lists:read"}
    answer = api.client.post(TOKEN, data=form, headers={"authorization": f"Basic {basic}"})
    assert (answer.status_code, answer.json()["scope"]) == (200, "lists:read")
    twice = api.client.post(TOKEN, data={**form, "client_secret": "x"}, headers={"authorization": f"Basic {basic}"})
    refused(twice, 400, "invalid_request")
    refused(api.client.post(TOKEN, data=form, headers={"authorization": "Basic ==="}), 401, "invalid_client")


def test_what_a_token_is_not_given_for(api, secret):
    wrong = ask(api, SECRET_VALUE)
    refused(wrong, 401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")
    refused(ask(api, secret, client_id=SECRET_VALUE), 401, "invalid_client")
    refused(ask(api, secret, scope="lists:read scores:read"), 400, "invalid_scope")
    refused(ask(api, secret, grant_type="password"), 400, "unsupported_grant_type")
    refused(api.client.post(TOKEN, data={"client_id": "mis"}), 400, "invalid_request")
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused(api.client.post(TOKEN, content="grant_type=a&grant_type=b", headers=form), 400, "invalid_request")
    refused(api.client.post(TOKEN, content=b"\xff\xfe", headers=form), 400, "invalid_request")
    refused(
        api.client.post(TOKEN, content="&".join(f"a{n}=1" for n in range(50)), headers=form), 400, "invalid_request"
    )
    problem(api.client.post(TOKEN, content="x" * 5000, headers=form), 413, "too_large")
    problem(api.client.post(TOKEN, json={}), 415, "wrong_media_type")


def test_a_token_ends_by_itself_and_another_is_none(api, secret):
    now = datetime.now(UTC)
    with as_job(api.home) as session:
        caller = authenticate(session, "mis", secret, TODAY)
    good = tokens.issue(api.home, caller, now)
    assert api.get("flags", token=good).status_code == 200
    claims = {"aud": "belong-api-v1", "sub": "mis", "sec": str(caller.secret), "scope": "lists:read"}
    claims |= {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 900}
    key = OctKey.import_key(bytes.fromhex((api.home.secrets / "api_tokens.key").read_text()))

    def signed(by: OctKey = key, typ: str = "at+jwt", **changed: object) -> str:
        return str(jwt.encode({"alg": "HS256", "typ": typ}, claims | changed, by))

    assert api.get("flags", token=signed()).status_code == 200
    header, payload, mark = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    for bad in (
        tokens.issue(api.home, caller, now - timedelta(seconds=901)),
        tokens.issue(api.home, caller, now + timedelta(minutes=5)),
        signed(by=OctKey.generate_key(256)),
        signed(typ="JWT"),
        signed(aud="another"),
        signed(sec="not an id"),
        signed(sec=None),
        signed(scope=7),
        signed(exp="never"),
        f"{none}.{payload}.",
        f"{header}.{payload}.{mark[:-2]}AA",
        f"mis.{secret}",
        "x" * 3000,
    ):
        problem(api.get("flags", token=bad), 401, "bad_credentials")


def test_a_withdrawn_secret_takes_its_tokens_along(api):
    token = grant(api.home, "rotating", scopes=frozenset({"lists:read"}))
    with as_job(api.home) as session:
        second = rotate_integration(session, officer(), "rotating", TODAY)
    newer = ask(api, second, client_id="rotating").json()["access_token"]
    assert api.get("flags", token=token).status_code == 200
    with as_job(api.home) as session:
        [one] = [one for one in integrations(session, TODAY) if one.client_id == "rotating"]
        revoke_secret(session, officer(), "rotating", one.secrets[0].id, TODAY)
    problem(api.get("flags", token=token), 401, "bad_credentials")
    assert api.get("flags", token=newer).status_code == 200


def test_a_scope_taken_away_is_gone_from_tokens_that_are_out(api):
    token = grant(api.home, "shrinking", scopes=frozenset({"lists:read", "scores:read"}))
    with as_job(api.home) as session:
        session.execute(text("UPDATE integrations SET scopes = '{scores:read}' WHERE client_id = 'shrinking'"))
    problem(api.get("flags", token=token), 403, "scope_missing")


def test_who_calls_too_often_is_asked_to_wait(api):
    token = grant(api.home, "eager", scopes=frozenset({"lists:read"}), calls_per_minute=3)
    assert [api.get("flags", token=token).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = api.get("flags", token=token)
    problem(answer, 429, "too_many_calls")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    # Others are not held up by it.
    assert api.get("flags", token=grant(api.home, "calm", scopes=frozenset({"lists:read"}))).status_code == 200
