"""The summary of an ingest: figures by table, reasons with what to do, and long lists told by number."""

from collections import Counter
from pathlib import Path

import pytest

from records import pseudonym
from records.intake.summary import HELD_REMEDIES, IngestSummary, Quarantined, TableCount
from records.readers.reading import PassedOver
from records.rows import batch
from records.text.sheet import FileRefused

MARKS = TableCount(
    read=1_000,
    accepted=900,
    repeated=10,
    quarantined=20,
    held=Counter({pseudonym.EMPTY: 40, pseudonym.TEMPORARY: 30}),
    rules=Counter({"attendance code is not in the list": 20}),
    remedies={"attendance code is not in the list": "use a code of the list"},
)
SEN_NEEDS = TableCount(read=7, quarantined=2, held=Counter({pseudonym.EMPTY: 5}), rules=Counter({"rank": 2}))
SEN_NEEDS.remedies["rank"] = "correct it"


def summary(**given: object) -> IngestSummary:
    said = {"tables": {}, "loaded": (), "already": (), "refused": (), "passed_over": ()} | given
    return IngestSummary(**said)


def test_figures_and_a_table_of_which_nothing_was_accepted():
    lines = summary(tables={"marks": MARKS, "sen_needs": SEN_NEEDS}, loaded=("x",)).as_text().splitlines()
    assert lines[0].split() == ["table", "read", "accepted", "repeated", "held", "quarantined"]
    assert lines[1].split() == ["marks", "1,000", "900", "10", "70", "20"]
    assert lines[2].split() == ["sen_needs", "7", "0", "0", "5", "2"]
    assert lines[3].startswith("NO ROW ACCEPTED of sen_needs:")


def test_a_reason_stands_once_with_its_tables_the_commonest_first_and_what_to_do():
    lines = summary(tables={"marks": MARKS, "sen_needs": SEN_NEEDS}, loaded=("x",)).as_text().splitlines()
    told = [" ".join(line.split()) for line in lines if line.startswith("  ")]
    assert told == [
        "45 UPN is empty (marks 40, sen_needs 5); fill in the UPN where the record is kept",
        "30 UPN is temporary (marks); replace it by the pupil's permanent UPN when the school has it",
        "20 attendance code is not in the list (marks); use a code of the list",
        "2 rank (sen_needs); correct it",
    ]


def test_every_reason_to_hold_a_row_has_its_remedy():
    doubts = {
        value
        for name, value in vars(pseudonym).items()
        if name.isupper() and isinstance(value, str) and value.startswith("UPN")
    }
    assert doubts | {batch.UNLINKED, batch.NO_SCHOOL, batch.UNKNOWN_SCHOOL} == set(HELD_REMEDIES)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 export (f0.csv)"),
        (3, "3 exports (f0.csv, f1.csv, f2.csv)"),
        (1_200, "1,200 exports (f0.csv, f1.csv, f2.csv, ...)"),
    ],
)
def test_files_already_loaded_are_told_by_number_and_three_names(number, told):
    text = summary(already=tuple(f"f{n}.csv" for n in range(number))).as_text()
    assert text.strip() == f"already loaded, nothing changed: {told}"


def test_files_passed_over_are_grouped_by_reason():
    passed = tuple(PassedOver(name, why) for _ in range(6) for name, why in (("a.csv", "totals"), ("b.csv", "unused")))
    lines = summary(loaded=("x",), passed_over=passed).as_text().strip().splitlines()
    assert lines == ["passed over, 6 files (a.csv): totals", "passed over, 6 files (b.csv): unused"]


def test_the_worst_quarantined_files_are_named_with_their_folders():
    aside = tuple(Quarantined(file=f"f{n}.csv", rows=n, folder=Path("home/quarantine") / str(n)) for n in range(1, 8))
    lines = [" ".join(line.split()) for line in summary(loaded=("x",), quarantined=aside).as_text().splitlines()]
    assert lines[1:] == [
        *(f"{n} f{n}.csv: home/quarantine/{n}" for n in (7, 6, 5, 4, 3)),
        "3 2 more files: home/quarantine",
    ]


def test_a_refused_file_says_where_and_what_to_do():
    refusal = FileRefused(file="a.csv", place="byte 39", what="there is a NUL byte", remedy="export it again")
    found = summary(loaded=("x",), refused=(refusal,))
    assert found.as_text().strip() == "REFUSED a.csv, byte 39: there is a NUL byte; export it again"
    assert found.exit_code == 2
