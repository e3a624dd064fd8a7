"""Access for other systems, from the command line."""

import json
import stat

import pytest

from casework.callers import authenticate
from casework.people import ensure_schools
from casework.permissions import Role
from casework.tables_people import PersonRow
from tests.command_line import DONE, refused
from tests.database import NORTH, TODAY, job_session, make_person


@pytest.fixture
def officer(casework_home):
    """The subject of someone who may grant access."""
    person = make_person(casework_home, Role(name="data_protection_officer"))
    with job_session(casework_home) as session:
        ensure_schools(session, {NORTH})
        return session.get_one(PersonRow, person.id).subject


def test_access_is_granted_rotated_and_taken_back(casework_home, belong, officer, tmp_path):
    first, second, third = (tmp_path / f"{name}.json" for name in ("first", "second", "third"))
    common = ("--decided-by", officer, "--home", casework_home.path)
    grant = ("integration", "add", "north-mis", "--name", "School system", "--school", NORTH, *common)

    def let_in(file):
        said = json.loads(file.read_text())
        with job_session(casework_home) as session:
            return authenticate(session, said["client_id"], said["client_secret"], TODAY)

    assert belong("integration", "list", "--home", casework_home.path).out == "No system has access.\n"
    said = belong(*grant, "--scope", "lists:read", "--scope", "upns:read", "--secret-file", first, "--days", 30)
    assert (said.code, said.err) == (DONE, "")
    assert "may call until 2026-07-22" in said.out
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    secret = json.loads(first.read_text())["client_secret"]
    assert secret not in said.out
    assert let_in(first).scopes == {"lists:read", "upns:read"}

    rotate = ("integration", "rotate", "north-mis", *common)
    refused(belong(*rotate, "--secret-file", first), f"{first} is there already")
    assert belong(*rotate, "--secret-file", second).code == DONE
    assert let_in(first).secret != let_in(second).secret
    refused(belong(*rotate, "--secret-file", third), "Two secrets of north-mis are live")
    listed = belong("integration", "list", "--home", casework_home.path).out
    assert "north-mis (School system): until 2026-07-22; lists:read, upns:read; schools 100001" in listed
    assert "ends after 2026-06-29, last used: 2026-06-22" in listed

    revoke = ("integration", "revoke", "north-mis", *common)
    assert belong(*revoke, "--older-secret").code == DONE
    assert (let_in(first), let_in(second) is not None) == (None, True)
    refused(belong(*revoke, "--older-secret"), "has no second secret")
    assert belong(*revoke).code == DONE
    assert let_in(second) is None
    assert "no access" in belong("integration", "list", "--home", casework_home.path).out


def test_what_is_not_granted(casework_home, belong, officer, tmp_path):
    file = tmp_path / "secret.json"
    grant = ("integration", "add", "north-mis", "--name", "A", "--home", casework_home.path, "--secret-file", file)
    by, school, scope = ("--decided-by", officer), ("--school", NORTH), ("--scope", "lists:read")
    refused(belong(*grant, "--decided-by", "nobody", *school, *scope), "no active people are known as 'nobody'")
    refused(belong(*grant, *by, *school, "--scope", "everything"), "Scopes must be among")
    refused(belong(*grant, *by, "--school", 999999, *scope), "There is no school 999999")
    refused(belong("integration", "revoke", "nobody", *by, "--home", casework_home.path), "no integration of this id")
    assert not file.exists()
