"""Learning reviews: what opens one and how often, what a correction does, and who may see or change what."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.database import connect, scoped
from casework.lookback_opening import Happened, Reconciled, list_code, reconcile, to_open
from casework.lookback_words import STATES, STEPS
from casework.lookbacks import NoSuchLookback, lookback, lookbacks
from casework.permissions import Role
from casework.tables_flags import ScoreRow
from records.history import known
from serving.jobs.lookbacks import happened, weeks_before
from tests.database import (
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    make_person,
    publication,
    publish_now,
    save_pupils,
)
from tests.factories import SCHOOL, history, term_calendar
from tests.lookbacks_made_up import made_weeks

ON = TODAY - timedelta(days=30)
NOTHING = Reconciled(opened=0, redated=0, withdrawn=0, restored=0)


@pytest.fixture
def home(casework_home):
    """Two schools with a pupil each."""
    save_pupils(casework_home, identity(11, NORTH), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 22: SOUTH}))
    return casework_home


def event(on=ON, pupil=11, school=NORTH, kind="long"):
    return Happened(pupil=pupil, school=school, kind=kind, on=on)


def night(home, *events):
    with job_session(home) as session:
        weeks = {(one.pupil, one.school, one.on): made_weeks(one.on) for one in to_open(session, events)}
        return reconcile(session, events, weeks, TODAY)


def stands(home):
    """Return (first day, state) of every look-back, as a network lead reads it."""
    person, engine = make_person(home, Role(name="network_lead")), connect(home, "app")
    with scoped(engine, None) as session:
        found = [(one.event_on, one.state) for one in lookbacks(session, person)]
    engine.dispose()
    return sorted(found)


class TestOpening:
    def test_one_for_each_event_however_often_the_night_comes(self, home):
        assert night(home, event(), event(pupil=22, school=SOUTH)).opened == 2
        assert night(home, event(), event(pupil=22, school=SOUTH)) == NOTHING

    def test_a_corrected_first_day_is_the_same_look_back(self, home):
        night(home, event())
        assert night(home, event(ON + timedelta(days=3))).redated == 1
        assert night(home, event(ON + timedelta(days=3))) == NOTHING
        assert stands(home) == [(ON + timedelta(days=3), "waiting")]

    def test_a_deleted_event_is_withdrawn_and_comes_back_if_the_records_do(self, home):
        night(home, event())
        assert night(home).withdrawn == 1
        assert night(home) == NOTHING
        assert stands(home) == [(ON, "withdrawn")]
        assert night(home, event()).restored == 1
        assert stands(home) == [(ON, "waiting")]

    def test_a_permanent_exclusion_and_more_than_ten_sessions_open_one(self):
        rows = [
            {"pupil": 1, "start_date": ON, "sessions": 10},
            {"pupil": 2, "start_date": ON, "sessions": 11},
            {"pupil": 3, "start_date": ON, "sessions": None, "category": "PERM"},
            {"pupil": 4, "start_date": ON - timedelta(days=100), "sessions": 20},
        ]
        there = known(history(suspensions=rows, calendars=term_calendar()), TODAY)["suspensions"]
        found = happened(there, ON - timedelta(days=1))
        assert [(one.pupil, one.kind) for one in found] == [(2, "long"), (3, "permanent")]

    def test_weeks_are_as_they_were_known_at_the_next_list(self):
        """Of two incidents of one week, one was written down three weeks later."""
        monday = date(2026, 5, 4)
        rows = [
            {"pupil": 1, "event_id": "a", "date": monday, "known_on": monday},
            {"pupil": 1, "event_id": "b", "date": monday, "known_on": monday + timedelta(days=21)},
            {"pupil": 2, "event_id": "c", "date": monday, "known_on": monday},
        ]
        made = history(behaviour=rows, calendars=term_calendar(), enrolments=[{"pupil": 1}])
        listed = {monday + timedelta(days=7): "no_rise"}
        weeks = weeks_before(made, event(date(2026, 5, 20), pupil=1, school=SCHOOL), listed, TODAY)
        found = {week["start"]: week for week in weeks}
        assert (found["2026-05-04"]["incidents"], found["2026-05-04"]["later"]) == (1, 1)
        assert found["2026-05-11"]["belong"] == "no_rise"
        assert len(weeks) == 21


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"abstain": "objection"}, "not_scored:objection"),
        ({"flagged": True, "eligible": True, "rise_margin": 0.2}, "flagged"),
        ({"snoozed": True, "eligible": True, "rise_margin": 0.2}, "snoozed"),
        ({"eligible": True, "rise_margin": 0.2}, "beyond_capacity"),
        ({"rise_margin": None}, "too_short"),
        ({"rise_margin": -0.1}, "no_rise"),
        ({"rise_margin": 0.1}, "below_level"),
    ],
)
def test_why_a_pupil_was_or_was_not_on_a_list(given, code):
    row = {"abstain": None, "flagged": False, "snoozed": False, "eligible": False, "rise_margin": None}
    assert list_code(ScoreRow(**(row | given))) == code


def test_every_step_leads_from_and_to_states_there_are():
    for step in STEPS.values():
        assert step.starts <= STATES.keys()
        assert step.end in {*STATES, ""}


class TestSecurity:
    def test_a_school_sees_its_own_and_another_is_not_there(self, home):
        night(home, event(), event(pupil=22, school=SOUTH))
        lead, engine = make_person(home, Role(name="school_lead", school=NORTH)), connect(home, "app")
        with scoped(engine, None) as session:
            theirs = session.execute(text(f"SELECT id FROM lookbacks WHERE school_urn = {SOUTH}")).scalar_one()
        with scoped(engine, lead.schools) as session:
            assert [one.school for one in lookbacks(session, lead)] == [NORTH]
            with pytest.raises(NoSuchLookback):
                lookback(session, lead, theirs, TODAY)
        engine.dispose()

    @pytest.mark.parametrize("role", ["app", "job", "owner"])
    def test_raw_sql_is_scoped_by_school(self, home, role):
        night(home, event(), event(pupil=22, school=SOUTH))
        night(home)
        engine = connect(home, role)
        for schools, rows in ((frozenset({NORTH}), 1), (frozenset(), 0), (None, 2)):
            with scoped(engine, schools) as session:
                for table in ("lookbacks", "lookback_steps"):
                    assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == rows
        engine.dispose()

    @pytest.mark.parametrize("statement", ["UPDATE lookbacks SET kind = 'long'", "DELETE FROM lookbacks"])
    def test_nothing_is_changed_in_place(self, home, statement):
        night(home, event())
        with pytest.raises(DBAPIError), job_session(home) as session:
            session.execute(text(statement))
