"""What another system reads: lists, the feed of their changes, one pupil's history; each pupil a look."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import select, text

from casework.callers import Integration
from casework.database import connect, scoped
from casework.deployments import record_deployment, revoke
from casework.explanation import explanation_of, explanations_of, latest_flag
from casework.freshness import Withheld
from casework.lists_read import Asked, read_changes, read_lists
from casework.privacy.gathered import IN_THE_DATABASE
from casework.recorded_history import read_history
from casework.tables_flags import FlagRow
from records.rights.holding import Subject
from tests.database import (
    DIGEST,
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    publication,
    publish_now,
    pupil_id,
    save_pupils,
    school_weeks,
    weekly_facts,
)

CALLER = Integration(
    client_id="mis",
    name="A school's system",
    scopes=frozenset({"lists:read"}),
    schools=frozenset({NORTH}),
    expires_on=TODAY,
    calls_per_minute=600,
    secret=uuid.uuid4(),
)
SCORING = replace(CALLER, scopes=frozenset({"lists:read", "scores:read", "upns:read"}))
PUPILS = {1: NORTH, 2: NORTH, 3: SOUTH, 4: NORTH}
NEXT = TODAY + timedelta(days=7)


@pytest.fixture
def home(casework_home):
    save_pupils(casework_home, *(identity(number, school) for number, school in PUPILS.items()))
    with_sample = publication(PUPILS, flagged=(1, 2, 3))
    # Pupil 2 is of the check sample: on the list for no reason of the model's.
    sample = with_sample.flags.assign(check_sample=with_sample.flags["pupil"] == 2)
    publish_now(casework_home, replace(with_sample, flags=sample))
    return casework_home


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


def lists(app, caller=CALLER, today=TODAY, refused=None, **asked):
    with scoped(app, caller.schools) as session:
        return read_lists(session, caller, Asked(**asked), today, refused)


def changes(app, caller=CALLER, **asked):
    with scoped(app, caller.schools) as session:
        return read_changes(session, caller, Asked(**asked), TODAY)


def looks(home):
    with job_session(home) as session:
        return session.execute(text("SELECT * FROM looks ORDER BY seq")).all()


def publish_next(home, flagged=(), pupils=PUPILS, **changed):
    """Publish a week later, where pupil 1 was late more often."""
    later = publication(pupils, flagged, as_of=NEXT, **changed)
    weeks = [
        weekly_facts(one, school_weeks(13, NEXT - timedelta(days=7)), late_marks=[0] * 12 + [3 * (one == 1)])
        for one in pupils
    ]
    return publish_now(home, replace(later, weekly_facts=pd.concat(weeks)))


def test_flagged_pupils_and_the_check_sample_look_the_same(home, app):
    rows = lists(app).rows
    assert {row.pupil_id for row in rows} == {pupil_id(home, 1), pupil_id(home, 2)}
    same = [
        (row.since, row.until, row.left_on, row.facts, row.explanation, row.withheld, row.upn, row.year_group)
        for row in rows
    ]
    assert same[0] == same[1]
    assert same[0][3] == (
        "Late marks 6 in the last 4 weeks, 1 in the 4 before",
        "Removals from lessons 3 in the last 4 weeks, 0 in the 4 before",
    )
    assert same[0][4:7] == (None, None, None)


def test_scores_come_with_their_scope_and_numbers_with_theirs(home, app):
    rows = {row.pupil_id: row for row in lists(app, SCORING).rows}
    one, sample = rows[pupil_id(home, 1)], rows[pupil_id(home, 2)]
    assert one.explanation.probability == 0.29
    assert [reason.sentence for reason in one.explanation.reasons_for] == ["sentence 1"]
    assert [lever.probability_words for lever in one.explanation.levers] == ["about 14 in 100"]
    assert (one.explanation.check_sample, sample.explanation.check_sample) == (False, True)
    assert one.upn == "T000000000001"
    assert not hasattr(one, "name")


def test_many_explanations_are_what_each_is_alone(home):
    with job_session(home) as session:
        flags = list(session.scalars(select(FlagRow)))
        together = explanations_of(session, dict.fromkeys(flags, "SS"))
        assert {flag.id: explanation_of(session, flag, "SS") for flag in flags} == together
        assert latest_flag(session, flags[0].pupil_id).id == flags[0].id
        assert explanations_of(session, {}) == {}


def test_each_pupil_told_of_is_a_look(home, app):
    lists(app)
    lists(app, SCORING)
    said = [(row.integration_id, row.action, row.pupil_id, row.school_urn, row.detail) for row in looks(home)]
    assert [one[1] for one in said] == ["see_lists", "listed", "listed"] * 2
    assert {one[2] for one in said if one[1] == "listed"} == {pupil_id(home, 1), pupil_id(home, 2)}
    assert {one[4] for one in said if one[1] == "listed"} == {"facts only", "with score, with number"}
    assert {one[0] for one in said} == {"mis"}


def test_a_school_that_is_not_the_callers_is_not_there(home, app):
    assert lists(app, school=SOUTH).rows == ()
    assert changes(app, school=SOUTH).rows == ()
    # The filter of the query is one lock; the database's own is another.
    everything = replace(CALLER, schools=frozenset({NORTH, SOUTH}))
    with scoped(app, frozenset({NORTH})) as session:
        rows = read_lists(session, everything, Asked(), TODAY).rows
    assert {row.school for row in rows} == {NORTH}
    with scoped(app, frozenset()) as session:
        assert session.execute(text("SELECT count(*) FROM list_changes")).scalar_one() == 0


def test_pages_meet_without_a_gap_and_without_a_double(home, app):
    first = lists(app, most=1)
    second = lists(app, most=1, after=first.last)
    assert (first.more, second.more) == (True, False)
    assert {row.pupil_id for row in (*first.rows, *second.rows)} == {pupil_id(home, 1), pupil_id(home, 2)}
    assert lists(app, after=second.last).rows == ()


def test_the_feed_tells_who_came_stayed_and_left(home, app):
    start = changes(app)
    assert [(row.what, row.listed.left_on) for row in start.rows] == [("joined", None), ("joined", None)]
    assert changes(app, after=start.last).rows == ()
    # A week later: 1 is flagged again with newer facts, 2 has left the school, 4 is new on the list.
    publish_next(home, flagged=(1, 4), pupils={1: NORTH, 3: SOUTH, 4: NORTH})
    later = changes(app, after=start.last)
    said = {(row.what, row.listed.pupil_id) for row in later.rows}
    assert said == {
        ("left", pupil_id(home, 2)),
        ("joined", pupil_id(home, 4)),
        ("again", pupil_id(home, 1)),
        ("facts", pupil_id(home, 1)),
    }
    left = next(row.listed for row in later.rows if row.what == "left")
    assert (left.left_on, left.facts, left.explanation) == (NEXT, (), None)
    assert [row.number for row in later.rows] == sorted(row.number for row in later.rows)
    assert changes(app, after=later.last).rows == ()


def test_facts_that_say_the_same_are_no_change(home, app):
    start = changes(app)
    publish_now(home, publication(PUPILS, flagged=(1, 2, 3)))
    assert changes(app, after=start.last).rows == ()


def test_updated_after_brings_those_who_left_too(home, app):
    moment = datetime.now(UTC)
    assert lists(app, updated_after=moment).rows == ()
    publish_next(home, pupils={1: NORTH, 3: SOUTH, 4: NORTH})
    rows = {row.pupil_id: row for row in lists(app, updated_after=moment).rows}
    assert rows[pupil_id(home, 2)].left_on == NEXT
    assert rows[pupil_id(home, 1)].left_on is None
    assert {row.pupil_id for row in lists(app).rows} == {pupil_id(home, 1)}


def test_a_pupil_who_moved_leaves_only_the_old_list_behind(home, app):
    start = changes(app)
    publish_next(home, flagged=(1,), pupils={1: SOUTH, 2: NORTH, 3: SOUTH, 4: NORTH})
    [moved] = [row for row in changes(app, after=start.last).rows if row.listed.pupil_id == pupil_id(home, 1)]
    assert (moved.what, moved.listed.year_group, moved.listed.facts) == ("left", None, ())
    south = replace(CALLER, schools=frozenset({SOUTH}))
    assert {row.listed.pupil_id for row in changes(app, south).rows} == {pupil_id(home, 1), pupil_id(home, 3)}
    assert read(app, pupil_id(home, 1)) is None


def test_a_case_that_goes_on_at_the_next_school_leaves_one_list_and_joins_the_other(home, app):
    south = replace(CALLER, schools=frozenset({SOUTH}))
    north_before, south_before = changes(app).last, changes(app, south).last
    publish_next(home, pupils={1: SOUTH, 2: NORTH, 3: SOUTH, 4: NORTH}, passes_on=lambda earlier, present: True)
    [gone] = [row for row in changes(app, after=north_before).rows if row.listed.pupil_id == pupil_id(home, 1)]
    assert (gone.what, gone.listed.school, gone.listed.facts, gone.listed.since) == ("left", NORTH, (), None)
    came = [row for row in changes(app, south, after=south_before).rows if row.listed.pupil_id == pupil_id(home, 1)]
    assert [row.what for row in came] == ["joined", "facts"]
    assert came[0].listed.since == TODAY
    assert {row.pupil_id for row in lists(app).rows} == {pupil_id(home, 2)}


@pytest.mark.parametrize(
    ("days", "noticed", "code"), [(14, False, None), (15, True, None), (28, True, None), (29, True, "too_old")]
)
def test_an_old_list_is_told_of_and_then_hides_its_scores(home, app, days, noticed, code):
    read_ = lists(app, SCORING, today=TODAY + timedelta(days=days))
    assert bool(read_.notice) == noticed
    for row in read_.rows:
        assert (row.withheld and row.withheld.code) == code
        assert (row.explanation is None) == (code is not None)
        assert row.facts


def test_a_withdrawn_model_a_doubted_school_or_a_refusal_hides_scores_and_not_lists(home, app):
    refused = Withheld(code="expired", sentence="The approval has ended.")
    assert {row.withheld for row in lists(app, SCORING, refused=refused).rows} == {refused}
    assert {row.withheld for row in lists(app, refused=refused).rows} == {None}
    with job_session(home) as session:
        session.execute(text("UPDATE schools SET up_to_date = false"))
    assert {row.withheld.code for row in lists(app, SCORING).rows} == {"school_held"}
    with job_session(home) as session:
        record_deployment(session, DIGEST, "a", datetime.now(UTC))
        revoke(session, DIGEST, "drift", datetime.now(UTC))
    rows = lists(app, SCORING).rows
    assert {row.withheld.code for row in rows} == {"withdrawn"}
    assert all(row.explanation is None and row.facts for row in rows)
    [score] = read(app, pupil_id(home, 1), SCORING).scores
    assert (score.probability, score.rising, score.withheld.code) == (None, None, "withdrawn")


def read(app, pupil, caller=CALLER):
    with scoped(app, caller.schools) as session:
        return read_history(session, caller, pupil, TODAY)


def test_a_history_is_what_was_recorded(home, app):
    found = read(app, pupil_id(home, 1))
    assert len(found.weeks) == 12
    assert [event.what for event in found.events] == ["Removed from a lesson"]
    assert [(one.since, one.left_on) for one in found.on_list] == [(TODAY, None)]
    assert (found.scores, found.upn) == (None, None)
    scored = read(app, pupil_id(home, 1), SCORING)
    assert [(one.probability, one.rising) for one in scored.scores] == [(0.29, True)]
    assert scored.upn == "T000000000001"


def test_another_schools_pupil_is_not_found_and_the_look_is_kept(home, app):
    assert read(app, pupil_id(home, 3)) is None
    assert read(app, uuid.uuid4()) is None
    assert [(row.action, row.school_urn, row.detail) for row in looks(home)] == [
        ("see_history", None, "no such pupil in scope")
    ] * 2


def test_an_erased_pupil_is_gone_from_the_feed(home, app):
    owner = connect(home, "owner")
    subject = Subject(pseudonyms=(1,))
    with scoped(owner, None) as session:
        cases = next(holding for holding in IN_THE_DATABASE if holding.name == "cases")
        # The case and its entry in the feed.
        assert cases.find(session, subject) == 2
        for holding in IN_THE_DATABASE:
            holding.erase(session, subject)
    owner.dispose()
    assert {row.listed.pupil_id for row in changes(app).rows} == {pupil_id(home, 2)}
