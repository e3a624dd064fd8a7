"""Files far too large: refused at the cap by every reader, unread, with memory flat."""

import os
import tracemalloc
from pathlib import Path

import pytest

from records.intake.ingest import ingest
from records.readers import ctf
from records.readers.pulls import read_json
from records.text.json_text import PAGE_CAP_BYTES
from records.text.sheet import FileRefused
from records.text.xml_text import XML_CAP_BYTES
from tests import export_files as files

TWO_GB = 2 << 30
# One of each reader's files; the folder of a pull also needs the file that says which school it is.
EACH_READERS = (
    "marks_900001_20250701.csv",
    "marks_900002_20250701.csv.gz",
    "sims_attendance_100001_1.csv",
    "census/pupilonroll.csv",
    "2019999_CTF_2018888_001.xml",
    "pull/2025-03-07/students_1.json",
)


def sparse(path: Path, size: int) -> Path:
    """Make a file of that size which takes no room on the disk: all of it is a hole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        os.truncate(file.fileno(), size)
    return path


def test_two_gigabytes_are_refused_by_every_reader_with_memory_flat(tmp_path):
    source = tmp_path / "in"
    for name in EACH_READERS:
        sparse(source / name, TWO_GB)
    (source / "pull" / "school.json").write_text('{"data": {"id": "A1", "urn": "900001"}}')
    home = files.make_home(tmp_path / "home")
    tracemalloc.start()
    try:
        summary = ingest(home, source, clock=files.CLOCK, save_identities=None)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sorted(refusal.file for refusal in summary.refused) == sorted(Path(name).name for name in EACH_READERS)
    assert {refusal.what for refusal in summary.refused} == {"the file is larger than 1073 MB"}
    assert summary.exit_code == 2
    assert held < 16 << 20


def test_a_page_or_a_transfer_file_over_its_own_cap_is_refused_unread(tmp_path):
    """Their caps are smaller than a table's: both are taken apart in memory."""
    large = sparse(tmp_path / "2019999_CTF_2018888_001.xml", XML_CAP_BYTES + 1)
    (load,), _ = ctf.reader(files.make_home(tmp_path / "home")).loads([large], files.TODAY)
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused, match="larger than 67 MB"):
            read_json(sparse(tmp_path / "students_1.json", PAGE_CAP_BYTES + 1))
        with pytest.raises(FileRefused, match="larger than 268 MB"):
            load.read(load.files)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 4 << 20
