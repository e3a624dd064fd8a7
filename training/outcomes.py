"""What happened after an as-of date: the only code that looks forward.

`mature` is what a model learns and is judged by. `mature_others` is for the audit alone: the same flags against
what else befell the pupils, so that an outcome which hangs on staff's decisions is not the only witness.

Outcome (docs/decisions.md, 11): does any suspension or permanent exclusion **start** in
[as_of, as_of + horizon school weeks)? Settings may count either alone, and say the horizon. A lunchtime
exclusion (category LNCH) is half a day without leaving the school's care and is no outcome. Neither is a
suspension that was withdrawn: the version believed is the last one known when we look, not the one first
typed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.definitions.behaviour import INCIDENTS
from records.between import rows_between
from records.calendar import Calendar, calendar_from
from records.history import History, latest
from records.tables import (
    ALTERNATIVE_PROVISION,
    BEHAVIOUR,
    CALENDARS,
    ENROLMENTS,
    FLAGS_GIVEN,
    MARKS,
    MISSED,
    SUPPORT,
    SUSPENSIONS,
)
from training.absence import missed_share
from training.matured import Hindsight, MaturedOutcomes
from training.settings import OUTCOMES, Settings

NOT_AT_RISK = ("serving", "decided", "excluded")
_HALF_YEAR = pd.Timedelta(weeks=26)
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


# Outcome that only an audit looks at → what it is, for the horizon ahead.
OTHERS: Mapping[str, str] = {
    "severe_absence": "missing half or more of all possible sessions over the horizon",
    "left_roll": "leaving a school's roll at any time but for the summer, a managed move included",
    "alternative_provision": "a placement that the school arranged elsewhere begins",
    "suspended": "a suspension starts",
    "permanent": "a permanent exclusion starts",
}
SEVERE = 0.5
_LEAST_SESSIONS = 20
# Whoever leaves for the summer is not followed by an open day for longer than this; no other holiday is as long.
_HOLIDAY_DAYS = 30
# Registered elsewhere: the end of a second or guest registration is no leaving.
_SECOND = ("S", "F", "O", "G")


def mature_others(
    history: History, keys: pd.DataFrame, *, settings: Settings, observed_until: date, names: Sequence[str]
) -> dict[str, MaturedOutcomes]:
    """Return other outcomes (of `OTHERS`) of the same as-of dates, shaped as `mature`'s own.

    `starts_on` is the day the outcome starts; of severe absence the last open day of the horizon, since it
    is a state over all of it and any flag before is in time. A pupil counts as observed who is on a roll of the
    network to the horizon's end or has had the outcome.

    Parameters
    ----------
    keys
        `pupil`, `as_of`, `school` of rows that were scored.
    """
    calendar = calendar_from(latest(history.tables["calendars"], CALENDARS, observed_until))
    enrolments = latest(history.tables["enrolments"], ENROLMENTS, observed_until)
    rows = _settled(keys, calendar, settings, observed_until)
    stays = _on_roll_to_the_end(rows, enrolments)
    found = {}
    for name in names:
        if name == "severe_absence":
            share = _missed(history, rows, observed_until)
            starts, keep = rows["last_open"].where(share >= SEVERE), stays & ~np.isnan(share)
        else:
            starts = _next_start(rows, _events(name, history, enrolments, calendar, observed_until))
            keep = stays | (starts < rows["horizon_end"])
        inside = starts < rows["horizon_end"]
        frame = rows[["pupil", "as_of"]].assign(outcome=inside.astype("int8"))
        for alone in _ALONE:
            frame[alone] = frame["outcome"] if alone == name else np.int8(0)
        frame["starts_on"] = starts.where(inside).astype("datetime64[s]")
        found[name] = MaturedOutcomes(frame[keep].reset_index(drop=True), settings.horizon_weeks)
    return found


def mature_measures(history: History, keys: pd.DataFrame, *, settings: Settings, observed_until: date) -> pd.DataFrame:
    """Return how the pupils of these as-of dates fared over the horizon: for what followed a flag, never to learn from.

    Columns `pupil`, `as_of`, `missed` (share of possible sessions missed, NaN with too few of them), `incidents`
    (recorded events, a count) and `supported` (the school's own record has support that began within the horizon).
    Only pupils on a roll of the network to the horizon's end.

    Parameters
    ----------
    keys
        `pupil`, `as_of`, `school` of rows that were scored.
    """
    calendar = calendar_from(latest(history.tables["calendars"], CALENDARS, observed_until))
    enrolments = latest(history.tables["enrolments"], ENROLMENTS, observed_until)
    rows = _settled(keys, calendar, settings, observed_until)
    rows = rows[_on_roll_to_the_end(rows, enrolments)].reset_index(drop=True)
    if rows.empty:
        return rows[["pupil", "as_of"]].assign(missed=np.nan, incidents=np.nan, supported=np.nan)
    events = latest(history.tables["behaviour"], BEHAVIOUR, observed_until)
    for column, wanted in INCIDENTS.where.items():
        events = events[events[column].isin(wanted)]
    support = latest(history.tables["support"], SUPPORT, observed_until)
    return rows[["pupil", "as_of"]].assign(
        missed=_missed(history, rows, observed_until),
        incidents=_counted(rows, events.rename(columns={"date": "start_date"})),
        supported=(_counted(rows, support) > 0).astype(np.float64),
    )


def _settled(keys: pd.DataFrame, calendar: Calendar, settings: Settings, observed_until: date) -> pd.DataFrame:
    """Return the keys whose horizon is over and believed by then, each with its horizon."""
    rows = keys[["pupil", "as_of", "school"]].reset_index(drop=True)
    rows = rows.merge(_horizons(rows, calendar, settings.horizon_weeks), on=["school", "as_of"], how="left")
    settled = pd.Timestamp(observed_until - timedelta(days=settings.settle_days))
    return rows[rows["horizon_end"].notna() & (rows["horizon_end"] <= settled)].reset_index(drop=True)


def _counted(rows: pd.DataFrame, events: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return how many of the events begin within each row's horizon."""
    pairs = (
        rows[["pupil", "as_of", "horizon_end"]]
        .reset_index(names="order")
        .merge(events[["pupil", "start_date"]], on="pupil")
    )
    inside = pairs[(pairs["start_date"] >= pairs["as_of"]) & (pairs["start_date"] < pairs["horizon_end"])]
    return np.asarray(inside["order"].value_counts().reindex(rows.index, fill_value=0), np.float64)


def _events(name: str, history: History, enrolments: pd.DataFrame, calendar: Calendar, until: date) -> pd.DataFrame:
    """Return `pupil` and `start_date` of what the outcome is about."""
    if name in _ALONE:
        suspensions = latest(history.tables["suspensions"], SUSPENSIONS, until)
        return suspensions[suspensions["category"].isin(_ALONE[name])]
    if name == "alternative_provision":
        placed = latest(history.tables["alternative_provision"], ALTERNATIVE_PROVISION, until)
        return placed.rename(columns={"entry_date": "start_date"})
    left = enrolments[enrolments["leaving_date"].notna() & ~enrolments["status"].isin(_SECOND)]
    ends = zip(left["school"], left["leaving_date"], strict=True)
    left = left[np.array([_goes_on(calendar, school, day) for school, day in ends], dtype=bool)]
    back = left.merge(enrolments[["pupil", "school", "entry_date"]], on=["pupil", "school"], suffixes=("", "_again"))
    soon = back["entry_date_again"] - back["leaving_date"]
    again = back.loc[(soon > pd.Timedelta(0)) & (soon <= pd.Timedelta(days=_HOLIDAY_DAYS)), ["pupil", "leaving_date"]]
    gone = left.merge(again.drop_duplicates(), on=["pupil", "leaving_date"], how="left", indicator=True)
    gone = gone[gone["_merge"] == "left_only"]
    return gone.rename(columns={"leaving_date": "start_date"})


def _goes_on(calendar: Calendar, school: int, day: pd.Timestamp) -> bool:
    """Whether the school is open again within weeks of the day: not the end of its year, nor of its calendar."""
    following = calendar.add_open_days(int(school), day.date() + timedelta(days=1), 0)
    return following is not None and (following - day.date()).days <= _HOLIDAY_DAYS


def _missed(history: History, rows: pd.DataFrame, observed_until: date) -> npt.NDArray[np.float64]:
    near = rows_between(history.tables, "marks", rows["as_of"].min().date(), rows["horizon_end"].max().date())
    near = near[near["pupil"].isin(set(rows["pupil"]))]
    spans = rows[["pupil"]].assign(first=rows["as_of"], end=rows["horizon_end"])
    return missed_share(latest(near, MARKS, observed_until), spans, least_sessions=_LEAST_SESSIONS)


def hindsight(
    history: History, keys: pd.DataFrame, outcomes: MaturedOutcomes, *, settings: Settings, observed_until: date
) -> Hindsight:
    """Return what else is known of a shard's pupils before `observed_until`, to measure models with.

    `keys` and `outcomes` are those of `mature`.
    """
    missed = latest(history.tables["missed"], MISSED, observed_until)
    return Hindsight(
        missed=missed[["pupil", "school", "event_on"]].reset_index(drop=True),
        helped=_helped(history, keys, outcomes, settings, observed_until),
    )


def _helped(
    history: History, keys: pd.DataFrame, outcomes: MaturedOutcomes, settings: Settings, observed_until: date
) -> pd.DataFrame:
    support = latest(history.tables["support"], SUPPORT, observed_until)[["pupil", "start_date", "end_date"]]
    given = latest(history.tables["flags_given"], FLAGS_GIVEN, observed_until)[["pupil", "as_of"]]
    quiet = outcomes.frame.loc[outcomes.frame["outcome"] == 0, ["pupil", "as_of"]]
    rows = quiet[quiet["pupil"].isin(set(support["pupil"]))].merge(keys[["pupil", "as_of", "school"]])
    calendar = calendar_from(latest(history.tables["calendars"], CALENDARS, observed_until))
    rows = rows.merge(_horizons(rows, calendar, settings.horizon_weeks), on=["school", "as_of"])
    near = rows.merge(support, on="pupil")
    there = (near["start_date"] < near["horizon_end"]) & ~(near["end_date"] < near["as_of"])
    found = near.loc[there, ["pupil", "as_of", "horizon_end"]].drop_duplicates(["pupil", "as_of"])
    lists = found.merge(given.rename(columns={"as_of": "list"}), on="pupil")
    lists = lists[(lists["list"] < lists["horizon_end"]) & (lists["list"] > lists["horizon_end"] - _HALF_YEAR)]
    listed = pd.MultiIndex.from_frame(found[["pupil", "as_of"]]).isin(
        pd.MultiIndex.from_frame(lists[["pupil", "as_of"]])
    )
    return found[["pupil", "as_of"]].assign(listed=listed).reset_index(drop=True)


def all_hindsight(parts: Sequence[Hindsight]) -> Hindsight:
    """Return the hindsight of several shards as one value."""
    return Hindsight(
        missed=pd.concat([part.missed for part in parts], ignore_index=True),
        helped=pd.concat([part.helped for part in parts], ignore_index=True),
    )


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
