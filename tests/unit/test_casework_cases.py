"""The list, the page, the own view first, two people saving at once, the form sent twice."""

import threading
import uuid
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from sqlalchemy import event, text

from casework.cases import (
    Filters,
    LastReview,
    NewDecision,
    NewView,
    NoSuchCase,
    caseload,
    pupil_page,
    record_decision,
    record_view,
)
from casework.database import connect, scoped
from casework.deployments import record_deployment, revoke
from casework.explanation import SCHOOL_HELD, VIEW_FIRST, WITHDRAWN
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken, StaleCase
from tests.database import (
    DIGEST,
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    make_person,
    publication,
    publish_now,
    pupil_id,
    save_pupils,
)

WHY = "We spoke last week and a mentor has started."


@pytest.fixture
def home(casework_home):
    """Pupils 11, 12 (north) and 22 (south); 11 and 22 are on the list."""
    save_pupils(casework_home, identity(11), identity(12), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 12: NORTH, 22: SOUTH}, flagged=(11, 22)))
    return casework_home


@pytest.fixture
def amina(home):
    return make_person(home, Role(name="school_staff", school=NORTH), name="Amina Example")


@pytest.fixture
def bola(home):
    return make_person(home, Role(name="school_lead", school=NORTH), name="Bola Example")


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


def listed(app, person, today=TODAY, **filters):
    with scoped(app, person.schools) as session:
        return caseload(session, person, Filters(**filters), today)


def page(app, person, pupil, today=TODAY):
    with scoped(app, person.schools) as session:
        return pupil_page(session, person, pupil, today)


def view_of(shown, **changes):
    given = NewView(
        case_id=shown.case.id,
        opinion="new_needs_conversation",
        why=WHY,
        version=shown.case.version,
        idempotency_key=uuid.uuid4().hex,
    )
    return replace(given, **changes)


def save_view(app, person, new, today=TODAY):
    with scoped(app, person.schools) as session:
        return record_view(session, person, new, today)


def decision_of(shown, **changes):
    given = NewDecision(
        case_id=shown.case.id,
        reasons_changed_view=False,
        action="conversation",
        version=shown.case.version,
        idempotency_key=uuid.uuid4().hex,
        review_on=TODAY + timedelta(days=14),
    )
    return replace(given, **changes)


def save_decision(app, person, new, today=TODAY):
    with scoped(app, person.schools) as session:
        return record_decision(session, person, new, today)


def looks(app):
    with scoped(app, None) as session:
        return session.execute(text("SELECT action, pupil_id, school_urn, detail FROM looks ORDER BY seq")).all()


def test_the_list_has_the_schools_pupils_with_counts_before_and_after(app, amina):
    """Late marks: 2+1+2+1 = 6 after 1+0+0+0 = 1. Removals: 0+1+1+1 = 3 after 0."""
    found = listed(app, amina)
    (line,) = found.lines
    assert (line.name, line.year_group, line.school_name) == ("Pupil11 Example", "8", "North Example School")
    assert line.facts == (
        "Late marks 6 in the last 4 weeks, 1 in the 4 before",
        "Removals from lessons 3 in the last 4 weeks, 0 in the 4 before",
    )
    assert (line.on_list_since, line.state, line.last_review, line.overdue) == (TODAY, "open", None, False)
    assert (found.on_roll, found.data_to, found.year_groups) == (2, date(2026, 6, 19), ("8",))


def test_nothing_of_the_score_is_in_the_list_or_in_the_page_before_an_own_view(app, amina, home):
    shown = repr(listed(app, amina)) + repr(page(app, amina, pupil_id(home, 11)))
    hidden = "0.29|29 in 100|rising|probability=0|rank|cut_off|sentence 1|changed 1|were again|check_sample"
    for word in hidden.split("|"):
        assert word not in shown


def test_a_check_sample_pupil_looks_the_same_as_a_flagged_one(casework_home):
    save_pupils(casework_home, identity(11), identity(12))
    flags = pd.DataFrame(
        {
            "pupil": [11, 12],
            "rising_since": [pd.Timestamp("2026-06-01"), pd.NaT],
            "expires_on": pd.Timestamp("2026-08-03"),
            "check_sample": [False, True],
            "eased_on": pd.NaT,
            "eased": None,
        }
    )
    publish_now(casework_home, publication({11: NORTH, 12: NORTH}, flagged=(11,), flags=flags))
    person = make_person(casework_home, Role(name="school_staff", school=NORTH))
    engine = connect(casework_home, "app")
    first, second = listed(engine, person).lines
    engine.dispose()
    told_apart = {"case_id", "pupil_id", "name"}
    assert {k: v for k, v in vars(first).items() if k not in told_apart} == {
        k: v for k, v in vars(second).items() if k not in told_apart
    }


