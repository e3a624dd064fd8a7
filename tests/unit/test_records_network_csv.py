"""The network's own format: every kind of file lands in its table, packed or not."""

import gzip
from pathlib import Path

import pytest

from records.readers import network_csv
from records.text.sheet import FileRefused
from tests.export_files import ANN, LAYOUTS, write
from tests.judged import TODAY, read_folder

ROWS = {
    "lessons": ("lesson_marks", f"{ANN},900001,2025-03-03,4,L,12,2025-03-03,false", ("period", "code", "minutes_late")),
    "reviews": (
        "exclusion_reviews",
        f"{ANN},900001,2025-03-10,GB,2025-03-28,BRE,2025-03-28,false",
        ("start_date", "category", "reviewed_on", "result"),
    ),
    "provision": (
        "alternative_provision",
        f"{ANN},900001,2025-03-10,,OTH,4,PT,2025-03-07,false",
        ("entry_date", "leaving_date", "setting", "sessions_a_week", "pattern"),
    ),
    "support": (
        "support",
        f"s1,{ANN},900001,mentoring,2025-03-10,,2025-03-10,true",
        ("support_id", "type", "start_date", "end_date", "deleted"),
    ),
    "care": ("care", f"{ANN},CIN,2025-01-06,,2025-01-13,false", ("status", "start_date", "end_date")),
    "neighbourhoods": (
        "neighbourhoods",
        f"{ANN},2022-09-05,E01000001,3,2022-09-12,",
        ("start_date", "area", "deprivation"),
    ),
}
WORKED = {
    "lessons": ("4", "L", "12"),
    "reviews": ("2025-03-10", "GB", "2025-03-28", "BRE"),
    "provision": ("2025-03-10", "", "OTH", "4", "PT"),
    "support": ("s1", "mentoring", "2025-03-10", "", "true"),
    "care": ("CIN", "2025-01-06", ""),
    "neighbourhoods": ("2022-09-05", "E01000001", "3"),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_file_of_each_newer_kind_is_read(tmp_path: Path, kind: str):
    table, row, columns = ROWS[kind]
    write(tmp_path, f"{kind}_900001_20250701.csv", row)
    found = read_folder(network_csv.READER, tmp_path)
    assert found[table].faults == []
    assert found[table].told(*columns) == [WORKED[kind]]


def test_a_packed_file_is_read_and_its_rows_name_it_as_it_came(tmp_path):
    plain = write(tmp_path, "marks_1.csv", f"{ANN},900001,2025-03-03,AM,/,2025-03-03")
    (tmp_path / "marks_1.csv.gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()
    ((load,), left) = network_csv.loads([tmp_path / "marks_1.csv.gz"], TODAY)
    assert left == []
    (batch,) = load.read(load.files).batches
    assert batch.sheet.source == load.digest()[:16]
    assert read_folder(network_csv.READER, tmp_path)["marks"].told("date", "code") == [("2025-03-03", "/")]


def test_a_packed_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "marks_1.csv.gz").write_bytes(b"upn,urn\n")
    ((load,), _) = network_csv.loads([tmp_path / "marks_1.csv.gz"], TODAY)
    with pytest.raises(FileRefused, match="not a whole gzip file"):
        load.read(load.files)


@pytest.mark.parametrize("name", ["marks_1.txt", "mark_1.csv", "week_1.csv", "marks_1.csv.zip"])
def test_other_names_are_left_to_other_readers(name: str):
    assert not network_csv.claims(name)


def test_each_layout_names_its_heading_once():
    assert [kind for kind, layout in LAYOUTS.items() if len(set(layout.heading)) < len(layout.heading)] == []
