"""Raw rows on their way from a reader to a table: text by declared column, with where it stood."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from records.table import Table
from records.text.sheet import Distinct, Sheet

UNLINKED = "no pupil row has this row's identifier"
NO_SCHOOL = "the school is not proven: schoolcensus.csv names no such school"
UNKNOWN_SCHOOL = "the school is not proven: no school of the network has this LEA and Estab"


@dataclass(frozen=True, kw_only=True)
class Form:
    """How one export format writes values. The format declares it; nothing is guessed.

    Attributes
    ----------
    dates
        The `strptime` pattern of a date; only this one is read.
    whole_numbers
        A regular expression that a whole number must match in full; its first group is the number.
    """

    dates: str
    whole_numbers: str


@dataclass(frozen=True, kw_only=True)
class Broken:
    """Values that a reader could not turn into what its format promises, and what to say about them.

    Attributes
    ----------
    column
        The declared column, or 'known_on', or 'deleted'. A check says nothing more about it in these rows.
    rows
        Which rows of the batch, as a mask.
    value_class, rule, remedy
        What kind of value stood there (never the value), what it breaks, what to do.
    """

    column: str
    rows: npt.NDArray[np.bool_]
    value_class: str
    rule: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one sheet meant for one table, still text.

    Attributes
    ----------
    table, sheet, form
        Where they go, where they stood, how values are written.
    rows
        Positions in the sheet, shape ``(n,)``; `columns` have the same length and order.
    columns
        Declared column (without the pupil), 'known_on' and 'deleted' → text.
    headings
        Declared column → the heading that a fault names.
    upn
        The pupil's number for each row; None for a table without pupils.
    unproven
        Reason → rows whose pupil or school the export itself cannot prove, as a mask.
    broken
        What the reader found that a check of the text could not: the rows are quarantined.
    """

    table: Table
    sheet: Sheet
    form: Form
    rows: npt.NDArray[np.int64]
    columns: Mapping[str, Distinct]
    headings: Mapping[str, str]
    upn: Distinct | None
    unproven: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    def __post_init__(self) -> None:
        wanted = {column.name for column in self.table.columns if column.kind != "pupil"} | {"known_on", "deleted"}
        if set(self.columns) != wanted:
            raise ValueError(f"batch of {self.table.name}: columns {sorted(set(self.columns) ^ wanted)} differ")
        wrong = [name for name, column in self.columns.items() if len(column) != len(self.rows)]
        if wrong or (self.upn is not None and len(self.upn) != len(self.rows)):
            raise ValueError(f"batch of {self.table.name}: {wrong or 'upn'} have another length than rows")

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, keep: npt.NDArray[np.bool_]) -> "Batch":
        """Return the batch of those rows alone."""
        return replace(
            self,
            rows=self.rows[keep],
            columns={name: column.take(keep) for name, column in self.columns.items()},
            upn=None if self.upn is None else self.upn.take(keep),
            unproven={why: rows[keep] for why, rows in self.unproven.items()},
            broken=tuple(replace(found, rows=found.rows[keep]) for found in self.broken),
        )
