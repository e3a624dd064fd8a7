"""After an erasure nothing in any file under the home says who the pupil was: every byte is looked at."""

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pa_parquet
import pytest
from sqlalchemy import text

from casework.database import connect, scoped
from casework.permissions import Person, Role
from casework.privacy.erasure import Decision, erase, reapply
from casework.privacy.gathered import IMPERSONAL_FILES, IN_THE_HOME
from casework.privacy.pupil_file import PupilFile, export
from casework.privacy.request import Asked
from casework.pupils import pupil_page
from records.home import Home
from records.identity.erased import LEDGER_FILE
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from serving.jobs.intake import read_exports
from tests import export_files as files
from tests.database import job_session, make_person, publication, publish_now, pupil_id, superuser

SCHOOL = 900001
ANN, BOB = files.ANN, files.BOB
FORENAME, SURNAME = "Zoë-Marigold", "Quillfeather"
NOTE = "The family asked, and nothing obliges us to keep the records."


@dataclass(frozen=True)
class Left:
    """A home whose pupil was erased, with what was found of them before and after, and what was said."""

    home: Home
    number: int
    officer: Person
    own_file: PupilFile
    page: str
    before: dict[str, set[str]]
    after: dict[str, set[str]]
    certificate: str


def enrolment() -> str:
    """Return the pupil's enrolment, recorded after the census, so that its names are the ones that hold."""
    return files.ENROLMENT.replace("Testann", FORENAME).replace("Synthetic", SURNAME)[:-10] + "2025-06-02"


def put_exports(folder: Path) -> None:
    """Write exports in which the pupil is accepted, held, quarantined, in a census and in a packed file."""
    ours = enrolment()
    other = files.ENROLMENT.replace(ANN, BOB).replace("Testann", "Testbob")
    files.write(folder, "schools.csv", f"{SCHOOL},2019999,Test School,SS,2020-09-01,2020-09-01")
    files.write(folder, "calendars.csv", f"{SCHOOL},half_term,Spring 1,2025-01-06,2025-02-14,2024-09-01")
    nameless = ours.replace(ANN, "")
    files.write(folder, f"enrolments_{SCHOOL}_1.csv", ours, other, nameless)
    marks = [files.MARK.replace("2025-03-03", f"2025-03-{day:02}") for day in range(3, 8)]
    faulty = files.MARK.replace(",/,", ",?,")
    packed = files.write(folder, f"marks_{SCHOOL}_1.csv", *marks, faulty, files.MARK.replace(ANN, BOB))
    (folder / f"{packed.name}.gz").write_bytes(gzip.compress(packed.read_bytes(), mtime=0))
    packed.unlink()
    files.write(
        folder, f"behaviour_{SCHOOL}_1.csv", files.INCIDENT, files.INCIDENT.replace(ANN, BOB).replace("e1", "e2")
    )
    files.golden_census(folder / "census")


def put_candidate(home: Home, number: int) -> None:
    """Write an allocation such as a trained candidate leaves."""
    folder = home.candidates / ("c" * 64)
    folder.mkdir(parents=True)
    pd.DataFrame({"pupil": [number, 5], "probability": [0.3, 0.1]}).to_parquet(folder / "allocation.parquet")


def found_in(home: Home, needles: dict[str, bytes | str]) -> dict[str, set[str]]:
    """Return needle → the top folders of the home in whose files it stands, packed and decoded ones included."""
    found: dict[str, set[str]] = {name: set() for name in needles}
    for path in sorted(home.path.rglob("*")):
        if not path.is_file() or path.is_relative_to(home.secrets):
            continue
        looked_at = path.read_bytes()
        if path.suffix == ".gz":
            looked_at += gzip.decompress(looked_at)
        if path.suffix == ".parquet":
            looked_at += repr(pa_parquet.read_table(path).to_pydict()).encode()
        place = path.relative_to(home.path).parts[0]
        for name, needle in needles.items():
            if (needle.encode() if isinstance(needle, str) else needle) in looked_at:
                found[name].add(place)
    return found


