"""One JSON record as texts by declared column: paths followed, kinds of value held to, nothing converted by guess."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.identity.identities import IDENTITIES
from records.readers.gathering import Wrong
from records.readers.json_keys import ENTRY, Endpoint
from records.table import Kind
from records.tables import TABLES
from records.text.delimited import FIELD_CAP_BYTES
from records.text.json_text import Number
from records.text.sheet import FileRefused

# Numbers that link records, not measures: a supplier may write them as text or as a whole number.
LINKS = frozenset({"id", "student", "school"})
MOMENTS = frozenset({"known_on"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]{0,39}")
_KEYS_NAMED = 20


@dataclass(frozen=True, kw_only=True)
class JsonForm:
    """How a format writes days and moments: patterns whose first group is the day as YYYY-MM-DD.

    `inside`: the key under which an object holds the text, where the format wraps it in one.
    """

    day: re.Pattern[str]
    moment: re.Pattern[str]
    inside: str | None = None


@dataclass(frozen=True)
class Said:
    """What one record, or one of its entries, says: declared column or link → text, and what is wrong with it."""

    texts: Mapping[str, str]
    wrong: tuple[Wrong, ...]


class _Absent:
    """No key of that path is there: another shape than was declared, which null is not."""


_ABSENT = _Absent()


@dataclass(frozen=True)
class RecordReader:
    """Reads the records of one endpoint.

    Attributes
    ----------
    file
        The page, as faults and refusals name it.
    endpoint, form
        Where things stand and how days are written.
    needed
        What must have its key in every record; the rest may be absent, which counts as null.
    """

    file: str
    endpoint: Endpoint
    form: JsonForm
    needed: frozenset[str]

    def number(self, record: object, place: int) -> str:
        """Return the record's own number.

        Raises
        ------
        FileRefused
            It is no object or has no number.
        """
        value = self._at(record, self.endpoint.id, place, needed=True)
        text = value if isinstance(value, str) else ""
        if not text or not (type(value) is str or text.isdecimal()):
            raise self._refusal(place, f"its {self.endpoint.id} is no number or text")
        return str(text)

    def entries(self, record: object, place: int) -> Iterator[Said]:
        """Yield what the record says, once for each of its entries where rows are entries."""
        if self.endpoint.each is None:
            yield self._said(record, None, place)
            return
        listed = self._at(record, self.endpoint.each, place, needed=True)
        if listed is not None and not isinstance(listed, list):
            raise self._refusal(place, f"its {self.endpoint.each} is no list")
        for entry in listed or []:
            yield self._said(record, entry, place)

    def heading(self, name: str) -> str:
        """Return how a fault names a column: its path."""
        return self.endpoint.columns.get(name, name).removeprefix(ENTRY)

    def _said(self, record: object, entry: object, place: int) -> Said:
        texts: dict[str, str] = dict(self.endpoint.fixed)
        wrong: list[Wrong] = []
        for name, path in self.endpoint.columns.items():
            whole = entry if path.startswith(ENTRY) else record
            value = self._at(whole, path.removeprefix(ENTRY), place, needed=name in self.needed)
            text, why = self._text(name, value, place)
            texts[name] = self.endpoint.words.get(name, {}).get(text, text)
            if why is not None:
                wrong.append(why)
        return Said(texts, tuple(wrong))

    def _at(self, record: object, path: str, place: int, *, needed: bool) -> object:
        found: Any = record
        for step in path.split("."):
            if found is None:
                return None
            found = found.get(step, _ABSENT) if isinstance(found, dict) else _ABSENT
            if found is _ABSENT:
                if needed:
                    raise self._refusal(place, f"there is no {path}; it has {_keys_of(record)}", corrects=True)
                return None
        return found

    def _text(self, name: str, value: object, place: int) -> tuple[str, Wrong | None]:
        if value is None:
            return "", None
        kind = _kind(name)
        if kind == "date" and self.form.inside is not None and isinstance(value, dict):
            value = value.get(self.form.inside)
        if isinstance(value, str) and len(value) > FIELD_CAP_BYTES:
            raise self._refusal(place, f"its {self.heading(name)} is longer than {FIELD_CAP_BYTES} characters")
        if kind == "date" and type(value) is str:
            match = (self.form.moment if name in MOMENTS else self.form.day).fullmatch(value)
            return (value if match is None else match[1]), None
        wanted = _wanted(name, kind)
        if _is(value, wanted):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return text, _control(name) if _CONTROL.search(text) else None
        shown = json.dumps(value, ensure_ascii=False)[:FIELD_CAP_BYTES]
        return shown, Wrong(
            column=name,
            value_class=_named(value),
            rule=f"{name} must be a JSON {' or '.join(wanted)}",
            remedy="correct it where the record is kept, or correct the table of keys",
        )

    def _refusal(self, place: int, what: str, *, corrects: bool = False) -> FileRefused:
        remedy = "correct this endpoint's table of keys (mappings/keys)" if corrects else "export it again"
        return FileRefused(file=self.file, place=f"data[{place}]", what=what, remedy=remedy)


def _kinds() -> dict[str, Kind]:
    read = (*TABLES.values(), IDENTITIES)
    return {column.name: column.kind for table in read for column in table.columns} | {"known_on": "date"}


_KINDS = _kinds()


def _kind(name: str) -> Kind:
    return _KINDS.get(name, "text")


def _wanted(name: str, kind: Kind) -> Sequence[str]:
    if name in LINKS or name.endswith("_id"):
        return ("text", "number")
    return {"integer": ("number",), "number": ("number",), "flag": ("true or false",)}.get(kind, ("text",))


def _is(value: object, wanted: Sequence[str]) -> bool:
    return _named(value) in wanted


def _named(value: object) -> str:
    if isinstance(value, Number):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "true or false"
    return "list" if isinstance(value, list) else "object"


def _control(name: str) -> Wrong:
    return Wrong(
        column=name,
        value_class="text with a control character",
        rule=f"{name} must be plain text",
        remedy="correct it where the record is kept",
    )


def _keys_of(record: object) -> str:
    """Return the keys of a record in words: only those that are plain words, since a key may be anything."""
    if not isinstance(record, dict):
        return "no keys: it is no object"
    plain = [key for key in record if _PLAIN_KEY.fullmatch(key)]
    rest = len(record) - len(plain[:_KEYS_NAMED])
    return f"the keys {', '.join(plain[:_KEYS_NAMED]) or 'none'}" + (f" and {rest} more" if rest else "")
