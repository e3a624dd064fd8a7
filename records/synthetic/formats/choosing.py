"""What of a network's rows a format can carry: the newest version of each thing by a day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

KEYS: Mapping[str, tuple[str, ...]] = {
    "enrolments": ("upn", "urn", "entry_date"),
    "marks": ("upn", "urn", "date", "session"),
    "behaviour": ("urn", "event_id"),
    "positives": ("urn", "event_id"),
    "suspensions": ("upn", "urn", "start_date"),
}


def newest(rows: pd.DataFrame, table: str, *, after: str = "", by: str = "9999-12-31") -> pd.DataFrame:
    """Return the newest version of each thing among those recorded by a day, if it was recorded after another.

    Days are ISO texts; rows keep their order. Versions of one day keep the one that was written last.
    """
    due = rows[rows["updated_on"] <= by]
    ordered = due.sort_values("updated_on", kind="stable")
    last = ordered.drop_duplicates(subset=list(KEYS[table]), keep="last").sort_index()
    return last[last["updated_on"] > after]


def pull_days(exported: Mapping[str, pd.DataFrame], *, daily: bool = False) -> Sequence[str]:
    """Return the days on which a supplier's interface is asked: each month's last with rows, or every day with any."""
    days = sorted({day for name in KEYS for day in exported[name]["updated_on"] if _is_day(day)})
    if daily or not days:
        return days
    ends = [month_end(day) for day in days]
    return [*dict.fromkeys(end for end in ends if end < days[-1]), days[-1]]


def month_end(day: str) -> str:
    """Return the last day of a day's month."""
    first = date.fromisoformat(day).replace(day=1)
    return ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).isoformat()


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def dicts(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return each row as a dict of texts."""
    names = [str(name) for name in rows.columns]
    return [dict(zip(names, texts, strict=True)) for texts in zip(*(rows[name] for name in names), strict=True)]
