"""What a reader made of a folder: accepted rows by table as plain text, faults, and what was held."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records.home import Home
from records.intake.fates import judge
from records.pseudonym import Prover
from records.readers.reading import Reader
from records.table import Table

TODAY = date(2025, 7, 1)
PROVER = Prover(b"a pepper for tests, and nothing else")


@dataclass
class Fates:
    """One table's rows by fate: accepted as text ('' for nothing, dates ISO), the pupil left as a number."""

    rows: pd.DataFrame
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)

    def told(self, *columns: str) -> list[tuple[str, ...]]:
        """Return those columns of the accepted rows, in the order of the file."""
        return [tuple(row) for row in self.rows[list(columns)].to_numpy().tolist()]


def home_at(folder: Path) -> Home:
    """Return a home that holds nothing but what a test puts there."""
    return Home(path=folder / "home", demo=True, today=TODAY)


def read_folder(reader: Reader, folder: Path, today: date = TODAY) -> dict[str, Fates]:
    """Return what became of every file of the folder that the reader takes; the others are left."""
    parts: dict[str, list[pa.Table]] = {}
    found: dict[str, Fates] = {}
    loads, _ = reader.loads(sorted(folder.iterdir()), today)
    for load in loads:
        for batch in load.read(load.files).batches:
            judged = judge(batch, PROVER, today)
            mine = found.setdefault(batch.table.name, Fates(pd.DataFrame()))
            parts.setdefault(batch.table.name, []).append(judged.accepted)
            told = judged.faults[["line", "column", "rule"]].itertuples(index=False, name=None)
            mine.faults += [(int(line), str(column), str(rule)) for line, column, rule in told]
            mine.held.update({why: len(rows) for why, rows in judged.held.items()})
    for name, tables in parts.items():
        found[name].rows = as_text(pa.concat_tables(tables))
    return found


def as_text(rows: pa.Table) -> pd.DataFrame:
    """Return the rows as text, in order of line."""
    columns = {name: pc.fill_null(rows[name].cast(pa.string()), "") for name in rows.column_names}
    text = pa.table(columns).to_pandas()
    return text.iloc[text["row"].astype(int).argsort(kind="stable")].reset_index(drop=True)


def without_origin(fates: Fates) -> list[tuple[str, ...]]:
    """Return the distinct accepted rows, sorted, without the file and line they came from."""
    columns = [name for name in fates.rows.columns if name not in ("source", "row")]
    return sorted({tuple(row) for row in fates.rows[columns].to_numpy().tolist()})


def pseudonym_of(upn: str) -> str:
    """Return the pupil's pseudonym under the tests' pepper."""
    return str(int(PROVER.prove([upn])[0][0]))


def columns_of(table: Table) -> tuple[str, ...]:
    """Return the table's declared columns but the pupil."""
    return tuple(column.name for column in table.columns if column.kind != "pupil")
