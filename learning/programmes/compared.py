"""Who is laid beside whom: pupils who took a programme up, and pupils of the same schools and weeks who did not.

A pupil's week is the newest list up to the day on which support began: what Belong knew then of them, and of everybody
else at their school, is what the two are compared by. Whoever was offered the programme and declined is on neither
side: they chose, and those who were never asked did not.
"""

from typing import Final

import pandas as pd

LONGEST_DAYS: Final = 21
"""How old the newest list may be when support begins: a school holiday and a week."""
LOG: Final = ("pupil", "as_of", "school", "term", "year_group", "probability")


def compared(log: pd.DataFrame, supports: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils to be compared, one row each and term, with `reached`: whether they took the programme up.

    Parameters
    ----------
    log
        Columns `LOG`: the published weeks of the programme's schools, one row a pupil and week.
    supports
        As `learning.programmes.reached.SUPPORT_COLUMNS`: the programme's offers as they stand.

    Returns
    -------
    Columns `LOG` and `reached`, each pupil who took it up once, in the week when their first support began.
    """
    known = log.loc[log["probability"].notna(), list(LOG)]
    taken = supports.dropna(subset="start_on").sort_values("start_on", kind="stable").drop_duplicates("pupil")
    reached = pd.merge_asof(
        taken[["pupil", "school", "start_on"]],
        known.sort_values("as_of", kind="stable"),
        left_on="start_on",
        right_on="as_of",
        by=["pupil", "school"],
        direction="backward",
        tolerance=pd.Timedelta(days=LONGEST_DAYS),
    ).dropna(subset="as_of")
    weeks = reached[["school", "as_of"]].drop_duplicates()
    others = known[~known["pupil"].isin(supports["pupil"])].merge(weeks, on=["school", "as_of"])
    others = others.sort_values(["as_of", "pupil"], kind="stable").drop_duplicates(["pupil", "term"])
    rows = [reached[list(LOG)].assign(reached=True), others.assign(reached=False)]
    return pd.concat(rows, ignore_index=True).sort_values(["as_of", "pupil"], kind="stable", ignore_index=True)
