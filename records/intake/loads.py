"""The ledger of loads: what each export brought, when, and whether it is worth reading again.

A load is done with once its rows met their fates, unless the reason may pass: rows recorded after the
day of ingest, words that a mapping did not list, areas that no list named yet, or not one row accepted.
Such a load is read again by the next ingest of the same file, and only its quarantined rows are looked at:
the rest has landed.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from records.home import Home
from records.intake.coverage import Uncovered
from records.rows.row_rules import AFTER_INGEST, NO_LIST_SAYS, NO_WORD_OF_THE_MAPPING

NOTHING_ACCEPTED = "no row of it was accepted"
_SECOND_HAND = "second_hand.json"


@dataclass(frozen=True, kw_only=True)
class Fates:
    """One table's rows of a load by fate."""

    read: int
    accepted: int
    repeated: int
    held: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What the ledger says of a load.

    Attributes
    ----------
    name, reader, day
        The load, the format it was read as, and the day of the ingest.
    tables
        Table → its rows by fate.
    again
        Why to read it again; '' where its rows' fates are final.
    left_out
        What no agreement covered when it was read. It is read again once one does.
    """

    name: str
    reader: str
    day: date
    tables: Mapping[str, Fates]
    again: str = ""
    left_out: Uncovered = field(default_factory=Uncovered)


def again(tables: Mapping[str, Fates], rules: Iterable[str]) -> str:
    """Return why a load of these fates, whose rows broke these rules, is worth reading again, or ''."""
    for rule in rules:
        if rule == AFTER_INGEST or rule.endswith((NO_WORD_OF_THE_MAPPING, NO_LIST_SAYS)):
            return rule
    quarantined = sum(fates.quarantined for fates in tables.values())
    taken = sum(fates.accepted + fates.repeated + fates.held for fates in tables.values())
    return NOTHING_ACCEPTED if quarantined and not taken else ""


def find(home: Home, digest: str) -> Loaded | None:
    """Return what is known of a load, or None where it never landed whole."""
    try:
        said = json.loads(_path(home, digest).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Loaded(
        name=said["name"],
        reader=said.get("reader", ""),
        day=date.fromisoformat(said.get("day", "0001-01-01")),
        tables={name: Fates(**fates) for name, fates in said.get("tables", {}).items()},
        again=said.get("again", ""),
        left_out=_left_out(said.get("left_out", {})),
    )


def enter(home: Home, digest: str, loaded: Loaded) -> None:
    """Write a load into the ledger, in the place of what it said of it before."""
    _write(_path(home, digest), asdict(loaded) | {"day": loaded.day.isoformat(), "left_out": _said(loaded.left_out)})


def forget(home: Home, sources: Iterable[str]) -> None:
    """Let the loads of these files (first 16 digits of their digests) be read again, whole."""
    for source in set(sources):
        for path in _folder(home).glob(f"{source}*.json"):
            path.unlink()


def second_hand(home: Home) -> frozenset[str]:
    """Return the files that repeat what a school's own system says: School Censuses, by digest."""
    try:
        return frozenset(json.loads((_folder(home) / _SECOND_HAND).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()


def mark_second_hand(home: Home, sources: Iterable[str]) -> None:
    """Add files to those, before anything of them lands."""
    before = second_hand(home)
    if not set(sources) <= before:
        _write(_folder(home) / _SECOND_HAND, sorted(before | set(sources)))


def _said(left_out: Uncovered) -> dict[str, object]:
    schools = {table: sorted(numbers) for table, numbers in sorted(left_out.schools.items())}
    return {"fields": sorted(left_out.fields), "rows": left_out.rows, "schools": schools}


def _left_out(said: Mapping[str, Any]) -> Uncovered:
    schools = {table: set(numbers) for table, numbers in said.get("schools", {}).items()}
    return Uncovered(fields=set(said.get("fields", ())), rows=dict(said.get("rows", {})), schools=schools)


def _folder(home: Home) -> Path:
    return home.path / "loads"


def _path(home: Home, digest: str) -> Path:
    return _folder(home) / f"{digest}.json"


def _write(path: Path, said: object) -> None:
    # What lands once is decided in each table's own log: the ledger saves reading a file again.
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(said) + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
