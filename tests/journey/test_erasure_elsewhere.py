"""Erasure where `BELONG_DATABASE_URL` names a server of the network's own: what Belong does, and what is left to do."""

from pathlib import Path

import pytest
from sqlalchemy import text

from casework.database import DatabaseUnavailable
from casework.embedded import embedded_url, forget_changes
from casework.permissions import Role
from casework.privacy.erasure import Decision, erase
from casework.privacy.request import Asked
from casework.privacy.vacuum import OPERATOR
from records.agreements import REGISTER_FILE, demonstration
from records.clock import DATABASE_VARIABLE, clock_of
from records.home import Home, create_home
from records.pseudonym import pseudonyms, read_pepper
from serving.jobs.intake import read_exports
from tests import export_files as files
from tests.database import job_session, make_person, superuser

NOTE = "The family asked, and nothing obliges us to keep the records."
VARIABLES = {"app": DATABASE_VARIABLE, "owner": f"{DATABASE_VARIABLE}_OWNER", "job": f"{DATABASE_VARIABLE}_JOB"}


@pytest.fixture
def home(casework_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A real home, whose database is the one that another home's server runs."""
    for role, variable in VARIABLES.items():
        monkeypatch.setenv(variable, embedded_url(casework_home, role).render_as_string(hide_password=False))
    made = create_home(tmp_path / "home", shards=2)
    # The day is today's, whenever this test runs.
    register = demonstration().replace("ends = 2027-08-31", "ends = 2199-08-31")
    (made.path / REGISTER_FILE).write_text(register, encoding="utf-8")
    return made


def holding(server: Home, needle: bytes) -> set[str]:
    """Return the files of a server in which a value stands, once everything is on the disk."""
    with superuser(server) as connection:
        connection.execute("CHECKPOINT")
    return {path.name for path in server.postgres.rglob("*") if path.is_file() and needle in path.read_bytes()}


def test_rows_and_key_go_and_the_certificate_says_what_only_the_operator_can_do(
    home: Home, casework_home: Home, tmp_path: Path
) -> None:
    other = files.ENROLMENT.replace(files.ANN, files.BOB).replace("Testann", "Testbob")
    files.write(tmp_path / "in", "enrolments_900001_20250701.csv", files.ENROLMENT, other)
    assert not read_exports(home, tmp_path / "in", lambda words: None).refused
    assert not home.postgres.exists()
    number = int(pseudonyms([files.ANN], read_pepper(home))[0])
    needle = number.to_bytes(8, "little")
    assert holding(casework_home, needle)
    officer = make_person(home, Role(name="data_protection_officer"), name="Officer")
    with job_session(home) as session:
        who = session.execute(text("SELECT subject FROM people WHERE id = :id"), {"id": officer.id}).scalar_one()
    decision = Decision(asked=Asked(upn=files.ANN), ground="wrong_person", decided_by=who, note=NOTE)
    certificate = erase(home, decision, clock_of(home).today(), lambda place: None)
    assert certificate is not None
    assert certificate.operator == OPERATOR
    assert "## What the database's operator must still do" in certificate.as_text()
    with job_session(home) as session:
        left = session.execute(text("SELECT pseudonym FROM pupils")).scalars().all()
        assert left == pseudonyms([files.BOB], read_pepper(home)).tolist()
        assert session.execute(text("SELECT count(*) FROM pupil_keys")).scalar_one() == 1
    # The operator does what the certificate says, and then no file of the server has the pupil any more.
    forget_changes(casework_home)
    assert holding(casework_home, needle) == set()


def test_an_address_for_one_role_alone_is_refused_before_anything_is_erased(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLES["owner"])
    decision = Decision(asked=Asked(upn=files.ANN), ground="wrong_person", decided_by="officer", note=NOTE)
    with pytest.raises(DatabaseUnavailable, match=VARIABLES["owner"]):
        erase(home, decision, clock_of(home).today(), lambda place: None)
