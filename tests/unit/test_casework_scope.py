"""School scope is held by the database itself: raw SQL, a wrong role, a pupil pushed out of sight."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from casework.database import UnsafeRole, check_role, connect, looks_key, migrate, migration_config, scoped
from casework.embedded import SUPERUSER, embedded_url
from casework.migrations.versions import (
    v0002_security,
    v0003_sealed_names,
    v0004_then_and_now,
    v0007_integrations,
    v0009_voice_and_correction,
    v0010_every_day,
    v0012_uploads,
    v0016_support,
    v0022_partners,
)
from casework.permissions import Role
from records.home import create_home
from tests.database import (
    NORTH,
    SOUTH,
    identity,
    make_person,
    publication,
    publish_now,
    remove_home,
    save_pupils,
    superuser,
)

SCOPED = {
    *v0002_security.SCOPED,
    *v0003_sealed_names.SCOPED,
    *v0004_then_and_now.SCOPED,
    *v0007_integrations.SCOPED,
    *v0009_voice_and_correction.SCOPED,
}

BY_SCHOOL = {"supports", "support_versions"}

EVERY_DAY = """
WITH colleague AS (
  INSERT INTO people (issuer, subject, name) VALUES ('i', 'colleague-{school}', 'Colleague') RETURNING id
)
INSERT INTO covers (school_urn, away_id, covering_id, from_on, until_on, arranged_by, arranged_at)
  SELECT {school}, '{person}', id, '2026-06-22', '2026-06-26', '{person}', now() FROM colleague;
INSERT INTO term_dates (school_urn, kind, name, start_on, end_on, withdrawn, entered_by, entered_on, entered_at)
  VALUES ({school}, 'inset', 'Training day', '2026-06-26', '2026-06-26', false, '{person}', '2026-06-22', now());
INSERT INTO school_doubts VALUES ({school}, 'stale', '2026-06-22', 'A sentence.', 'A remedy.', true);
"""

SAID = """
INSERT INTO snoozes (pupil_id, school_urn, case_id, person_id, until_on, why, recorded_on, recorded_at)
  SELECT pupil_id, school_urn, id, '{person}', '2026-07-01', 'a reason that is long enough', '2026-06-22', now()
  FROM cases WHERE school_urn = {school};
INSERT INTO fresh_starts (pupil_id, school_urn, person_id, from_on, why, recorded_at)
  SELECT id, school_urn, '{person}', '2026-06-22', 'a reason that is long enough', now()
  FROM pupils WHERE school_urn = {school};
INSERT INTO voices (pupil_id, school_urn, person_id, whose, said, asked_on, recorded_at, idempotency_key)
  SELECT id, school_urn, '{person}', 'pupil', 'I like Art.', '2026-06-22', now(), id::text
  FROM pupils WHERE school_urn = {school};
WITH asked AS (
  INSERT INTO challenges (pupil_id, school_urn, person_id, whose, about, said, received_on, recorded_at,
    idempotency_key)
  SELECT id, school_urn, '{person}', 'family', 'records', 'It is wrong.', '2026-06-22', now(), id::text
  FROM pupils WHERE school_urn = {school} RETURNING id
)
INSERT INTO challenge_steps (challenge_id, number, school_urn, person_id, step, answer, taken_on, recorded_at)
  SELECT id, 1, {school}, '{person}', 'correct', 'The register was put right.', '2026-06-22', now() FROM asked;
"""

BROUGHT = """
WITH upload AS (
  INSERT INTO uploads (id, school_urn, sent_by, sent_at, system, size, digest, state, moved_at)
  VALUES (gen_random_uuid(), {school}, '{person}', now(), 'sims', 1, repeat('0', 64), 'sent', now()) RETURNING id
)
INSERT INTO upload_steps (upload_id, school_urn, state, at) SELECT id, {school}, 'sent', now() FROM upload;
"""


SUPPORT = """
WITH offered AS (
  INSERT INTO supports (pupil_id, school_urn) SELECT id, school_urn FROM pupils WHERE school_urn = {school} RETURNING id
)
INSERT INTO support_versions (support_id, version, school_urn, kind, provider, offered_on, standing, note, person_id,
  recorded_on, recorded_at, idempotency_key)
  SELECT id, 1, {school}, 'mentoring', '', '2026-06-22', 'waiting', '', '{person}', '2026-06-22', now(), id::text
  FROM offered;
WITH made AS (INSERT INTO programmes (made_by, made_at) VALUES ('{person}', now()) RETURNING id)
INSERT INTO programme_versions (programme_id, version, name, funder, start_on, end_on, kinds, schools, budget_pounds,
  person_id, recorded_on, recorded_at)
  SELECT id, 1, 'Mentors', 'A trust', '2026-01-05', '2026-07-20', '{{mentoring}}', '{{{school}}}', 100, '{person}',
  '2026-01-05', now() FROM made;
