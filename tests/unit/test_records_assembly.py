"""Assembly's pages: a golden pull worked by hand, and the day from which it is known."""

from datetime import date
from pathlib import Path
from shutil import copytree

from records.readers import assembly
from records.rows.batch import UNLINKED
from tests.export_files import ANN, BOB, TODAY
from tests.interchange import PROVER, faults, held, judged, rows

GOLDEN = Path(__file__).parents[1] / "golden" / "assembly"
(PUPILS, _) = PROVER.prove([ANN, BOB])
ZOE, TESTBOB = PUPILS.tolist()
PULLED = date(2025, 3, 7)
JOINED = date(2022, 9, 5)


def test_the_golden_pull():
    met, passed = judged(assembly.reader(), GOLDEN)
    # 6 June 2079 is Assembly's way to say that a pupil has not left; Bob's year group is a number, not a text.
    assert rows(met, "enrolments") == [(ZOE, 900001, JOINED, None, "9", "C", PULLED, False)]
    assert rows(met, "identities") == [
        (ZOE, 900001, ANN, "M80120000500A", "Zoë", "Synthetic", date(2011, 3, 4), JOINED, None, "9", PULLED, False)
    ]
    assert rows(met, "characteristics") == [(ZOE, PULLED, "F", "WOTH", None, "K", PULLED, False)]
    assert rows(met, "marks") == [(ZOE, 900001, date(2025, 3, 3), "AM", "L", PULLED, False)]
    # From Wednesday afternoon to Thursday afternoon: three sessions. The other's length nobody wrote down.
    assert rows(met, "suspensions") == [
        (ZOE, 900001, date(2025, 3, 5), 3, "SUSP", "PP", None, None, PULLED, False),
        (TESTBOB, 900001, date(2025, 1, 15), None, "SUSP", "DB", None, None, PULLED, False),
    ]
    assert faults(met) == [
        ("attendances_1.json", 1, "session_date", "text of 24 characters"),  # nine o'clock is no day
        ("students_1.json", 1, "year_code", "number"),
    ]
    assert held(met) == {("marks", UNLINKED): 1}
    assert passed == []


def test_pages_in_no_folder_of_a_day_are_known_from_the_day_of_ingest(tmp_path):
    copytree(GOLDEN / "100001" / "2025-03-07", tmp_path / "100001")
    (tmp_path / "100001" / "school_details.json").write_bytes((GOLDEN / "100001" / "school_details.json").read_bytes())
    met, _ = judged(assembly.reader(), tmp_path)
    assert {row[-2] for row in rows(met, "marks")} == {TODAY}
