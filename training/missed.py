"""'What we missed': of the exclusions and long suspensions that no list of Belong's came before, how many lists find.

A named evaluation set, and no aim: whoever served then found none of them, by the very rule that made the set, so any
other model finds some. It says whether those who were missed are still missed.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from records.calendar import Calendar
from training.metrics import share
from training.settings import Settings

MISSED: Final = "missed"
LEAST: Final = 10


def found_of_missed(
    rows: pd.DataFrame, missed: pd.DataFrame, calendar: Calendar, settings: Settings
) -> dict[str, float]:
    """Return what lists within capacity make of those whom earlier lists missed.

    Parameters
    ----------
    rows
        Judged rows of the audit period: `pupil`, `school`, `as_of`, `flagged`.
    missed
        As `matured.Hindsight.missed`.

    Returns
    -------
    `known`, how many were missed in all; `positives`, of them those with a judged row within whose horizon they lay:
    the others fell outside of these terms; `found`, of these how many were flagged `lead_days` open school days
    before or more; `recall`, their share, NaN where there are none.
    """
    near = rows[["pupil", "school", "as_of", "flagged"]].merge(missed[["pupil", "event_on"]], on="pupil")
    near = near[near["as_of"] < near["event_on"]]
    near = near.merge(_ends(near, calendar, settings.horizon_weeks), on=["school", "as_of"])
    near = near[near["event_on"] < near["end"]]
    near["found"] = [
        flagged and calendar.open_between(int(school), as_of.date(), event.date()) >= settings.lead_days
        for school, as_of, event, flagged in near[["school", "as_of", "event_on", "flagged"]].itertuples(index=False)
    ]
    events = near.groupby(["pupil", "event_on"])["found"].any()
    return {
        "known": float(len(missed)),
        "positives": float(len(events)),
        "found": float(events.sum()),
        "recall": share(float(events.sum()), len(events)),
    }


def missed_words(numbers: Mapping[str, Any]) -> str:
    """Return in a sentence what a model's lists make of them; nothing that rests on fewer than ten."""
    known, there, recall = (numbers.get(name, math.nan) for name in ("known", "positives", "recall"))
    if not known > 0:
        return "No learning review has yet found an exclusion or long suspension that no list came before."
    if there < LEAST:
        return (
            "Learning reviews have found some that no list came before; fewer than ten of them fell in these terms, "
            "which is too few to say how many this model's lists would have found."
        )
    return (
        f"Of {there:.0f} exclusions and long suspensions in these terms that no list came before, this model's lists "
        f"would have found {recall:.0%} in time. What served then found none of them, by the rule that made the set: "
        "finding some makes no model better by itself."
    )


def _ends(rows: pd.DataFrame, calendar: Calendar, weeks: int) -> pd.DataFrame:
    """Return `school`, `as_of`, `end`: the first day after the horizon, NaT past the calendar's end."""
    pairs = rows[["school", "as_of"]].drop_duplicates()
    ends = [calendar.ahead(int(school), as_of.date(), weeks) for school, as_of in pairs.itertuples(index=False)]
    return pairs.assign(end=pd.to_datetime(pd.Series(ends, index=pairs.index, dtype=object)).astype("datetime64[s]"))
