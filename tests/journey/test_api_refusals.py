"""Every way the scoring interface says no: in one form, with the field's name, never with a value."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, text

from casework.integrations import revoke_integration
from serving.scoring import POINTER
from tests.deployed import OTHER_SCHOOL, TODAY, demo_home, put_deployed, tiny_bundle
from tests.journey.api import (
    SCORES,
    SECRET_VALUE,
    Api,
    as_job,
    grant,
    officer,
    problem,
    pupil,
    request,
    running_api,
    serving,
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api() as found:
        yield found


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic dGltZXRhYmxlOng=", "Bearer timetable.wrong"])
def test_without_a_token_of_ours_nothing_is_read(api, header):
    headers = {"content-type": "application/json"} | ({} if header is None else {"authorization": header})
    answer = api.client.post(SCORES, content=json.dumps(request()), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] in ("no_credentials", "bad_credentials")


def test_a_withdrawn_integration_is_refused_at_the_next_call(api):
    token = grant(api.home, "leaving")
    assert api.post(request(), token=token).status_code == 200
    with as_job(api.home) as session:
        revoke_integration(session, officer(), "leaving", TODAY)
    problem(api.post(request(), token=token), 401, "bad_credentials")


def test_an_integration_without_the_scope_is_refused(api):
    token = grant(api.home, "listing")
    with as_job(api.home) as session:
        session.execute(text("UPDATE integrations SET scopes = '{}' WHERE client_id = 'listing'"))
    problem(api.post(request(), token=token), 403, "scope_missing")


def test_another_school_is_not_found_whether_it_exists_or_not(api):
    exists = problem(api.post(request(pupil(school=OTHER_SCHOOL))), 404, "no_such_school")
    does_not = problem(api.post(request(pupil(school=123456))), 404, "no_such_school")
    assert exists == does_not


def edited(find: str, put: str) -> str:
    event = {"date": "2026-06-09", "type": "Defiance", "severity": 2}
    return json.dumps(request(pupil(behaviour=[event]))).replace(find, put, 1)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (edited('"severity": 2', '"severity": NaN'), 422, "pupils[0].behaviour[0].severity"),
        (edited('"severity": 2', '"severity": Infinity'), 422, "pupils[0].behaviour[0].severity"),
        (edited('"severity": 2', '"severity": 1e999'), 422, "pupils[0].behaviour[0].severity"),
        (edited('"severity": 2', '"severity": true'), 422, "pupils[0].behaviour[0].severity"),
        (edited('"severity": 2', '"severity": "2"'), 422, "pupils[0].behaviour[0].severity"),
        (edited('"severity": 2', '"severity": ' + "9" * 5000), 400, None),
        (edited('"Defiance"', f'"{SECRET_VALUE}"'), 422, "pupils[0].behaviour[0].type"),
        (edited("2026-06-09", "2026-06-31"), 422, "pupils[0].behaviour[0].date"),
        (edited("2026-06-09", "2026-06-22"), 422, "pupils[0].behaviour[0].date"),
        (edited("2024-09-03", "2026-06-22"), 422, "pupils[0].entry_date"),
        (edited('"id"', f'"upn": "{SECRET_VALUE}", "id"'), 422, "pupils[0].upn"),
        (edited('"as_of": "2026-06-22"', '"as_of": "2026-06-23"'), 422, "as_of"),
        ("[]", 422, "(the whole request)"),
        ('"' + SECRET_VALUE + '"', 422, "(the whole request)"),
        ("null", 422, "(the whole request)"),
        ("{", 400, None),
        ("", 400, None),
        (SECRET_VALUE, 400, None),
        ("[" * 200_000, 400, None),
        (b"\xff\xfe{}", 400, None),
        (b'{"as_of": "\x00"}', 400, None),
    ],
)
def test_bad_input_names_the_field_and_never_repeats_the_value(api, body, status, field):
    said = problem(api.post(body), status, "fields_wrong" if status == 422 else "not_json")
    if field is not None:
        assert said["errors"][0]["field"] == field
    assert SECRET_VALUE not in json.dumps(said)


def test_more_faults_than_anyone_reads_are_counted(api):
    said = problem(api.post(request(*[pupil(school=-1, id=str(at)) for at in range(60)])), 422, "fields_wrong")
    assert len(said["errors"]) == 50
    assert "60 faults" in said["detail"]


def test_too_much_is_refused_before_it_is_read(api):
    problem(api.post(b'{"as_of": "' + b"x" * (11 * 1024 * 1024)), 413, "too_large")


def test_a_body_that_does_not_come_is_not_waited_for(api, monkeypatch):
    monkeypatch.setattr("serving.api.bodies.SLOWEST_SECONDS", 0.2)
    never = threading.Event()

    def slow() -> Iterator[bytes]:
        yield b'{"as_of"'
        never.wait(5)
        yield b": 1}"

    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    problem(api.client.post(SCORES, content=slow(), headers=headers), 408, "too_slow")


def test_a_body_that_is_not_called_json_is_refused(api):
    headers = {"authorization": f"Bearer {api.token}", "content-type": "text/plain"}
    answer = api.client.post(SCORES, content=json.dumps(request()), headers=headers)
    problem(answer, 415, "not_json")


@pytest.mark.parametrize(
    ("name", "status"),
    [("authorization", 401), ("idempotency-key", 422), ("content-type", 415), ("x-anything", 200), ("cookie", 200)],
)
def test_a_header_of_100_kilobytes_is_no_fault_of_the_servers_and_is_not_repeated(api, name, status):
    """Some servers stop it before it gets here (400, 431); whoever sent it, the next call is answered."""
    long = f"Bearer {SECRET_VALUE}" * 5000
    sent = {"authorization": f"Bearer {api.token}", "content-type": "application/json"} | {name: long}
    answer = api.client.post(SCORES, content=json.dumps(request()), headers=sent)
    assert answer.status_code in (status, 400, 431)
    assert SECRET_VALUE not in answer.text
    assert api.post(request()).status_code == 200


def test_an_address_of_60_kilobytes_is_refused_and_not_repeated(api):
    answer = api.get("flags", school="9" * 60_000)
    assert answer.status_code in (400, 403, 414, 422)
    answer = api.client.get(f"/api/v1/{SECRET_VALUE * 4600}")
    assert answer.status_code in (400, 404, 414)
    assert SECRET_VALUE not in answer.text


def test_other_addresses_and_methods_answer_in_the_same_form(api):
    problem(api.client.get("/api/v1/pupils/all"), 404, "no_such_address")
    problem(api.client.get(SCORES), 405, "wrong_method")
    problem(api.client.post("/api/v1/health/live"), 405, "wrong_method")


Damage = Callable[[Api], Callable[[], None]]


def flipped_byte(api: Api) -> Callable[[], None]:
    file = api.folder() / "model.txt"
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    return lambda: file.write_bytes(whole) and None


def missing_signature(api: Api) -> Callable[[], None]:
    file = api.folder() / "envelope.json"
    whole = file.read_bytes()
    file.unlink()
    return lambda: file.write_bytes(whole) and None


def failed_audit(api: Api) -> Callable[[], None]:
    _, keys = demo_home(api.home.path)
    kept = (api.home.deployed / POINTER).read_text()
    put_deployed(api.home, tiny_bundle(periods={"why": ["another", "bundle", "0"]}), keys, verdict="FAIL")
    return lambda: (api.home.deployed / POINTER).write_text(kept) and None


@pytest.mark.parametrize(
    ("damage", "code"),
    [(flipped_byte, "digest_mismatch"), (missing_signature, "signature_missing"), (failed_audit, "verdict_failed")],
)
def test_the_three_refusals(api, damage, code):
    """One flipped byte, a missing signature, a failed audit: each stops scoring while the process stays up."""
    assert api.client.get("/api/v1/health/ready").status_code == 200
    undo = damage(api)
    try:
        assert api.client.get("/api/v1/health/live").json() == {"status": "live"}
        problem(api.client.get("/api/v1/health/ready"), 503, code)
        problem(api.post(request()), 503, code)
    finally:
        undo()
    assert api.client.get("/api/v1/health/ready").json()["bundle"] == tiny_bundle().digest
    assert api.post(request()).status_code == 200


def test_a_deployment_that_the_database_does_not_know_is_not_served(api):
    with as_job(api.home) as session:
        session.execute(text("UPDATE deployments SET digest = repeat('0', 64)"))
    problem(api.client.get("/api/v1/health/ready"), 503, "deployment_mismatch")
    problem(api.post(request()), 503, "deployment_mismatch")
    with as_job(api.home) as session:
        session.execute(text("UPDATE deployments SET digest = :digest"), {"digest": tiny_bundle().digest})
    assert api.post(request()).status_code == 200


def test_without_the_database_it_stays_up_and_says_so(api):
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with serving(api.home, nowhere) as client:
        assert client.get("/api/v1/health/live").status_code == 200
        problem(client.get("/api/v1/health/ready"), 503, "database_unavailable")
        headers = {"authorization": f"Bearer {api.token}"}
        problem(client.post(SCORES, json=request(), headers=headers), 503, "database_unavailable")
