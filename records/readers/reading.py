"""What a reader hands over: loads, each landing whole and once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from records.rows.batch import Batch
from records.text.delimited import digest_of


@dataclass(frozen=True)
class PassedOver:
    """A file that Belong recognises and does not keep, and why."""

    file: str
    why: str


@dataclass(frozen=True)
class Content:
    """What one load holds, still text."""

    batches: tuple[Batch, ...]
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True)
class Load:
    """Files that land together, whole or not at all: one export file, or one census folder.

    Attributes
    ----------
    name
        What a summary calls it.
    files
        Its files, in order.
    read
        Files → their content; raises FileRefused.
    source
        What the data-sharing register calls where it came from; '': by the reader's own name.
    names
        Whether it says who pupils are. Such loads are read first: the rows of a pupil who changed number
        then land where they belong, and none has to follow (records/identity/rehoming.py).
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[Sequence[Path]], Content]
    source: str = ""
    names: bool = False

    def digest(self) -> str:
        """Return the load's identity, 64 hexadecimal digits: the names' stems and bytes of its files."""
        parts = sorted(f"{path.name}:{digest_of(path)}" for path in self.files)
        return parts[0].split(":")[1] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Reader:
    """One export format.

    Attributes
    ----------
    name
        The format, as a person calls it.
    loads
        The files of one folder and the day of ingest → the loads of this format and the files it leaves.
    second_hand
        Whether it repeats what the school's own system exports, later (records/precedence.py).
    """

    name: str
    loads: Callable[[Sequence[Path], date], tuple[list[Load], list[Path]]]
    second_hand: bool = False


def stem(path: Path) -> str:
    """Return what stands before the first '_' of the file's name: what kind of file it says it is."""
    return path.name.lower().removesuffix(".gz").removesuffix(".csv").split("_", 1)[0]


def csv_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that end in .csv, in the order of their names."""
    return sorted(path for path in paths if path.suffix.lower() == ".csv")


def packed_csv_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that end in .csv or .csv.gz, in the order of their names."""
    return sorted(path for path in paths if path.name.lower().endswith((".csv", ".csv.gz")))
