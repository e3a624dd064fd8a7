"""The network's schools and school days as the web process reads them: one small file, no record store."""

import json
import os
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd

from records.calendar import Calendar, calendar_from
from records.home import Home
from records.table import Table
from records.tables import CALENDARS, SCHOOLS

FILE = "school_days.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class SchoolDays:
    """Schools and calendars as known at `as_of`: rows of the `schools` and `calendars` tables, without origin.

    Compared as itself: a file that has not changed is read once.
    """

    as_of: date
    schools: pd.DataFrame
    calendars: pd.DataFrame

    @cached_property
    def phases(self) -> dict[int, str]:
        """School → phase of education."""
        return {int(s): str(p) for s, p in zip(self.schools["school"], self.schools["phase"], strict=True)}

    def calendar(self) -> Calendar:
        """Return the calendar of every school."""
        return calendar_from(self.calendars)


def school_days_file(home: Home) -> Path:
    """Return where the file lies: beside the deployed bundles, not inside one, because closures come daily."""
    return home.deployed / FILE


def save_school_days(home: Home, schools: pd.DataFrame, calendars: pd.DataFrame, as_of: date) -> None:
    """Write the schools and calendars as known at `as_of`, whole or not at all."""
    home.deployed.mkdir(parents=True, exist_ok=True)
    said = {"as_of": as_of.isoformat(), "schools": _rows(schools, SCHOOLS), "calendars": _rows(calendars, CALENDARS)}
    partial = school_days_file(home).with_suffix(".partial")
    partial.write_text(json.dumps(said, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    os.replace(partial, school_days_file(home))


def read_school_days(home: Home) -> SchoolDays | None:
    """Return what the last nightly job or deployment wrote; None where there is no file yet.

    An unchanged file is not read again: what was worked out from it then serves the next request too.
    """
    file = school_days_file(home)
    try:
        found = file.stat()
        return _read(file, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=4)
def _read(file: Path, stamp: tuple[int, ...]) -> SchoolDays:
    said = json.loads(file.read_text(encoding="utf-8"))
    return SchoolDays(
        as_of=date.fromisoformat(said["as_of"]),
        schools=_frame(said["schools"], SCHOOLS),
        calendars=_frame(said["calendars"], CALENDARS),
    )


def _rows(frame: pd.DataFrame, table: Table) -> list[dict[str, object]]:
    columns = {}
    for column in table.columns:
        values = frame[column.name]
        columns[column.name] = (
            values.dt.strftime("%Y-%m-%d").tolist() if column.kind == "date" else values.astype(object).tolist()
        )
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _frame(rows: list[dict[str, object]], table: Table) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[column.name for column in table.columns])
    for column in table.columns:
        if column.kind == "date":
            frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[s]")
    return frame
