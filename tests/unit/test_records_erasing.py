"""Finding one pupil in rows of any kind, taking them out of copies and tables, and keeping them out."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from records import delta
from records.agreements import REGISTER_FILE, RegisterRefused, demonstration
from records.identity import link_log
from records.identity.erased import LEDGER_FILE, LedgerRefused, enter, read_erased, token
from records.intake.ingest import ingest
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from records.rights import copies
from records.rights.holding import Subject
from records.rights.holdings import HOLDINGS, erase_landed
from records.rights.mentions import Seeker, rows_of
from records.rights.present import pseudonyms_present
from records.rights.retention import RetentionRefused, first_kept, purge_tables, years_of
from records.tables import BEHAVIOUR, ENROLMENTS, MARKS
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT

BORN = date(2011, 3, 4)


@pytest.fixture
def home(tmp_path):
    made = files.make_home(tmp_path / "home")
    create_pepper(made)
    return made


def number_of(home, upn):
    return int(pseudonyms([upn], read_pepper(home))[0])


def subject_of(home, *upns, **names):
    return Subject(pseudonyms=tuple(number_of(home, upn) for upn in upns), numbers=upns[:1], **names)


@pytest.mark.parametrize(
    ("row", "mention"),
    [
        (f"1,{ANN},x", "theirs"),
        (f"1;{ANN.lower()};x", "theirs"),
        ("1\tR 2011 0001 8042\tx", "theirs"),
        (f"1,{CAT},a former number", "theirs"),
        (f"1,{BOB},x", ""),
        (f"1,X{ANN},x", ""),
        ("Zoë,Ann,04/03/2011", "theirs"),
        ("ann,ZOË,2011-03-04", "theirs"),
        ("Zoë,Ann,2011-04-03", "perhaps"),
        ("Zoë,Annette,2011-03-04", ""),
        ("Chloë,Ann,2011-03-04", ""),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_row_is_theirs_by_number_or_by_both_names_and_the_date_of_birth(home, row, mention, encoding):
    seeker = Seeker(home, subject_of(home, ANN, CAT, forename="Zoë", surname="Ann", date_of_birth=BORN))
    assert seeker.mention(row.encode(encoding)) == mention


def test_without_a_date_of_birth_names_alone_never_prove(home):
    seeker = Seeker(home, subject_of(home, ANN, forename="Zoë", surname="Ann"))
    assert seeker.mention("Zoë,Ann,2011-03-04".encode()) == "perhaps"
    assert Seeker(home, Subject(pseudonyms=(5,))).mention(b"a,b,c") == ""


def test_rows_come_back_byte_for_byte_whatever_they_hold():
    lines = [b'a,"two\n', b'lines",c\r\n', b"x\x00y\n", b"last, no end"]
    assert [row for _, row in rows_of(lines)] == [b'a,"two\nlines",c\r\n', b"x\x00y\n", b"last, no end"]
    long = b"x" * 200_000 + b"\n"
    assert b"".join(row for _, row in rows_of([long, b"a,b\n"])) == long + b"a,b\n"


def test_a_held_file_keeps_no_value_that_no_row_uses(home):
    folder = home.held / "abc"
    folder.mkdir(parents=True)
    upns = pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([BOB, ANN]))
    pa_parquet.write_table(
        pa.table({"file": ["f"], "line": [2], "why": ["x"], "text_upn": upns}), folder / "marks.parquet"
    )
    assert copies.erase_held(home, subject_of(home, ANN)).rows == 0
    assert ANN.encode() not in (folder / "marks.parquet").read_bytes()
    assert pa_parquet.read_table(folder / "marks.parquet")["text_upn"].to_pylist() == [BOB]


def test_a_file_of_another_kind_goes_once_it_was_read(home):
    home.landing.mkdir()
    path = home.landing / "school.json"
    path.write_text(f'{{"upn": "{ANN}"}}')
    gone = erase_landed(home, subject_of(home, ANN))
    assert gone.rows == 1
    assert not path.exists()


def test_a_landed_file_written_anew_is_not_read_again(home):
    files.write(
        home.landing, "behaviour_900001_1.csv", files.INCIDENT, files.INCIDENT.replace(ANN, BOB).replace("e1", "e2")
    )
    assert ingest(home, home.landing, clock=files.CLOCK, save_identities=None).loaded
    assert erase_landed(home, subject_of(home, ANN)).rows == 1
    again = ingest(home, home.landing, clock=files.CLOCK, save_identities=None)
    assert again.already == ("behaviour_900001_1.csv",)


def test_every_number_of_a_pupil_is_erased_and_no_link_leads_back(home, tmp_path):
    """BOB's number was CAT's before: records under both are one pupil's, and go together."""
    linked = files.ENROLMENT.replace(ANN, BOB).replace(",,Testann", f",{CAT},Testbob")
    files.write(tmp_path / "in", "enrolments_900001_1.csv", linked, files.ENROLMENT)
    marks = [files.MARK.replace(ANN, upn) for upn in (ANN, BOB, CAT)]
    files.write(tmp_path / "in", "marks_900001_1.csv", *marks)
    ingest(home, tmp_path / "in", clock=files.CLOCK, save_identities=None)
    subject = Subject(pseudonyms=link_log.settled(home).members(number_of(home, BOB)))
    assert set(subject.pseudonyms) == {number_of(home, BOB), number_of(home, CAT)}
    assert {holding.name: holding.find(home, subject) for holding in HOLDINGS if holding.find(home, subject)} == {
        "history": 3,
        "links": 1,
    }
    for number in subject.pseudonyms:
        enter(home, number, "wrong_person", files.TODAY)
    for holding in HOLDINGS:
        holding.erase(home, subject)
    assert pseudonyms_present(home) == {number_of(home, ANN)}
    assert len(link_log.settled(home)) == 0
    # What the school sends again: nothing under either number, and no link to one under another number.
    third = "K201200012345"
    later = linked.replace(BOB, third).replace(CAT, BOB)
    files.write(tmp_path / "more", "enrolments_900001_2.csv", linked, later)
    files.write(tmp_path / "more", "marks_900001_2.csv", marks[2].replace("03-03", "03-04"))
    summary = ingest(home, tmp_path / "more", clock=files.CLOCK, save_identities=None)
    assert (summary.tables["marks"].erased, summary.tables["enrolments"].erased) == (1, 1)
    assert pseudonyms_present(home) == {number_of(home, ANN), number_of(home, third)}
    assert link_log.read_log(home).empty
    for table in (ENROLMENTS, MARKS, BEHAVIOUR):
        rows = delta.read(home.history, table, None)[0]
        assert not rows["pupil"].isin(subject.pseudonyms).any()