def test_the_list_asks_the_database_as_often_for_many_pupils_as_for_one(casework_home):
    many = dict.fromkeys(range(1, 31), NORTH)
    save_pupils(casework_home, *(identity(p) for p in many))
    person = make_person(casework_home, Role(name="school_staff", school=NORTH))
    engine = connect(casework_home, "app")
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for flagged, as_of in (((1,), TODAY), (tuple(range(2, 31)), TODAY + timedelta(days=7))):
        publish_now(casework_home, publication(many, flagged=flagged, as_of=as_of))
        asked.clear()
        lines = listed(engine, person).lines
        counts.append((len(lines), len(asked)))
    engine.dispose()
    assert [lines for lines, _ in counts] == [1, 30]
    assert counts[0][1] == counts[1][1] < 12


def test_filters(app, amina, home):
    assert len(listed(app, amina, state="open", year_group="8", school=NORTH, changed_since=TODAY).lines) == 1
    assert listed(app, amina, state="viewed").lines == ()
    assert listed(app, amina, year_group="9").lines == ()
    assert listed(app, amina, school=SOUTH).lines == ()
    assert listed(app, amina, changed_since=TODAY + timedelta(days=1)).lines == ()
    with pytest.raises(RuleBroken, match="No such state"):
        listed(app, amina, state="risky")


def test_the_list_is_logged_with_every_pupil_on_it(app, amina, home):
    listed(app, amina)
    assert looks(app) == [("see_caseload", None, None, "1 pupils"), ("listed", pupil_id(home, 11), NORTH, "")]


def test_another_schools_pupil_is_not_there_and_the_attempt_is_logged(app, amina, home):
    theirs = pupil_id(home, 22)
    assert page(app, amina, theirs) is None
    assert page(app, amina, uuid.UUID(int=7)) is None
    assert [(action, pupil) for action, pupil, _, _ in looks(app)] == [
        ("pupil_not_in_scope", theirs),
        ("pupil_not_in_scope", uuid.UUID(int=7)),
    ]


def test_scope_is_also_kept_by_the_query_when_row_level_security_is_open(app, amina, home):
    """A session opened for every school by mistake still gives a school's person their school only."""
    with scoped(app, None) as session:
        assert [line.school for line in caseload(session, amina, Filters(), TODAY).lines] == [NORTH]
        assert pupil_page(session, amina, pupil_id(home, 22), TODAY) is None


def test_the_page_before_the_own_view(app, amina, home):
    shown = page(app, amina, pupil_id(home, 11))
    assert (shown.explanation, shown.withheld, shown.own_view) == (None, VIEW_FIRST, None)
    assert len(shown.weeks) == 12
    assert [(event.what, event.place) for event in shown.events] == [("Removed from a lesson", "Classroom")]
    assert shown.what_changed == (
        "Late marks 6 in the last 4 weeks, 1 in the 4 before",
        "Removals from lessons 3 in the last 4 weeks, 0 in the 4 before",
    )
    assert shown.going_well == (
        "In school for 40 of 40 sessions in the last 4 weeks",
        "Incidents: none in the last 4 weeks",
    )
    assert shown.unknowns == (
        "Achievements: none are recorded, which may mean that nobody writes them down",
        "What the pupil and their family say: not asked yet",
    )
    assert (shown.case.may_record_view, shown.case.may_record_decision) == (True, False)
    assert looks(app)[-1] == ("see_pupil", pupil_id(home, 11), NORTH, "without explanation")


def test_the_explanation_comes_with_the_own_view_and_for_that_person_only(app, amina, bola, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil)))
    shown = page(app, amina, pupil)
    assert shown.withheld is None
    assert (shown.own_view.opinion, shown.own_view.why) == ("new_needs_conversation", WHY)
    found = shown.explanation
    assert (found.probability, found.probability_words) == (0.29, "about 29 in 100")
    assert (found.base_rate_words, found.horizon_weeks) == ("about 2 in 100", 6)
    assert found.outcome_words == "suspended or excluded"
    assert found.rising_since == date(2026, 6, 1)
    assert [reason.sentence for reason in found.reasons_for] == ["sentence 1"]
    assert [reason.sentence for reason in found.reasons_against] == ["sentence 2"]
    assert looks(app)[-1].detail == "with explanation"

    theirs = page(app, bola, pupil)
    assert (theirs.explanation, theirs.withheld) == (None, VIEW_FIRST)
    assert [(review.by, review.text) for review in theirs.reviews] == [("Amina Example", None)]
    assert [(review.text, review.recorded_on) for review in shown.reviews] == [(WHY, TODAY)]


def test_the_own_view_holds_for_its_week(app, amina, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil)))
    assert page(app, amina, pupil, TODAY + timedelta(days=6)).explanation is not None
    assert page(app, amina, pupil, TODAY + timedelta(days=7)).explanation is None


def test_a_withdrawn_model_explains_nothing(app, amina, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil)))
    job = connect(home, "job")
    now = pd.Timestamp.now("UTC").to_pydatetime()
    with scoped(job, None) as session:
        record_deployment(session, DIGEST, "approval", now)
        revoke(session, DIGEST, "calibration drifted", now)
    job.dispose()
    shown = page(app, amina, pupil)
    assert (shown.explanation, shown.withheld) == (None, WITHDRAWN)


