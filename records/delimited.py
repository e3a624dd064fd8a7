"""A delimited text file as columns of distinct strings, or a refusal that names the byte or line.

Nothing is guessed: the format says the encoding and the heading. Structural damage refuses the whole
file, because a reader that carries on past it puts values in the wrong columns without a word.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from records.sheet import Distinct, FileRefused, Sheet

FILE_CAP_BYTES = 1 << 30
FIELD_CAP_BYTES = 10_000
BOM = b"\xef\xbb\xbf"

_QUOTE = "a quote is not closed on its line, or stands inside a value"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes.

    Raises
    ------
    FileRefused
        It is larger than the cap or cannot be opened.
    """
    try:
        if path.stat().st_size > FILE_CAP_BYTES:
            raise FileRefused(
                file=path.name,
                place=f"byte {FILE_CAP_BYTES}",
                what=f"the file is larger than {FILE_CAP_BYTES // 1_000_000} MB",
                remedy="export a shorter period, or one school in each file",
            )
        return path.read_bytes()
    except OSError as error:
        raise FileRefused(
            file=path.name,
            place="byte 0",
            what=f"it cannot be opened ({error.strerror})",
            remedy="check its permissions",
        ) from error


def heading_of(data: bytes, file: str) -> tuple[str, ...]:
    """Return the names in the first line.

    Raises
    ------
    FileRefused
        The file is empty or its first line is not text.
    """
    first = data.removeprefix(BOM).split(b"\n", 1)[0].rstrip(b"\r")
    try:
        names = next(csv.reader([first.decode("utf-8")], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(
            file=file, place="line 1", what="the heading is not comma-separated UTF-8 text", remedy="export it again"
        ) from error
    if not any(names):
        raise FileRefused(
            file=file, place="line 1", what="there is no heading", remedy="export it again, with headings"
        )
    return tuple(names)


def read_sheet(data: bytes, *, file: str, heading: tuple[str, ...]) -> Sheet:
    """Return the file's columns as text.

    Raises
    ------
    FileRefused
        NUL, a byte that is not UTF-8, an unclosed or misplaced quote, a line break inside a value, an
        empty line, too few or too many values in a line, or a value longer than the cap.
    """
    source = hashlib.sha256(data).hexdigest()[:16]
    body = data.removeprefix(BOM).rstrip(b"\r\n") + b"\n"
    _refuse_damage(body, file, offset=len(data) - len(data.removeprefix(BOM)), columns=len(heading))
    if b"\n" not in body[:-1] and b"\r" not in body[:-1]:
        return Sheet(file, source, {name: Distinct((), np.empty(0, np.int32)) for name in heading}, 0)
    text = pa.dictionary(pa.int32(), pa.string())
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body),
            read_options=pa_csv.ReadOptions(column_names=list(heading), skip_rows=1, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(ignore_empty_lines=False, newlines_in_values=False),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(heading, text), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        # Arrow's own message quotes the line, which may hold a pupil's name: say the place instead.
        raise _refusal_of_shape(body, file, len(heading)) from error
    columns = {name: _column(table[name], name, file) for name in heading}
    return Sheet(file, source, columns, table.num_rows)


def _column(chunked: pa.ChunkedArray, name: str, file: str) -> Distinct:
    array = chunked.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    longest = pc.max(pc.binary_length(array.dictionary)).as_py() or 0
    codes = array.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    if longest > FIELD_CAP_BYTES:
        long = np.flatnonzero(
            pc.greater(pc.binary_length(array.dictionary), FIELD_CAP_BYTES).to_numpy(zero_copy_only=False)
        )
        line = int(np.flatnonzero(np.isin(codes, long))[0]) + 2
        raise FileRefused(
            file=file,
            place=f"line {line}",
            what=f"a value of {name} is longer than {FIELD_CAP_BYTES} bytes",
            remedy="export it again; no field of this format is that long",
        )
    return Distinct(tuple(array.dictionary.to_pylist()), codes)


def _refuse_damage(body: bytes, file: str, *, offset: int, columns: int) -> None:
    if (at := body.find(b"\0")) >= 0:
        raise FileRefused(
            file=file, place=f"byte {at + offset}", what="there is a NUL byte", remedy="export it again as plain text"
        )
    try:
        if not body.isascii():
            body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileRefused(
            file=file,
            place=f"byte {error.start + offset}",
            what="this byte is not UTF-8, the encoding of this format",
            remedy="export it again as UTF-8",
        ) from error
    for blank in (b"\n\n", b"\n\r\n", b"\r\r"):
        if (at := body.find(blank)) >= 0:
            line = body.count(b"\n", 0, at + 1) + 1
            raise FileRefused(
                file=file, place=f"line {line}", what="there is an empty line", remedy="export it again, without gaps"
            )
    if (at := _lone_return(body)) >= 0:
        line = body.count(b"\n", 0, at) + 1
        raise FileRefused(
            file=file, place=f"line {line}", what="there is a carriage return inside the line", remedy="export it again"
        )
    if b'"' in body:
        # Quotes are rare in exports; where there are any, Python's strict parser judges every line, since
        # the fast one closes an unclosed quote at the end of the file and says nothing.
        damage = next(_damaged_lines(body, columns), None)
        if damage is not None:
            raise _refusal(file, *damage)


def _lone_return(body: bytes) -> int:
    if body.count(b"\r") == body.count(b"\r\n"):
        return -1
    at = body.find(b"\r")
    while body[at + 1 : at + 2] == b"\n":
        at = body.find(b"\r", at + 1)
    return at


def _damaged_lines(body: bytes, columns: int) -> Iterator[tuple[int, str]]:
    # A value may not hold a line break, so each line stands by itself and a quote must close on it.
    for number, line in enumerate(io.BytesIO(body), start=1):
        try:
            values = next(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True))
        except csv.Error as error:
            too_long = "field limit" in str(error)
            yield number, "a value is far too long" if too_long else _QUOTE
            continue
        if len(values) != columns:
            yield number, f"there are {len(values)} values where the heading has {columns}"
        elif line.count(b'"') % 2:
            yield number, _QUOTE


def _refusal_of_shape(body: bytes, file: str, columns: int) -> FileRefused:
    found = next(_damaged_lines(body, columns), None)
    return _refusal(file, *found) if found else _refusal(file, 1, "it cannot be read as comma-separated values")


def _refusal(file: str, line: int, what: str) -> FileRefused:
    return FileRefused(file=file, place=f"line {line}", what=what, remedy="export it again")
