"""A delimited text file as columns of distinct strings, or a refusal that names the byte or line.

Nothing is guessed: the format says the encoding and the heading. Structural damage refuses the whole
file, because a reader that carries on past it puts values in the wrong columns without a word.
"""

import csv
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from records.arrow import one_array
from records.text.damage import Text, refusal_of_shape, refuse_damage
from records.text.sheet import Distinct, FileRefused, Sheet

FILE_CAP_BYTES = 1 << 30
FIELD_CAP_BYTES = 10_000
BOM = b"\xef\xbb\xbf"
BLOCK_BYTES = 1 << 24
# A column with more distinct values than this in the first bytes of a large file is one that names pupils
# or events: it is read as plain text first.
SAMPLE_BYTES = 1 << 20
MANY_VALUES = 1_000
# Arrow's own allocator hands each block's memory back and asks for it again: a third of the time of reading.
POOL = pa.system_memory_pool()
REPEATED = pa.dictionary(pa.int32(), pa.string())


def digest_of(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_large(path: Path, cap_bytes: int | None = None) -> None:
    """Raise FileRefused where the file is larger than a cap, `FILE_CAP_BYTES` by default; nothing of it is read."""
    cap = FILE_CAP_BYTES if cap_bytes is None else cap_bytes
    if path.stat().st_size > cap:
        raise FileRefused(
            file=path.name,
            place=f"byte {cap}",
            what=f"the file is larger than {cap // 1_000_000} MB",
            remedy="export a shorter period, or one school in each file",
        )


def read_bytes(path: Path, cap_bytes: int | None = None) -> bytes:
    """Return the file's bytes.

    Raises
    ------
    FileRefused
        It is larger than the cap or cannot be opened.
    """
    try:
        refuse_large(path, cap_bytes)
        return path.read_bytes()
    except OSError as error:
        raise FileRefused(
            file=path.name,
            place="byte 0",
            what=f"it cannot be opened ({error.strerror})",
            remedy="check its permissions",
        ) from error


def heading_of(data: bytes, file: str, delimiter: str = ",") -> tuple[str, ...]:
    """Return the names in the first line.

    Raises
    ------
    FileRefused
        The file is empty or its first line is not text.
    """
    start, end = len(BOM) if data.startswith(BOM) else 0, data.find(b"\n")
    first = data[start : end if end >= 0 else len(data)].rstrip(b"\r")
    try:
        names = next(csv.reader([first.decode("utf-8")], strict=True, delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(
            file=file, place="line 1", what="the heading is not comma-separated UTF-8 text", remedy="export it again"
        ) from error
    if not any(names):
        raise FileRefused(
            file=file, place="line 1", what="there is no heading", remedy="export it again, with headings"
        )
    return tuple(names)


def read_sheet(data: bytes, *, file: str, heading: tuple[str, ...], delimiter: str = ",") -> Sheet:
    """Return the file's columns as text.

    Raises
    ------
    FileRefused
        NUL, a byte that is not UTF-8, an unclosed or misplaced quote, a line break inside a value, an
        empty line, too few or too many values in a line, or a value longer than the cap.
    """
    start = len(BOM) if data.startswith(BOM) else 0
    end = _last_value_ends(data, start)
    text = Text(data=data, start=start, end=end, file=file, columns=len(heading), delimiter=delimiter)
    if len(data) < BLOCK_BYTES:
        return Sheet(file, _source(data), *_columns(text, heading))
    with ThreadPoolExecutor(1) as beside:
        # The digest of a large file takes as long as looking for damage in it, and neither needs the other.
        source = beside.submit(_source, data)
        columns, rows = _columns(text, heading)
        return Sheet(file, source.result(), columns, rows)


def _source(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _columns(text: Text, heading: tuple[str, ...]) -> tuple[dict[str, Distinct], int]:
    """Return the columns and how many rows they have."""
    refuse_damage(text)
    table = _parsed(text, heading)
    if table is None:
        return {name: Distinct((), np.empty(0, np.int32)) for name in heading}, 0
    rows = table.num_rows
    columns: dict[str, Distinct] = {}
    for name in heading:
        columns[name] = _column(table[name], name, text.file)
        # Each column's text is let go as soon as its distinct values are known.
        table = table.drop_columns([name])
    POOL.release_unused()
    return columns, rows


def _last_value_ends(data: bytes, start: int) -> int:
    end = len(data)
    while end > start and data[end - 1] in b"\r\n":
        end -= 1
    return end


def _parsed(text: Text, heading: tuple[str, ...]) -> pa.Table | None:
    """Return the columns of all lines but the heading, or None where there is no other line."""
    line_ends = [at for end in (b"\n", b"\r") if (at := text.data.find(end, text.start, text.end)) >= 0]
    if not line_ends:
        return None
    crowded: list[str] = []
    if text.end - text.start > BLOCK_BYTES:
        last = text.data.rfind(b"\n", text.start, text.start + SAMPLE_BYTES) + 1
        if last > min(line_ends) + 1:
            sample = _parse(text, last, dict.fromkeys(heading, REPEATED))
            crowded = [name for name in heading if _distinct_values(sample[name]) > MANY_VALUES]
    return _parse(text, text.end, dict.fromkeys(heading, REPEATED) | dict.fromkeys(crowded, pa.string()))


def _parse(text: Text, end: int, types: Mapping[str, pa.DataType]) -> pa.Table:
    body = pa.py_buffer(memoryview(text.data)[text.start : end])
    try:
        return pa_csv.read_csv(
            pa.BufferReader(body),
            memory_pool=POOL,
            read_options=pa_csv.ReadOptions(
                column_names=list(types),
                skip_rows=1,
                block_size=BLOCK_BYTES,
                use_threads=body.size > BLOCK_BYTES,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=text.delimiter,
                quote_char='"' if text.quoted else False,
                ignore_empty_lines=False,
                newlines_in_values=False,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict(types), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        # Arrow's own message quotes the line, which may hold a pupil's name: say the place instead.
        raise refusal_of_shape(text) from error


def _distinct_values(chunked: pa.ChunkedArray) -> int:
    return max((len(chunk.dictionary) for chunk in chunked.chunks), default=0)


def _column(chunked: pa.ChunkedArray, name: str, file: str) -> Distinct:
    if pa.types.is_dictionary(chunked.type):
        array = one_array(chunked.unify_dictionaries())
    else:
        # One table of distinct values for the whole column. Uniting a million numbers met anew in every
        # block costs the square of the blocks.
        array = one_array(pc.dictionary_encode(chunked, memory_pool=POOL))
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