def test_a_list_of_five_weeks_ago_explains_nothing_and_one_of_three_weeks_still_does(app, amina, home):
    pupil = pupil_id(home, 11)
    for weeks, hidden in ((3, False), (5, True)):
        day = TODAY + timedelta(weeks=weeks)
        save_view(app, amina, view_of(page(app, amina, pupil, day), idempotency_key=f"week {weeks}"), day)
        shown = page(app, amina, pupil, day)
        assert (shown.explanation is None) == hidden
    assert "Scores are hidden until there is a new one." in shown.withheld


def test_a_school_in_doubt_shows_what_is_recorded_and_no_figure(app, amina, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil)))
    with job_session(home) as session:
        session.execute(text("UPDATE schools SET up_to_date = false"))
    shown = page(app, amina, pupil)
    assert (shown.explanation, shown.withheld, bool(shown.weeks)) == (None, SCHOOL_HELD, True)


def test_the_second_reviewer_is_told_who_saved_first_and_nothing_is_saved(app, amina, bola, home):
    pupil = pupil_id(home, 11)
    shown = page(app, amina, pupil)
    save_view(app, bola, view_of(shown))
    with pytest.raises(StaleCase, match="Bola Example saved a review just now") as told:
        save_view(app, amina, view_of(shown))
    assert "kept below" in told.value.sentence
    assert len(page(app, amina, pupil).reviews) == 1


def test_a_form_sent_twice_is_saved_once(app, amina, home):
    pupil = pupil_id(home, 11)
    new = view_of(page(app, amina, pupil))
    assert not save_view(app, amina, new).repeated
    assert save_view(app, amina, new).repeated
    shown = page(app, amina, pupil)
    assert (len(shown.reviews), shown.case.version) == (1, 2)
    decided = decision_of(shown)
    assert not save_decision(app, amina, decided).repeated
    assert save_decision(app, amina, decided).repeated
    assert len(page(app, amina, pupil).reviews) == 2


def test_two_clicks_at_the_same_moment_save_once(app, amina, home):
    new = view_of(page(app, amina, pupil_id(home, 11)))
    saved = []

    def click():
        saved.append(save_view(app, amina, new).repeated)

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert sorted(saved) == [False, True]


def test_a_forms_number_serves_one_person_and_one_case(app, amina, bola, home):
    shown = page(app, amina, pupil_id(home, 11))
    new = view_of(shown)
    save_view(app, amina, new)
    with pytest.raises(RuleBroken, match="already used"):
        save_view(app, bola, new)
    for key in ("", "x" * 101, "nul\x00"):
        with pytest.raises(RuleBroken, match="lost its number"):
            save_view(app, amina, replace(new, idempotency_key=key))


def test_a_decision_follows_the_own_view_and_moves_the_case(app, amina, home):
    pupil = pupil_id(home, 11)
    shown = page(app, amina, pupil)
    with pytest.raises(RuleBroken, match="own view first"):
        save_decision(app, amina, decision_of(shown))
    save_view(app, amina, view_of(shown))
    shown = page(app, amina, pupil)
    assert shown.case.state == "viewed"
    assert shown.case.may_record_decision
    save_decision(app, amina, decision_of(shown, reasons_that_do_not_fit=(2, 1), note="After lunch, with her tutor"))
    shown = page(app, amina, pupil)
    assert (shown.case.state, shown.case.review_on) == ("support_offered", TODAY + timedelta(days=14))
    with scoped(app, None) as session:
        row = session.execute(text("SELECT reasons_that_do_not_fit, note FROM decisions")).one()
    assert row == ([1, 2], "After lunch, with her tutor")
    (line,) = listed(app, amina).lines
    assert (line.last_review, line.overdue) == (LastReview(by="Amina Example", on=TODAY), False)
    (line,) = listed(app, amina, today=TODAY + timedelta(days=15)).lines
    assert line.overdue


def test_wrong_records_are_decided_as_such(app, amina, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil), opinion="records_wrong"))
    save_decision(app, amina, decision_of(page(app, amina, pupil), action="none_now", review_on=None))
    assert page(app, amina, pupil).case.state == "records_wrong"


def test_reasons_that_are_not_shown_cannot_be_ticked(app, amina, home):
    pupil = pupil_id(home, 11)
    save_view(app, amina, view_of(page(app, amina, pupil)))
    with pytest.raises(RuleBroken, match="shown on the page"):
        save_decision(app, amina, decision_of(page(app, amina, pupil), reasons_that_do_not_fit=(3,)))


def test_a_case_of_another_school_is_not_there(app, amina, home):
    south = make_person(home, Role(name="school_staff", school=SOUTH))
    theirs = page(app, south, pupil_id(home, 22))
    with pytest.raises(NoSuchCase):
        save_view(app, amina, view_of(theirs))
    with scoped(app, None) as session, pytest.raises(NoSuchCase):
        record_view(session, amina, view_of(theirs), TODAY)


@pytest.mark.parametrize("role", ["network_lead", "data_scientist", "board_member", "administrator"])
def test_those_who_do_not_work_with_the_pupil_record_nothing(app, home, amina, role):
    person = make_person(home, Role(name=role))
    shown = page(app, amina, pupil_id(home, 11))
    with pytest.raises((NotAllowed, NoSuchCase)):
        save_view(app, person, view_of(shown))
