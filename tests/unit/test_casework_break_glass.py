"""The administrator of last resort: made, tried, paused, each code good once, removed; and what it may never be."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.break_glass import (
    FREE_TRIES,
    ISSUER,
    WRONG,
    is_made,
    last_used,
    make_account,
    pause_after,
    remove_account,
    try_account,
)
from casework.database import connect, scoped
from casework.names import CannotUnseal
from casework.people import NewPerson, add_person, person_by_id
from casework.permissions import PERMISSIONS, Role, may
from casework.sessions import find_session, start_session
from tests.database import NORTH, TODAY, job_session, superuser

NOW = datetime(2026, 6, 22, 9, 0, 10, tzinfo=UTC)


@pytest.fixture
def made(casework_home):
    with job_session(casework_home) as session:
        return make_account(session, NOW)


@pytest.fixture
def app(casework_home):
    engine = connect(casework_home, "app")
    yield engine
    engine.dispose()


def code_at(made, moment):
    return pyotp.TOTP(made.code_key).at(moment)


def tried(app, password, code, moment=NOW):
    """Try once, in a transaction of its own as a request is."""
    with scoped(app, frozenset()) as session:
        return try_account(session, password, code, moment, TODAY)


def log_of(home):
    with job_session(home) as session:
        return session.scalars(text("SELECT detail FROM looks WHERE action = 'break_glass' ORDER BY seq")).all()


def test_there_is_none_until_it_is_made(app):
    with scoped(app, frozenset()) as session:
        assert not is_made(session)
        assert last_used(session) is None
    assert tried(app, "anything", "000000").sentence == WRONG


def test_password_and_code_open_it_and_each_use_stands_in_the_log(casework_home, made, app):
    assert tried(app, made.password, code_at(made, NOW)).person.roles == (Role(name="administrator"),)
    with scoped(app, frozenset()) as session:
        assert last_used(session) == NOW
    as_read_aloud = made.password.replace("-", " ").lower()
    later = NOW + timedelta(minutes=2)
    assert tried(app, as_read_aloud, f" {code_at(made, later)[:3]} {code_at(made, later)[3:]} ", later).person
    assert log_of(casework_home) == ["made", "signed in", "signed in"]


def test_it_sees_no_pupil_and_can_be_given_no_other_role(casework_home, made, app):
    person = tried(app, made.password, code_at(made, NOW)).person
    assert person.schools == frozenset()
    with_pupils = {"see_pupil", "see_caseload", "see_names", "take_away", "record_view", "answer_rights", "see_records"}
    assert with_pupils <= PERMISSIONS.keys()
    assert not [permission for permission in with_pupils if may(person, permission)]
    more = NewPerson(issuer=ISSUER, subject="administrator", name="x", roles=(Role(name="school_lead", school=NORTH),))
    with pytest.raises(DBAPIError, match="an administrator and nothing else"), job_session(casework_home) as session:
        add_person(session, more)
    with superuser(casework_home) as database, pytest.raises(Exception, match="an administrator and nothing else"):
        database.execute("UPDATE person_roles SET role = 'network_lead' WHERE person_id = %s", [person.id])


def test_nothing_that_opens_it_is_kept_in_the_clear(casework_home, made):
    with job_session(casework_home) as session:
        row = session.execute(text("SELECT * FROM break_glass")).mappings().one()
    assert row["password_hash"].startswith("$argon2id$")
    whole = repr(dict(row)) + repr(made)
    for secret in (made.password, made.password.replace("-", ""), made.code_key):
        assert secret not in whole
        assert secret.encode() not in bytes(row["code_key"])
    assert len(set(made.password.replace("-", ""))) > 8
    assert made.code_key in made.address


def test_it_does_not_open_under_another_home_s_key(casework_home, made):
    engine = connect(casework_home, "app").execution_options(identities_key=b"k" * 32)
    with pytest.raises(CannotUnseal, match="make the account anew"), scoped(engine, frozenset()) as session:
        try_account(session, made.password, code_at(made, NOW), NOW, TODAY)
    engine.dispose()


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_phone_s_clock_may_be_half_a_minute_off(made, app, seconds):
    assert tried(app, made.password, code_at(made, NOW + timedelta(seconds=seconds))).person


@pytest.mark.parametrize("seconds", [-60, 60])
def test_and_no_more_than_that(made, app, seconds):
    assert tried(app, made.password, code_at(made, NOW + timedelta(seconds=seconds))).sentence == WRONG


def test_a_code_is_good_once_and_an_older_one_never_again(made, app):
    before, code = code_at(made, NOW - timedelta(seconds=30)), code_at(made, NOW)
    assert tried(app, made.password, code).person
    assert tried(app, made.password, code).sentence == WRONG
    assert tried(app, made.password, before).sentence == WRONG
    following = NOW + timedelta(seconds=30)
    assert tried(app, made.password, code, following).sentence == WRONG
    assert tried(app, made.password, code_at(made, following), following).person


def test_which_of_the_two_was_wrong_is_not_said(made, app):
    said = {tried(app, made.password, "000000").sentence, tried(app, "wrong", code_at(made, NOW)).sentence}
    assert said == {tried(app, "", "").sentence} == {WRONG}


def test_after_five_tries_a_pause_that_grows_holds_even_for_the_right_password(casework_home, made, app):
    for _ in range(FREE_TRIES):
        assert tried(app, "wrong", "000000").sentence == WRONG
    assert "Wait until 09:01 UTC" in tried(app, made.password, code_at(made, NOW)).sentence
    over = NOW + timedelta(minutes=1)
    assert tried(app, "wrong", "000000", over).sentence == WRONG
    assert "Wait until 09:03 UTC" in tried(app, made.password, code_at(made, over), over).sentence
    over += timedelta(minutes=2)
    assert tried(app, made.password, code_at(made, over), over).person
    # What was tried in a pause is not looked at, so nobody fills the log with it.
    assert log_of(casework_home) == ["made", *["refused"] * 6, "signed in"]
    assert tried(app, "wrong", "000000", over).sentence == WRONG, "after a success five are free again"


def test_pauses_double_up_to_a_day():
    lengths = [pause_after(failures, NOW) for failures in (4, 5, 6, 7, 15, 16, 10_000)]
    minutes = [None if one is None else (one - NOW) / timedelta(minutes=1) for one in lengths]
    assert minutes == [None, 1, 2, 4, 1024, 1440, 1440]


def test_made_anew_the_old_opens_nothing_and_its_session_is_over(casework_home, made, app):
    person = tried(app, made.password, code_at(made, NOW)).person
    with scoped(app, frozenset()) as session:
        started = start_session(session, person.id, NOW)
    with job_session(casework_home) as session:
        anew = make_account(session, NOW)
    assert (anew.password, anew.code_key) != (made.password, made.code_key)
    assert tried(app, made.password, code_at(made, NOW)).sentence == WRONG
    with scoped(app, frozenset()) as session:
        assert find_session(session, started.token, NOW) is None
    assert tried(app, anew.password, code_at(anew, NOW)).person.id == person.id


def test_removed_it_is_gone_with_its_session_and_its_person(casework_home, made, app):
    person = tried(app, made.password, code_at(made, NOW)).person
    with scoped(app, frozenset()) as session:
        started = start_session(session, person.id, NOW)
    with job_session(casework_home) as session:
        assert remove_account(session, NOW)
        assert not remove_account(session, NOW)
    assert tried(app, made.password, code_at(made, NOW)).sentence == WRONG
    with scoped(app, frozenset()) as session:
        assert find_session(session, started.token, NOW) is None
        assert person_by_id(session, person.id, TODAY) is None
    assert log_of(casework_home)[-1] == "removed"


def test_the_web_process_can_neither_make_nor_change_what_opens_it(made, app):
    for statement in (
        "INSERT INTO break_glass SELECT * FROM break_glass",
        "DELETE FROM break_glass",
        "UPDATE break_glass SET password_hash = '$argon2id$'",
        "UPDATE break_glass SET person_id = person_id",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), scoped(app, frozenset()) as session:
            session.execute(text(statement))
