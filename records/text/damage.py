"""Structural damage in a text file: the first thing wrong with its bytes or its shape, and where.

A reader that carries on past damage puts values in the wrong columns without a word, so a damaged file
is refused whole. Every check looks at the bytes in place, a block at a time: a file is never copied.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from records.text.sheet import FileRefused

# Small enough to stay in a processor's cache between one look and the next.
BLOCK_BYTES = 1 << 18

_QUOTE = "a quote is not closed on its line, or stands inside a value"
_QUOTE_BYTE, _NEW_LINE, _RETURN = ord('"'), ord("\n"), ord("\r")

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Text:
    """The bytes of a file from its heading to its last value, and the shape its format promises.

    Attributes
    ----------
    data, start, end
        The file's bytes, and where the heading begins and the last line ends.
    file
        The name a refusal carries.
    columns, delimiter
        How many values a line has, and what stands between them.
    """

    data: bytes
    start: int
    end: int
    file: str
    columns: int
    delimiter: str

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Yield the bounds of blocks of at least `BLOCK_BYTES`, each of whole lines."""
        first = self.start
        while first < self.end:
            found = self.data.find(b"\n", min(first + BLOCK_BYTES, self.end), self.end)
            last = self.end if found < 0 else found + 1
            yield first, last
            first = last

    @cached_property
    def quoted(self) -> bool:
        """Whether there is any quote in it: most exports have none."""
        return self.data.find(b'"', self.start, self.end) >= 0

    @cached_property
    def returns(self) -> bool:
        """Whether there is any carriage return in it."""
        return self.data.find(b"\r", self.start, self.end) >= 0

    def line_at(self, byte: int) -> int:
        """Return the number of the line a byte stands on; the heading is line 1."""
        return self.data.count(b"\n", self.start, byte) + 1

    def refusal(self, place: str, what: str, remedy: str = "export it again") -> FileRefused:
        """Return the refusal of this file."""
        return FileRefused(file=self.file, place=place, what=what, remedy=remedy)


def refuse_damage(text: Text) -> None:
    """Raise FileRefused where the bytes are not lines of text, or a quote is not closed on its line.

    How many values a line has is not counted here: a parser does that, and `refusal_of_shape` then says
    where.
    """
    if (at := text.data.find(b"\0", text.start, text.end)) >= 0:
        raise text.refusal(f"byte {at}", "there is a NUL byte", "export it again as plain text")
    _refuse_other_encodings(text)
    if (at := _empty_line(text)) >= 0:
        raise text.refusal(f"line {text.line_at(at) + 1}", "there is an empty line", "export it again, without gaps")
    if (at := _lone_return(text)) >= 0:
        raise text.refusal(f"line {text.line_at(at)}", "there is a carriage return inside the line")
    if text.quoted and not _quotes_are_plain(text):
        # What the quick look does not understand, Python's strict parser judges, line by line. The fast
        # parser would close an unclosed quote at the end of the file and say nothing.
        damage = next(_damaged_lines(text), None)
        if damage is not None:
            raise text.refusal(*damage)


def refusal_of_shape(text: Text) -> FileRefused:
    """Return why a parser stopped: too few or too many values in a line, or a value far too long."""
    return text.refusal(*next(_damaged_lines(text), ("line 1", "it cannot be read as separated values")))


def _refuse_other_encodings(text: Text) -> None:
    if text.data.isascii():
        return
    for first, last in text.blocks():
        block = text.data[first:last]
        if not block.isascii():
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                raise text.refusal(
                    f"byte {first + error.start}",
                    "this byte is not UTF-8, the encoding of this format",
                    "export it again as UTF-8",
                ) from error


def _empty_line(text: Text) -> int:
    """Return the byte that ends the line before the first empty one, or -1."""
    for first, last in text.blocks():
        block = np.frombuffer(text.data, np.uint8, min(last + 1, text.end) - first, first)
        ends = block == _NEW_LINE
        if text.returns:
            ends |= block == _RETURN
        # The two bytes of a Windows line end stand together too, and are no empty line.
        empty = ends[:-1] & ends[1:]
        if text.returns:
            empty &= (block[:-1] == _NEW_LINE) | (block[1:] == _RETURN)
        if empty.any():
            return first + int(empty.argmax())
    return -1


def _lone_return(text: Text) -> int:
    """Return the first carriage return that no line feed follows, or -1."""
    if not text.returns:
        return -1
    for first, last in text.blocks():
        block = np.frombuffer(text.data, np.uint8, last - first, first)
        after = np.append(block[1:], np.uint8(_NEW_LINE))  # a block ends with its line, or with the file
        lone = (block == _RETURN) & (after != _NEW_LINE)
        if lone.any():
            return first + int(lone.argmax())
    return -1


def _quotes_are_plain(text: Text) -> bool:
    """Return whether every quote opens a whole value, closes one on the same line, or is one of a doubled pair.

    False is no verdict: such a file is looked at line by line.
    """
    delimiter = ord(text.delimiter)
    for first, last in text.blocks():
        block = np.frombuffer(text.data, np.uint8, last - first, first)
        quotes = np.flatnonzero(block == _QUOTE_BYTE)
        if len(quotes) % 2:
            return False
        opening, closing = quotes[::2], quotes[1::2]
        before = np.where(opening > 0, block[opening - 1], _NEW_LINE)
        behind = np.where(closing + 1 < len(block), block[np.minimum(closing + 1, len(block) - 1)], _NEW_LINE)
        starts = (before == delimiter) | (before == _NEW_LINE) | (before == _QUOTE_BYTE)
        ends = (behind == delimiter) | (behind == _NEW_LINE) | (behind == _RETURN) | (behind == _QUOTE_BYTE)
        lines = np.flatnonzero(block == _NEW_LINE)
        on_one_line = np.searchsorted(lines, opening) == np.searchsorted(lines, closing)
        if not (starts.all() and ends.all() and on_one_line.all()):
            return False
    return True


def _damaged_lines(text: Text) -> Iterator[tuple[str, str]]:
    """Yield the place of each damaged line and what is wrong with it.

    A value may not hold a line break, so each line stands by itself and a quote must close on it.
    """
    for number, line in enumerate(io.BytesIO(memoryview(text.data)[text.start : text.end]), start=1):
        words = line.decode("utf-8").rstrip("\r\n")
        try:
            values = next(csv.reader([words], strict=True, delimiter=text.delimiter), [])
        except csv.Error as error:
            too_long = "field limit" in str(error)
            yield f"line {number}", "a value is far too long" if too_long else _QUOTE
            continue
        if len(values) != text.columns:
            yield f"line {number}", f"there are {len(values)} values where the heading has {text.columns}"
        elif line.count(b'"') % 2:
            yield f"line {number}", _QUOTE
