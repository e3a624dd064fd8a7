"""Rights: who may answer, what an objection does, refusals kept, and what the purge takes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from casework.database import connect, scoped
from casework.permissions import Role
from casework.privacy.erasure import Decision, erase
from casework.privacy.objections import Answer, objection, standing_since
from casework.privacy.pupil_file import CannotExport, export
from casework.privacy.request import Asked, CannotAnswer, NoSuchPupil, check_note, officer
from casework.privacy.retention import purge
from records import delta
from records.agreements import demonstration
from records.pseudonym import create_pepper
from records.rights.holding import Subject
from records.tables import ENROLMENTS, MARKS, OBJECTIONS
from records.written import append
from tests import export_files as files
from tests.database import (
    NORTH,
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
from tests.deployed import clear

NOTE = "A parent wrote to the school about this last week."


@pytest.fixture
def home(casework_home):
    """Two pupils and a data-protection officer, in two shards, nothing in the records."""
    clear(casework_home)
    yield replace(casework_home, shards=2)
    clear(casework_home)
    for name in ("pepper-v1", "erasures.key"):
        (casework_home.secrets / name).unlink(missing_ok=True)
    for name in ("erasures.jsonl", "purges.jsonl", "agreements.toml", "ingest.lock"):
        (casework_home.path / name).unlink(missing_ok=True)


@pytest.fixture
def pupils(home):
    create_pepper(home)
    save_pupils(home, identity(11), identity(12))
    return home


@pytest.fixture
def engine(home):
    made = connect(home, "job")
    yield made
    made.dispose()


def subject_of(home, person):
    with job_session(home) as session:
        return session.execute(text("SELECT subject FROM people WHERE id = :id"), {"id": person.id}).scalar_one()


@pytest.fixture
def by(home):
    return subject_of(home, make_person(home, Role(name="data_protection_officer")))


def asked(home, pseudonym=11):
    return Asked(pupil_id=pupil_id(home, pseudonym))


@pytest.mark.parametrize("role", ["network_lead", "board_member", "administrator", "data_scientist"])
def test_only_the_data_protection_officer_answers(home, engine, role):
    other = subject_of(home, make_person(home, Role(name=role)))
    with scoped(engine, None) as session, pytest.raises(CannotAnswer, match="needs data-protection officer"):
        officer(session, other, TODAY)
    with scoped(engine, None) as session, pytest.raises(CannotAnswer, match="no active people are known as 'nobody'"):
        officer(session, "nobody", TODAY)


def test_a_request_names_one_pupil_by_one_of_two_ways(pupils, engine, by, tmp_path):
    with pytest.raises(CannotAnswer, match="one of the two"):
        Asked()
    assert "R2011" not in repr(Asked(upn=files.ANN))
    for given, words in (
        (Asked(upn="R20110001804A"), "not a permanent UPN"),
        (Asked(pupil_id=make_person(pupils).id), "id"),
    ):
        with pytest.raises(NoSuchPupil, match=words) as refused:
            export(engine, pupils, given, by=by, out=tmp_path / "file.html", today=TODAY)
        assert "R2011" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_logged_or_not_made_and_never_overwrites(pupils, engine, by, tmp_path):
    out = tmp_path / "file.html"
    made = export(engine, pupils, asked(pupils), by=by, out=out, today=TODAY)
    assert [part.name for part in made.parts] == ["identities"]
    assert out.stat().st_mode & 0o077 == 0
    assert "Pupil11" in out.read_text()
    assert "Pupil12" not in out.read_text()
    with job_session(pupils) as session:
        assert session.execute(text("SELECT action FROM looks")).scalars().all() == ["export_pupil"]
    with pytest.raises(CannotExport, match="exists already"):
        export(engine, pupils, asked(pupils), by=by, out=out, today=TODAY)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("too short", "say why in at least 20"),
        ("Pupil11's mother asked us to stop.", "names the pupil"),
        ("The number is R 201100018042, they said.", "names the pupil"),
    ],
)
def test_a_note_says_why_and_names_nobody(note, words):
    subject = Subject(pseudonyms=(11,), numbers=(files.ANN,), forename="Pupil11", surname="Will")
    with pytest.raises(CannotAnswer, match=words):
        check_note(note, subject)
    assert check_note("  The mother says she will not have it.  ", subject).startswith("The mother")


def test_an_objection_stands_until_it_is_withdrawn(pupils, engine, by):
    answer = Answer(asked=asked(pupils), decided_by=by, note=NOTE)
    assert objection(engine, pupils, answer, TODAY)
    assert not objection(engine, pupils, answer, TODAY)
    assert standing_since(pupils, (11,), TODAY) == TODAY
    assert standing_since(pupils, (12,), TODAY) is None
    assert objection(engine, pupils, replace(answer, withdrawn=True), TODAY)
    assert standing_since(pupils, (11,), TODAY) is None
    with pytest.raises(CannotAnswer, match="no objection of this pupil stands"):
        objection(engine, pupils, replace(answer, withdrawn=True), TODAY)
    # Made, withdrawn and made again on one day: the last word holds.
    assert objection(engine, pupils, answer, TODAY)
    assert standing_since(pupils, (11,), TODAY) == TODAY
    with job_session(pupils) as session:
        kept = session.execute(text("SELECT asked, outcome FROM rights_decisions ORDER BY recorded_at")).all()
    assert [tuple(row) for row in kept] == [(what, "granted") for what in ("objection", "withdrawal", "objection")]


def test_a_refused_erasure_is_kept_and_erases_nothing(pupils, by):
    decision = Decision(asked=asked(pupils), ground="wrong_person", decided_by=by, note=NOTE, refused=True)
    assert erase(pupils, decision, TODAY, lambda place: None) is None
    with job_session(pupils) as session:
        kept = session.execute(text("SELECT asked, ground, outcome, note FROM rights_decisions")).one()
        assert session.execute(text("SELECT count(*) FROM pupil_keys")).scalar_one() == 2
    assert tuple(kept) == ("erasure", "wrong_person", "refused", NOTE)
    assert not (pupils.path / "erasures.jsonl").exists()
    with pytest.raises(CannotAnswer, match="'whim' is no ground; it is one of retention_ended"):
        replace(decision, ground="whim")


def mark(pupil, day, known_on=None, code="/"):
    return {"pupil": pupil, "school": NORTH, "date": day, "session": "AM", "code": code} | (
        {} if known_on is None else {"known_on": known_on}
    )


def enrolment(pupil, entry, leaving=None):
    row = {"pupil": pupil, "school": NORTH, "entry_date": entry, "leaving_date": leaving}
    return row | {"year_group": "8", "status": "C"}


def test_the_purge_counts_years_from_the_end_of_the_school_year(pupils):
    """Today is in 2025/26. Marks have six years: those of 2018/19 ended with August 2025, those of 2019/20 have not."""
    assert date(2026, 6, 22) == TODAY
    # 21: still on roll since 2015. 22: left in 2017. 23: left in 2020, so their enrolment has until 2027.
    rolls = [enrolment(21, date(2015, 9, 1)), enrolment(22, date(2012, 9, 1))]
    append(pupils, ENROLMENTS, [*rolls, enrolment(23, date(2012, 9, 1), date(2020, 7, 1))], date(2015, 9, 2))
    append(pupils, ENROLMENTS, [enrolment(22, date(2012, 9, 1), date(2017, 7, 21))], date(2017, 9, 1))
    days = [date(2019, 8, 31), date(2019, 9, 1), date(2026, 6, 1)]
    append(pupils, MARKS, [mark(21, day) for day in days], date(2026, 6, 2))
    # A correction of an old mark: both versions go.
    append(pupils, MARKS, [mark(21, days[0], code="O")], date(2026, 6, 3))
    append(pupils, OBJECTIONS, [{"pupil": n, "made_on": date(2016, 1, 5), "ended_on": None} for n in (21, 22)], TODAY)
    (pupils.nights / "of-a-night-that-was-stopped").mkdir(parents=True)
    done = purge(pupils, TODAY)
    assert not pupils.nights.exists()
    # The leaver's two versions of one enrolment; the objection of the one who left, which stands open.
    assert {name: count for name, count in done.records.items() if count} == {
        "enrolments": 2,
        "marks": 2,
        "objections": 1,
    }
    assert sorted(delta.read(pupils.history, MARKS, None)[0]["date"].dt.date.tolist()) == days[1:]
    assert sorted(delta.read(pupils.history, ENROLMENTS, None)[0]["pupil"].tolist()) == [21, 23]
    # Nothing of the older version is left to go back to, and what landed once still lands once.
    assert len(list((pupils.history / "marks" / "_delta_log").glob("*.json"))) == 1
    assert not any(purge(pupils, TODAY).records.values())
    (pupils.path / "agreements.toml").write_text(demonstration().replace("flags_given = 3", "marks = 5"))
    assert purge(pupils, TODAY).records["marks"] == 1
    assert len((pupils.path / "purges.jsonl").read_text().splitlines()) == 3


def leave_words(home, pseudonym):
    """Leave a row of everything that is said and asked for a pupil."""
    person, why = make_person(home, Role(name="school_lead", school=NORTH)), "a reason that is long enough"
    with superuser(home) as connection:
        (pupil, school, case) = connection.execute(
            "SELECT p.id, p.school_urn, c.id FROM pupils p JOIN cases c ON c.pupil_id = p.id WHERE p.pseudonym = %s",
            [pseudonym],
        ).fetchone()
        of = {"pupil": pupil, "school": school, "case": case, "person": person.id, "why": why, "on": TODAY}
        whose, asked = "gen_random_uuid(), %(pupil)s, %(school)s", "SELECT id FROM challenges"
        for table, values in {
            "snoozes": f"{whose}, %(case)s, %(person)s, %(on)s::date + 7, %(why)s, %(on)s, now()",
            "fresh_starts": f"{whose}, %(person)s, %(on)s, %(why)s, now()",
            "voices": f"{whose}, %(person)s, 'pupil', %(why)s, %(on)s, now(), 'k1'",
            "challenges": f"{whose}, %(person)s, 'family', 'list', %(why)s, %(on)s, now(), 'k2'",
            "challenge_steps": f"({asked}), 1, %(school)s, %(person)s, 'extend', %(why)s, %(on)s, now()",
        }.items():
            connection.execute(f"INSERT INTO {table} VALUES ({values})", of)


def test_the_purge_takes_old_flags_and_cases_and_pupils_of_whom_nothing_is_left(pupils):
    old = TODAY - timedelta(days=4 * 365)
    publish_now(pupils, publication({11: NORTH, 12: NORTH}, flagged=(11, 12), as_of=old))
    publish_now(pupils, publication({12: NORTH}, as_of=TODAY - timedelta(days=7)))
    done = purge(pupils, TODAY).database
    # 11 left, and their case was closed by that day's publication: it is young, and keeps flag and pupil here.
    assert done["scores"] == 2
    assert done["pupils"] == done["cases"] == 0
    with job_session(pupils) as session:
        session.execute(text("UPDATE cases SET closed_on = '2023-06-21' WHERE closed_on IS NOT NULL"))
    leave_words(pupils, 11)
    done = purge(pupils, TODAY).database
    # The case of 12 is still open: it keeps the old flag that opened it.
    expected = {
        "cases": 1,
        "list_changes": 2,
        **dict.fromkeys(("snoozes", "fresh_starts", "voices", "challenges", "challenge_steps"), 1),
        "flags": 1,
        "reasons": 2,
        "changes": 1,
        "levers": 1,
        "feature_rows": 1,
        "pupil_keys": 1,
        "pupils": 1,
    }
    assert {name: count for name, count in done.items() if count} == expected
