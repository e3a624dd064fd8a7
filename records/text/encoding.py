"""Bytes in a declared encoding → UTF-8, or a refusal at the byte. Nothing is guessed and nothing is mangled.

English schools' systems still write cp1252 by default on Windows; newer ones write UTF-8. Both read an
ASCII file alike, and each reads the other's 'Zoë' as rubbish or not at all. So the mapping names the
encoding, and bytes that contradict it refuse the file.
"""

import codecs
from collections.abc import Callable, Mapping

from records.text.sheet import FileRefused

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def to_utf8(data: bytes, encoding: str, file: str) -> bytes:
    """Return the same text as UTF-8, without a byte-order mark.

    Parameters
    ----------
    data
        The whole file.
    encoding
        A name in `ENCODINGS`.
    file
        What a refusal calls it.

    Raises
    ------
    FileRefused
        A byte contradicts the encoding, or is NUL; the place is its number in `data`, from 0.
    """
    return ENCODINGS[encoding](data, file)


def _utf8(data: bytes, file: str) -> bytes:
    body = data.removeprefix(codecs.BOM_UTF8)
    before = len(data) - len(body)
    try:
        if not body.isascii():
            body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _contradicts(file, before + error.start, "utf-8") from error
    _refuse_nul(body, file, before)
    return body


def _cp1252(data: bytes, file: str) -> bytes:
    _refuse_nul(data, file, 0)
    if data.isascii():
        return data
    if _is_utf8(data):
        # Every byte beyond ASCII belongs to a whole UTF-8 character. Text that a school typed in cp1252 does
        # not come out like that; read as declared, 'Zoë' would become 'ZoÃ«' without a word.
        first = next(place for place, byte in enumerate(data) if byte >= 0x80)
        raise FileRefused(
            file=file,
            place=f"byte {first}",
            what="the mapping says cp1252, but from this byte on the file is UTF-8",
            remedy='write encoding = "utf-8" in the mapping, or export it again as the mapping says',
        )
    try:
        return data.decode("cp1252").encode("utf-8")
    except UnicodeDecodeError as error:
        # 81, 8D, 8F, 90 and 9D are no characters of cp1252.
        raise _contradicts(file, error.start, "cp1252") from error


def _utf16(data: bytes, file: str) -> bytes:
    if not data.startswith(_UTF16_MARKS):
        # Without the mark the order of the bytes would be a guess, and every pair of ASCII bytes is a character.
        raise _contradicts(file, 0, "utf-16 with its byte-order mark")
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise _contradicts(file, error.start, "utf-16") from error
    if (at := text.find("\0")) >= 0:
        _refuse_nul(b"\0", file, len(_UTF16_MARKS[0]) + len(text[:at].encode("utf-16-le")))
    return text.encode("utf-8")


ENCODINGS: Mapping[str, Callable[[bytes, str], bytes]] = {"utf-8": _utf8, "cp1252": _cp1252, "utf-16": _utf16}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_nul(data: bytes, file: str, before: int) -> None:
    if (at := data.find(b"\0")) >= 0:
        raise FileRefused(
            file=file, place=f"byte {before + at}", what="there is a NUL byte", remedy="export it again as plain text"
        )


def _contradicts(file: str, place: int, encoding: str) -> FileRefused:
    return FileRefused(
        file=file,
        place=f"byte {place}",
        what=f"this byte is not {encoding}, the encoding that the mapping names",
        remedy="export it again in that encoding, or name the file's own in the mapping",
    )
