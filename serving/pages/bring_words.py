"""Kinds of files and columns in the words of a school office, and counts of rows from what the job found."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from records.readers.mapping import READABLE
from records.readers.proposing import KEPT_APART, column_of


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file: its name, and what for it is needed."""

    name: str
    needed_for: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "enrolments": Kind(name="Pupils on roll", needed_for="names, year groups and who is at the school"),
        "marks": Kind(name="Attendance marks", needed_for="the attendance line of every timeline"),
        "behaviour": Kind(name="Behaviour incidents", needed_for="incidents and removals from lessons"),
        "positives": Kind(name="Achievements", needed_for="what is going well"),
        "suspensions": Kind(name="Suspensions and exclusions", needed_for="days away, and what Belong learns from"),
        "calendars": Kind(name="Term dates", needed_for="holidays as gaps; you can type them under Records instead"),
        "schools": Kind(name="The school itself", needed_for="its phase; once, and often done by the network"),
        "lesson_marks": Kind(name="Lesson attendance marks", needed_for="absence from single lessons"),
        "exclusion_reviews": Kind(name="Reviews of exclusions", needed_for="exclusions that were overturned"),
        "alternative_provision": Kind(name="Alternative provision", needed_for="time taught elsewhere"),
        "support": Kind(name="Support given", needed_for="what was already offered"),
    }
)
if set(KINDS) != set(READABLE) - KEPT_APART:
    raise ValueError(f"KINDS and the tables that a page may bring differ: {set(KINDS) ^ (set(READABLE) - KEPT_APART)}")

_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "upn": "UPN",
        "former_upn": "Former UPN",
        "school": "School's URN",
        "known_on": "Day it was recorded",
        "deleted": "Deleted or live",
        "code": "Mark",
        "event_id": "Number of the entry",
        "sessions": "Length",
    }
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "upn": "A letter, eleven digits and a last digit or letter",
        "school": "Without it, every row is of this school",
        "known_on": "The day it was typed in or last changed. Without it, rows count as known from today on",
        "deleted": "Whether the entry was taken back",
        "event_id": "The system's own number, by which a correction is told from a second entry",
        "sessions": "In sessions, two a day",
    }
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows by fate."""

    read: int
    accepted: int
    repeated: int
    held: int
    quarantined: int


def column_words(name: str) -> str:
    """Return a declared column's name for people."""
    return _COLUMNS.get(name, name.replace("_", " ").capitalize())


def column_hint(table: str, name: str) -> str:
    """Return what a declared column means."""
    column = column_of(table, name)
    return _HINTS.get(name) or (f"{column.means[:1].upper()}{column.means[1:]}" if column else "")


def counted_rows(findings: Mapping[str, Any]) -> Rows:
    """Return the rows by fate: as they landed, and before that as they were checked."""
    names = ("read", "accepted", "repeated", "held", "quarantined")
    fates = findings.get("fates")
    if not fates:
        return Rows(**{name: int(findings.get(name, 0)) for name in names})
    # Names and enrolments come from the same rows: they are counted as the table that has more.
    return Rows(**{name: max(int(one[name]) for one in fates.values()) for name in names})


def size_words(size: int) -> str:
    """Return '3.2 MB', or kB where that says more."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3)):,} kB"
