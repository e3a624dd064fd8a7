"""Copies of export rows outside the record store, landed, held or quarantined: one pupil's found, told, removed."""

import gzip
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from records.home import Home
from records.rights.holding import Gone, Section, Subject
from records.rights.mentions import Seeker, rows_of

# The demonstration's export files lie in `exports`; a network drops its own in `landing`.
LANDED = ("landing", "exports")
_TABLES = frozenset({".csv", ".txt", ".tsv"})
# Under these a census links its tables to a pupil, whose number stands in one of them only.
_OWN_IDS = ("pupilonrolltableid", "pupilnolongeronrolltableid")
PERHAPS = "{count} rows in {where} carry both names but neither the number nor the date of birth: look at them"
UNREAD = "{name} speaks of the pupil and has not been read yet: ingest it, then run `belong pupil reapply-erasures`"

Ids = set[tuple[str, str]]


def landed_files(home: Home) -> list[Path]:
    """Return the export files that lie in the home, in the order of their paths."""
    return [path for name in LANDED for path in sorted((home.path / name).rglob("*")) if path.is_file()]


def is_table(path: Path) -> bool:
    """Whether a file is rows of text, gzip or not, from which one can be taken out."""
    return Path(path.name.removesuffix(".gz")).suffix.lower() in _TABLES


def count_landed(home: Home, subject: Subject) -> int:
    """Return how many rows of landed files are the pupil's; a file of another kind counts as one."""
    seeker = Seeker(home, subject)
    return sum(
        sum(1 for _ in theirs(path, seeker)) if is_table(path) else int(_speaks(path, seeker))
        for path in landed_files(home)
    )


def describe_landed(home: Home, subject: Subject) -> tuple[Section, ...]:
    """Return which landed files have rows of the pupil, as they came."""
    seeker = Seeker(home, subject)
    rows: list[Mapping[str, str]] = []
    for path in landed_files(home):
        if is_table(path):
            rows += [{"file": path.name, "row as it came": _text(row)} for row in theirs(path, seeker)]
        elif _speaks(path, seeker):
            rows.append({"file": path.name, "row as it came": "the file speaks of the pupil: ask to see it"})
    says = "Files as the school's system exported them, before or after they were read into the records."
    return (Section(title="Export files", says=says, rows=tuple(rows)),)


def theirs(path: Path, seeker: Seeker) -> Iterator[bytes]:
    """Yield the pupil's rows of a file of rows."""
    with _opened(path, "rb") as lines:
        yield from (row for _, row in rows_of(lines) if seeker.mention(row) == "theirs")


def rewrite_without(path: Path, seeker: Seeker, linked: Ids) -> tuple[int, int]:
    """Write the file anew without the pupil's rows; return how many went, and how many are perhaps theirs.

    `linked` holds (heading, value) pairs under which other files of the folder speak of the pupil; those
    met here are added to it.
    """
    gone = perhaps = 0
    partial = path.with_name(f"{path.name}.erasing")
    with _opened(path, "rb") as lines, _opened(path, "wb", partial) as out:
        heading: list[str] = []
        for number, (cells, row) in enumerate(rows_of(lines)):
            if number == 0:
                heading = [cell.strip('\ufeffï»¿ "').lower() for cell in cells]
            named = dict(zip(heading, cells, strict=False))
            own = {(column, named[column]) for column in _OWN_IDS if named.get(column)}
            mention = seeker.mention(row) if number else ""
            if mention == "theirs" or own & linked:
                linked |= own
                gone += 1
                continue
            perhaps += mention == "perhaps"
            out.write(row)
    if gone:
        os.replace(partial, path)
    else:
        partial.unlink()
    return gone, perhaps


def quarantined_files(home: Home) -> list[Path]:
    """Return the files of quarantined rows."""
    return sorted(home.quarantine.rglob("rows.csv"))


def count_quarantined(home: Home, subject: Subject) -> int:
    """Return how many quarantined rows are the pupil's."""
    seeker = Seeker(home, subject)
    return sum(1 for path in quarantined_files(home) for _ in theirs(path, seeker))


def describe_quarantined(home: Home, subject: Subject) -> tuple[Section, ...]:
    """Return the pupil's quarantined rows as they came."""
    seeker = Seeker(home, subject)
    rows = tuple({"row as it came": _text(row)} for path in quarantined_files(home) for row in theirs(path, seeker))
    says = "Rows that broke a rule and were put aside: nothing reads them but the people who mend them."
    return (Section(title="Rows put aside", says=says, rows=rows),)


