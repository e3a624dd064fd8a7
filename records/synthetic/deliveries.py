"""When each file of a simulation arrives: one folder for each Monday on which schools' exports are taken in."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from records.refusal import Refusal

_STAMP: Final = re.compile(r"_(\d{8})(?:_again)?\.csv(?:\.gz)?$")


class NotDelivered(Refusal):
    """A file bears a day on which nobody takes it in any more."""


def deliver(exports: Path, mondays: Sequence[date]) -> None:
    """Sort the files of a simulation, in place, into a folder for each of these Mondays, ascending.

    A file arrives on the first Monday after the day that it bears, and one that bears none on the first: lists of
    schools, calendars, censuses, figures about places. A census belongs there if it was returned by then.

    Raises
    ------
    NotDelivered
        A file bears a day on which, or after which, nothing is taken in any more.
    """
    for path in sorted(exports.iterdir()):
        stamp = stamp_of(path.name)
        on = _arrives(date.fromisoformat(stamp), mondays, path.name) if stamp else mondays[0]
        folder = exports / on.isoformat()
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)


def deliveries(exports: Path) -> dict[date, Path]:
    """Return each Monday's folder, ascending."""
    return {date.fromisoformat(folder.name): folder for folder in sorted(exports.iterdir()) if folder.is_dir()}


def stamp_of(name: str) -> str:
    """Return the day that an export file's name bears, YYYYMMDD; '' where it bears none."""
    found = _STAMP.search(name)
    return found[1] if found else ""


def _arrives(last: date, mondays: Sequence[date], name: str) -> date:
    for monday in mondays:
        if last < monday:
            return monday
    raise NotDelivered(f"{name} bears {last.isoformat()}; add a Monday after it, for it would never be read")
