"""Names are sealed under a key of the pupil's own, also those that stood open before."""

import secrets
from datetime import date

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from casework.database import identities_key, migration_config
from casework.embedded import embedded_url
from casework.names import CannotUnseal, Named, master_key, seal, shown, unseal
from tests.database import NORTH, identity, job_session, names_by_pupil, save_pupils, superuser

MASTER = bytes(range(32))
ZOE = Named(upn="R201100018042", forename="Zoë", surname="O'Neill-Ó", date_of_birth=date(2011, 3, 4))


def test_what_is_sealed_opens_again_and_only_under_both_keys():
    sealed = seal(MASTER, 7, ZOE)
    one_bit_flipped = sealed.identity[:-1] + bytes([sealed.identity[-1] ^ 1])
    assert unseal(MASTER, 7, sealed.identity, sealed.key) == ZOE
    assert unseal(MASTER, 7, sealed.identity, None) is None
    for master, pseudonym, identity_, key in (
        (secrets.token_bytes(32), 7, sealed.identity, sealed.key),
        (MASTER, 8, sealed.identity, sealed.key),
        (MASTER, 7, one_bit_flipped, sealed.key),
        (MASTER, 7, sealed.identity, seal(MASTER, 7, ZOE).key),
    ):
        with pytest.raises(CannotUnseal, match=r"identities\.key is not the one"):
            unseal(master, pseudonym, identity_, key)


def test_the_same_name_is_never_sealed_alike_and_never_printed():
    first, second = seal(MASTER, 7, ZOE), seal(MASTER, 7, ZOE)
    assert first.identity != second.identity
    assert first.key != second.key
    assert "Zoë" not in repr(ZOE)
    assert shown(None) == "Name no longer kept"
    assert shown(ZOE) == "Zoë O'Neill-Ó"


def test_a_name_is_saved_sealed_and_a_newer_one_comes_with_a_newer_key(casework_home):
    query = text("SELECT identity, wrapped FROM pupils JOIN pupil_keys ON pupil_id = id")
    save_pupils(casework_home, identity(11, surname="Quillfeather"))
    with job_session(casework_home) as session:
        before = session.execute(query).one()
    assert b"Quillfeather" not in before.identity
    save_pupils(casework_home, identity(11, surname="Quill", known_on=date(2025, 10, 1)))
    save_pupils(casework_home, identity(11, surname="Older", known_on=date(2025, 9, 15)))
    with job_session(casework_home) as session:
        after = session.execute(query).one()
        assert master_key(session) == identities_key(casework_home)
    assert before.wrapped != after.wrapped
    assert [named.surname for named in names_by_pupil(casework_home).values()] == ["Quill"]


def test_names_that_stood_open_are_sealed_by_the_migration(casework_home):
    """From the second revision, with pupils in it; and the table's file keeps no copy of the names."""
    with superuser(casework_home, "postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS belong_old")
        connection.execute("CREATE DATABASE belong_old OWNER belong_owner")
    options = {"identities_key": identities_key(casework_home)}
    engine = create_engine(embedded_url(casework_home, "owner").set(database="belong_old"), execution_options=options)
    try:
        with engine.begin() as connection:
            command.upgrade(migration_config(connection), "0002")
            connection.execute(text("SELECT set_config('belong.schools', '*', true)"))
            connection.execute(text(f"INSERT INTO schools (urn, name, phase) VALUES ({NORTH}, 'North', 'SS')"))
            connection.execute(
                text(
                    "INSERT INTO pupils (pseudonym, upn, forename, surname, date_of_birth, year_group, school_urn, "
                    f"known_on) SELECT n, 'UPN' || n, 'Fore' || n, 'Quillfeather', NULL, '8', {NORTH}, '2025-09-01' "
                    "FROM generate_series(1, 3) AS n"
                )
            )
        with engine.begin() as connection:
            command.upgrade(migration_config(connection), "0003")
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('belong.schools', '*', false)"))
            rows = connection.execute(
                text("SELECT pseudonym, identity, wrapped FROM pupils JOIN pupil_keys ON pupil_id = id ORDER BY 1")
            ).all()
            path = connection.execute(text("SELECT pg_relation_filepath('pupils')")).scalar_one()
    finally:
        engine.dispose()
    named = [unseal(options["identities_key"], *row) for row in rows]
    assert [(one.upn, one.forename, one.date_of_birth) for one in named] == [
        (f"UPN{n}", f"Fore{n}", None) for n in (1, 2, 3)
    ]
    with superuser(casework_home, "postgres") as connection:
        connection.execute("CHECKPOINT")
        assert b"Quillfeather" not in (casework_home.postgres / path).read_bytes()
        connection.execute("DROP DATABASE belong_old WITH (FORCE)")
