"""What happened after an as-of date: the only code that looks forward.

Outcome (docs/decisions.md, 11): does any suspension or permanent exclusion **start** in
[as_of, as_of + horizon school weeks)? Settings may count either alone, and say the horizon. A lunchtime
exclusion (category LNCH) is half a day without leaving the school's care and is no outcome. Neither is a
suspension that was withdrawn: the version believed is the last one known when we look, not the one first
typed in.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd

from records.calendar import Calendar, calendar_from
from records.history import History, latest
from records.tables import CALENDARS, ENROLMENTS, SUSPENSIONS
from training.matured import MaturedOutcomes
from training.settings import OUTCOMES, Settings

NOT_AT_RISK = ("serving", "decided", "excluded")
_ALONE = {"suspended": ("SUSP",), "permanent": ("PERM",)}


def mature(history: History, keys: pd.DataFrame, *, settings: Settings, observed_until: date) -> MaturedOutcomes:
    """Return the outcomes of the keys that were at risk and have been observed to their horizon's end.

    Parameters
    ----------
    history
        Every version of the shard that holds the pupils.
    keys
        `pupil`, `as_of`, `school`, `abstain`, as in `features.matrix.KEYS`.
    observed_until
        Records known before this day are believed. A horizon counts as passed when it ended
        `settle_days` before it.
    """
    calendar = calendar_from(latest(history.tables["calendars"], CALENDARS, observed_until))
    enrolments = latest(history.tables["enrolments"], ENROLMENTS, observed_until)
    suspensions = latest(history.tables["suspensions"], SUSPENSIONS, observed_until)
    rows = keys.loc[~keys["abstain"].isin(NOT_AT_RISK), ["pupil", "as_of", "school"]].reset_index(drop=True)
    rows = rows.merge(_horizons(rows, calendar, settings.horizon_weeks), on=["school", "as_of"], how="left")
    settled = pd.Timestamp(observed_until - timedelta(days=settings.settle_days))
    rows = rows[rows["horizon_end"].notna() & (rows["horizon_end"] <= settled)].reset_index(drop=True)
    kinds = {"outcome": OUTCOMES[settings.outcome].categories, **_ALONE}
    for name, categories in kinds.items():
        rows[f"{name}_on"] = _next_start(rows, suspensions[suspensions["category"].isin(categories)])
    inside = {name: rows[f"{name}_on"] < rows["horizon_end"] for name in kinds}
    keep = inside["outcome"] | _on_roll_to_the_end(rows, enrolments)
    frame = rows[["pupil", "as_of"]].copy()
    for name in kinds:
        frame[name] = inside[name].astype("int8")
    frame["starts_on"] = rows["outcome_on"].where(inside["outcome"]).astype("datetime64[s]")
    return MaturedOutcomes(frame[keep].reset_index(drop=True), settings.horizon_weeks)


def together(parts: Iterable[MaturedOutcomes]) -> MaturedOutcomes:
    """Return the outcomes of several shards as one value.

    Raises
    ------
    ValueError
        None was given, or their horizons differ.
    """
    given = list(parts)
    if len({part.horizon_weeks for part in given}) != 1:
        raise ValueError("outcomes to join must be at least one, all of one horizon")
    return MaturedOutcomes(pd.concat([part.frame for part in given], ignore_index=True), given[0].horizon_weeks)


def _horizons(rows: pd.DataFrame, calendar: Calendar, weeks: int) -> pd.DataFrame:
    """Return horizon_end (the first day no longer counted) and last_open (the last school day counted)."""
    pairs = rows[["school", "as_of"]].drop_duplicates().reset_index(drop=True)
    ends, lasts = [], []
    for school, as_of in zip(pairs["school"], pairs["as_of"], strict=True):
        end = calendar.ahead(int(school), as_of.date(), weeks)
        days = calendar.open_days.get(int(school), np.empty(0, "datetime64[D]"))
        before = days[: np.searchsorted(days, np.datetime64(end, "D"))] if end is not None else days[:0]
        ends.append(pd.NaT if end is None else pd.Timestamp(end))
        lasts.append(pd.Timestamp(before[-1]) if len(before) else pd.NaT)
    pairs["horizon_end"] = pd.Series(ends, index=pairs.index, dtype="datetime64[s]")
    pairs["last_open"] = pd.Series(lasts, index=pairs.index, dtype="datetime64[s]")
    return pairs


def _next_start(rows: pd.DataFrame, suspensions: pd.DataFrame) -> pd.Series:
    """Return the first start on or after each row's as_of, NaT when there is none; in the rows' order."""
    starts = suspensions[["pupil", "start_date"]].sort_values("start_date", kind="stable")
    asked = rows[["pupil", "as_of"]].reset_index(names="order").sort_values("as_of", kind="stable")
    found = pd.merge_asof(asked, starts, left_on="as_of", right_on="start_date", by="pupil", direction="forward")
    return found.set_index("order")["start_date"].reindex(rows.index)


def _on_roll_to_the_end(rows: pd.DataFrame, enrolments: pd.DataFrame) -> pd.Series:
    """Return whether the pupil was on a roll of the network to the horizon's last open day.

    A pupil who changes school inside the network stays observed; the summer between two rolls does not
    censor, because only the last leaving date counts.
    """
    begun = rows[["pupil", "horizon_end", "last_open"]].reset_index(names="order")
    begun = begun.merge(enrolments[["pupil", "entry_date", "leaving_date"]], on="pupil", how="left")
    begun = begun[begun["entry_date"] < begun["horizon_end"]]
    stays = begun["leaving_date"].isna() | (begun["leaving_date"] >= begun["last_open"])
    return stays.groupby(begun["order"]).any().reindex(rows.index, fill_value=False).astype(bool)
