"""Raw rows against their table: a typed table of them, and faults as values.

Every distinct value is judged once. A fault says where and what kind of value stood there, never the
value: it may be a child's name in the wrong column.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from records.arrow import array_of, schema_of
from records.codes import CodeList
from records.rows.batch import Batch, Form
from records.rows.faults import fault_rows, gather
from records.rows.row_rules import ROW_RULES, Coded, breaking
from records.table import ORIGIN, Column
from records.text.sheet import Distinct

NO_ROWS = np.empty(0, dtype=np.int64)
EARLIEST = date(1990, 1, 1)
LATEST = date(2100, 1, 1)
EXAMPLE = date(2025, 2, 14)
LONGEST_NUMBER = 9
# A longer list is named by its source alone.
CODES_NAMED = 20
LOWEST_URN, HIGHEST_URN = 100_000, 999_999
TRUE = frozenset({"true", "1", "yes"})
FALSE = frozenset({"", "false", "0", "no"})

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    rows
        Every row as its table lies in the store (`records.arrow`), but `source` as a dictionary of one
        string, and pupil 0: whoever may see the number fills it in. What stands in a row of `bad` means
        nothing.
    bad
        Rows that break a rule.
    faults
        A row for each broken rule, in the columns of `records.rows.faults.FAULT_COLUMNS`.
    """

    rows: pa.Table
    bad: Mask
    faults: pd.DataFrame


@dataclass(frozen=True)
class _Fault:
    """A rule and what to do when a value breaks it."""

    rule: str
    remedy: str


@dataclass(frozen=True)
class _Parsed:
    """The distinct values of a column, read: an array as long as them, and the faulty ones."""

    values: npt.NDArray[np.generic]
    missing: Mask
    faults: Mapping[int, _Fault]


def check(batch: Batch, today: date) -> Checked:
    """Return the rows, typed, and the faults in them.

    Parameters
    ----------
    batch
        Text of one sheet for one table.
    today
        Nothing can have been recorded after it.
    """
    columns = {column.name: column for column in (*batch.table.columns, *ORIGIN[:2]) if column.kind != "pupil"}
    bad = np.zeros(len(batch), dtype=bool)
    faults: list[pd.DataFrame] = []
    arrays: dict[str, pa.Array] = {}
    values: dict[str, Coded] = {}
    for found in batch.broken:
        rows = np.flatnonzero(found.rows)
        bad[rows] = True
        faults.append(fault_rows(batch, rows, found.column, [(found.value_class, found.rule, found.remedy)]))
    for name, column in columns.items():
        text = batch.columns[name]
        parsed = _parse(column, text, batch.form)
        if parsed.faults:
            faulty = np.zeros(len(text.values), dtype=bool)
            faulty[list(parsed.faults)] = True
            faulty_rows = faulty[text.codes]
            for found in batch.broken:
                if found.column == name:
                    # The reader has said what is wrong with it.
                    faulty_rows &= ~found.rows
            rows = np.flatnonzero(faulty_rows)
            if len(rows):
                bad[rows] = True
                faults.append(_value_faults(batch, rows, name, parsed.faults))
        arrays[name] = array_of(column, parsed.values, parsed.missing, text.codes)
        if column.kind not in ("text", "flag"):
            # Row rules compare dates, numbers and code positions; free text is no part of any of them.
            values[name] = Coded(parsed.values, text.codes)
    # A value that cannot be read has a stand-in, which no rule is asked about. Of the rest every rule is asked:
    # a school that corrects one thing and is then told of the next corrects the file twice.
    readable = ~bad
    for rule in ROW_RULES:
        if rule.applies_to(batch.table):
            broken = breaking(rule, values, today)
            rows = NO_ROWS if broken is None else np.flatnonzero(broken & readable)
            if len(rows):
                bad[rows] = True
                faults.append(fault_rows(batch, rows, rule.column, [(rule.value_class, rule.name, rule.remedy)]))
    return Checked(_table(batch, arrays), bad, gather(faults))


def value_class(text: str, form: Form) -> str:
    """Return what kind of value this is, in words that do not give it away."""
    if not text:
        return "empty"
    if text.isspace():
        return "only spaces"
    if _as_date(text, form) is not None:
        return "date"
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.ASCII):
        return "number"
    if text.isalpha():
        return f"text of {len(text)} letter{'s' * (len(text) > 1)}"
    return f"text of {len(text)} character{'s' * (len(text) > 1)}"


