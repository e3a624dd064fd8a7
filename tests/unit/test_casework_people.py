"""People, sessions, deployments: who is let in, and until when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from casework.cases import Filters, caseload, pupil_page
from casework.database import connect, scoped
from casework.deployments import (
    StoredAudit,
    audit_of,
    audits,
    current_audit,
    current_deployment,
    record_deployment,
    revoke,
    save_audit,
)
from casework.people import NewPerson, add_person, end_person, find_person, person_by_id
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken, TrainingNeeded
from casework.sessions import end_session, end_sessions_of, find_session, start_session
from tests.database import NORTH, SOUTH, TODAY, identity, make_person, pupil_id, save_pupils

NOW = datetime(2026, 6, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def job(casework_home):
    engine = connect(casework_home, "job")
    yield engine
    engine.dispose()


@pytest.fixture
def app(casework_home):
    engine = connect(casework_home, "app")
    yield engine
    engine.dispose()


def test_a_person_is_found_by_issuer_and_subject_with_the_roles_of_today(job, app):
    new = NewPerson(
        issuer="https://a.test",
        subject="1",
        name="Amina Example",
        email="amina@school.test",
        roles=(Role(name="school_lead", school=NORTH), Role(name="school_staff", school=SOUTH)),
        roles_expire_on=date(2026, 7, 1),
    )
    with scoped(job, None) as session:
        person_id = add_person(session, new)
    with scoped(app, frozenset()) as session:
        person = find_person(session, "https://a.test", "1", date(2026, 7, 1))
        assert (person.id, person.schools) == (person_id, frozenset({NORTH, SOUTH}))
        assert find_person(session, "https://a.test", "1", date(2026, 7, 2)).roles == ()
        assert find_person(session, "https://b.test", "1", TODAY) is None
        assert find_person(session, "https://a.test", "amina@school.test", TODAY) is None


def test_a_role_taken_away_is_gone_at_the_next_request(job, app):
    new = NewPerson(issuer="i", subject="s", name="n", roles=(Role(name="school_lead", school=NORTH),))
    with scoped(job, None) as session:
        person_id = add_person(session, new)
        assert add_person(session, replace(new, roles=(Role(name="board_member"),))) == person_id
    with scoped(app, frozenset()) as session:
        assert person_by_id(session, person_id, TODAY).roles == (Role(name="board_member"),)
    with scoped(job, None) as session:
        end_person(session, person_id)
    with scoped(app, frozenset()) as session:
        assert person_by_id(session, person_id, TODAY) is None


@pytest.fixture
def person_id(casework_home):
    return make_person(casework_home, Role(name="board_member")).id


@pytest.mark.parametrize(
    ("seen_after", "found_after", "good"),
    [
        (None, timedelta(minutes=29, seconds=59), True),
        (None, timedelta(minutes=30), False),
        (timedelta(minutes=29), timedelta(minutes=58), True),
        (timedelta(minutes=29), timedelta(minutes=59), False),
        (timedelta(seconds=30), timedelta(minutes=30), False),  # seen within the minute: not written again
    ],
)
def test_a_session_ends_when_idle(app, person_id, seen_after, found_after, good):
    with scoped(app, frozenset()) as session:
        token = start_session(session, person_id, NOW).token
        if seen_after is not None:
            assert find_session(session, token, NOW + seen_after) is not None
    with scoped(app, frozenset()) as session:
        assert (find_session(session, token, NOW + found_after) is not None) == good


def test_a_session_ends_after_ten_hours_however_busy(app, person_id):
    with scoped(app, frozenset()) as session:
        started = start_session(session, person_id, NOW)
        for minutes in range(20, 600, 20):
            assert find_session(session, started.token, NOW + timedelta(minutes=minutes)) is not None
        assert find_session(session, started.token, NOW + timedelta(hours=10)) is None


def test_a_cookie_after_sign_out_opens_nothing_and_the_table_holds_no_cookie(app, person_id):
    with scoped(app, frozenset()) as session:
        first, second = (start_session(session, person_id, NOW) for _ in range(2))
        assert first.token != second.token
        assert find_session(session, first.token, NOW).csrf_secret == first.csrf_secret
        stored = session.execute(text("SELECT id_hash FROM sign_in_sessions")).scalars().all()
        assert first.token not in stored
        assert find_session(session, stored[0], NOW) is None
        end_session(session, first.token, NOW)
        assert find_session(session, first.token, NOW) is None
        assert find_session(session, second.token, NOW).person_id == person_id
        end_sessions_of(session, person_id, NOW)
        assert find_session(session, second.token, NOW) is None
        assert first.token not in repr(first)


def in_session(app, person_id):
    with scoped(app, frozenset()) as session:
        return start_session(session, person_id, NOW).token


def still_open(app, token):
    with scoped(app, frozenset()) as session:
        return find_session(session, token, NOW) is not None


LEAD_AND_MEMBER = (Role(name="school_lead", school=NORTH), Role(name="board_member"))


@pytest.mark.parametrize(
    "changed",
    [
        {"roles": LEAD_AND_MEMBER[:1]},
        {"roles": (*LEAD_AND_MEMBER, Role(name="school_staff", school=SOUTH))},
        {"roles": ()},
        {"roles_expire_on": TODAY + timedelta(days=1)},
        {"training_on": None},
        {"training_on": TODAY - timedelta(days=400)},
    ],
)
def test_a_session_ends_with_the_roles_and_the_training_that_it_was_begun_under(job, app, changed):
    """Whoever changes them, and on whatever page: the database ends it."""
    new = NewPerson(issuer="i", subject="s", name="n", roles=LEAD_AND_MEMBER, training_on=TODAY)
    with scoped(job, None) as session:
        person_id = add_person(session, new)
        other_id = add_person(session, replace(new, subject="other"))
    mine, theirs = in_session(app, person_id), in_session(app, other_id)
    with scoped(job, None) as session:
        add_person(session, replace(new, **changed))
    assert not still_open(app, mine)
    assert still_open(app, theirs)


def test_a_session_ends_with_the_person_and_goes_on_where_training_is_taken(job, app, person_id):
    token = in_session(app, person_id)
    with scoped(job, None) as session:
        session.execute(text("UPDATE people SET training_on = '2026-06-22', name = 'Another name'"))
    assert still_open(app, token)
    with scoped(job, None) as session:
        end_person(session, person_id)
    assert not still_open(app, token)


def audit(digest, **changes):
    given = StoredAudit(
        bundle_digest=digest,
        verdict="NOT_SETTLED",
        created_on=TODAY,
        is_current=False,
        payload={"view": {"verdict": "NOT_SETTLED"}},
        envelope=None,
    )
    return replace(given, **changes)


def test_what_serves_is_the_bundle_deployed_last_until_it_is_revoked(job):
    with scoped(job, None) as session:
        assert current_deployment(session) is None
        save_audit(session, audit("a" * 64))
        save_audit(session, audit("b" * 64, created_on=TODAY + timedelta(days=1)))
        record_deployment(session, "a" * 64, "approval-a", NOW)
        record_deployment(session, "b" * 64, "approval-b", NOW + timedelta(days=1))
        assert current_deployment(session).approval_id == "approval-b"
        assert current_audit(session).bundle_digest == "b" * 64
        assert revoke(session, "b" * 64, "drift", NOW + timedelta(days=2))
        assert not revoke(session, "b" * 64, "again", NOW + timedelta(days=3))
        # The older bundle does not step in by itself: nobody approved that.
        assert current_deployment(session) is None
        assert current_audit(session) is None
        with pytest.raises(RuleBroken, match="was revoked; audit the candidate again"):
            record_deployment(session, "b" * 64, "approval-b", NOW + timedelta(days=4))
        record_deployment(session, "b" * 64, "approval-c", NOW + timedelta(days=4))
        assert current_deployment(session).approval_id == "approval-c"
        record_deployment(session, "a" * 64, "approval-d", NOW + timedelta(days=5))
        assert current_deployment(session).approval_id == "approval-d"


def test_audits_are_listed_newest_first_and_signed_later(job, app):
    with scoped(job, None) as session:
        save_audit(session, audit("a" * 64))
        save_audit(session, audit("b" * 64, created_on=TODAY + timedelta(days=1)))
        save_audit(session, audit("a" * 64, verdict="WAIVED", envelope={"payload": "x"}, is_current=True))
    with scoped(app, frozenset()) as session:
        assert [(a.bundle_digest[0], a.verdict, a.signed, a.is_current) for a in audits(session)] == [
            ("b", "NOT_SETTLED", False, False),
            ("a", "WAIVED", True, True),
        ]
        assert audit_of(session, "a" * 64).payload == {"view": {"verdict": "NOT_SETTLED"}}
        assert audit_of(session, "c" * 64) is None


def test_no_list_and_no_page_without_current_training(casework_home, app):
    save_pupils(casework_home, identity(11))
    staff = Role(name="school_staff", school=NORTH)
    for trained_on in (None, TODAY - timedelta(days=365)):
        person = make_person(casework_home, staff, training_on=trained_on)
        with scoped(app, person.schools) as session:
            with pytest.raises(TrainingNeeded, match="training"):
                caseload(session, person, Filters(), TODAY)
            with pytest.raises(TrainingNeeded, match="training"):
                pupil_page(session, person, pupil_id(casework_home, 11), TODAY)
            assert session.execute(text("SELECT count(*) FROM looks")).scalar_one() == 0


def test_a_data_scientist_sees_no_pupil_through_either_lock(casework_home, app):
    save_pupils(casework_home, identity(11))
    person = make_person(casework_home, Role(name="data_scientist"))
    assert person.schools == frozenset()
    with scoped(app, person.schools) as session:
        with pytest.raises(NotAllowed, match="look at a list of pupils"):
            caseload(session, person, Filters(), TODAY)
        assert session.execute(text("SELECT count(*) FROM pupils")).scalar_one() == 0
