"""The log of looks: written with the read or the read fails; edits and cuts are found and named."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework.audit_log import Head, Looked, NotLogged, head, look, look_at_all, verify_chain
from casework.cases import Filters, caseload, pupil_page
from casework.database import connect, looks_key, scoped
from casework.log_checks import check_log, last_head
from casework.looks import Question, looks_query, pupils_known_as, read_log, volumes
from casework.permissions import NotAllowed, Role
from serving.jobs.log_check import HeadRefused, check_looks
from tests.database import (
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
    superuser,
)

NOW = datetime(2026, 6, 22, 9, 0, tzinfo=UTC)


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


def test_each_check_must_find_the_head_of_the_one_before(tampered_home, person):
    five_looks(tampered_home, person)
    with job_session(tampered_home) as session:
        assert last_head(session) is None
        assert check_log(session, looks_key(tampered_home), NOW).ok
        assert last_head(session).seq == 5
    with superuser(tampered_home) as connection:
        connection.execute("ALTER TABLE looks DISABLE TRIGGER USER")
        connection.execute("DELETE FROM looks WHERE seq > 3")
        connection.execute("UPDATE look_head SET seq = 3, hash = (SELECT hash FROM looks WHERE seq = 3)")
    with job_session(tampered_home) as session:
        state = check_log(session, looks_key(tampered_home), NOW)
        assert (state.ok, state.broken_at) == (False, 4)
        # A chain found broken is not what the next check is held against.
        assert last_head(session).seq == 5


def test_a_head_kept_in_a_file_is_held_against_and_brought_up_to_date_only_while_it_holds(
    tampered_home, person, tmp_path
):
    kept = tmp_path / "head.json"
    five_looks(tampered_home, person)
    assert check_looks(tampered_home, kept).ok
    first = json.loads(kept.read_text())
    assert first["looks"] == 5
    five_looks(tampered_home, person)
    assert check_looks(tampered_home, kept).ok
    assert json.loads(kept.read_text())["looks"] == 10
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(HeadRefused, match="holds no head"):
        check_looks(tampered_home, tmp_path / "bad.json")
    kept.write_text(json.dumps({**first, "head": "f" * 64}))
    assert not check_looks(tampered_home, kept).ok
    assert json.loads(kept.read_text())["head"] == "f" * 64


def look_on(home, person, day, pupils):
    """Write looks of a day past the chain's own hand: here only what volumes count matters."""
    with superuser(home) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO looks (seq, at, person_id, action, pupil_id, detail, previous_hash, hash) "
            "SELECT (SELECT greatest(max(seq), 1000) FROM looks) + n, %s, %s, 'see_pupil', "
            "('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, '', '', '' FROM generate_series(1, %s) AS n",
            [day, person.id, pupils],
        )


def volumes_of(home, reader):
    engine = connect(home, "app")
    with scoped(engine, frozenset()) as session:
        found = {one.name: one for one in volumes(session, reader, NOW)}
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("own", "others", "now", "stands_out"),
    [
        ([10, 10], [10], 31, True),  # over three times both
        ([10, 10], [10], 30, False),
        ([10, 10], [20], 31, False),  # usual for the role
        ([11, 11], [2], 31, False),  # usual for them
        ([], [], 20, True),  # somebody new, and nobody else: twenty is what counts
        ([], [], 19, False),
        ([2, 2, 90], [2], 21, True),  # a median, so one week of many changes nothing
    ],
)
def test_who_stands_out_is_far_above_their_own_and_their_roles_usual(casework_home, own, others, now, stands_out):
    someone, other = (make_person(casework_home, Role(name="school_staff", school=NORTH), name=n) for n in ("A", "B"))
    officer = make_person(casework_home, Role(name="data_protection_officer"))
    for who, weeks in ((someone, own), (other, others)):
        for back, pupils in enumerate(weeks, start=1):
            look_on(casework_home, who, NOW - timedelta(days=7 * back + 1), pupils)
    look_on(casework_home, someone, NOW - timedelta(days=1), now)
    look_on(casework_home, someone, NOW - timedelta(days=2), now)  # the same pupils again
    look_on(casework_home, someone, NOW - timedelta(days=64), 500)  # before the eight weeks
    found = volumes_of(casework_home, officer)["A"]
    assert (found.pupils, found.stands_out) == (now, stands_out)


def test_whoever_reads_the_log_sees_every_schools_looks_and_no_pupil(casework_home):
    save_pupils(casework_home, identity(11), identity(22, SOUTH))
    lead = make_person(casework_home, Role(name="school_lead", school=NORTH), name="Lead")
    officer = make_person(casework_home, Role(name="data_protection_officer"))
    pupil = pupil_id(casework_home, 11)
    engine = connect(casework_home, "app")
    with scoped(engine, lead.schools) as session:
        pupil_page(session, lead, pupil, TODAY)
    with scoped(engine, frozenset()) as session:
        with pytest.raises(NotAllowed, match="read the log of looks"):
            read_log(session, lead, Question())
        assert session.execute(text("SELECT count(*) FROM looks")).scalar_one() == 0
    with scoped(engine, frozenset()) as session:
        assert pupils_known_as(session, officer, [11, 33]) == {pupil}
        lines, more = read_log(session, officer, Question(pupils=frozenset({pupil})))
        assert [(one.who, one.action, one.pupil, more) for one in lines] == [("Lead", "see_pupil", pupil, False)]
        assert session.execute(text("SELECT count(*) FROM pupils")).scalar_one() == 0
    with scoped(engine, None) as session:
        assert session.execute(text("SELECT action, pupil_id FROM looks ORDER BY seq")).all()[-1] == (
            "see_looks",
            pupil,
        )
    with scoped(engine, frozenset()) as session:
        # Without the log's own setting the function knows nobody.
        assert session.execute(text("SELECT belong_pupils_known_as('{11}')")).all() == []
    engine.dispose()


def test_a_million_looks_are_read_by_index(casework_home, person):
    """Each question of the log is answered from an index: no plan reads the whole table."""
    with superuser(casework_home) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO looks (seq, at, person_id, action, pupil_id, detail, previous_hash, hash) "
            "SELECT n, timestamptz '2026-01-01' + n * interval '1 minute', gen_random_uuid(), 'see_pupil', "
            "gen_random_uuid(), '', '', '' FROM generate_series(1, 20000) AS n"
        )
        connection.execute("ANALYZE looks")
    engine = connect(casework_home, "app")
    with scoped(engine, None) as session:
        for asked in (
            Question(pupils=frozenset({uuid.uuid4()})),
            Question(person=uuid.uuid4()),
            Question(day=date(2026, 1, 3)),
            Question(before=700),
            Question(),
        ):
            query = looks_query(asked).limit(51).compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            plan = session.execute(text("EXPLAIN " + str(query).replace(":", r"\:"))).scalars().all()
            assert not [line for line in plan if "Seq Scan on looks" in line], "\n".join(plan)
    engine.dispose()
