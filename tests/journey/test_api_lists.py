"""Lists, changes and histories over HTTP: what a school's own system may pull."""

import json
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from serving.api import examples
from serving.api.list_answers import ChangesAnswer, HistoryAnswer, ListsAnswer
from serving.api.token import TokenAnswer
from tests.database import pupil_id
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.journey.api import SECRET_VALUE, Listing, as_job, problem, running_lists


@pytest.fixture(scope="module")
def listing() -> Iterator[Listing]:
    with running_lists() as found:
        yield found


def test_the_list_with_facts_only(listing):
    answer = listing.api.get("flags", token=listing.facts)
    assert answer.status_code == 200, answer.text
    said = ListsAnswer.model_validate_json(answer.content)
    assert len(said.pupils) == 2
    assert said.next is None
    assert {one.school for one in said.pupils} == {SCHOOL}
    assert all(one.on_list and one.facts and one.since == TODAY for one in said.pupils)
    bare = [{**one.model_dump(), "pupil": "", "updated_at": ""} for one in said.pupils]
    assert bare[0] == bare[1]
    for word in ("probab", "0.29", "sentence 1", "Punctuality", "T0000", "Example"):
        assert word not in answer.text


def test_the_list_with_scores(listing):
    said = ListsAnswer.model_validate_json(listing.api.get("flags", token=listing.scores).content)
    one = next(one for one in said.pupils if one.pupil == pupil_id(listing.api.home, 1))
    assert (one.score.probability, one.score.in_words, one.score.usual) == (0.29, "about 29 in 100", 0.02)
    assert [reason.sentence for reason in one.score.reasons_for] == ["sentence 1"]
    assert one.score.would_lower[0].in_words == "about 14 in 100"
    assert one.score.changed[0].way == "up"
    assert (one.upn, one.score_withheld) == ("T000000000001", None)
    assert "not causes" in said.notices[0]
    assert sum(one.score.drawn_at_random for one in said.pupils) == 1


def test_pages_are_walked_with_a_cursor_that_fits_one_question(listing):
    first = listing.api.get("flags", token=listing.facts, limit=1).json()
    second = listing.api.get("flags", token=listing.facts, limit=1, cursor=first["next"]).json()
    assert {one["pupil"] for one in first["pupils"] + second["pupils"]} == {
        str(pupil_id(listing.api.home, number)) for number in (1, 2)
    }
    assert second["next"] is None
    for path, token, parameters in (
        ("changes", listing.facts, {}),
        ("flags", listing.scores, {}),
        ("flags", listing.facts, {"school": SCHOOL}),
    ):
        answer = listing.api.get(path, token=token, cursor=first["next"], **parameters)
        assert problem(answer, 422, "fields_wrong")["errors"][0]["field"] == "cursor"
    for cursor in (SECRET_VALUE, "é", "x" * 600):
        answer = listing.api.get("flags", token=listing.facts, cursor=cursor)
        problem(answer, 422, "fields_wrong")
        assert cursor not in answer.text


def test_the_feed_goes_on_where_it_was_left(listing):
    first = ChangesAnswer.model_validate_json(listing.api.get("changes", token=listing.facts).content)
    assert [one.what for one in first.changes] == ["joined", "joined"]
    assert not first.more
    again = listing.api.get("changes", token=listing.facts, cursor=first.next).json()
    assert again["changes"] == []
    with as_job(listing.api.home) as session:
        session.execute(
            text("UPDATE cases SET state = 'closed', closed_on = :day WHERE pupil_id = :pupil"),
            {"day": TODAY, "pupil": pupil_id(listing.api.home, 2)},
        )
    later = listing.api.get("changes", token=listing.facts, cursor=again["next"]).json()
    assert [(one["what"], one["pupil"]["on_list"]) for one in later["changes"]] == [("left", False)]
    with as_job(listing.api.home) as session:
        session.execute(text("UPDATE cases SET state = 'open', closed_on = NULL WHERE state = 'closed'"))


