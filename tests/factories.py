"""Small makers of records for tests: a few short rows become a `History`.

A row is a dict; what it leaves out takes a plain default (school 900001, known on the day it happened,
not deleted). `row` runs on, so that two versions of one day keep the order they are written in.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

import pandas as pd

from records.history import History, empty_frame, typed
from records.table import Table
from records.tables import TABLES

SCHOOL = 900001
Row = Mapping[str, Any]

DEFAULTS: dict[str, dict[str, Any]] = {
    "enrolments": {"entry_date": date(2024, 9, 2), "leaving_date": None, "year_group": "9", "status": "C"},
    "marks": {"session": "AM", "code": "/"},
    "behaviour": {
        "period": 3,
        "type": "Disruption",
        "severity": 2,
        "points": 1,
        "location": "Classroom",
        "role": "Participant",
        "outcome": "Reprimand Given",
    },
    "positives": {"type": "Excellent Effort", "points": 1},
    "suspensions": {
        "sessions": 2,
        "category": "SUSP",
        "reason1": "DB",
        "reason2": None,
        "reason3": None,
    },
    "lesson_marks": {"period": 1, "code": "/", "minutes_late": None},
    "alternative_provision": {"leaving_date": None, "setting": "OTH", "sessions_a_week": 4, "pattern": None},
    "schools": {"name": "Test School", "laestab": "2019999", "phase": "SS", "open_date": date(2020, 9, 1)},
    "calendars": {"kind": "half_term", "name": "Autumn 1"},
}

# Monday 2 September 2024 to Tuesday 21 July 2026, as a London school might publish them.
HALF_TERMS: tuple[tuple[str, date, date], ...] = (
    ("2024/25 Autumn 1", date(2024, 9, 2), date(2024, 10, 25)),
    ("2024/25 Autumn 2", date(2024, 11, 4), date(2024, 12, 20)),
    ("2024/25 Spring 1", date(2025, 1, 6), date(2025, 2, 14)),
    ("2024/25 Spring 2", date(2025, 2, 24), date(2025, 4, 4)),
    ("2024/25 Summer 1", date(2025, 4, 22), date(2025, 5, 23)),
    ("2024/25 Summer 2", date(2025, 6, 2), date(2025, 7, 22)),
    ("2025/26 Autumn 1", date(2025, 9, 1), date(2025, 10, 24)),
    ("2025/26 Autumn 2", date(2025, 11, 3), date(2025, 12, 19)),
    ("2025/26 Spring 1", date(2026, 1, 5), date(2026, 2, 13)),
    ("2025/26 Spring 2", date(2026, 2, 23), date(2026, 3, 27)),
    ("2025/26 Summer 1", date(2026, 4, 13), date(2026, 5, 22)),
    ("2025/26 Summer 2", date(2026, 6, 1), date(2026, 7, 21)),
)


def term_calendar(school: int = SCHOOL, known_on: date = date(2024, 7, 1)) -> list[dict[str, Any]]:
    """Return `calendars` rows: the half-terms of 2024/25 and 2025/26 and one training day in each year."""
    halves = [
        {
            "school": school,
            "kind": "half_term",
            "name": name,
            "start_date": start,
            "end_date": end,
            "known_on": known_on,
        }
        for name, start, end in HALF_TERMS
    ]
    training = [
        {"school": school, "kind": "inset", "name": "Training day", "start_date": day, "end_date": day}
        for day in (date(2024, 9, 2), date(2025, 9, 1))
    ]
    return halves + [{**row, "known_on": known_on} for row in training]


def frame(table: str, rows: Iterable[Row] = ()) -> pd.DataFrame:
    """Return a typed frame of the table from short rows; one line per row, in order, from line 2."""
    declared = TABLES[table]
    full = [_full(declared, row, line) for line, row in enumerate(rows, start=2)]
    return typed(pd.DataFrame(full), declared) if full else _empty(table).copy()


@cache
def _empty(table: str) -> pd.DataFrame:
    # Most tables of most tests have no rows, and a typed frame without rows costs as much as one with some.
    return empty_frame(TABLES[table])


def history(
    shard: int = 0,
    *,
    marks: Iterable[Row] = (),
    behaviour: Iterable[Row] = (),
    suspensions: Iterable[Row] = (),
    positives: Iterable[Row] = (),
    enrolments: Iterable[Row] = (),
    calendars: Iterable[Row] = (),
    schools: Iterable[Row] = (),
    objections: Iterable[Row] = (),
    lesson_marks: Iterable[Row] = (),
    alternative_provision: Iterable[Row] = (),
) -> History:
    """Return a history with these rows; every other table is there and empty."""
    given = {
        "marks": marks,
        "behaviour": behaviour,
        "suspensions": suspensions,
        "positives": positives,
        "enrolments": enrolments,
        "calendars": calendars,
        "schools": schools,
        "objections": objections,
        "lesson_marks": lesson_marks,
        "alternative_provision": alternative_provision,
    }
    names = [name for name, table in TABLES.items() if not table.protected]
    return History(shard, {name: frame(name, given.get(name, [])) for name in names}, {})


def _full(table: Table, row: Row, line: int) -> dict[str, Any]:
    allowed = {column.name for column in table.columns} | {"known_on", "deleted", "source", "row"}
    if unknown := set(row) - allowed:
        raise KeyError(f"{table.name} has no column {sorted(unknown)}; it has {sorted(allowed)}")
    filled: dict[str, Any] = {"school": SCHOOL, "deleted": False, "source": "test", "row": line}
    if "event_id" in allowed:
        filled["event_id"] = f"e{line}"
    filled |= DEFAULTS.get(table.name, {})
    filled |= dict(row)
    filled.setdefault("known_on", filled[table.happened_on])
    missing = allowed - set(filled)
    if missing:
        raise KeyError(f"a row of {table.name} must say {sorted(missing)}")
    return filled
