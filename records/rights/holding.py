"""What a holding of personal data declares: whose, why, how long, and how one pupil's part is found, told, erased.

Every floor that keeps personal data declares its holdings; `casework.privacy` gathers them for a
pupil's own file, for erasure and for the record of processing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

Where = TypeVar("Where")


@dataclass(frozen=True, kw_only=True, repr=False)
class Subject:
    """The pupil whom a request is about. Never printed: it has no repr that could reach a log.

    `pseudonyms` are those of all the pupil's numbers, the pupil's own first (records/identity/links.py). `numbers`
    are the unique pupil numbers themselves that are known, names as the school gave them; empty where
    only pseudonyms are (a backup brought back rows of a pupil whose name is gone).
    """

    pseudonyms: tuple[int, ...]
    numbers: tuple[str, ...] = ()
    forename: str = ""
    surname: str = ""
    date_of_birth: date | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a pupil's own file: what it is, and its rows as words under headings."""

    title: str
    says: str
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What an erasure took from one holding: how many rows, and sentences on what a person must still do."""

    rows: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Holding(Generic[Where]):
    """One holding of personal data.

    Attributes
    ----------
    name
        What people call it.
    places
        Tables of the operational database, or folders and files of the home.
    about, purpose, kept
        Whose data, what for, and when it goes.
    find, describe, erase
        From where it lies (the home, or a session of the database) and a pupil: how many rows are about
        the pupil; those rows in words; and take them away, for good.
    """

    name: str
    places: tuple[str, ...]
    about: str
    purpose: str
    kept: str
    find: Callable[[Where, Subject], int]
    describe: Callable[[Where, Subject], tuple[Section, ...]]
    erase: Callable[[Where, Subject], Gone]

    def __post_init__(self) -> None:
        if not self.places:
            raise ValueError(f"holding {self.name!r} names no place")
