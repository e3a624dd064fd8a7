"""A simulated network's exports as text, table by table: what writers of other formats start from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from records.synthetic.rows import HEADERS


@dataclass(frozen=True)
class Exported:
    """Rows as exported, all text, in the order they were written.

    `tables` maps 'enrolments', 'marks', 'behaviour', 'positives', 'suspensions', 'schools' and 'calendars' to
    frames with the columns of the network CSV format (records/readers/network_csv.py): ISO dates, '' for nothing.
    """

    tables: Mapping[str, pd.DataFrame]

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.tables[table]


def read_exported(folder: Path) -> Exported:
    """Return the network CSV files of a folder, one frame for each kind of file."""
    found: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(folder.glob("*.csv")):
        found.setdefault(path.stem.split("_", 1)[0], []).append(pd.read_csv(path, dtype=str, keep_default_na=False))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    # A small network may have no suspension in a year, and so no file of them.
    none = {name: pd.DataFrame(columns=HEADERS[name].split(","), dtype=str) for name in HEADERS if name != "weeks"}
    return Exported(none | tables)
