"""What a mapping says, proved against the tables: a slip shows when the mapping is read, not in a year's rows."""

import re
from collections.abc import Sequence
from datetime import datetime

from records.table import Column, Table
from records.text.encoding import ENCODINGS

EXAMPLE = datetime(2025, 2, 14)
_FLAGS = frozenset({"true", "false"})


def declared(name: str, tables: Sequence[Table]) -> Column | None:
    """Return the column of that name in the tables; None for the pupil's number, the day of record and deletions."""
    return next((column for table in tables for column in table.columns if column.name == name), None)


def prove_text(text: str, name: str, column: Column | None) -> None:
    """Raise ValueError unless the text, a constant or what a word stands for, can stand in the column."""
    if name == "deleted" and text not in _FLAGS:
        raise ValueError(f"columns.{name}: {text!r} must be true or false")
    if column is None:
        return
    wrong = _wrong(text, column)
    if wrong:
        raise ValueError(f"columns.{name}: {text!r} {wrong}")


def _wrong(text: str, column: Column) -> str:
    if not text:
        return "may not stand in a column that every row needs" if column.required else ""
    if column.codes is not None:
        listed = text in column.codes or text in column.codes.legacy
        return "" if listed else f"is not in the list of {column.codes.name}: {column.codes.source}"
    if column.kind in ("integer", "school") and not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return "must be a whole number"
    if column.lowest is not None and column.highest is not None and not column.lowest <= int(text) <= column.highest:
        return f"must be {column.lowest} to {column.highest}"
    return ""


def prove_day(text: str, place: str, dates: str) -> None:
    """Raise ValueError unless the text is a day of the format."""
    try:
        datetime.strptime(text, dates)
    except ValueError:
        raise ValueError(f"{place}: write the day like {EXAMPLE.strftime(dates)}") from None


def prove_encoding(encoding: str) -> str:
    """Return the encoding, or raise ValueError unless it is one that Belong reads."""
    if encoding not in ENCODINGS:
        raise ValueError(f"{encoding!r} is not one of {', '.join(ENCODINGS)}")
    return encoding


def prove_dates(dates: str) -> str:
    """Return the `strptime` format, or raise ValueError unless it gives a whole day.

    '%d/%m' would put every row in 1900.
    """
    try:
        back = datetime.strptime(EXAMPLE.strftime(dates), dates)
    except ValueError as error:
        raise ValueError(f"{dates!r} is no strptime format ({error})") from error
    if back.date() != EXAMPLE.date():
        raise ValueError(f"{dates!r} must give day, month and year, like %d/%m/%Y")
    return dates


def prove_pattern(pattern: str) -> None:
    """Raise ValueError unless it is a regular expression with one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"file_name is no regular expression ({error})") from error
    if groups != 1:
        raise ValueError("file_name needs exactly one group: what stands in it is the value")
