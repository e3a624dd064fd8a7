"""Encodings are declared, never guessed: what contradicts the declaration refuses the file at the byte."""

import gzip
import tracemalloc
import zlib

import pytest

from records.text import unpacking
from records.text.encoding import to_utf8
from records.text.sheet import FileRefused
from records.text.unpacking import unpacked

ZOE = "UPN,Forename\n1,Zoë\n"


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("cp1252", ZOE.encode("cp1252"), ZOE),
        ("cp1252", "Œuvre €5\n".encode("cp1252"), "Œuvre €5\n"),  # 8C and 80 are characters here and none in Latin-1
        ("cp1252", b"plain\n", "plain\n"),
        ("utf-8", ZOE.encode(), ZOE),
        ("utf-8", ZOE.encode("utf-8-sig"), ZOE),
        ("utf-16", ZOE.encode("utf-16"), ZOE),
        ("utf-16", b"\xfe\xff" + ZOE.encode("utf-16-be"), ZOE),
    ],
)
def test_a_declared_encoding_is_read_and_no_letter_is_mangled(encoding: str, data: bytes, text: str):
    assert to_utf8(data, encoding, "x.csv").decode("utf-8") == text


@pytest.mark.parametrize(
    ("encoding", "data", "place", "what"),
    [
        ("utf-8", ZOE.encode("cp1252"), 17, "not utf-8"),
        ("utf-8", b"\xef\xbb\xbfa\xff", 4, "not utf-8"),  # the mark counts: byte 4 of the file
        ("utf-8", ZOE.encode("utf-16"), 0, "not utf-8"),
        ("cp1252", ZOE.encode(), 17, "the file is UTF-8"),
        ("cp1252", b"\xef\xbb\xbfa,b\n", 0, "the file is UTF-8"),
        ("cp1252", b"ab\x81\n", 2, "not cp1252"),
        ("cp1252", b"\xeb\x90", 1, "not cp1252"),
        ("cp1252", b"a\x00\xeb", 1, "NUL"),
        ("utf-8", b"\xef\xbb\xbfa\x00", 4, "NUL"),
        ("utf-16", ZOE.encode(), 0, "byte-order mark"),
        ("utf-16", b"\xff\xfea\x00\x00\xdc", 4, "not utf-16"),
        ("utf-16", b"\xff\xfea\x00\x00\x00b\x00", 4, "NUL"),
    ],
)
def test_a_contradiction_refuses_the_file_at_the_byte(encoding: str, data: bytes, place: int, what: str):
    with pytest.raises(FileRefused, match=what) as refusal:
        to_utf8(data, encoding, "x.csv")
    assert refusal.value.place == f"byte {place}"
    assert "Zo" not in str(refusal.value)


def test_a_packed_file_is_unpacked(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"))
    assert unpacked(path) == b"a,b\n1,2\n"


@pytest.mark.parametrize("cut", [1, 12, -4])
def test_a_packed_file_cut_short_is_refused(tmp_path, cut: int):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"upn,urn\n" * 100)[:cut])
    with pytest.raises(FileRefused, match="not a whole gzip file"):
        unpacked(path)


def test_a_packed_file_with_other_bytes_behind_it_is_refused(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"upn,urn\n") + b"and more")
    with pytest.raises(FileRefused, match="not a whole gzip file"):
        unpacked(path)


def test_a_bomb_is_refused_at_the_cap_before_it_takes_memory(tmp_path, monkeypatch):
    """Thirty-two megabytes in thirty-two kilobytes, under a cap of sixteen: what is held never grows to the cap."""
    monkeypatch.setattr(unpacking, "UNPACKED_CAP_BYTES", 16 << 20)
    path = tmp_path / "x.csv.gz"
    packer = zlib.compressobj(9, wbits=31)
    path.write_bytes(b"".join([*(packer.compress(b"/" * (1 << 20)) for _ in range(32)), packer.flush()]))
    assert path.stat().st_size < 40_000
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused, match="more than 16 MB") as refusal:
            unpacked(path)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refusal.value.place == f"byte {16 << 20}"
    assert held < 6 << 20


def test_a_plain_file_over_the_cap_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "UNPACKED_CAP_BYTES", 4)
    (tmp_path / "x.csv").write_bytes(b"a,b,c\n")
    with pytest.raises(FileRefused, match="it holds more than"):
        unpacked(tmp_path / "x.csv")


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path):
    with pytest.raises(FileRefused, match="cannot be opened"):
        unpacked(tmp_path / "x.csv.gz")
