"""Columns that a person confirmed on a page, as the mapping file that every later ingest reads by."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from records.home import Home
from records.readers.claims import Known, read_mapping
from records.readers.mapping import MappingFile, mapping_from
from records.readers.proposing import columns_of
from records.text.unpacking import GZIP

PREFIX = "upload"


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """How one kind of a school's files is read.

    Attributes
    ----------
    system
        What the data-sharing register calls the source.
    columns
        Declared column → heading. Without 'school' every row is of `school`; without 'known_on' it is known
        from the day of ingest.
    own_dates, words, times
        As `records.readers.proposing.Proposal` has them.
    """

    school: int
    system: str
    table: str
    encoding: str
    delimiter: str
    dates: str
    headings: tuple[str, ...]
    columns: Mapping[str, str]
    own_dates: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    times: Mapping[str, int]


def file_name(school: int, table: str, tag: str, *, packed: bool) -> str:
    """Return the name under which a file is read, so that its school's mapping claims it and no other does."""
    return f"{PREFIX}_{school}_{table}_{tag}.csv{GZIP if packed else ''}"


def mapping_text(said: Confirmed) -> str:
    """Return the mapping file. It is proved by `mapping_of`, as any mapping is when it is read."""
    read = set(said.columns.values())
    passed = [name for name in said.headings if name not in read]
    lines = [
        "# Confirmed on the page 'Bring your data'. `belong mappings --check` proves it after a change.",
        f"system = {_quoted(said.system)}",
        f"encoding = {_quoted(said.encoding)}",
        f"dates = {_quoted(said.dates)}",
        f"delimiter = {_quoted(said.delimiter)}",
        "",
        "[[export]]",
        f"name = {_quoted(said.table)}",
        f"files = {_quoted(f'{PREFIX}_{said.school}_{said.table}_*.csv')}",
        f"table = {_quoted(said.table)}",
        f"passed_over = [{', '.join(map(_quoted, passed))}]",
        "decimal_zeros = true",
        *([] if "known_on" in said.columns else ['known_on = "file"']),
        "[export.columns]",
    ]
    for name in columns_of(said.table):
        if name in said.columns:
            lines.append(f"{name} = {{ {_filling(said, name)} }}")
        elif name == "school":
            lines.append(f'school = {{ constant = "{said.school}" }}')
    return "\n".join(lines) + "\n"


def mapping_of(said: Confirmed) -> MappingFile:
    """Return the mapping that the confirmed columns come to.

    Raises
    ------
    MappingRefused
        A needed column has no heading, or something else in it cannot be used.
    """
    return mapping_from(mapping_text(said), _name(said.school, said.table))


def save(home: Home, said: Confirmed) -> Path:
    """Write the mapping into the home in the place of an earlier one, whole or not at all, and return where."""
    mapping_of(said)
    home.mappings.mkdir(exist_ok=True)
    path = home.mappings / _name(said.school, said.table)
    partial = path.with_suffix(".partial")
    partial.write_text(mapping_text(said), encoding="utf-8")
    os.replace(partial, path)
    return path


def saved(home: Home, school: int) -> tuple[Known, ...]:
    """Return the mappings that a school has confirmed."""
    paths = sorted(home.mappings.glob(f"{PREFIX}_{school}_*.toml"))
    return tuple(Known(file=path.name, where=str(path), mapping=read_mapping(path)) for path in paths)


def fits(mapping: MappingFile, headings: tuple[str, ...], encoding: str, system: str) -> bool:
    """Return whether a file of these headings is of the kind that the mapping was confirmed for."""
    (export,) = mapping.export
    read = {filling.heading for filling in export.columns.values() if filling.heading is not None}
    known = read | set(export.passed_over)
    return (
        mapping.system == system and mapping.encoding == encoding and read <= set(headings) and set(headings) <= known
    )


def _quoted(text: str) -> str:
    """Return a TOML string: a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)


def _name(school: int, table: str) -> str:
    return f"{PREFIX}_{school}_{table}.toml"


def _filling(said: Confirmed, name: str) -> str:
    parts = [f"heading = {_quoted(said.columns[name])}"]
    if name in said.words:
        pairs = ", ".join(f"{_quoted(word)} = {_quoted(ours)}" for word, ours in said.words[name].items())
        parts.append(f"words = {{ {pairs} }}")
    if name in said.own_dates:
        parts.append(f"dates = {_quoted(said.own_dates[name])}")
    if name in said.times:
        parts.append(f"times = {said.times[name]}")
    return ", ".join(parts)