def _parse(column: Column, text: Distinct, form: Form) -> _Parsed:
    faults: dict[int, _Fault] = {}
    missing = np.zeros(len(text.values), dtype=bool)
    read: list[object] = []
    for position, raw in enumerate(text.values):
        value: object = None
        if not raw and column.kind != "flag":
            missing[position] = True
            if column.required:
                faults[position] = _Fault(f"{column.name} is required", "fill it in where the record is kept")
        else:
            found = _read_value(column, raw, form)
            if isinstance(found, _Fault):
                faults[position] = found
            else:
                value = found
        read.append(_placeholder(column) if value is None else value)
        missing[position] |= value is None
    return _Parsed(np.array(read, dtype=_array_type(column)), missing, faults)


def _read_value(column: Column, raw: str, form: Form) -> object:
    if column.kind == "date":
        return _read_date(column, raw, form)
    if column.kind in ("integer", "school"):
        return _read_whole(column, raw, form)
    if column.codes is not None:
        return _read_code(column.codes, raw)
    if column.kind == "flag":
        wrong = _Fault(f"{column.name} must be true or false", "export it as true or false")
        return raw.lower() in TRUE if raw.lower() in TRUE | FALSE else wrong
    if len(raw) > column.longest or raw.isspace():
        return _Fault(f"{column.name} must be 1 to {column.longest} characters", "correct it where the record is kept")
    return raw


def _read_code(listed: CodeList, raw: str) -> int | _Fault:
    code = listed.legacy.get(raw, raw)
    if code not in listed:
        return _Fault(f"{listed.name} is not in the list", _list_remedy(listed))
    return listed.codes.index(code)


def _list_remedy(listed: CodeList) -> str:
    some = f"one of {', '.join(listed.codes)}" if len(listed.codes) <= CODES_NAMED else "a code of the list"
    return f"use {some}: {listed.source}"


def _read_date(column: Column, raw: str, form: Form) -> date | _Fault:
    found = _as_date(raw, form)
    if found is None:
        return _Fault(
            f"{column.name} must be a date of this format", f"write dates like {EXAMPLE.strftime(form.dates)}"
        )
    if not EARLIEST <= found < LATEST:
        return _Fault(f"{column.name} must be from {EARLIEST.year} to {LATEST.year - 1}", "correct the year")
    return found


@lru_cache(maxsize=1 << 16)
def _as_date(raw: str, form: Form) -> date | None:
    # Remembered: the same few thousand days stand in every file. strptime also takes '2025-1-3', so writing
    # it back shows whether the format was kept to the letter.
    try:
        found = datetime.strptime(raw, form.dates)
    except ValueError:
        return None
    return found.date() if found.strftime(form.dates).lower() == raw.lower() else None


def _read_whole(column: Column, raw: str, form: Form) -> int | _Fault:
    match = re.fullmatch(form.whole_numbers, raw, re.ASCII)
    if match is None or len(match[1]) > LONGEST_NUMBER:
        return _Fault(f"{column.name} must be a whole number", "correct it where the record is kept")
    number = int(match[1])
    lowest, highest = (LOWEST_URN, HIGHEST_URN) if column.kind == "school" else (column.lowest, column.highest)
    if (lowest is not None and number < lowest) or (highest is not None and number > highest):
        return _Fault(f"{column.name} must be {lowest} to {highest}", "correct it where the record is kept")
    return number


def _array_type(column: Column) -> str:
    types = {"date": "datetime64[s]", "integer": "int32", "school": "int32", "code": "int16", "flag": "bool"}
    return types.get(column.kind, "object")


def _placeholder(column: Column) -> object:
    return {"date": np.datetime64("NaT"), "code": -1, "flag": False, "text": ""}.get(column.kind, 0)


def _value_faults(batch: Batch, rows: npt.NDArray[np.int64], name: str, faults: Mapping[int, _Fault]) -> pd.DataFrame:
    text = batch.columns[name]
    place = np.zeros(len(text.values), dtype=np.int64)
    place[list(faults)] = np.arange(len(faults))
    told = [
        (value_class(text.values[position], batch.form), fault.rule, fault.remedy) for position, fault in faults.items()
    ]
    return fault_rows(batch, rows, name, told, place[text.codes[rows]])


def _table(batch: Batch, arrays: dict[str, pa.Array]) -> pa.Table:
    rows = len(batch)
    # The digest of a file is the same in each of its rows: written out, it would take more room than the rest.
    source = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int32")), pa.array([batch.sheet.source]))
    everything = arrays | {"source": source, "row": pa.array(batch.sheet.lines[batch.rows], pa.int32())}
    if batch.upn is not None:
        everything["pupil"] = pa.array(np.zeros(rows, dtype="int64"))
    schema = schema_of(batch.table)
    schema = schema.set(schema.get_field_index("source"), pa.field("source", source.type))
    return pa.table([everything[name] for name in schema.names], schema=schema)
