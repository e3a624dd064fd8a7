"""Faults as rows of a frame: where, what kind of value stood there, which rule it breaks, what to do.

A whole file may break one rule in every row, ten million times: words are kept once, rows point at them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from records.rows.batch import Batch

FAULT_COLUMNS = ("file", "line", "column", "value_class", "rule", "remedy")
NO_FAULTS = pd.DataFrame(columns=pd.Index(FAULT_COLUMNS))

Integers = npt.NDArray[np.int64]
# Value class, rule and remedy.
Told = tuple[str, str, str]


def fault_rows(
    batch: Batch, rows: Integers, name: str, told: Sequence[Told], which: Integers | None = None
) -> pd.DataFrame:
    """Return a fault for each row.

    Parameters
    ----------
    rows
        Positions in the batch.
    name
        The declared column, which the fault names by its heading.
    told
        What can be wrong; `which` says it for each row, and where that is None it is the first.
    """
    which = np.zeros(len(rows), dtype=np.int64) if which is None else which
    first = np.zeros(len(rows), dtype=np.int64)
    kinds, rules, remedies = zip(*told, strict=True)
    return pd.DataFrame(
        {
            "file": _words([batch.sheet.file], first),
            "line": batch.sheet.lines[batch.rows[rows]],
            "column": _words([batch.headings.get(name, name)], first),
            "value_class": _words(kinds, which),
            "rule": _words(rules, which),
            "remedy": _words(remedies, which),
        }
    )


def gather(faults: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return all faults in one frame, ordered by line, column and rule."""
    some = [frame for frame in faults if len(frame)]
    if not some:
        return NO_FAULTS
    words = {
        name: union_categoricals([frame[name] for frame in some], sort_categories=True)
        for name in FAULT_COLUMNS
        if name != "line"
    }
    lines = np.concatenate([frame["line"].to_numpy(dtype=np.int64) for frame in some])
    # The words are in order, so their places are.
    order = np.lexsort((words["rule"].codes, words["column"].codes, lines))
    together = {name: lines if name == "line" else words[name] for name in FAULT_COLUMNS}
    return pd.DataFrame(together, copy=False).take(order).reset_index(drop=True)


def _words(words: Sequence[str], which: Integers) -> pd.Categorical:
    places, known = pd.factorize(np.array(words, dtype=object), sort=True)
    return pd.Categorical.from_codes(places.astype(np.int32)[which], pd.Index(known))
