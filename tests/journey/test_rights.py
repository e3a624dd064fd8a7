"""`belong pupil ...` and `belong purge` from the command line: numbers come from input, and never go out again."""

import io
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.permissions import Role
from records.home import Home
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from tests import export_files as files
from tests.command_line import DONE, Belong, refused
from tests.database import identity, job_session, make_person, pupil_id, save_pupils
from tests.deployed import clear
from tests.export_files import ANN

NOTE = "The family asked for this in a letter to the school."


@pytest.fixture
def rights(casework_home: Home, tmp_path: Path):
    """A home with one pupil and an officer; yields the options that every command takes, and the note's file."""
    create_pepper(casework_home)
    number = int(pseudonyms([ANN], read_pepper(casework_home))[0])
    save_pupils(casework_home, identity(number, surname="Quillfeather"))
    officer = make_person(casework_home, Role(name="data_protection_officer"))
    with job_session(casework_home) as session:
        who = session.execute(text("SELECT subject FROM people WHERE id = :id"), {"id": officer.id}).scalar_one()
    note = tmp_path / "note.txt"
    note.write_text(NOTE)
    yield casework_home, ("--home", casework_home.path, "--decided-by", who), note, pupil_id(casework_home, number)
    clear(casework_home)
    (casework_home.secrets / "pepper-v1").unlink()
    for made in ("history", "protected", "held", "quarantine", "loads", "links"):
        shutil.rmtree(casework_home.path / made, ignore_errors=True)
    for name in ("purges.jsonl", "ingest.lock"):
        (casework_home.path / name).unlink(missing_ok=True)


def test_a_request_from_the_command_line(
    rights: tuple[Home, tuple[object, ...], Path, object],
    belong: Belong,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, options, note, mine = rights
    number = tmp_path / "number.txt"
    number.write_text(f" {ANN}\n")
    out = tmp_path / "own.html"
    said = belong("pupil", "export", "--upn-file", number, "--out", out, *options)
    assert said.code == DONE
    assert ANN not in said.out + said.err
    assert "Quillfeather" in out.read_text()
    assert json.loads(out.with_suffix(".json").read_text())["holdings"][0]["name"] == "identities"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ANN}\n"))
    assert (
        "not scored from the next run"
        in belong("pupil", "object", "--upn-file", "-", "--note-file", note, *options).out
    )
    again = belong("pupil", "object", "--pupil", mine, "--note-file", note, *options)
    assert "stands already" in again.out
    erase = ("pupil", "erase", "--pupil", mine, "--note-file", note, "--ground", "wrong_person", *options)
    assert "refused" in belong(*erase, "--refuse").out
    with job_session(home) as session:
        assert session.execute(text("SELECT count(*) FROM rights_decisions")).scalar_one() == 2
        assert session.execute(text("SELECT count(*) FROM pupil_keys")).scalar_one() == 1
    assert belong("purge", "--home", home.path).out.endswith("0 in all.\n")


def test_what_is_refused_says_no_number(
    rights: tuple[Home, tuple[object, ...], Path, object], belong: Belong, tmp_path: Path
) -> None:
    _, options, note, mine = rights
    number = tmp_path / "number.txt"
    number.write_text(ANN.replace("R", "A", 1))
    said = belong("pupil", "export", "--upn-file", number, "--out", tmp_path / "own.html", *options)
    refused(said, "not a permanent UPN")
    assert "201100018042" not in said.err
    refused(belong("pupil", "export", "--out", tmp_path / "own.html", *options), "one of the two")
    number.write_bytes(b"\xff\xfe")
    refused(
        belong("pupil", "export", "--upn-file", number, "--out", tmp_path / "own.html", *options), "plain text file"
    )
    erase = ("pupil", "erase", "--pupil", mine, "--note-file", note, *options)
    refused(belong(*erase, "--ground", "whim"), "is no ground")


def test_two_pupils_taken_for_one_are_parted_by_the_officer(
    rights: tuple[Home, tuple[object, ...], Path, object], belong: Belong, tmp_path: Path
) -> None:
    home, options, note, _ = rights
    wrong = files.ENROLMENT.replace(f"{ANN},,", f"{files.BOB},{ANN},")
    source = files.write(tmp_path / "in", "enrolments_900001_20250701.csv", wrong)
    assert belong("ingest", source, "--home", home.path).code == DONE
    number, former = tmp_path / "number.txt", tmp_path / "former.txt"
    number.write_text(files.BOB)
    former.write_text(ANN)
    command = ("pupil", "unlink", "--upn-file", number, "--former-upn-file", former, "--note-file", note)
    refused(belong(*command, "--home", home.path, "--decided-by", "somebody"), "active people are known as")
    said = belong(*command, *options)
    assert said.code == DONE
    assert "words of schools overruled: 1" in said.out
    assert f"Ingest again, so that each has their own name on the pages: {source.name}" in said.words
    assert ANN not in said.out + said.err
    assert "1 former" not in belong("ingest", source, "--home", home.path).out
    refused(belong(*command[:4], "--former-upn-file", number, "--note-file", note, *options), "no school said")
