"""Record rows in plain words, for a pupil's own file: codes spelled out, and where each row came from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from records.home import Home
from records.rights.holding import Section
from records.table import Column, Table

# Rows that no export brought: casework wrote them (records/written.py).
WRITTEN = "belong"


def section(table: Table, rows: pd.DataFrame, files: Mapping[str, str], years: int) -> Section:
    """Return a table's rows as a part of the pupil's own file, oldest first, with every version of each.

    Parameters
    ----------
    files
        First 16 digits of an export's digest → its name (`file_names`).
    years
        How long the rows are kept (`records.agreements.Register.retention_years`).
    """
    ordered = rows.sort_values([table.happened_on, "known_on", "row"], kind="stable")
    return Section(
        title=table.name.replace("_", " ").capitalize(),
        says=f"{table.means[0].upper()}{table.means[1:]}. Kept {years} years after its school year.",
        rows=tuple(_rows(table, ordered, files)),
    )


def file_names(home: Home) -> dict[str, str]:
    """Return the names of the exports that landed, by the first 16 digits of their digests."""
    names = {WRITTEN: "written by Belong itself"}
    for mark in sorted((home.path / "loads").glob("*.json")):
        said = json.loads(mark.read_text(encoding="utf-8"))
        if isinstance(said, dict):
            names[mark.stem[:16]] = str(said.get("name", ""))
    return names


def day_in_words(day: Any) -> str:
    """Return a day as '3 March 2025'; '' where there is none."""
    return "" if pd.isna(day) else f"{day.day} {day:%B %Y}"


def _rows(table: Table, rows: pd.DataFrame, files: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    told = [column for column in table.columns if column.kind != "pupil"]
    for row in rows.to_dict("records"):
        said = {column.means: _value(column, row[column.name]) for column in told}
        said["known since"] = day_in_words(row["known_on"])
        said["came from"] = files.get(str(row["source"]), f"file {row['source']}")
        said["line"] = "" if row["source"] == WRITTEN else str(row["row"])
        if row["deleted"]:
            by = "the school" if row["source"] == WRITTEN else "the school's system"
            said["withdrawn"] = f"{by} took this back"
        yield {heading: text for heading, text in said.items() if text}


def _value(column: Column, value: Any) -> str:
    if pd.isna(value):
        return ""
    if column.codes is not None:
        meaning = column.codes.meanings.get(str(value), "")
        return str(value) if meaning in ("", str(value)) else f"{meaning} (code {value})"
    if column.kind == "date":
        return day_in_words(value)
    if column.kind == "flag":
        return "yes" if value else "no"
    text = f"{value:g}" if column.kind == "number" else str(value)
    return f"{text} ({column.unit})" if column.unit and column.kind != "school" else text
