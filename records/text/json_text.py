"""JSON as data from outside: parsed strictly, or refused with the place; never a crash, never a guess."""

import json
import re
from collections.abc import Sequence

import numpy as np

from records.text.sheet import FileRefused

PAGE_CAP_BYTES = 64 << 20
DEPTH_CAP = 64

# A string, or what opens or closes a level. Possessive: a string never closed must not be tried again from
# each of its quotes, which would take a time that grows with the square of the file.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_OTHER_BYTES = bytes(set(range(256)) - set(b'[]{}"'))
_BOM = b"\xef\xbb\xbf"


class Number(str):
    """A number as the file writes it: '12', '1e999'. Its reader decides whether it is a good one."""

    __slots__ = ()


class _Unacceptable(ValueError):
    """What is wrong, in words that hold no value of the file."""


def parse(data: bytes, file: str) -> object:
    """Return the value: dict, list, str, `Number`, bool or None.

    Raises
    ------
    FileRefused
        It is larger than `PAGE_CAP_BYTES`, nested deeper than `DEPTH_CAP`, not UTF-8, not JSON, names a
        key twice in one object (one of the two would be lost), or holds NaN, Infinity or half a character.
    """
    if len(data) > PAGE_CAP_BYTES:
        raise _refusal(file, f"byte {PAGE_CAP_BYTES}", f"the file is larger than {PAGE_CAP_BYTES >> 20} MB")
    body = data.removeprefix(_BOM)
    _refuse_depth(body, file)
    try:
        text = body.decode("utf-8")
        found: object = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant, object_pairs_hook=_object
        )
    except UnicodeDecodeError as error:
        raise _refusal(file, f"byte {error.start}", "this byte is not UTF-8, the encoding of JSON") from error
    except json.JSONDecodeError as error:
        # The parser's own message can quote the text, which may be a pupil's.
        raise _refusal(file, f"line {error.lineno}, column {error.colno}", "it is not JSON from here on") from error
    except _Unacceptable as error:
        raise _refusal(file, "somewhere in it", str(error)) from None
    if "\\u" in text and _half_character(found):
        raise _refusal(file, "somewhere in it", "a text holds half of a character (an unpaired surrogate)")
    return found


def _refuse_depth(body: bytes, file: str) -> None:
    # Before parsing: the parser recurses, and a file of 200,000 brackets must not decide how deep.
    if _depth(body) <= DEPTH_CAP:
        return
    depth = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_CAP:
                raise _refusal(file, f"byte {token.start()}", f"values are nested more than {DEPTH_CAP} deep")
        elif first in b"]}":
            depth -= 1


def _depth(body: bytes) -> int:
    """Return how deep brackets nest outside texts: without escapes, every second part between quotes is outside."""
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHER_BYTES)
    brackets = np.frombuffer(b"".join(bare.split(b'"')[::2]), dtype=np.uint8)
    steps = np.where((brackets == ord("[")) | (brackets == ord("{")), 1, -1)
    return int(steps.cumsum().max(initial=0))


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unacceptable("an object names one of its keys twice")
    return found


def _refuse_constant(name: str) -> object:
    raise _Unacceptable(f"it holds {name}, which is no number")


def _half_character(value: object) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and any("\ud800" <= letter <= "\udfff" for letter in one):
            return True
    return False


def _refusal(file: str, place: str, what: str) -> FileRefused:
    return FileRefused(file=file, place=place, what=what, remedy="export it again")
