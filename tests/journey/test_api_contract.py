"""The interface keeps what its description says: for the client printed from it, and for whatever anyone sends."""

import importlib.util
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from casework.integrations import rotate_integration
from serving.api.routes import openapi
from serving.app import LOOPBACK_ADDRESS, create_app
from serving.generate import FOLDER
from serving.jobs.granting import write_credentials
from serving.scoring import Door
from tests.database import pupil_id
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY, tiny_bundle
from tests.journey.api import Listing, as_job, officer, request, running_lists

DOCUMENT = openapi()
OPERATIONS = [(path, method) for path, said in DOCUMENT["paths"].items() for method in said]
# What takes neither parameter nor body cannot be sent anything that it does not allow.
SENT_TO = [
    (path, method)
    for path, method in OPERATIONS
    if DOCUMENT["paths"][path][method].keys() & {"parameters", "requestBody"}
]
EVERY_EXAMPLE = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def listing() -> Iterator[Listing]:
    with running_lists() as found:
        yield found


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("belong_client", FOLDER / "belong_client.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_printed_client_speaks_to_the_interface(listing, client, tmp_path):
    with as_job(listing.api.home) as session:
        write_credentials(tmp_path / "c.json", "whole", rotate_integration(session, officer(), "whole", TODAY))
    address, mine = str(listing.api.client.base_url), str(pupil_id(listing.api.home, 1))
    with client.Belong.from_file(address, str(tmp_path / "c.json")) as belong:
        assert belong.live() == {"status": "live"}
        assert belong.ready()["status"] == "ready"
        assert mine in {pupil["pupil"] for pupil in belong.pages(limit=1, school=SCHOOL)}
        changes = belong.get_changes(limit=1)
        assert changes["more"]
        assert not belong.get_changes(cursor=changes["next"], limit=10)["more"]
        assert belong.get_history(mine)["school"] == SCHOOL
        first = belong.post_scores(request(), idempotency_key="once")
        assert first == belong.post_scores(request(), idempotency_key="once")
        with pytest.raises(client.Problem) as refused:
            belong.get_flags(school=OTHER_SCHOOL)
        assert (refused.value.status, refused.value.code) == (404, "no_such_school")
        with pytest.raises(client.Problem) as refused:
            belong.post_scores({})
        assert (refused.value.code, refused.value.errors[0]["field"]) == ("fields_wrong", "as_of")
    with client.Belong(address, "whole", "wrong") as stranger, pytest.raises(client.Problem) as refused:
        stranger.live()
    assert (refused.value.status, refused.value.code) == (401, "invalid_client")


@pytest.fixture(scope="module")
def site(listing: Listing) -> Iterator[Any]:
    """The whole site, with what stands before the interface: limits of bodies, hosts, the short way for rows."""
    app = create_app(listing.api.home, engine=listing.api.engine, door=Door(listing.api.home))
    yield app
    app.state.rows_door.unwritten.close()


def operation_of(path: str, method: str) -> APIOperation:
    return schemathesis.openapi.from_dict(DOCUMENT)[path][method.upper()]


def check_kept(path: str, method: str, answer: Any) -> None:
    """The answer is one that the description tells of, in the form in which it does; never a fault of the server's."""
    said = DOCUMENT["paths"][path][method]["responses"]
    status = str(answer.status_code)
    assert status in said, f"{method} {path} answered {status}, which its description does not tell of"
    assert answer.status_code < 500
    [(media, content)] = said[status]["content"].items()
    assert answer.headers["content-type"] == [media]
    whole = Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
    assert [error.message for error in whole.iter_errors(json.loads(answer.content))] == []


def made_known(case: Case, pupil: str) -> None:
    """Put a school, a day and a pupil of ours where the case has some of its own, so that the rest goes deep."""
    if "school" in (case.query or {}):
        case.query["school"] = SCHOOL
    if "pupil" in (case.path_parameters or {}):
        case.path_parameters["pupil"] = pupil
    if not isinstance(case.body, dict):
        return
    if "as_of" in case.body:
        case.body["as_of"] = TODAY.isoformat()
        for one in case.body.get("pupils", []):
            one["school"] = SCHOOL
        if case.body.get("stored"):
            case.body["stored"] = [pupil]
    if "fingerprint" in case.body:
        made, unknown = tiny_bundle().manifest, [None] * len(tiny_bundle().manifest["feature_names"])
        case.body |= {"fingerprint": made["feature_fingerprint"], "names": made["feature_names"]}
        case.body["rows"] = [[*row, *unknown][: len(unknown)] for row in case.body["rows"]]
    if "grant_type" in case.body:
        case.body["client_id"] = "whole"


def sent(case: Case, site: Any, token: str) -> Any:
    """Send it with the token, but to where tokens come from."""
    headers = {} if case.path.endswith("/token") else {"Authorization": f"Bearer {token}"}
    return case.call(LOOPBACK_ADDRESS, headers=headers, app=site)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_the_description_allows_is_answered_as_it_says(
    listing: Listing, site: Any, path: str, method: str
) -> None:
    operation, mine = operation_of(path, method), str(pupil_id(listing.api.home, 1))

    @EVERY_EXAMPLE
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), known=st.booleans())
    def send(case: Case, known: bool) -> None:
        if known:
            made_known(case, mine)
        check_kept(path, method, sent(case, site, listing.scores))

    send()


@pytest.mark.parametrize(("path", "method"), SENT_TO)
def test_what_the_description_does_not_allow_is_refused_as_it_says(
    listing: Listing, site: Any, path: str, method: str
) -> None:
    operation = operation_of(path, method)

    @EVERY_EXAMPLE
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def send(case: Case) -> None:
        check_kept(path, method, sent(case, site, listing.scores))

    send()