def erase_quarantined(home: Home, subject: Subject) -> Gone:
    """Take the pupil's quarantined rows away, and what was said to be wrong with them."""
    seeker = Seeker(home, subject)
    gone = perhaps = 0
    for path in quarantined_files(home):
        lines = {_first_cell(row) for row in theirs(path, seeker)}
        removed, maybe = rewrite_without(path, seeker, set())
        gone += removed
        perhaps += maybe
        faults = path.with_name("faults.csv")
        if removed and faults.exists():
            _without_lines(faults, lines)
    return Gone(rows=gone, left=said_perhaps(perhaps, "quarantine"))


def held_files(home: Home) -> list[Path]:
    """Return the files of held rows."""
    return sorted(home.held.rglob("*.parquet"))


def count_held(home: Home, subject: Subject) -> int:
    """Return how many held rows are the pupil's."""
    seeker = Seeker(home, subject)
    return sum(mention == "theirs" for path in held_files(home) for mention in _mentions(_plain(path), seeker))


def describe_held(home: Home, subject: Subject) -> tuple[Section, ...]:
    """Return the pupil's held rows in words."""
    seeker = Seeker(home, subject)
    rows: list[Mapping[str, str]] = []
    for path in held_files(home):
        table = _plain(path)
        for row, mention in zip(table.to_pylist(), _mentions(table, seeker), strict=True):
            if mention == "theirs":
                told = {name: value for name, value in row.items() if value and not name.startswith(("said_", "form"))}
                rows.append({name.removeprefix("text_"): str(value) for name, value in told.items()})
    says = "Rows whose pupil could not be proven: stored, never scored or joined to anything."
    return (Section(title="Rows held", says=says, rows=tuple(rows)),)


def erase_held(home: Home, subject: Subject) -> Gone:
    """Take the pupil's held rows away."""
    seeker = Seeker(home, subject)
    gone = perhaps = 0
    for path in held_files(home):
        table = _plain(path)
        mentions = _mentions(table, seeker)
        perhaps += mentions.count("perhaps")
        mine = mentions.count("theirs")
        # A file with a dictionary may hold values that no row of it uses any more: those go too.
        if mine or any(pa.types.is_dictionary(field.type) for field in pa_parquet.read_schema(path)):
            partial = path.with_suffix(".erasing")
            pa_parquet.write_table(table.filter(pa.array([mention != "theirs" for mention in mentions])), partial)
            os.replace(partial, path)
        gone += mine
    return Gone(rows=gone, left=said_perhaps(perhaps, "held"))


def said_perhaps(count: int, where: str) -> tuple[str, ...]:
    """Return the sentence on rows that may be the pupil's, or none."""
    return (PERHAPS.format(count=count, where=where),) if count else ()


def speaks(home: Home, path: Path, subject: Subject) -> bool:
    """Whether a file of another kind than rows (XML, JSON) has the pupil's number or names in it."""
    return _speaks(path, Seeker(home, subject))


def _speaks(path: Path, seeker: Seeker) -> bool:
    with _opened(path, "rb") as file:
        return bool(seeker.mention(file.read()))


def _plain(path: Path) -> pa.Table:
    """Return the table with its dictionaries written out."""
    table = pa_parquet.read_table(path)
    plain = [
        pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _mentions(table: pa.Table, seeker: Seeker) -> list[str]:
    """Return each row's mention; of rows about to be released, which have a pseudonym and no text, by that."""
    if "pupil" in table.column_names:
        return ["theirs" if seeker.knows(pupil) else "" for pupil in table["pupil"].to_pylist()]
    texts = [field.name for field in table.schema if pa.types.is_string(field.type) and field.name != "form"]
    rows: Iterable[tuple[str | None, ...]] = zip(*(table[name].to_pylist() for name in texts), strict=True)
    return [seeker.mention("\x1f".join(cell or "" for cell in row).encode()) for row in rows]


def _without_lines(faults: Path, lines: set[str]) -> None:
    """Write faults.csv anew without the faults of these lines."""
    partial = faults.with_suffix(".erasing")
    with faults.open("rb") as source, partial.open("wb") as out:
        place = 0
        for number, (cells, row) in enumerate(rows_of(source)):
            if number == 0:
                place = cells.index("line")
            if number == 0 or cells[place] not in lines:
                out.write(row)
    os.replace(partial, faults)


def _first_cell(row: bytes) -> str:
    return row.split(b",", 1)[0].strip(b'"').decode()


def _text(row: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return row.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
    return row.decode("latin-1").strip()


def _opened(path: Path, mode: str, beside: Path | None = None) -> IO[bytes]:
    """Open a file, through gzip where its name says so; `beside` is what is written in its stead."""
    target = beside or path
    return cast(IO[bytes], gzip.open(target, mode) if path.suffix == ".gz" else target.open(mode))
