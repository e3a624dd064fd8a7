"""A CSV that a spreadsheet reads as text: FAULTS 33, in names as well as in notes."""

import csv
import io

import pytest

from serving.spreadsheet import as_csv, as_text


@pytest.mark.parametrize(
    "cell",
    [
        "=cmd()",
        "@SUM(1)",
        "+1",
        "-1",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\uff1dcmd()",
        "\uff20SUM(1)",
        "\uff0b1",
        "\uff0d1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell):
    rows = list(csv.reader(io.StringIO(as_csv(["Pupil"], [[cell]]).decode("utf-8-sig"), newline="")))
    assert rows == [["Pupil"], [f"'{cell}"]]


@pytest.mark.parametrize("cell", ["Zoë O'Brien-Smith", "Late marks 6, 1 before", "", "7", "a=b"])
def test_any_other_cell_stays_what_it_is(cell):
    assert as_text(cell) == cell


def test_every_cell_is_quoted_and_the_file_says_that_it_is_utf_8():
    assert as_csv(["A", 'B"'], [[None, 7]]) == b'\xef\xbb\xbf"A","B"""\r\n"","7"\r\n'
