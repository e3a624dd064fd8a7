"""What no agreement covers is taken out of a load before anything looks at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from records.agreements import Cover
from records.batch import Batch
from records.sheet import Sheet, constant


@dataclass
class Uncovered:
    """What was left out of one load for want of an agreement.

    Attributes
    ----------
    fields
        'table.column' left empty, or 'table' where a row cannot do without what is not covered.
    rows
        Table → rows of schools that no agreement is about.
    """

    fields: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Uncovered") -> None:
        """Take in what was left out of another load."""
        self.fields |= other.fields
        for table, rows in other.rows.items():
            self.rows[table] = self.rows.get(table, 0) + rows


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
        here = _of_schools(_without(batch, dropped), cover.schools(batch.table))
        if len(here) < len(batch):
            left_out.rows[batch.table.name] = left_out.rows.get(batch.table.name, 0) + len(batch) - len(here)
        kept.append(here)
    return _with_blank_sheets(kept, batches), left_out


def _without(batch: Batch, names: Iterable[str]) -> Batch:
    gone = dict.fromkeys(names, constant("", len(batch)))
    return replace(batch, columns={**batch.columns, **gone}) if gone else batch


def _of_schools(batch: Batch, schools: frozenset[int] | None) -> Batch:
    if schools is None or "school" not in batch.columns:
        return batch
    column = batch.columns["school"]
    numbers = [text.removesuffix(".0") for text in column.values]
    # A school that cannot be read is for the row's own checks to say.
    covered = [not number.isdecimal() or int(number) in schools for number in numbers]
    keep = np.array([*covered, True])[column.codes]
    return batch if keep.all() else _rows(batch, keep)


def _rows(batch: Batch, keep: npt.NDArray[np.bool_]) -> Batch:
    return replace(
        batch,
        rows=batch.rows[keep],
        columns={name: column.take(keep) for name, column in batch.columns.items()},
        upn=None if batch.upn is None else batch.upn.take(keep),
        unproven={why: mask[keep] for why, mask in batch.unproven.items()},
        broken=tuple(replace(one, rows=one.rows[keep]) for one in batch.broken),
    )


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
