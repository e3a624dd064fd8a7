"""What no agreement covers is taken out of a load before anything looks at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from records.agreements import REGISTERED, Cover
from records.rows.batch import Batch
from records.text.sheet import Sheet, constant


@dataclass
class Uncovered:
    """What was left out of one load for want of an agreement.

    Attributes
    ----------
    fields
        'table.column' left empty, or 'table' where a row cannot do without what is not covered.
    rows
        Table → rows of schools that no agreement is about.
    schools
        Table → those schools.
    """

    fields: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    schools: dict[str, set[int]] = field(default_factory=dict)

    def add(self, other: "Uncovered") -> None:
        """Take in what was left out of another load."""
        self.fields |= other.fields
        for table, rows in other.rows.items():
            self.rows[table] = self.rows.get(table, 0) + rows
        for table, schools in other.schools.items():
            self.schools.setdefault(table, set()).update(schools)

    @property
    def columns(self) -> set[str]:
        """The fields that were left empty in rows that were read."""
        return {name for name in self.fields if "." in name}


@dataclass(frozen=True, kw_only=True)
class Gained:
    """What was left out of a load that has landed, and is covered now.

    Attributes
    ----------
    tables
        Left out whole: every row of theirs can be read.
    schools
        Table → schools whose rows were left out and can be read.
    columns
        'table.column' left empty in rows that landed. They stay as they are: read again, a row would be two
        versions of one day and one line, of which nothing says which holds.
    """

    tables: frozenset[str] = frozenset()
    schools: Mapping[str, frozenset[int]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()

    @property
    def rows(self) -> bool:
        """Whether there is any row to read."""
        return bool(self.tables or self.schools)

    def among(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """Return which rows of a batch were left out and can be read."""
        if batch.table.name in self.tables:
            return np.ones(len(batch), dtype=bool)
        schools = self.schools.get(batch.table.name, frozenset())
        if not schools or "school" not in batch.columns:
            return np.zeros(len(batch), dtype=bool)
        column = batch.columns["school"]
        return np.array([*(_number(text) in schools for text in column.values), False])[column.codes]


def gained(left_out: Uncovered, cover: Cover) -> Gained:
    """Return what of a load's left-out parts its source's agreements cover today."""
    whole = left_out.fields - left_out.columns
    tables = frozenset(name for name in whole if not cover.missing(REGISTERED[name]))
    schools = {}
    for table, numbers in left_out.schools.items():
        allowed = cover.schools(REGISTERED[table])
        found = frozenset(numbers) if allowed is None else allowed & numbers
        if found and table not in tables and not cover.missing(REGISTERED[table]):
            schools[table] = found
    parts = {name: name.split(".") for name in left_out.columns}
    columns = frozenset(n for n, (table, column) in parts.items() if column in cover.columns(REGISTERED[table]))
    return Gained(tables=tables, schools=schools, columns=columns)


def only_covered(batches: Sequence[Batch], cover: Cover) -> tuple[tuple[Batch, ...], Uncovered]:
    """Return the batches without what the source's agreements do not cover, and what that was.

    A column without cover becomes empty, in the sheet too, so that quarantine and held rows do not keep
    it. A table whose rows cannot do without such a column is left out whole. Rows of schools that no
    agreement is about are left out.
    """
    left_out = Uncovered()
    kept = []
    for batch in batches:
        if cover.missing(batch.table):
            left_out.fields.add(batch.table.name)
            continue
        dropped = cover.dropped(batch.table)
        left_out.fields |= {f"{batch.table.name}.{name}" for name in dropped}
        whole = _without(batch, dropped)
        keep, schools = _of_schools(whole, cover.schools(batch.table))
        if schools:
            name = batch.table.name
            left_out.add(Uncovered(rows={name: int((~keep).sum())}, schools={name: schools}))
        kept.append(whole.only(keep) if schools else whole)
    return _with_blank_sheets(kept, batches), left_out


def _without(batch: Batch, names: Iterable[str]) -> Batch:
    gone = dict.fromkeys(names, constant("", len(batch)))
    return replace(batch, columns={**batch.columns, **gone}) if gone else batch


def _of_schools(batch: Batch, schools: frozenset[int] | None) -> tuple[npt.NDArray[np.bool_], set[int]]:
    """Return which rows are of covered schools, and the schools whose rows are not."""
    if schools is None or "school" not in batch.columns:
        return np.ones(len(batch), dtype=bool), set()
    column = batch.columns["school"]
    numbers = [_number(text) for text in column.values]
    # A school that cannot be read is for the row's own checks to say.
    covered = np.array([*(number is None or number in schools for number in numbers), True])
    keep: npt.NDArray[np.bool_] = covered[column.codes]
    others = {number for code in np.unique(column.codes[~keep]) if (number := numbers[code]) is not None}
    return keep, others


def _number(text: str) -> int | None:
    number = text.removesuffix(".0")
    return int(number) if number.isdecimal() else None


def _with_blank_sheets(kept: Sequence[Batch], given: Sequence[Batch]) -> tuple[Batch, ...]:
    """Return the batches with sheets in which a heading that only uncovered columns read is empty."""
    read = _headings(given)
    still = _headings(kept)
    blank: dict[int, Sheet] = {}
    for batch in kept:
        sheet = batch.sheet
        if id(sheet) not in blank:
            # The number stays while any row of the sheet is kept: it says whose the row is.
            gone = {name for name in read[id(sheet)] - still[id(sheet)] if "upn" not in name.lower()}
            columns = {
                name: constant("", sheet.rows) if name in gone else column for name, column in sheet.columns.items()
            }
            blank[id(sheet)] = replace(sheet, columns=columns) if gone else sheet
    return tuple(replace(batch, sheet=blank[id(batch.sheet)]) for batch in kept)


def _headings(batches: Sequence[Batch]) -> Mapping[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for batch in batches:
        read = {batch.headings.get(name, name) for name, column in batch.columns.items() if column.values != ("",)}
        found[id(batch.sheet)] = found.get(id(batch.sheet), frozenset()) | read
    return found
