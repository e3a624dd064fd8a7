"""What a file's headings say it is: a proposal for a person to confirm, never a guess that is read by.

A proposal is made of headings, of how days are written and of the bytes' encoding. Values are looked at and
not kept: nothing of a row stands in a proposal.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from records.codes import CodeList
from records.readers.claims import Known
from records.readers.mapping import READABLE, Export
from records.readers.network_csv import LAYOUTS, RENAMED
from records.table import Column
from records.text.encoding import to_utf8
from records.text.sheet import FileRefused

# Day first, always: no English school's system writes the month first, and reading one so is silent ruin.
DATES: Final = (
    *("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%d %B %Y"),
    *("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
)
DELIMITERS: Final = (",", ";", "\t", "|")
KEPT_APART: Final = frozenset(name for name, table in READABLE.items() if table.protected)
# Filled without a heading: the page knows the school, and a file without a day of record is known from today.
FILLED: Final = frozenset({"school", "known_on", "deleted"})
_ROWS_LOOKED_AT: Final = 5_000
_LONGEST_HEADING: Final = 60
_SAID_ELSEWHERE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "upn": ("unique pupil number",),
        "forename": ("first name", "legal forename", "legal first name", "preferred forename"),
        "surname": ("last name", "legal surname", "legal last name", "family name"),
        "date_of_birth": ("dob", "birth date"),
        "year_group": ("year", "nc year", "national curriculum year"),
        "entry_date": ("admission date", "date of admission", "start date"),
        "code": ("mark", "attendance mark", "attendance code"),
        "session": ("am/pm", "session name"),
        "known_on": ("last updated", "recorded on", "date recorded", "updated"),
        "school": ("urn", "school urn"),
    }
)
_NUMBER = re.compile(r"[A-Z]\d{11}[\dA-Z]|\d{3,}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a file seems to be.

    Attributes
    ----------
    table
        The record table; '' where no heading says enough to choose one.
    encoding, delimiter, dates
        As a mapping names them.
    headings
        The file's own, in order.
    columns
        Declared column → heading.
    own_dates
        Declared column → its format of days, where it is not `dates`.
    words
        Declared column → the system's words → ours, where a mapping that Belong knows lists such words.
    times
        Declared column → what its number is multiplied by: 2 where the heading counts days and the table sessions.
    """

    table: str
    encoding: str
    delimiter: str
    dates: str
    headings: tuple[str, ...]
    columns: Mapping[str, str]
    own_dates: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    times: Mapping[str, int]


def columns_of(table: str) -> Mapping[str, bool]:
    """Return each column that a file for the table may fill, in order, and whether every row needs it."""
    export = Export.model_construct(table=table, columns={})
    wanted = {"upn": True} if READABLE[table].sharded else {}
    for one in export.tables:
        wanted |= {column.name: column.required for column in one.columns if column.kind != "pupil"}
    wanted |= {"upn": True} if READABLE[table].sharded else {}
    return wanted | {"known_on": True, "deleted": False}


def column_of(table: str, name: str) -> Column | None:
    """Return the declared column; None for the pupil's number, the day of record and deletions."""
    tables = Export.model_construct(table=table, columns={}).tables
    return next((column for one in tables for column in one.columns if column.name == name), None)


def propose(data: bytes, file: str, known: Sequence[Known], system: str = "") -> Proposal:
    """Return what the file seems to be.

    Parameters
    ----------
    data
        The whole file, unpacked.
    known
        The mappings whose headings are recognised.
    system
        The system that the person named: its encoding is taken where the bytes allow more than one.

    Raises
    ------
    FileRefused
        The first line is no heading: it is empty, holds numbers or days, or nothing in it is recognised.
    """
    encoding = _encoding(data, known, system)
    text = to_utf8(data, encoding, file).decode("utf-8")
    lines = text.split("\n", _ROWS_LOOKED_AT + 1)[: _ROWS_LOOKED_AT + 1]
    delimiter = max(DELIMITERS, key=lines[0].count)
    headings = tuple(_cells(lines[0], delimiter))
    _check_headings(headings, file)
    spoken = _spoken(known)
    table, columns = _best(headings, spoken)
    if not columns:
        raise _no_heading(file, "no heading of it is one that Belong has met")
    sample = [cells for line in lines[1:] if len(cells := _cells(line, delimiter)) == len(headings)]
    values = {name: {row[headings.index(name)] for row in sample} - {""} for name in set(columns.values())}
    days = _days(table, columns, values)
    most = max(days.values(), key=list(days.values()).count, default=DATES[0])
    return Proposal(
        table=table,
        encoding=encoding,
        delimiter=delimiter,
        dates=most,
        headings=headings,
        columns=columns,
        own_dates={name: dates for name, dates in days.items() if dates != most},
        words=_words(table, columns, known, values),
        times=times_of(table, columns, known),
    )


def columns_for(table: str, headings: Sequence[str], known: Sequence[Known]) -> Mapping[str, str]:
    """Return the columns that headings seem to fill, where a person has said which table they are for."""
    return _matched(headings, _spoken(known)[table])


def times_of(table: str, columns: Mapping[str, str], known: Sequence[Known]) -> Mapping[str, int]:
    """Return what each column's number is multiplied by, where a known mapping says so of its heading."""
    return {
        name: filling.times
        for one in known
        for export in one.mapping.export
        for name, filling in export.columns.items()
        if export.table == table and filling.times and plain(filling.heading or "") == plain(columns.get(name, ""))
    }


