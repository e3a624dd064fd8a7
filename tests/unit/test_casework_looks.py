"""The log of looks: written with the read or the read fails; edits and cuts are found and named."""

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework.audit_log import Head, Looked, NotLogged, head, look, look_at_all, verify_chain
from casework.cases import Filters, caseload, pupil_page
from casework.database import connect, looks_key, scoped
from casework.permissions import Role
from tests.database import (
    NORTH,
    TODAY,
    identity,
    make_person,
    publication,
    publish_now,
    pupil_id,
    save_pupils,
    superuser,
)


@pytest.fixture
def person(casework_home):
    return make_person(casework_home, Role(name="school_lead", school=NORTH))


def five_looks(home, person):
    engine = connect(home, "app")
    for number in range(5):
        with scoped(engine, frozenset({NORTH})) as session:
            look(session, person, "see_pupil", pupil_id=uuid.UUID(int=number), school=NORTH)
    with scoped(engine, None) as session:
        exported = head(session)
    engine.dispose()
    return exported


def verified(home, exported=None):
    engine = connect(home, "app")
    with scoped(engine, None) as session:
        state = verify_chain(session, looks_key(home), exported)
    engine.dispose()
    return state


def test_an_untouched_chain_holds(casework_home, person):
    exported = five_looks(casework_home, person)
    state = verified(casework_home, exported)
    assert (state.ok, state.looks, state.head, state.broken_at) == (True, 5, exported, None)


def test_an_empty_chain_holds(casework_home):
    assert verified(casework_home, Head(seq=0, hash="0" * 64)).ok


@pytest.mark.parametrize(
    ("change", "broken_at", "words"),
    [
        ("UPDATE looks SET action = 'nothing' WHERE seq = 3", 3, "look 3 was changed"),
        ("UPDATE looks SET at = at + interval '1 second' WHERE seq = 1", 1, "look 1 was changed"),
        ("UPDATE looks SET person_id = gen_random_uuid() WHERE seq = 5", 5, "look 5 was changed"),
        ("UPDATE looks SET pupil_id = gen_random_uuid() WHERE seq = 2", 2, "look 2 was changed"),
        ("UPDATE looks SET school_urn = 9 WHERE seq = 4", 4, "look 4 was changed"),
        ("UPDATE looks SET detail = 'x' WHERE seq = 4", 4, "look 4 was changed"),
        ("DELETE FROM looks WHERE seq = 2", 2, "look 2 is missing"),
        ("DELETE FROM looks WHERE seq >= 4", 4, "looks 4 to 5 were cut off"),
    ],
)
def test_a_change_by_someone_with_every_power_is_found_and_named(tampered_home, person, change, broken_at, words):
    five_looks(tampered_home, person)
    with superuser(tampered_home) as connection:
        connection.execute("ALTER TABLE looks DISABLE TRIGGER USER")
        connection.execute(change)
    state = verified(tampered_home)
    assert not state.ok
    assert state.broken_at == broken_at
    assert words in state.sentence


def test_a_cut_that_also_winds_back_the_head_is_found_by_the_exported_head(tampered_home, person):
    exported = five_looks(tampered_home, person)
    with superuser(tampered_home) as connection:
        connection.execute("ALTER TABLE looks DISABLE TRIGGER USER")
        connection.execute("DELETE FROM looks WHERE seq > 3")
        connection.execute("UPDATE look_head SET seq = 3, hash = (SELECT hash FROM looks WHERE seq = 3)")
    assert verified(tampered_home).ok  # in itself the shorter chain holds: this is why a head is exported
    state = verified(tampered_home, exported)
    assert (state.ok, state.broken_at) == (False, 4)
    assert "looks 4 to 5 were cut off" in state.sentence


def test_a_chain_written_anew_after_a_cut_is_not_the_exported_one(tampered_home, person):
    exported = five_looks(tampered_home, person)
    with superuser(tampered_home) as connection:
        connection.execute("ALTER TABLE looks DISABLE TRIGGER USER")
        connection.execute("DELETE FROM looks WHERE seq > 3")
        connection.execute("UPDATE look_head SET seq = 3, hash = (SELECT hash FROM looks WHERE seq = 3)")
        connection.execute("ALTER TABLE looks ENABLE TRIGGER USER")
    five_looks(tampered_home, person)
    state = verified(tampered_home, exported)
    assert (state.ok, state.broken_at) == (False, 5)


@pytest.mark.parametrize("statement", ["UPDATE looks SET detail = ''", "DELETE FROM looks", "TRUNCATE looks"])
def test_even_the_owner_cannot_change_looks(casework_home, person, statement):
    five_looks(casework_home, person)
    engine = connect(casework_home, "owner")
    with pytest.raises(DBAPIError, match="looks is append-only"), scoped(engine, None) as session:
        session.execute(text(statement))
    engine.dispose()


def test_a_look_that_does_not_follow_the_last_is_refused(casework_home, person):
    """A web process that was taken over cannot fork the chain or start it anew."""
    five_looks(casework_home, person)
    engine = connect(casework_home, "app")
    for seq in (1, 5, 7):
        with pytest.raises(DBAPIError, match="does not follow"), scoped(engine, None) as session:
            session.execute(
                text(
                    "INSERT INTO looks (seq, at, person_id, action, detail, previous_hash, hash) "
                    "VALUES (:seq, now(), gen_random_uuid(), 'x', '', repeat('0', 64), 'x')"
                ),
                {"seq": seq},
            )
    engine.dispose()


def test_if_looks_cannot_be_written_the_read_fails(tampered_home, person):
    save_pupils(tampered_home, identity(11))
    publish_now(tampered_home, publication({11: NORTH}, flagged=(11,)))
    pupil = pupil_id(tampered_home, 11)
    with superuser(tampered_home) as connection:
        connection.execute("REVOKE INSERT ON looks FROM belong_app")
    engine = connect(tampered_home, "app")
    for read in (lambda s: caseload(s, person, Filters(), TODAY), lambda s: pupil_page(s, person, pupil, TODAY)):
        with pytest.raises(DBAPIError, match="permission denied"), scoped(engine, person.schools) as session:
            read(session)
    engine.dispose()


def test_a_session_without_a_key_cannot_log(casework_home, person):
    engine = connect(casework_home, "app")
    plain = engine.execution_options(looks_key=None)
    with pytest.raises(NotLogged, match="no key"), Session(plain) as session:
        look(session, person, "see_pupil")
    engine.dispose()


def test_several_looks_are_chained_in_order(casework_home, person):
    engine = connect(casework_home, "app")
    with scoped(engine, frozenset({NORTH})) as session:
        look_at_all(session, person, [Looked(action="listed", school=NORTH, detail=str(n)) for n in range(50)])
        look_at_all(session, person, [])
    with scoped(engine, frozenset({NORTH})) as session:
        details = session.execute(text("SELECT detail FROM looks ORDER BY seq")).scalars().all()
    engine.dispose()
    assert details == [str(n) for n in range(50)]
    assert verified(casework_home).looks == 50
