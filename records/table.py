"""What a declaration of a record table says: columns, units, codes, protection and retention.

A frame of any table also carries the columns of time and origin in `ORIGIN`. A correction is a new
version (same key, later `known_on`); a deletion is a new version with `deleted` true.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from records.codes import CodeList

Kind = Literal["pupil", "school", "text", "date", "integer", "number", "flag", "code"]
Root = Literal["history", "protected", "areas"]

# Pandas types of each kind in memory. Dates are midnights: 'datetime64[s]'. A `code` column is a
# pandas categorical whose categories are exactly the code list, in its order, so that integer codes
# compare across shards and processes.
DTYPES: dict[Kind, Any] = {
    "pupil": "int64",
    "school": "int32",
    "text": "str",
    "date": "datetime64[s]",
    "integer": "Int32",
    "number": "Float64",
    "flag": "bool",
    "code": "category",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: what it holds, in what unit, from which code list; a text's `longest` in characters."""

    name: str
    kind: Kind
    means: str
    unit: str = ""
    codes: CodeList | None = None
    required: bool = True
    lowest: int | None = None
    highest: int | None = None
    longest: int = 200

    def __post_init__(self) -> None:
        if (self.kind == "code") != (self.codes is not None):
            raise ValueError(f"column {self.name!r}: a code column names its code list, and no other does")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One record table: its root, the key that identifies a thing through its versions, its columns.

    `hindsight`: its rows are there because of what came later, so `records.history.known` leaves it out and no feature
    can read it; a model is measured by it and never learns from it.
    """

    name: str
    means: str
    root: Root
    key: tuple[str, ...]
    happened_on: str
    columns: tuple[Column, ...]
    retention_years: int
    sharded: bool = field(default=True)
    hindsight: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        unknown = [name for name in (*self.key, self.happened_on) if name not in names]
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"table {self.name!r}: {unknown or names} must be distinct declared columns")
        if self.sharded != ("pupil" in names):
            raise ValueError(f"table {self.name!r}: a table is sharded exactly when it has a pupil")

    @property
    def protected(self) -> bool:
        """Whether the table lies in the separate root that features cannot reach."""
        return self.root == "protected"

    def column(self, name: str) -> Column:
        """Return the declared column, or raise KeyError naming the table's columns."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(c.name for c in self.columns)}")


ORIGIN: tuple[Column, ...] = (
    Column(name="known_on", kind="date", means="the day the row could first be known to the network"),
    Column(name="deleted", kind="flag", means="whether this version says that the row never was"),
    Column(name="source", kind="text", means="the first 16 hexadecimal digits of the file's SHA-256"),
    Column(name="row", kind="integer", means="the row's line in that file", unit="line, the heading is 1"),
)

PUPIL = Column(name="pupil", kind="pupil", means="keyed pseudonym of the UPN")
SCHOOL = Column(name="school", kind="school", means="unique reference number", unit="URN")
