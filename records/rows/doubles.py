"""Rows that say exactly what an earlier row of the same file said."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.text.sheet import Distinct

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# What one 64-bit integer can tell apart, with room to multiply.
_ROOM = 1 << 62


def doubles(columns: Sequence[Distinct], among: Mask) -> Mask:
    """Return the rows that are the same in all columns as an earlier row, asking only about rows in `among`."""
    found = np.zeros(len(among), dtype=bool)
    rows = None if among.all() else np.flatnonzero(among)
    said = _as_integers(columns, len(among))
    said = said if rows is None else said[rows]
    ordered = np.sort(said)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(twice):
        # Sorting integers costs a tenth of remembering each: only what stands there twice is asked about by row.
        places = np.flatnonzero(pd.Series(said).isin(twice).to_numpy())
        again = places[pd.Series(said[places]).duplicated().to_numpy()]
        found[again if rows is None else rows[again]] = True
    return found


def _as_integers(columns: Sequence[Distinct], rows: int) -> Integers:
    """Return one integer for each row, the same where all columns are the same."""
    mixed = np.zeros(rows, dtype=np.int64)
    room = 1
    for column in columns:
        size = max(len(column.values), 1)
        if size == 1:
            continue
        if room * size >= _ROOM:
            # Too many combinations for one integer: number those met so far, at most one for each row.
            mixed = pd.factorize(mixed)[0].astype(np.int64)
            room = int(mixed.max(initial=0)) + 1
        mixed *= size
        mixed += column.codes
        room *= size
    return mixed
