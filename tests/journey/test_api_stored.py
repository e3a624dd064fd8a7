"""Scores of pupils whom Belong holds, the same answer under the same key, and what would lower a figure."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from casework.people import save_identities
from casework.publishing import publish
from features.engine import build
from serving.api.answers import ScoresAnswer, in_words
from serving.api.examples import ANSWER
from serving.api.posted import posted
from serving.api.schemas import ScoresRequest
from serving.school_days import read_school_days
from serving.scoring import Door
from tests.database import identity, publication, pupil_id, superuser
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY, tiny_bundle
from tests.journey.api import Api, as_job, grant, problem, pupil, request, running_api, week_of_marks
from training.ease import at_ease
from training.scorer import scores_of
from training.why import why

PUPILS = {1: SCHOOL, 2: SCHOOL, 3: OTHER_SCHOOL, 4: SCHOOL}
NAMES = tiny_bundle().manifest["feature_names"]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running_api() as found:
        made = publication(PUPILS, flagged=(1, 3), bundle_digest=tiny_bundle().digest)
        inputs = pd.DataFrame(np.ones((4, len(NAMES))), columns=NAMES).assign(pupil=list(PUPILS))
        scores = made.scores.assign(
            abstain=[None, None, None, "too_new"],
            probability=[0.29, 0.03, 0.29, None],
            rise_margin=[0.4, -0.2, 0.4, None],
        )
        with as_job(found.home) as session:
            save_identities(session, [identity(number, school) for number, school in PUPILS.items()])
            publish(session, replace(made, feature_rows=inputs, scores=scores))
        yield found


def stored(api: Api, *numbers: int) -> list[str]:
    return [str(pupil_id(api.home, number)) for number in numbers]


def keyed(api: Api, body: object, key: str):
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json", "idempotency-key": key}
    return api.client.post("/api/v1/scores", content=json.dumps(body), headers=headers)


def test_a_stored_pupil_is_answered_as_the_newest_list_has_it(api):
    flagged, calm, new = stored(api, 1, 2, 4)
    body = {"as_of": TODAY.isoformat(), "stored": [flagged, calm, new], "pupils": [pupil()]}
    answer = api.post(body)
    assert answer.status_code == 200, answer.text
    said = ScoresAnswer.model_validate_json(answer.content)
    assert [one.id for one in said.scores] == ["row-1", flagged, calm, new]
    _, first, second, third = said.scores
    assert (first.probability, first.rising, first.as_of, first.usual) == (0.29, "yes", TODAY, 0.021)
    assert first.rising_since.isoformat() == "2026-06-01"
    assert [reason.sentence for reason in first.reasons_for] == ["sentence 1"]
    assert (first.eased_on.isoformat(), first.eased_in_words) == ("2026-04-13", "about 8 in 100")
    assert [lever.in_words for lever in first.would_lower] == ["about 14 in 100"]
    # Not flagged: the inputs of that day give reasons, and there is no rise to look back from.
    assert (second.probability, second.rising, second.rising_since, second.would_lower) == (0.03, "no", None, [])
    assert second.reasons_for or second.reasons_against
    assert (third.probability, third.not_scored.code) == (None, "too_new")
    assert len(said.approval.policy) == 64


def test_each_stored_pupil_is_a_look_and_another_schools_is_not_found(api):
    mine, others = stored(api, 1, 3)
    answer = problem(api.post({"as_of": TODAY.isoformat(), "stored": [mine, others]}), 404, "no_such_pupil")
    unknown = api.post({"as_of": TODAY.isoformat(), "stored": [mine, str(uuid.uuid4())]})
    assert problem(unknown, 404, "no_such_pupil") == answer
    with as_job(api.home) as session:
        last = session.execute(text("SELECT * FROM looks ORDER BY seq DESC LIMIT 4")).mappings().all()
    assert [one["action"] for one in last] == ["score_stored"] * 4
    assert [one["detail"] for one in last][::2] == ["no such pupil in scope"] * 2
    assert str(last[1]["pupil_id"]) == mine


def test_before_the_first_list_and_in_a_doubted_school(api):
    [one] = stored(api, 1)
    early = {"as_of": (TODAY - timedelta(days=1)).isoformat(), "stored": [one]}
    assert api.post(early).json()["scores"][0]["not_scored"]["code"] == "not_in_newest_list"
    with as_job(api.home) as session:
        session.execute(text("UPDATE schools SET up_to_date = false"))
    doubted = api.post({"as_of": TODAY.isoformat(), "stored": [one]}).json()["scores"][0]
    with as_job(api.home) as session:
        session.execute(text("UPDATE schools SET up_to_date = true"))
    assert (doubted["probability"], doubted["not_scored"]["code"]) == (None, "school_held")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stored": []}, "(the whole request)"),
        ({"stored": ["nobody"]}, "stored[0]"),
        ({"stored": [1]}, "stored[0]"),
        ({"stored": ["6f9619ff-8b86-4d01-b42d-00cf4fc964ff"] * 2}, "stored[1]"),
        ({"pupils": [pupil()], "features": [1.0, 2.0]}, "features"),
        ({"stored": [str(uuid.uuid4()) for _ in range(1000)], "pupils": [pupil()]}, "(the whole request)"),
    ],
)
def test_which_pupils_is_said_plainly(api, body, field):
    said = problem(api.post({"as_of": TODAY.isoformat(), **body}), 422, "fields_wrong")
    assert said["errors"][0]["field"] == field


def test_the_same_key_gives_the_same_answer_and_no_other(api):
    first = keyed(api, request(), "try-1")
    assert first.status_code == 200, first.text
    assert keyed(api, request(), "try-1").json() == first.json()
    problem(keyed(api, request(pupil(id="other")), "try-1"), 422, "key_used")
    assert keyed(api, request(pupil(id="other")), "try-2").status_code == 200
    for odd in ("a b", "", "x" * 101):
        said = problem(keyed(api, request(), odd), 422, "fields_wrong")
        assert said["errors"][0]["field"] == "idempotency-key"
    with as_job(api.home) as session:
        details = session.scalars(text("SELECT detail FROM looks WHERE action = 'score_posted' ORDER BY seq")).all()
        kept = session.execute(text("SELECT * FROM posted_keys")).mappings().all()
    # A second try shows the score once more, so it is a look once more.
    assert [detail.endswith(", again") for detail in details[-3:]] == [False, True, False]
    assert "row-1" not in str(kept)


def test_an_answer_that_has_changed_is_not_given_under_its_old_key(api):
    [one] = stored(api, 2)
    body = {"as_of": TODAY.isoformat(), "stored": [one]}
    assert keyed(api, body, "before").status_code == 200
    with as_job(api.home) as session:
        session.execute(text("UPDATE schools SET up_to_date = false"))
    looks = text("SELECT count(*) FROM looks WHERE action = 'score_stored'")
    try:
        with as_job(api.home) as session:
            seen = session.scalar(looks)
        problem(keyed(api, body, "before"), 409, "answer_changed")
        problem(keyed(api, body | {"stored": stored(api, 1)}, "before"), 422, "key_used")
        with as_job(api.home) as session:
            assert session.scalar(looks) == seen + 2, "whoever is refused has asked for a pupil all the same"
        assert keyed(api, body, "after").status_code == 200
    finally:
        with as_job(api.home) as session:
            session.execute(text("UPDATE schools SET up_to_date = true"))


def test_keys_are_each_callers_own_and_forgotten_after_a_day(api):
    assert keyed(api, request(), "mine").status_code == 200
    other = replace(api, token=grant(api.home, "other"))
    assert keyed(other, request(pupil(id="theirs")), "mine").status_code == 200
    with superuser(api.home) as connection:
        connection.execute("UPDATE posted_keys SET posted_at = posted_at - interval '25 hours'")
    assert keyed(api, request(pupil(id="another day")), "mine").status_code == 200


def test_what_is_said_twice_is_refused(api):
    whole = json.dumps(request())
    for body in (
        whole.replace('"year_group": "9"', '"year_group": "9", "year_group": "10"'),
        whole.replace('{"as_of"', '{"as_of": "2026-06-01", "as_of"'),
    ):
        problem(api.post(body), 400, "said_twice")


def test_what_would_lower_a_posted_pupils_figure_is_what_the_weekly_list_would_say(api):
    """The list works on whole shards and the interface on a handful: both must tell a pupil the same."""
    term = {"start_date": "2026-01-05", "marks": week_of_marks() * 24}
    pupils = [
        pupil(id=str(number), marks_string=term, behaviour=incidents(number), entry_date="2025-09-02")
        for number in range(12)
    ]
    body = request(*pupils)
    said = ScoresAnswer.model_validate_json(api.post(body).content).scores
    deployed = Door(api.home).deployed()
    records = posted(ScoresRequest.model_validate_json(json.dumps(body)), read_school_days(api.home))
    rule = deployed.scorer.rule
    matrix = build(records.history, records.standing.as_ofs(rule.past_weeks + rule.since_weeks))
    scores = scores_of(deployed.scorer, matrix)
    now = matrix.where((matrix.keys["as_of"] == pd.Timestamp(TODAY)).to_numpy(bool))
    listed = why(deployed.scorer, now, at_ease(matrix, scores, rule, TODAY))
    assert sum(one.eased_on is not None for one in listed.values()) > 3
    assert any(one.changes for one in listed.values())
    for number, one in enumerate(said, start=1):
        theirs = listed[number]
        assert one.eased_on == theirs.eased_on
        assert [(c.way, c.sentence, c.share) for c in one.changed] == [
            (c.way, c.sentence, c.share) for c in theirs.changes
        ]
        assert [(v.sentence, v.in_words) for v in one.would_lower] == [
            (v.sentence, in_words(v.probability)) for v in theirs.levers
        ]
        assert [r.sentence for r in one.reasons_for] == [r.sentence for r in theirs.reasons if r.side == "for"]


def incidents(number: int) -> list[dict[str, Any]]:
    """Return a pupil's incidents, none to many, most of them lately."""
    days = ("2026-01-20", "2026-03-03", "2026-06-02", "2026-06-09", "2026-06-10", "2026-06-16", "2026-06-18")
    return [
        {"date": day, "type": "Defiance", "severity": 1 + number % 4} for day in days[-(number % 7) :][: number % 7]
    ]


def test_the_example_is_what_is_answered():
    assert json.loads(ScoresAnswer.model_validate_json(json.dumps(ANSWER)).model_dump_json()) == ANSWER
