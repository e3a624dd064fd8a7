"""A year of attendance marks in one string: what each position of it means, as declared, never as assumed."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from records.readers.gathering import Wrong
from records.readers.json_keys import FOLDER, KeysRefused

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SETTINGS_FILE = "ctf.toml"

WRONG_START = Wrong(
    column="date",
    value_class="start of a string of marks",
    rule="AttendanceStartDate must be a date, and one of the weekdays that the string counts",
    remedy="correct the date, or say in mappings/keys/ctf.toml which weekdays the strings of this school count",
)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """What the positions of an AttendanceMarks string are.

    The programs that this is known from do not say how holidays and weekends are shown; so these are settings.

    Attributes
    ----------
    weekdays
        The days that have positions, 0 for Monday, in the order of the calendar from the start date.
    sessions
        The sessions of a day, in order.
    no_session
        Characters that say there was none: such a position makes no row.
    codes
        Character → attendance code, where a school's system writes another than the code itself.
    """

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    sessions: tuple[str, ...] = ("AM", "PM")
    no_session: frozenset[str] = frozenset("#- ")
    codes: Mapping[str, str] = field(default_factory=dict)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    weekdays: tuple[str, ...] = Field(default=WEEKDAYS[:5], min_length=1)
    no_session: str = "#- "
    codes: Mapping[str, str] = Field(default_factory=dict)


def read_positions(mappings: Path | None = None) -> Positions:
    """Return what positions mean: by default two sessions each Monday to Friday, '#', '-' and ' ' for none.

    A home's `mappings/keys/ctf.toml` may say `weekdays`, `no_session` and `codes`.

    Raises
    ------
    KeysRefused
        It says something else.
    """
    path = None if mappings is None else mappings / FOLDER / SETTINGS_FILE
    if path is None or not path.exists():
        return Positions()
    try:
        said = _Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        days = tuple(sorted({WEEKDAYS.index(day) for day in said.weekdays}))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, ValueError) as error:
        raise KeysRefused(
            f"mappings/{FOLDER}/{SETTINGS_FILE} cannot be used; it may say weekdays (a list of {', '.join(WEEKDAYS)}), "
            "no_session (characters) and codes (a table of characters and codes)"
        ) from error
    return Positions(weekdays=days, no_session=frozenset(said.no_session), codes=said.codes)


@dataclass(frozen=True)
class Marks:
    """The marks of one string: three columns of one length, and what is wrong with all of them."""

    dates: Sequence[str]
    sessions: Sequence[str]
    codes: Sequence[str]
    wrong: tuple[Wrong, ...] = ()


def spell_out(start: str, marks: str, positions: Positions) -> Marks:
    """Return a date, a session and a code for each position that has a session.

    Where the start date cannot be one, every mark bears it as it stands, and is wrong.
    """
    kept = [(place, mark) for place, mark in enumerate(marks) if mark not in positions.no_session]
    number = len(positions.sessions)
    first = _day(start)
    begins = first is not None and first.weekday() in positions.weekdays
    days = _days(first, len(marks) // number + 1, positions.weekdays) if first is not None and begins else ()
    return Marks(
        dates=[days[place // number] if begins else start for place, _ in kept],
        sessions=[positions.sessions[place % number] for place, _ in kept],
        codes=[positions.codes.get(mark, mark) for _, mark in kept],
        wrong=() if begins else (WRONG_START,),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Python also reads 20250303 and 2025-W10-1.
    return found if found.isoformat() == text else None


@lru_cache(maxsize=256)
def _days(first: date, number: int, weekdays: tuple[int, ...]) -> tuple[str, ...]:
    found: list[str] = []
    day = first
    while len(found) < number and day.year < date.max.year:
        if day.weekday() in weekdays:
            found.append(day.isoformat())
        day += timedelta(days=1)
    return tuple(found)
