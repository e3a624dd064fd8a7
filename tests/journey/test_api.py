"""Scores over HTTP: what a caller gets, and that each call is a look."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from casework.audit_log import verify_chain
from casework.database import looks_key
from serving.api.answers import ScoresAnswer
from serving.api.examples import ANSWER, REQUEST
from tests.deployed import SCHOOL, tiny_bundle
from tests.journey.api import SECRET_VALUE, Api, as_job, problem, pupil, request, running_api, week_of_marks


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api() as found:
        yield found


def test_a_score_comes_with_words_reasons_and_the_approval(api):
    answer = api.post(request())
    assert answer.status_code == 200, answer.text
    said = ScoresAnswer.model_validate_json(answer.content)
    assert said.bundle == tiny_bundle().digest
    assert (said.horizon_school_weeks, said.demonstration, said.approval.verdict) == (6, True, "WAIVED")
    assert said.outcome == "a suspension or permanent exclusion starts"
    assert said.approval.monitoring_plan
    assert any("waiver" in notice for notice in said.notices)
    [one] = said.scores
    assert one.id == "row-1"
    assert one.not_scored is None
    assert one.probability is not None
    assert 0 < one.probability < 1
    assert one.usual == 0.021
    assert one.usual_in_words == "about 2 in 100"
    assert one.rising in ("yes", "no")
    assert one.reasons_for or one.reasons_against


def test_rows_and_string_give_the_same_score(api):
    rows = []
    day = date(2026, 4, 13)
    for marks in pupil()["marks_string"]["marks"][::2]:
        if day.weekday() == 5:
            day += timedelta(2)
        if marks != "-":
            rows += [{"date": day.isoformat(), "session": s, "code": c} for s, c in (("AM", "/"), ("PM", "\\"))]
        day += timedelta(1)
    by_rows = pupil(id="rows", marks=rows)
    del by_rows["marks_string"]
    one, two = api.post(request(pupil(), by_rows)).json()["scores"]
    assert {**one, "id": ""} == {**two, "id": ""}


def test_scoring_one_equals_scoring_many_in_any_order(api):
    worse = pupil(
        id="worse",
        behaviour=[{"date": f"2026-06-{day:02}", "type": "Defiance", "severity": 4} for day in (3, 9, 10, 16, 17, 18)],
        suspensions=[{"start_date": "2026-03-03", "sessions": 6}],
    )
    alone = [api.post(request(one)).json()["scores"][0] for one in (pupil(), worse)]
    together = api.post(request(worse, pupil())).json()["scores"]
    assert together == alone[::-1]
    assert alone[0]["probability"] != alone[1]["probability"]


def test_who_cannot_be_scored_is_said_with_the_reason(api):
    short = {"start_date": "2026-06-08", "marks": week_of_marks() * 2}
    old = {"start_date": "2026-04-13", "marks": week_of_marks() * 3}
    answer = api.post(
        request(
            pupil(id="few", marks_string=short),
            pupil(id="stale", marks_string=old),
            pupil(id="serving", suspensions=[{"start_date": "2026-06-19", "sessions": 10}]),
            pupil(id="decided", suspensions=[{"start_date": "2026-06-24", "recorded_on": "2026-06-18"}]),
            pupil(id="sixth-form", year_group="12"),
            pupil(
                id="new", entry_date="2026-06-15", marks_string={"start_date": "2026-06-15", "marks": week_of_marks()}
            ),
            pupil(id="scored"),
        )
    )
    assert answer.status_code == 200, answer.text
    said = {one["id"]: one for one in answer.json()["scores"]}
    assert {name: one["not_scored"]["code"] for name, one in said.items() if one["not_scored"]} == {
        "few": "too_few_marks",
        "stale": "not_up_to_date",
        "serving": "serving",
        "decided": "decided",
        "sixth-form": "not_on_roll",
        "new": "too_new",
    }
    assert all(one["probability"] is None and one["reasons_for"] == [] for one in said.values() if one["not_scored"])
    assert said["scored"]["probability"] is not None


def test_too_short_a_past_says_so_and_does_not_guess(api):
    half = {"start_date": "2026-05-18", "marks": week_of_marks() + "-" * 10 + week_of_marks() * 3}
    [one] = api.post(request(pupil(marks_string=half))).json()["scores"]
    assert one["probability"] is not None
    assert (one["rising"], one["rising_since"]) == ("not_enough_history", None)


def test_each_call_is_a_look_in_an_unbroken_chain(api):
    with as_job(api.home) as session:
        before = session.execute(text("SELECT count(*) FROM looks")).scalar_one()
    assert api.post(request(pupil(), pupil(id="two"))).status_code == 200
    with as_job(api.home) as session:
        rows = session.execute(text("SELECT * FROM looks ORDER BY seq")).mappings().all()
        assert verify_chain(session, looks_key(api.home)).ok
    assert len(rows) == before + 1
    last = rows[-1]
    assert (last["integration_id"], last["action"], last["school_urn"]) == ("timetable", "score_posted", SCHOOL)
    assert last["detail"].startswith("2 posted pupils as of 2026-06-22")
    assert "row-1" not in last["detail"]


def test_an_answer_that_cannot_be_logged_is_not_given(api, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET_VALUE)

    monkeypatch.setattr("serving.api.scores.look", fail)
    answer = api.post(request())
    problem(answer, 500, "failed")
    assert SECRET_VALUE not in answer.text


def test_the_description_is_whole_and_its_examples_hold(api):
    document = api.client.get("/api/v1/openapi.json").json()
    assert document["info"]["version"] == "1.0.0"
    assert {path.removeprefix("/api/v1") for path in document["paths"]} == {
        "/rows",
        "/scores",
        "/token",
        "/flags",
        "/changes",
        "/pupils/{pupil}/history",  # noqa: RUF027  # a parameter, as OpenAPI writes it
        "/health/live",
        "/health/ready",
    }
    text_ = json.dumps(document)
    assert "://" not in text_
    defined = set(document["components"]["schemas"])
    used = {part.split('"')[0] for part in text_.split("#/components/schemas/")[1:]}
    assert used <= defined
    post = document["paths"]["/api/v1/scores"]["post"]
    [example] = post["requestBody"]["content"]["application/json"]["examples"].values()
    assert example["value"] == REQUEST
    assert api.post(REQUEST).status_code == 200
    ScoresAnswer.model_validate_json(json.dumps(ANSWER))
    assert {"400", "401", "403", "404", "413", "422", "503"} <= set(post["responses"])


def test_a_thousand_pupils_are_scored_in_one_call(api):
    answer = api.post(request(*[pupil(id=str(at)) for at in range(1000)]))
    assert len(answer.json()["scores"]) == 1000
    # Many pupils are worked on by machine code, one by plain loops.
    [alone] = api.post(request(pupil(id="alone"))).json()["scores"]
    assert {json.dumps({**one, "id": "alone"}) for one in answer.json()["scores"]} == {json.dumps(alone)}
    said = problem(api.post(request(*[pupil(id=str(at)) for at in range(1001)])), 422, "fields_wrong")
    assert said["errors"] == [{"field": "pupils", "fault": "holds more than 1000 entries"}]
