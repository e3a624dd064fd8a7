"""Refusals: a damaged file lands nothing, and the message says where, never what stood there."""

import pytest

from records.text import delimited
from records.text.delimited import FIELD_CAP_BYTES, heading_of, read_sheet
from records.text.sheet import FileRefused, Sheet

HEADING = ("a", "b", "c")


def sheet(body: bytes) -> Sheet:
    return read_sheet(b"a,b,c\n" + body, file="x.csv", heading=HEADING)


def rows(found: Sheet) -> list[tuple[str, ...]]:
    return list(zip(*(column.text().tolist() for column in found.columns.values()), strict=True))


@pytest.mark.parametrize(
    ("body", "place", "what"),
    [
        (b"1,2,3\n4,\x00,6\n", "byte 14", "NUL"),
        (b"1,2,3\n4,caf\xe9,6\n", "byte 17", "not UTF-8"),  # cp1252: never mojibake
        (b'1,2,3\n4,"5,6\n7,8,9\n', "line 3", "quote"),
        (b'1,2,3\n4,"5\n6",7\n', "line 3", "quote"),
        (b'1,"2"x,3\n', "line 2", "quote"),
        (b"1,2,3\n4,5,6,secret\n", "line 3", "4 values where the heading has 3"),
        (b"1,2,3\n4,5\n", "line 3", "2 values where the heading has 3"),
        (b'"1",2,3\n4,5\n', "line 3", "2 values where the heading has 3"),
        (b"1,2,3\n\n4,5,6\n", "line 3", "empty line"),
        (b"1,2,3\r\n\r\n4,5,6\r\n", "line 3", "empty line"),
        (b"1,2,3\n4,5\r,6\n", "line 3", "carriage return"),
        (b"1,2,3\n4,5," + b"x" * (FIELD_CAP_BYTES + 1) + b"\n", "line 3", "longer than"),
        (b'1,2,3\n4,5,"' + b"x" * 200_000 + b'"\n', "line 3", "longer than"),
    ],
)
def test_damage_refuses_the_whole_file_and_names_the_place(body: bytes, place: str, what: str):
    with pytest.raises(FileRefused) as refusal:
        sheet(body)
    assert refusal.value.place == place
    assert what in refusal.value.what
    assert "secret" not in str(refusal.value)


def test_the_byte_named_counts_the_byte_order_mark():
    with pytest.raises(FileRefused) as refusal:
        read_sheet(b"\xef\xbb\xbfa,b,c\n1,\xff,3\n", file="x.csv", heading=HEADING)
    assert refusal.value.place == "byte 11"


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    found = read_sheet(b"\xef\xbb\xbfa,b,c\r\n1,,3\r\n4,5,6", file="x.csv", heading=HEADING)
    assert rows(found) == [("1", "", "3"), ("4", "5", "6")]
    assert found.lines.tolist() == [2, 3]


def test_quoted_values_are_read():
    assert rows(sheet(b'1,"O""Test, Ann",3\n')) == [("1", 'O"Test, Ann', "3")]


@pytest.mark.parametrize("body", [b"", b"\n\n"])
def test_a_file_with_only_a_heading_has_no_rows(body: bytes):
    assert sheet(body).rows == 0


def test_a_missing_value_is_an_empty_string_never_a_null():
    assert rows(sheet(b"NA,null,\n")) == [("NA", "null", "")]


@pytest.mark.parametrize("data", [b"", b"\n1,2\n", b"\xff\xfea,b\n"])
def test_a_file_without_a_heading_is_refused_at_line_1(data: bytes):
    with pytest.raises(FileRefused) as refusal:
        heading_of(data, "x.csv")
    assert refusal.value.place == "line 1"


def test_a_file_over_the_cap_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "FILE_CAP_BYTES", 4)
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b,c\n")
    with pytest.raises(FileRefused, match="larger than"):
        delimited.read_bytes(path)