@pytest.mark.parametrize(
    ("parameters", "status", "field"),
    [
        ({"limit": 0}, 422, "limit"),
        ({"limit": 201}, 422, "limit"),
        ({"limit": "NaN"}, 422, "limit"),
        ({"school": SECRET_VALUE}, 422, "school"),
        ({"school": "1e999"}, 422, "school"),
        ({"school": 10**30}, 422, "school"),
        ({"updated_after": "yesterday"}, 422, "updated_after"),
        ({"updated_after": "2026-06-15T06:00:00"}, 422, "updated_after"),
        ({"updated_after": "0001-01-01T00:00:00+23:59"}, 422, "updated_after"),
        ({"updated_after": "9999-12-31T23:59:59-23:59"}, 422, "updated_after"),
        ({"school": OTHER_SCHOOL}, 404, None),
        ({"school": 123456}, 404, None),
        ({"updated_after": "2026-06-15T06:00:00Z"}, 200, None),
    ],
)
def test_parameters_are_named_and_never_repeated(listing, parameters, status, field):
    answer = listing.api.get("flags", token=listing.facts, **parameters)
    assert answer.status_code == status, answer.text
    assert SECRET_VALUE not in answer.text
    if field is not None:
        assert problem(answer, 422, "fields_wrong")["errors"][0]["field"] == field


def test_a_history_and_whose_it_is_not(listing):
    mine, others = (pupil_id(listing.api.home, number) for number in (1, 3))
    said = HistoryAnswer.model_validate_json(listing.api.get(f"pupils/{mine}/history", token=listing.facts).content)
    assert len(said.weeks) == 12
    assert (said.scores, said.upn, said.events[0].what) == (None, None, "Removed from a lesson")
    whole = listing.api.get(f"pupils/{mine}/history", token=listing.scores).json()
    assert [(one["probability"], one["rising"]) for one in whole["scores"]] == [(0.29, True)]
    hidden = problem(listing.api.get(f"pupils/{others}/history", token=listing.facts), 404, "no_such_pupil")
    assert hidden == problem(
        listing.api.get(f"pupils/{uuid.uuid4()}/history", token=listing.facts), 404, "no_such_pupil"
    )
    problem(listing.api.get("pupils/nobody/history", token=listing.facts), 422, "fields_wrong")
    with as_job(listing.api.home) as session:
        last = session.execute(text("SELECT * FROM looks ORDER BY seq DESC LIMIT 1")).mappings().one()
    assert (last["action"], last["detail"]) == ("see_history", "no such pupil in scope")


def test_a_list_that_cannot_be_logged_is_not_given(listing, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET_VALUE)

    monkeypatch.setattr("casework.lists_read.look_at_all", fail)
    answer = listing.api.get("flags", token=listing.facts)
    problem(answer, 500, "failed")
    assert SECRET_VALUE not in answer.text


def test_where_nothing_may_serve_lists_stay_and_scores_go(listing):
    file = listing.api.folder() / "envelope.json"
    whole = file.read_bytes()
    file.unlink()
    try:
        said = listing.api.get("flags", token=listing.scores).json()
        plain = listing.api.get("flags", token=listing.facts).json()
        history = listing.api.get(f"pupils/{pupil_id(listing.api.home, 1)}/history", token=listing.scores).json()
    finally:
        file.write_bytes(whole)
    assert {one["score_withheld"]["code"] for one in said["pupils"]} == {"signature_missing"}
    assert all(one["score"] is None and one["facts"] for one in said["pupils"])
    assert any(notice.startswith("Belong is not scoring") for notice in said["notices"])
    assert [one["score_withheld"] for one in plain["pupils"]] == [None, None]
    assert [(one["probability"], one["withheld"]["code"]) for one in history["scores"]] == [(None, "signature_missing")]


def test_the_examples_are_what_is_answered():
    for model, example in (
        (TokenAnswer, examples.TOKEN),
        (ListsAnswer, examples.LISTS),
        (ChangesAnswer, examples.CHANGES),
        (HistoryAnswer, examples.HISTORY),
    ):
        made = model.model_validate_json(json.dumps(example))
        assert json.loads(made.model_dump_json()) == example