def needles_of(number: int) -> dict[str, bytes | str]:
    return {
        "UPN": ANN,
        "forename": FORENAME,
        "surname": SURNAME,
        "pseudonym": str(number),
        "pseudonym, little-endian": number.to_bytes(8, "little"),
        "pseudonym, big-endian": number.to_bytes(8, "big"),
    }


def everything_forced_to_disk(home: Home) -> None:
    with superuser(home) as connection:
        connection.execute("CHECKPOINT")


@pytest.fixture(scope="module")
def left(database_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    from tests import database

    database.reset(database_home)
    home = replace(database_home, shards=2)
    create_pepper(home)
    number = int(pseudonyms([ANN], read_pepper(home))[0])
    put_exports(home.landing)
    summary = read_exports(home, home.landing, lambda words: None)
    assert not summary.refused
    put_candidate(home, number)
    other = int(pseudonyms([BOB], read_pepper(home))[0])
    publish_now(home, publication({number: SCHOOL, other: SCHOOL}, flagged=(number,)))
    staff = make_person(home, Role(name="school_staff", school=SCHOOL))
    officer = make_person(home, Role(name="data_protection_officer"), name="Officer")
    with superuser(home) as connection:
        subject = connection.execute("SELECT subject FROM people WHERE id = %s", [officer.id]).fetchone()[0]
    mine = pupil_id(home, number)
    engine = connect(home, "app")
    with scoped(engine, staff.schools) as session:
        name = pupil_page(session, staff, mine, database.TODAY).name
    engine.dispose()
    folder = tmp_path_factory.mktemp("own-file")
    engine = connect(home, "job")
    own_file = export(engine, home, Asked(upn=ANN), by=subject, out=folder / "file.html", today=database.TODAY)
    engine.dispose()
    everything_forced_to_disk(home)
    before = found_in(home, needles_of(number))
    decision = Decision(asked=Asked(upn=ANN), ground="objection_upheld", decided_by=subject, note=NOTE)
    stopped = home.nights / "of-a-night-that-was-stopped"
    stopped.mkdir(parents=True)
    certificate = erase(home, decision, database.TODAY, lambda place: None)
    assert not home.nights.exists()
    after = found_in(home, needles_of(number))
    page = (folder / "file.html").read_text(encoding="utf-8")
    assert name == f"{FORENAME} {SURNAME}"
    yield Left(home, number, officer, own_file, page, before, after, certificate.as_text())
    for place in (
        "landing",
        "history",
        "protected",
        "held",
        "quarantine",
        "links",
        "loads",
        "candidates",
        "certificates",
    ):
        shutil.rmtree(home.path / place, ignore_errors=True)
    for name in (LEDGER_FILE, "ingest.lock"):
        (home.path / name).unlink(missing_ok=True)
    for secret in ("pepper-v1", "erasures.key"):
        (home.secrets / secret).unlink()


def test_before_the_erasure_the_pupil_is_found(left: Left) -> None:
    """What makes the next test worth anything: the same search finds them wherever they are."""
    assert left.before["UPN"] == {"landing", "quarantine"}
    assert left.before["surname"] == left.before["forename"] >= {"landing", "held"}
    assert left.before["pseudonym"] >= {"history", "protected", "candidates"}
    assert left.before["pseudonym, little-endian"] >= {"postgres"}


def test_after_it_no_file_says_who_they_were(left: Left) -> None:
    assert left.after == {name: set() for name in left.before}


def test_names_never_stood_open_in_the_database(left: Left) -> None:
    assert not any("postgres" in left.before[name] for name in ("UPN", "forename", "surname"))


def test_the_others_stay(left: Left) -> None:
    landed = gzip.decompress((left.home.landing / f"marks_{SCHOOL}_1.csv.gz").read_bytes()).decode()
    assert landed.splitlines()[1:] == [files.MARK.replace(ANN, BOB)]
    census = (left.home.landing / "census" / "pupilonroll.csv").read_text()
    assert "p2,SCH1" in census
    assert "p1,SCH1" not in census
    assert "p1,SCH1" not in (left.home.landing / "census" / "senneeds.csv").read_text()
    with job_session(left.home) as session:
        assert session.execute(text("SELECT count(*) FROM pupils")).scalar_one() == 2  # and the census's leaver
        assert session.execute(text("SELECT count(*) FROM pupil_keys")).scalar_one() == 2
        looks = session.execute(text("SELECT action FROM looks WHERE pupil_id IS NOT NULL")).scalars().all()
        decided = session.execute(text("SELECT asked, ground, outcome FROM rights_decisions")).all()
    assert looks == ["see_pupil", "export_pupil"]
    assert [tuple(row) for row in decided] == [("erasure", "objection_upheld", "granted")]


def test_the_certificate_says_what_went_and_what_stays(left: Left) -> None:
    for words in (
        "history: ",
        "cases: 2 rows",
        "identities: 2 rows",
        "2 entries of the log of looks stay",
        "models stay",
    ):
        assert words in left.certificate
    assert str(left.number) not in left.certificate


def test_the_own_file_told_of_every_holding_in_plain_words(left: Left) -> None:
    parts = {part.name for part in left.own_file.parts}
    assert parts == {
        *("history", "protected characteristics", "held rows", "quarantine", "landed exports", "candidates"),
        *("identities", "recent facts", "flags", "cases", "log of looks"),
    }
    for words in (FORENAME, "present AM (code /)", "school staff", "about 29 in 100", "sentence 1 (most)"):
        assert words in left.page, words


def test_what_schools_send_again_is_dropped_and_counted(left: Left) -> None:
    folder = left.home.path / "landing" / "again"
    files.write(folder, f"behaviour_{SCHOOL}_2.csv", files.INCIDENT.replace("e1", "e9"))
    files.write(folder, f"enrolments_{SCHOOL}_2.csv", files.ENROLMENT.replace(ANN, BOB).replace(",,T", f",{ANN},T"))
    summary = read_exports(left.home, folder, lambda words: None)
    assert summary.tables["behaviour"].erased == 1
    assert "Dropped: 1 rows about pupils who were erased" in summary.as_text()
    shutil.rmtree(folder)
    everything_forced_to_disk(left.home)
    found = found_in(left.home, needles_of(left.number))
    assert found == left.after


def test_a_backup_that_brings_them_back_is_erased_again(left: Left) -> None:
    """The ledger is moved aside, as if the home were from before it; then it is put back beside the restored home."""
    ledger = left.home.path / LEDGER_FILE
    kept = ledger.read_bytes()
    os.unlink(ledger)
    folder = left.home.path / "landing" / "restored"
    files.write(folder, f"enrolments_{SCHOOL}_3.csv", enrolment())
    files.write(folder, f"behaviour_{SCHOOL}_3.csv", files.INCIDENT.replace("e1", "e7"))
    read_exports(left.home, folder, lambda words: None)
    ledger.write_bytes(kept)
    assert any(found_in(left.home, needles_of(left.number)).values())
    assert reapply(left.home, lambda words: None) == 1
    assert found_in(left.home, needles_of(left.number)) == left.after
    assert reapply(left.home, lambda words: None) == 0


def test_every_file_of_the_home_belongs_to_a_holding_or_to_nobody(left: Left) -> None:
    covered = IMPERSONAL_FILES | {place for holding in IN_THE_HOME for place in holding.places}
    assert {path.name for path in left.home.path.iterdir()} <= covered
    properties = [name for name, value in vars(Home).items() if isinstance(value, property)]
    assert {getattr(left.home, name).name for name in properties} <= covered


def test_the_ledger_names_nobody(left: Left) -> None:
    (line,) = (left.home.path / LEDGER_FILE).read_text().splitlines()
    said = json.loads(line)
    assert set(said) == {"token", "ground", "day"}
    assert len(said["token"]) == 64
