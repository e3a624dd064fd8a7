"""A simulated network's records as a school system's CSV reports, written backwards from the system's own mapping."""

import re
from collections.abc import Mapping
from datetime import datetime
from fnmatch import translate
from importlib.resources import files
from pathlib import Path

import pandas as pd

from records.readers.mapping import Export, Filling, MappingFile, mapping_from
from records.readers.network_csv import RENAMED
from records.synthetic.exported import Exported

SYSTEMS = ("sims", "arbor", "bromcom")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def mapping_of(system: str) -> MappingFile:
    """Return the mapping that Belong brings for a system, one of `SYSTEMS`."""
    file = f"{system}.toml"
    return mapping_from(files("records.readers").joinpath("mappings", file).read_text(encoding="utf-8"), file)


def write_mis(system: str, exported: Exported, out: Path) -> int:
    """Write each school's reports as the system's mapping reads them; return how many rows.

    Names in headings that the mapping passes over are written too, as a real report has them. A character that
    the system's encoding lacks becomes '?', which is what such a system shows.
    """
    mapping = mapping_of(system)
    names = _names(mapping, exported)
    rows = 0
    for export in mapping.export:
        if export.table in exported.tables:
            rows += _write_export(mapping, export, exported[export.table], names, out)
    return rows


def _write_export(mapping: MappingFile, export: Export, table: pd.DataFrame, names: pd.DataFrame, out: Path) -> int:
    dates = export.dates or mapping.dates
    columns = {}
    for column, filling in export.columns.items():
        if filling.heading is not None:
            text = table[RENAMED.get(column, column)].astype(object)
            is_day = column in ("known_on", "date_of_birth") or column.endswith("date")
            columns[filling.heading] = _theirs(text, filling, dates if is_day else "")
    for heading in export.passed_over:
        known = names[heading].to_dict() if heading in names else {}
        columns[heading] = pd.Series([known.get(upn, "") for upn in table["upn"]], index=table.index, dtype="str")
    written = pd.DataFrame(columns)
    for urn, rows in written.groupby(table["urn"].to_numpy(), sort=True):
        name = f"{export.files.replace('*', str(urn) + '_all')}"
        assert re.match(translate(export.files), name)
        rows.to_csv(
            out / name,
            index=False,
            sep=export.delimiter or mapping.delimiter,
            encoding=export.encoding or mapping.encoding,
            errors="replace",
            lineterminator="\r\n",
        )
    return len(written)


def _theirs(text: "pd.Series[str]", filling: Filling, dates: str) -> "pd.Series[str]":
    """Return our text as the system writes it. What has no word of its own there is written as it is."""
    distinct = text.unique().tolist()
    if filling.words is not None:
        words: dict[str, str] = {}
        for theirs, ours in filling.words.items():
            words.setdefault(ours, theirs)
        made: Mapping[str, str] = {ours: words.get(ours, ours) for ours in distinct}
    elif filling.times is not None:
        made = {ours: _divided(ours, filling.times) for ours in distinct}
    elif dates:
        made = {ours: _day(ours, filling.dates or dates) for ours in distinct}
    else:
        return text
    return text.map(made)


def _divided(ours: str, times: int) -> str:
    return f"{int(ours) / times:g}" if ours.isdecimal() else ours


def _day(ours: str, dates: str) -> str:
    """Return an ISO day as the system writes it; what is no day must be none there either."""
    if not ours:
        return ""
    if not _ISO.fullmatch(ours):
        return f"mis-keyed {ours}"
    try:
        return datetime.strptime(ours, "%Y-%m-%d").strftime(dates)
    except ValueError:
        return ours.replace("-", "")


def _names(mapping: MappingFile, exported: Exported) -> pd.DataFrame:
    """Return, for each UPN, what stands under the headings of its name and year in the students' report."""
    students = next((one for one in mapping.export if one.table == "enrolments"), None)
    if students is None or "enrolments" not in exported.tables:
        return pd.DataFrame()
    newest = exported["enrolments"].drop_duplicates("upn", keep="last").set_index("upn")
    told = {}
    for column in ("forename", "surname", "year_group"):
        filling = students.columns[column]
        told[filling.heading or column] = _theirs(newest[column].astype(object), filling, "")
    return pd.DataFrame(told)
