"""Pupils on the rolls of two schools at once, where neither says that they share them."""

import numpy as np
import pandas as pd

# DfE enrolment status: M main and S subsidiary are the two sides of a dual registration, G a guest.
_SHARED = frozenset({"M", "S", "G"})
_GONE = frozenset({"P"})
COLUMNS = ("pupil", "school_a", "school_b", "from", "to")
_OPEN = pd.Timestamp(2262, 1, 1)


def clashes(enrolments: pd.DataFrame) -> pd.DataFrame:
    """Return the days on which a pupil stood on two schools' rolls without dual registration.

    Parameters
    ----------
    enrolments
        What is known of enrolments on a day (`Known['enrolments']`): the latest version of each.

    Returns
    -------
    pd.DataFrame
        `pupil`, `school_a` < `school_b`, `from`, `to` (both days included; NaT: until today), one row for
        each two enrolments that overlap. Either a school forgot to record a leaver, or two pupils go by
        one number: the schools are to be asked, both rows stay.
    """
    rows = enrolments.loc[~enrolments["status"].isin(_GONE | _SHARED)]
    rows = rows[["pupil", "school", "entry_date", "leaving_date"]].copy()
    rows = rows[rows.groupby("pupil")["school"].transform("nunique") > 1]
    rows["until"] = rows["leaving_date"].fillna(_OPEN.as_unit("s"))
    pairs = rows.merge(rows, on="pupil", suffixes=("_a", "_b"))
    pairs = pairs[pairs["school_a"] < pairs["school_b"]]
    start = np.maximum(pairs["entry_date_a"], pairs["entry_date_b"])
    end = np.minimum(pairs["until_a"], pairs["until_b"])
    found = pairs[["pupil", "school_a", "school_b"]].assign(**{"from": start, "to": end})
    found = found[found["from"] <= found["to"]]
    found["to"] = found["to"].where(found["to"] < _OPEN)
    return found.sort_values(list(COLUMNS), ignore_index=True)
