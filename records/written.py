"""Rows that casework writes into the history: objections, flags given. Landed like any other, with today's day."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from records import delta
from records.arrow import schema_of
from records.home import Home
from records.rights.described import WRITTEN
from records.table import Table


def append(home: Home, table: Table, rows: Sequence[Mapping[str, Any]], today: date) -> int:
    """Add rows, known from today on, and return how many.

    Their `source` is 'belong' and their `row` goes up, so the last written of one day is the one that
    holds; whoever asks twice looks first at what is there. Values are Python's: dates, integers, codes
    as strings; a column left out is missing.

    Raises
    ------
    ValueError
        The table lies in the protected root: casework writes nothing there.
    """
    if table.protected:
        raise ValueError(f"{table.name} is protected: casework writes nothing there")
    if not rows:
        return 0
    written = _written_before(home, table)
    whole = [
        {"known_on": today, "deleted": False, "source": WRITTEN, "row": written + number, **row}
        for number, row in enumerate(rows, start=1)
    ]
    said = json.dumps([table.name, today.isoformat(), written, [sorted(row.items()) for row in rows]], default=str)
    landing = delta.Landing(hashlib.sha256(said.encode()).hexdigest(), pa.Table.from_pylist(whole, schema_of(table)))
    return delta.append(home.history, table, [landing], home.shards)


def _written_before(home: Home, table: Table) -> int:
    found = delta.scan(home.history, table, None, ["row"])
    return max(found["row"].to_pylist(), default=0)