"""


@pytest.fixture
def two_schools(casework_home):
    """A pupil in each school, both flagged, each with a view and a decision on their case."""
    save_pupils(casework_home, identity(11, NORTH), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 22: SOUTH}, flagged=(11, 22)))
    person = make_person(casework_home, Role(name="school_lead", school=NORTH))
    with superuser(casework_home) as connection:
        connection.execute(
            "INSERT INTO views (case_id, person_id, week, opinion, why, recorded_on, recorded_at, "
            "idempotency_key) SELECT id, %s, '2026-06-22', 'no_concern', 'a reason long enough', '2026-06-22', now(), "
            "id::text FROM cases",
            [person.id],
        )
        connection.execute(
            "INSERT INTO decisions (case_id, person_id, reasons_changed_view, reasons_that_do_not_fit, action, note, "
            "recorded_on, recorded_at, idempotency_key) "
            "SELECT id, %s, false, '{}', 'mentor', '', '2026-06-22', now(), id::text FROM cases",
            [person.id],
        )
        for school in (NORTH, SOUTH):
            for statement in (
                (EVERY_DAY + SAID + BROUGHT + SUPPORT).format(school=school, person=person.id).split(";")[:-1]
            ):
                connection.execute(statement)
    return casework_home


@pytest.mark.parametrize(
    "table",
    sorted(
        {*SCOPED, *v0010_every_day.SCOPED, *v0012_uploads.SCOPED, *BY_SCHOOL, "programme_versions"}
        - {"rights_decisions"}
    ),
)
@pytest.mark.parametrize("role", ["app", "job", "owner"])
def test_raw_sql_sees_one_school_only_whatever_the_role(two_schools, table, role):
    engine = connect(two_schools, role)
    with scoped(engine, None) as session:
        everything = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    with scoped(engine, frozenset({NORTH})) as session:
        north = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    with scoped(engine, frozenset({SOUTH})) as session:
        south = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    with scoped(engine, frozenset()) as session:
        nobody = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    with engine.connect() as unset:
        without = unset.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    engine.dispose()
    assert north == south == everything / 2 > 0
    assert nobody == without == 0


def test_the_setting_ends_with_its_transaction(two_schools):
    """The same pooled connection, next transaction: nothing of the scope before is left."""
    engine = connect(two_schools, "app")
    with scoped(engine, None) as session:
        first = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with engine.connect() as connection:
        again = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        assert connection.execute(text("SELECT count(*) FROM pupils")).scalar_one() == 0
    engine.dispose()
    assert first == again


def test_a_pupil_cannot_be_moved_or_added_out_of_scope(two_schools):
    engine = connect(two_schools, "job")
    for statement in (
        f"UPDATE pupils SET school_urn = {SOUTH} WHERE pseudonym = 11",
        f"INSERT INTO pupils SELECT (jsonb_populate_record(pupils, '{{\"school_urn\": {SOUTH}}}')).* FROM pupils",
    ):
        with pytest.raises(DBAPIError, match="row-level security"), scoped(engine, frozenset({NORTH})) as session:
            session.execute(text(statement))
    with scoped(engine, frozenset({NORTH})) as session:
        moved = session.execute(text(f"UPDATE pupils SET school_urn = {NORTH} WHERE pseudonym = 22"))
        assert moved.rowcount == 0
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pupils SET identity = ''",
        "DELETE FROM pupil_keys",
        "SELECT * FROM rights_decisions",
        "UPDATE scores SET probability = 0",
        "INSERT INTO weekly_facts SELECT * FROM weekly_facts",
        "DELETE FROM views",
        "UPDATE views SET why = 'another reason, quite long'",
        "UPDATE cases SET pupil_id = pupil_id",
        "UPDATE look_head SET seq = 0",
        "UPDATE deployments SET revoked_at = NULL, revoked_reason = NULL",
        "UPDATE person_roles SET role = 'administrator'",
        "DELETE FROM looks",
        "UPDATE covers SET covering_id = away_id",
        "UPDATE term_dates SET withdrawn = false",
        "DELETE FROM school_doubts",
        "SELECT * FROM monday_letters",
        "UPDATE uploads SET findings = '{}'",
        "DELETE FROM upload_steps",
        "UPDATE support_versions SET note = 'another'",
        "DELETE FROM supports",
        "UPDATE partner_actions SET partnership = 'another'",
        "DELETE FROM partner_steps",
        "INSERT INTO partnerships SELECT * FROM partnerships",
        "UPDATE programme_versions SET budget_pounds = 1",
        "INSERT INTO programme_counts SELECT id, 'p', 'school', '1', 'reached', 10 FROM programmes",
        "INSERT INTO look_checks (checked_at, holds, looks, head, sentence) VALUES (now(), true, 0, '', '')",
        "UPDATE shown_register SET read_on = '2026-06-22'",
        "CREATE TABLE mine (x integer)",
        "CREATE TEMPORARY TABLE mine (x integer)",
        "ALTER TABLE pupils NO FORCE ROW LEVEL SECURITY",
    ],
)
def test_the_web_role_cannot(two_schools, statement):
    engine = connect(two_schools, "app")
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), scoped(engine, None) as session:
        session.execute(text(statement))
    engine.dispose()


def test_scores_views_and_decisions_refuse_change_even_by_their_owner(two_schools):
    engine = connect(two_schools, "owner")
    for table, column in (("scores", "capacity"), ("views", "opinion"), ("decisions", "note")):
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), scoped(engine, None) as session:
            session.execute(text(f"UPDATE {table} SET {column} = {column}"))
    engine.dispose()


def test_every_table_with_pupils_is_forced(casework_home):
    """Any table with a pupil, a case or a flag in it that a later revision adds must be closed too."""
    with superuser(casework_home) as connection:
        rows = connection.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' "
            "AND (c.relname = 'pupils' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid "
            "AND a.attname IN ('pupil_id', 'case_id', 'flag_id', 'challenge_id', 'support_id', 'programme_id', "
            "'action_id')))"
        ).fetchall()
    assert {name for name, forced in rows if not forced} == set()
    assert {name for name, _ in rows} == {
        *(*SCOPED, *v0016_support.SCOPED, *v0022_partners.APPENDED),
        *("lookbacks", "looks"),
    }


def test_the_officers_setting_opens_one_table_to_be_read(casework_home):
    with superuser(casework_home) as connection:
        opened = connection.execute(
            "SELECT tablename, qual LIKE '%belong_answers%', coalesce(with_check, qual) LIKE '%belong_answers%' "
            "FROM pg_policies WHERE qual LIKE '%belong_answers%' OR with_check LIKE '%belong_answers%'"
        ).fetchall()
    assert opened == [("challenges", True, False)]


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
def test_the_app_refuses_to_start_with_a_role_above_row_level_security(casework_home, power):
    with superuser(casework_home) as connection:
        connection.execute(f"ALTER ROLE belong_app {power}")
        try:
            with pytest.raises(UnsafeRole, match=power):
                connect(casework_home, "app")
        finally:
            connection.execute(f"ALTER ROLE belong_app NO{power}")
    connect(casework_home, "app").dispose()


def test_the_app_refuses_to_start_as_the_owner_of_the_tables(casework_home):
    engine = connect(casework_home, "owner")
    with pytest.raises(UnsafeRole, match="owns tables"):
        check_role(engine)
    engine.dispose()


def test_nobody_enters_without_a_password(casework_home):
    url = embedded_url(casework_home, "app")
    for user in ("belong_app", "belong_owner", SUPERUSER):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=str(url.query["host"]), user=user, dbname="belong", password="guess")
    for file in ("postgres.json", "looks.key"):
        assert (casework_home.secrets / file).stat().st_mode & 0o077 == 0
    assert looks_key(casework_home) == looks_key(casework_home)


def test_another_database_needs_an_address_for_each_role(casework_home, monkeypatch):
    monkeypatch.setenv("BELONG_DATABASE_URL", embedded_url(casework_home, "app").render_as_string(hide_password=False))
    engine = connect(casework_home, "app")
    engine.dispose()
    with pytest.raises(Exception, match="BELONG_DATABASE_URL_JOB must give the address"):
        connect(casework_home, "job")


def test_an_engine_prints_no_secret_and_an_error_no_parameter(casework_home):
    engine = connect(casework_home, "app")
    assert embedded_url(casework_home, "app").password not in repr(engine)
    bad = create_engine(engine.url, hide_parameters=True)
    assert bad.hide_parameters is engine.hide_parameters is True
    bad.dispose()
    engine.dispose()


def test_migrating_again_changes_nothing_and_tables_match_their_models(casework_home):
    from alembic import command

    migrate(casework_home)
    engine = connect(casework_home, "owner")
    with engine.connect() as connection:
        command.check(migration_config(connection))
    engine.dispose()


def test_a_home_deep_in_folders_starts_and_two_processes_agree_and_so_does_its_copy():
    """A socket's path holds some 107 characters; two commands may start a new home's database at once.

    A copy made by root, as a restored backup is, belongs to root, under whom PostgreSQL refuses to run.
    """
    folder = Path(tempfile.mkdtemp(prefix="belong-"))
    home = create_home(folder / ("deep" * 12) / ("deeper" * 12), demo=True)
    code = "import sys; from pathlib import Path; from casework.database import migrate, connect; "
    code += "from records.home import open_home; home = open_home(Path(sys.argv[1])); "
    code += "migrate(home); connect(home).dispose()"
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(home.path)]) for _ in range(2)]
    try:
        assert [process.wait(120) for process in started] == [0, 0]
        copy = shutil.copytree(home.path, folder / "restored", ignore=shutil.ignore_patterns("*.pid", ".s.*", "*.json"))
        shutil.copytree(home.secrets, copy / "secrets", dirs_exist_ok=True)
        assert (
            subprocess.run([sys.executable, "-W", "error", "-c", code, str(copy)], timeout=120, check=False).returncode
            == 0
        )
    finally:
        remove_home(home)
        shutil.rmtree(folder)
