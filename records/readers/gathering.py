"""Rows that stand in a file as nested elements, not lines: gathered one by one into a sheet and its batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from records.rows.batch import Batch, Broken, Form
from records.table import Table
from records.text.sheet import Integers, Sheet, distinct

# Every reader of nested formats hands days over in this one form; what cannot be one is handed over as it stands.
DAYS = Form(dates="%Y-%m-%d", whole_numbers=r"([+-]?\d+)(?:\.0+)?")


@dataclass(frozen=True)
class PlacedSheet(Sheet):
    """A sheet whose rows say themselves where they stood: the pupil's number in a CTF, the place in `data`."""

    places: Integers

    @cached_property
    def lines(self) -> Integers:
        """The place of each row."""
        return self.places


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A value that the format does not allow there: its declared column, what kind it is, what to do."""

    column: str
    value_class: str
    rule: str
    remedy: str


@dataclass
class Rows:
    """Rows for one table, as text, column by column.

    Attributes
    ----------
    table
        Where they go.
    headings
        Declared column → where the file says it, as a fault names it.
    """

    table: Table
    headings: Mapping[str, str]
    places: list[int] = field(default_factory=list)
    wrong: dict[Wrong, list[int]] = field(default_factory=dict)
    unproven: dict[str, list[int]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        pupils = ("upn",) if any(column.kind == "pupil" for column in self.table.columns) else ()
        declared = (column.name for column in self.table.columns if column.kind != "pupil")
        self.columns = {name: [] for name in (*pupils, *declared, "known_on", "deleted")}

    def __len__(self) -> int:
        return len(self.places)

    def add(
        self, place: int, texts: Mapping[str, str], *, wrong: Iterable[Wrong] = (), unproven: Iterable[str] = ()
    ) -> None:
        """Add a row: 'upn', declared columns, 'known_on' and 'deleted'; what is not named is ''."""
        self.extend([place], {name: [texts.get(name, "")] for name in self.columns}, wrong=wrong, unproven=unproven)

    def extend(
        self,
        places: Sequence[int],
        texts: Mapping[str, Sequence[str] | str],
        *,
        wrong: Iterable[Wrong] = (),
        unproven: Iterable[str] = (),
    ) -> None:
        """Add rows; a column given as one string says the same in each of them."""
        rows = range(len(self.places), len(self.places) + len(places))
        self.places += places
        for name, column in self.columns.items():
            said = texts.get(name, "")
            column.extend([said] * len(places) if isinstance(said, str) else said)
        for one in wrong:
            self.wrong.setdefault(one, []).extend(rows)
        for why in unproven:
            self.unproven.setdefault(why, []).extend(rows)


def batches(file: str, source: str, gathered: Sequence[Rows]) -> tuple[Batch, ...]:
    """Return a batch for each table's rows, all on one sheet: the headings of every table beside each other.

    One sheet, since quarantine and held rows are kept by a file's digest: two sheets of one file would
    write over each other. Its columns go by heading, as every reader's do, so that what no agreement
    covers is taken out of it by that name.
    """
    full = [rows for rows in gathered if len(rows)]
    texts = [{rows.headings.get(name, name): column for name, column in rows.columns.items()} for rows in full]
    names = tuple(dict.fromkeys(chain.from_iterable(texts)))
    columns = {"table": distinct(list(chain.from_iterable(repeat(rows.table.name, len(rows)) for rows in full)))}
    for name in names:
        parts = (one.get(name) or repeat("", len(rows)) for one, rows in zip(texts, full, strict=True))
        columns[name] = distinct(list(chain.from_iterable(parts)))
    places = np.array([place for rows in full for place in rows.places], dtype=np.int64)
    sheet = PlacedSheet(file, source, columns, len(places), places)
    made = []
    start = 0
    for rows in full:
        made.append(_batch(sheet, rows, np.arange(start, start + len(rows))))
        start += len(rows)
    return tuple(made)


def _batch(sheet: Sheet, rows: Rows, at: Integers) -> Batch:
    columns = {name: distinct(column) for name, column in rows.columns.items()}
    upn = columns.get("upn")
    if upn is not None and not any(column.name == "upn" for column in rows.table.columns):
        del columns["upn"]
    return Batch(
        table=rows.table,
        sheet=sheet,
        form=DAYS,
        rows=at,
        columns=columns,
        headings=rows.headings,
        upn=upn,
        unproven={why: _mask(found, len(rows)) for why, found in rows.unproven.items()},
        broken=_broken(rows),
    )


def _broken(rows: Rows) -> tuple[Broken, ...]:
    return tuple(
        Broken(
            column=wrong.column,
            rows=_mask(where, len(rows)),
            value_class=wrong.value_class,
            rule=wrong.rule,
            remedy=wrong.remedy,
        )
        for wrong, where in rows.wrong.items()
    )


def _mask(rows: Sequence[int], size: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[list(rows)] = True
    return mask
