"""Where a file may stand: the steps as data, taken by people or by the job, and never by two at once."""

import uuid

import pytest
from sqlalchemy.exc import DBAPIError

from casework.database import connect, scoped
from casework.permissions import Role
from casework.rules import RuleBroken
from casework.upload_states import OVER, UPLOAD_STATES, UPLOAD_STEPS, may_step
from casework.uploads import NoSuchUpload, Received, move, receive, step, upload_of, uploads_in
from tests.database import NORTH, SOUTH, identity, make_person, publication, publish_now, save_pupils


@pytest.fixture
def lead(casework_home):
    """The lead of the northern school, where the southern is another's."""
    save_pupils(casework_home, identity(11, NORTH), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 22: SOUTH}, flagged=(11, 22)))
    return make_person(casework_home, Role(name="school_lead", school=NORTH))


@pytest.fixture
def app(casework_home):
    """The web process's engine."""
    engine = connect(casework_home, "app")
    yield engine
    engine.dispose()


def a_file(size=3):
    return Received(id=uuid.uuid4(), size=size, digest="ab" * 32, key=b"k")


def test_every_state_is_reached_and_left_or_final():
    assert {one.end for one in UPLOAD_STEPS} | {"sent"} == set(UPLOAD_STATES)
    for state in UPLOAD_STATES:
        ways = [one for one in UPLOAD_STEPS if state in one.starts]
        assert (not ways) == (state in OVER)
    # A person never says what the job alone can know, and the job never confirms.
    assert not any(may_step("checked", end, person=False) for end in ("taking_in", "confirmed", "landed"))
    assert not any(may_step("taking_in", end, person=True) for end in UPLOAD_STATES)


def test_a_step_that_somebody_took_meanwhile_is_not_taken_twice(app, lead):
    with scoped(app, frozenset({NORTH})) as session:
        one = a_file()
        receive(session, lead, NORTH, "SIMS", [one])
        upload = upload_of(session, lead, one.id)
        step(session, lead, upload, "withdrawn")
        with pytest.raises(RuleBroken, match="moved on"):
            step(session, lead, upload, "withdrawn")
        assert upload_of(session, lead, one.id).key is None


def test_the_job_takes_no_step_that_is_a_persons(casework_home, app, lead):
    with scoped(app, frozenset({NORTH})) as session:
        receive(session, lead, NORTH, "SIMS", [a_file()])
    engine = connect(casework_home, "job")
    with scoped(engine, None) as session:
        (upload,) = uploads_in(session, "sent")
        with pytest.raises(ValueError, match="the job takes no upload from 'sent' to 'withdrawn'"):
            move(session, upload, "withdrawn")
    engine.dispose()


@pytest.mark.parametrize(
    ("system", "files", "says"),
    [
        ("", [a_file()], "Select the system"),
        ("SIMS", [], "Choose one or more files"),
        ("SIMS", [a_file(size=0)], "is empty"),
        ("SIMS", [a_file() for _ in range(41)], "no more than 40 may"),
    ],
)
def test_what_cannot_be_received_is_said(app, lead, system, files, says):
    with scoped(app, frozenset({NORTH})) as session, pytest.raises(RuleBroken, match=says):
        receive(session, lead, NORTH, system, files)


def test_another_school_is_not_there_and_steps_stay_as_written(app, lead):
    one = a_file()
    with scoped(app, frozenset({NORTH})) as session:
        with pytest.raises(NoSuchUpload):
            receive(session, lead, SOUTH, "SIMS", [a_file()])
        receive(session, lead, NORTH, "SIMS", [one])
    with scoped(app, frozenset({SOUTH})) as session, pytest.raises(NoSuchUpload):
        upload_of(session, lead, one.id)
    for statement in ("UPDATE upload_steps SET state = 'landed'", "DELETE FROM upload_steps"):
        with pytest.raises(DBAPIError, match="permission denied"), app.begin() as connection:
            connection.exec_driver_sql(statement)
    with pytest.raises(DBAPIError, match="permission denied"), app.begin() as connection:
        connection.exec_driver_sql("UPDATE uploads SET findings = '{}'")