def test_the_ledger_needs_its_key_and_says_nothing_without_it(home):
    assert not read_erased(home)
    made = enter(home, 7, "wrong_person", files.TODAY)
    assert enter(home, 7, "wrong_person", files.TODAY) == made
    assert len((home.path / LEDGER_FILE).read_text().splitlines()) == 1
    erased = read_erased(home)
    assert erased.among([6, 7, 8]).tolist() == [False, True, False]
    assert token(b"x" * 32, 7) not in erased.tokens
    (home.path / LEDGER_FILE).write_text("not json\n")
    with pytest.raises(LedgerRefused, match="is damaged"):
        read_erased(home)
    (home.secrets / "erasures.key").unlink()
    with pytest.raises(LedgerRefused, match="restore it from its own backup"):
        enter(home, 8, "wrong_person", files.TODAY)


@pytest.mark.parametrize(
    ("today", "years", "first"),
    [
        (date(2026, 6, 22), 6, date(2019, 9, 1)),
        (date(2026, 8, 31), 6, date(2019, 9, 1)),
        (date(2026, 9, 1), 6, date(2020, 9, 1)),
        (date(2026, 9, 1), 1, date(2025, 9, 1)),
    ],
)
def test_years_are_counted_from_the_end_of_the_school_year(today, years, first):
    """What happened on 31 August 2019 ended with that day's school year: six years are over on 1 September 2025."""
    assert first_kept(today, years) == first


def test_an_agreement_may_allow_fewer_years_and_a_slip_deletes_nothing(home):
    assert years_of(home)["marks"] == MARKS.retention_years
    text = (
        demonstration()
        .replace("flags_given = 3", "flags_given = 3\nmarks = 4")
        .replace('fields = ["flags_given.*", ', 'fields = ["marks.*", "flags_given.*", ')
    )
    (home.path / REGISTER_FILE).write_text(text)
    assert (years_of(home)["marks"], years_of(home)["flags_given"]) == (4, 3)
    (home.path / REGISTER_FILE).write_text(text.replace("marks = 4", "marks = 40"))
    with pytest.raises(RegisterRefused, match="longer than the table's own"):
        years_of(home)


def test_years_that_stand_where_they_once_stood_stop_the_purge_and_say_where_they_belong(home):
    (home.path / "retention.toml").write_text("[years]\nmarks = 4\n")
    with pytest.raises(RetentionRefused, match=r"state the years in agreements\.toml"):
        purge_tables(home, files.TODAY)