def _words(
    table: str, columns: Mapping[str, str], known: Sequence[Known], values: Mapping[str, set[str]]
) -> Mapping[str, Mapping[str, str]]:
    """Return the words of known mappings for the columns in which the file uses some that no code list has."""
    found: dict[str, Mapping[str, str]] = {}
    for name, heading in columns.items():
        column = column_of(table, name)
        said = _known_words(table, name, known)
        codes: CodeList | None = column.codes if column else None
        strange = {value for value in values.get(heading, set()) if codes is None or not _listed(codes, value)}
        if said and strange & said.keys():
            # A list of words is closed, so the codes themselves must stand in it too.
            found[name] = {**({code: code for code in codes.codes} if codes else {}), **said}
    return found


def _listed(codes: CodeList, value: str) -> bool:
    return value in codes.codes or value in codes.legacy


def _known_words(table: str, name: str, known: Sequence[Known]) -> dict[str, str]:
    said: dict[str, str] = {}
    for one in known:
        for export in one.mapping.export:
            filling = export.columns.get(name)
            if export.table == table and filling is not None:
                said |= filling.words or {}
    return said


def _encoding(data: bytes, known: Sequence[Known], system: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.isascii() and not data.startswith(b"\xef\xbb\xbf"):
        # Nothing in it tells one from the other: what the system is known to write.
        mine = [one.mapping.encoding for one in known if one.mapping.system == system]
        return mine[0] if mine and mine[0] != "utf-16" else "utf-8"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r")], strict=True, delimiter=delimiter), [])
    except csv.Error:
        return []


def _check_headings(headings: tuple[str, ...], file: str) -> None:
    """Refuse a first line that may be a row: what is kept and shown as a heading must name nobody."""
    if not any(headings):
        raise _no_heading(file, "there is no heading")
    for name in headings:
        value = name.strip().upper()
        if len(name) > _LONGEST_HEADING or _NUMBER.fullmatch(value) or _day(value, DATES):
            raise _no_heading(file, "it holds a number, a date or a long text, so it seems to be a row and no heading")


def _no_heading(file: str, what: str) -> FileRefused:
    return FileRefused(
        file=file, place="line 1", what=what, remedy="export it again with the names of its columns in the first line"
    )


def plain(heading: str) -> str:
    """Return the heading's letters and digits alone, small: 'Date of Birth' and 'date_of_birth' are one."""
    return "".join(letter for letter in heading.lower() if letter.isalnum())


def _spoken(known: Sequence[Known]) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Return table → declared column → headings that are known for it, plain."""
    spoken: dict[str, dict[str, set[str]]] = {}
    for table in READABLE:
        if table not in KEPT_APART:
            spoken[table] = {
                name: {plain(said) for said in (name, *_SAID_ELSEWHERE.get(name, ()))} for name in columns_of(table)
            }
    for layout in LAYOUTS.values():
        for one in layout.tables:
            for name, headings in spoken.get(one.name, {}).items():
                headings.update({plain(RENAMED[name])} if name in RENAMED else ())
    for mapping in known:
        for export in mapping.mapping.export:
            for name, filling in export.columns.items():
                if filling.heading and export.form == "rows" and export.table in spoken:
                    spoken[export.table].setdefault(name, set()).add(plain(filling.heading))
    return {table: {name: frozenset(said) for name, said in names.items()} for table, names in spoken.items()}


def _best(headings: Sequence[str], spoken: Mapping[str, Mapping[str, frozenset[str]]]) -> tuple[str, Mapping[str, str]]:
    """Return the table most of whose needed columns have a heading, and its columns' headings."""
    found: tuple[float, int, str, Mapping[str, str]] = (0.0, 0, "", {})
    for table, names in spoken.items():
        columns = _matched(headings, names)
        needed = [name for name, required in columns_of(table).items() if required and name not in FILLED]
        share = sum(name in columns for name in needed) / len(needed)
        if (share, len(columns)) > found[:2]:
            found = (share, len(columns), table, columns)
    return found[2], found[3]


def _matched(headings: Sequence[str], names: Mapping[str, frozenset[str]]) -> Mapping[str, str]:
    free = {plain(heading): heading for heading in reversed(headings)}
    columns: dict[str, str] = {}
    # A column's own name first: 'type' is not to be taken by a column that some system also calls so.
    for exact in (True, False):
        for name, said in names.items():
            wanted = {plain(name)} if exact else said
            heading = next((word for word in sorted(wanted) if word in free), None)
            if name not in columns and heading is not None:
                columns[name] = free.pop(heading)
    return columns


def _days(table: str, columns: Mapping[str, str], values: Mapping[str, set[str]]) -> dict[str, str]:
    """Return for each column of days the format that most of its values keep to the letter."""
    dated = [name for name in columns if name == "known_on" or ((c := column_of(table, name)) and c.kind == "date")]
    return {name: _kept_best(said) for name in dated if (said := values[columns[name]])}


def _kept_best(said: set[str]) -> str:
    return max(DATES, key=lambda dates: sum(_day(value, (dates,)) for value in said))


def _day(value: str, formats: Iterable[str]) -> bool:
    for dates in formats:
        try:
            if datetime.strptime(value, dates).strftime(dates).lower() == value.lower():
                return True
        except ValueError:
            continue
    return False
