"""Every example of the published description: fits its schema, is answered as it says, refused word for word."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from casework.integrations import rotate_integration
from serving.api import examples
from serving.api.routes import openapi
from tests.deployed import OTHER_SCHOOL, TODAY, tiny_bundle
from tests.journey.api import Listing, as_job, officer, pupil, request, running_lists

DOCUMENT = openapi()
OPERATIONS = [
    (path, method, said) for path, operations in DOCUMENT["paths"].items() for method, said in operations.items()
]
HISTORY = next(path for path, _, _ in OPERATIONS if path.endswith("/history")).removeprefix("/api/v1/")
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def listing() -> Iterator[Listing]:
    with running_lists() as found:
        yield found


def told() -> list[tuple[str, Any]]:
    """Return every content of every operation, of what is posted and of what is answered, with its place."""
    found = []
    for path, method, said in OPERATIONS:
        bodies = dict(said["responses"])
        if "requestBody" in said:
            bodies["posted"] = said["requestBody"]
        for status, body in bodies.items():
            assert body.get("content"), f"{method} {path} {status} says nothing of its content"
            found += [(f"{method} {path} {status} {media}", content) for media, content in body["content"].items()]
    return found


def shown(content: dict[str, Any]) -> list[Any]:
    named = [one["value"] for one in content.get("examples", {}).values()]
    return [*named, content["example"]] if "example" in content else named


@pytest.mark.parametrize(("where", "content"), told(), ids=[where for where, _ in told()])
def test_everything_posted_and_answered_has_an_example_that_fits_its_schema(
    where: str, content: dict[str, Any]
) -> None:
    assert "schema" in content, f"{where} has no schema"
    assert shown(content), f"{where} has no example"
    whole = Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
    for example in shown(content):
        assert [error.message for error in whole.iter_errors(example)] == []


def test_every_refusal_is_told_in_the_form_in_which_it_is_sent() -> None:
    for path, method, said in OPERATIONS:
        for status, answer in said["responses"].items():
            oauth = path.endswith("/token") and status in ("400", "401")
            wanted = "application/json" if status == "200" or oauth else "application/problem+json"
            assert set(answer["content"]) == {wanted}, (method, path, status)
            if wanted.startswith("application/problem"):
                assert answer["content"][wanted]["example"]["status"] == int(status)


def example_of(path: str, method: str, status: int) -> Any:
    [content] = DOCUMENT["paths"][f"/api/v1/{path}"][method]["responses"][str(status)]["content"].values()
    return content["example"]


def same_shape(said: Any, example: Any, where: str = "") -> None:
    """Compare two answers by their fields and the kinds of their values; a list by its first entry."""
    if isinstance(example, dict):
        assert set(said) == set(example), where
        for name, value in example.items():
            same_shape(said[name], value, f"{where}.{name}")
    elif isinstance(example, list) and example and said:
        same_shape(said[0], example[0], f"{where}[0]")
    elif said is not None and example is not None:
        kinds = (int, float) if isinstance(example, float) else type(example)
        assert isinstance(said, kinds), where


def test_the_example_of_scores_is_answered_as_it_says(listing: Listing) -> None:
    said = listing.api.post(examples.REQUEST).json()
    same_shape(said, examples.ANSWER)
    for mine, example in zip(said["scores"], examples.ANSWER["scores"], strict=True):
        assert mine["id"] == example["id"]
        assert (mine["not_scored"] or {}).get("code") == (example["not_scored"] or {}).get("code")


def test_the_example_of_rows_is_answered_as_it_says_once_it_has_every_name(listing: Listing) -> None:
    names = list(tiny_bundle().manifest["feature_names"])
    kept = dict(zip(examples.ROWS["names"], zip(*examples.ROWS["rows"], strict=True), strict=True))
    assert set(kept) <= set(names), "the example names features that there are not"
    rows = [[kept[name][at] if name in kept else None for name in names] for at in range(2)]
    whole = {
        **examples.ROWS,
        "fingerprint": tiny_bundle().manifest["feature_fingerprint"],
        "names": names,
        "rows": rows,
    }
    answer = post(listing, "rows", whole)
    assert answer.status_code == 200, answer.text
    same_shape(answer.json(), examples.ROWS_SCORED)


def test_the_examples_of_lists_changes_and_history_have_the_fields_of_the_true_ones(listing: Listing) -> None:
    lists = listing.api.get("flags", token=listing.facts).json()
    same_shape(lists, examples.LISTS)
    same_shape(listing.api.get("changes", token=listing.facts).json(), examples.CHANGES)
    history = listing.api.get(f"pupils/{lists['pupils'][0]['pupil']}/history", token=listing.facts).json()
    same_shape(history, examples.HISTORY)


def test_the_example_of_a_token_is_answered_as_it_says(listing: Listing) -> None:
    with as_job(listing.api.home) as session:
        secret = rotate_integration(session, officer(), "mis", TODAY)
    [content] = DOCUMENT["paths"]["/api/v1/token"]["post"]["requestBody"]["content"].values()
    form = {**content["example"], "client_id": "mis", "client_secret": secret}
    answer = listing.api.client.post("/api/v1/token", data=form)
    assert answer.status_code == 200, answer.text
    same_shape(answer.json(), examples.TOKEN)
    stranger = listing.api.client.post("/api/v1/token", data=content["example"])
    assert (stranger.status_code, stranger.json()) == (401, example_of("token", "post", 401))
    greedy = listing.api.client.post("/api/v1/token", data={**form, "scope": "scores:read"})
    assert (greedy.status_code, greedy.json()) == (400, example_of("token", "post", 400))


def test_the_examples_of_health_are_answered_as_they_say(listing: Listing) -> None:
    assert listing.api.client.get("/api/v1/health/live").json() == examples.LIVE
    same_shape(listing.api.client.get("/api/v1/health/ready").json(), examples.READY)


def post(listing: Listing, path: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"authorization": f"Bearer {listing.scores}"} | JSON | headers
    answer: httpx.Response = listing.api.client.post(f"/api/v1/{path}", content=content, headers=sent)
    return answer


def test_what_is_refused_is_refused_word_for_word_as_it_is_told(listing: Listing) -> None:
    """Those that anyone can bring about; waiting, a lost database and a model that ended have tests of their own."""
    get, mine = listing.api.get, listing.facts
    stranger = "x" * 40
    elsewhere = request(pupil(school=OTHER_SCHOOL))
    nobody = "pupils/6f9619ff-8b86-4d01-b42d-00cf4fc964ff/history"
    wrong = {"limit": 500, "updated_after": "yesterday"}
    form = {"content-type": "application/x-www-form-urlencoded"}
    with as_job(listing.api.home) as session:
        session.execute(text("UPDATE integrations SET scopes = '{upns:read}' WHERE client_id = 'timetable'"))
    scopeless = listing.api.token
    asked = {
        ("flags", "get", 401): get("flags", token=stranger),
        ("flags", "get", 403): get("flags", token=scopeless),
        ("flags", "get", 404): get("flags", token=mine, school=OTHER_SCHOOL),
        ("flags", "get", 422): get("flags", token=mine, **wrong),
        ("changes", "get", 401): get("changes", token=stranger),
        ("changes", "get", 403): get("changes", token=scopeless),
        ("changes", "get", 404): get("changes", token=mine, school=OTHER_SCHOOL),
        ("changes", "get", 422): get("changes", token=mine, limit=500),
        (HISTORY, "get", 401): get(nobody, token=stranger),
        (HISTORY, "get", 403): get(nobody, token=scopeless),
        (HISTORY, "get", 404): get(nobody, token=mine),
        (HISTORY, "get", 422): get("pupils/someone/history", token=mine),
        ("scores", "post", 400): post(listing, "scores", b"{"),
        ("scores", "post", 401): post(listing, "scores", {}, authorization=f"Bearer {stranger}"),
        ("scores", "post", 403): post(listing, "scores", {}, authorization=f"Bearer {scopeless}"),
        ("scores", "post", 404): post(listing, "scores", elsewhere),
        ("scores", "post", 413): post(listing, "scores", b" " * (10 * 2**20 + 1)),
        ("scores", "post", 415): post(listing, "scores", {}, **{"content-type": "text/plain"}),
        ("scores", "post", 422): post(listing, "scores", request(pupil(upn="A823432112001"))),
        ("rows", "post", 400): post(listing, "rows", b"{"),
        ("rows", "post", 401): post(listing, "rows", {}, authorization=f"Bearer {stranger}"),
        ("rows", "post", 403): post(listing, "rows", {}, authorization=f"Bearer {scopeless}"),
        ("rows", "post", 413): post(listing, "rows", b" " * (10 * 2**20 + 1)),
        ("rows", "post", 415): post(listing, "rows", {}, **{"content-type": "text/plain"}),
        ("rows", "post", 422): post(listing, "rows", examples.ROWS),
        ("token", "post", 413): post(listing, "token", b"a" * 5000, **form),
        ("token", "post", 415): post(listing, "token", {}),
    }
    for (path, method, status), answer in asked.items():
        assert answer.status_code == status, (path, status, answer.text)
        assert answer.json() == example_of(path, method, status), (path, status)
    waits = {"408", "409", "429", "503"}
    plain = {
        (path.removeprefix("/api/v1/"), method, int(status))
        for path, method, said in OPERATIONS
        for status in said["responses"]
        if status not in waits | {"200"}
    }
    assert plain - asked.keys() == {("token", "post", 400), ("token", "post", 401)}, "asked above, in a test of its own"
