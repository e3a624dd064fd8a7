"""What pages show of a pupil's own records: counts by week, and events in words. No model is asked.

Counts are made with the features' own measures, so a page and a reason never disagree about what
'missed' means: illness and the other neutral codes are neither missed nor possible (docs/decisions.md,
14). What the pupil's present school recorded is published. What an earlier school did is its staff's to
read only as far as a transfer agreement covers it (records/transfers.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.cohort import roll
from features.definitions.attendance import LATE, MISSED, POSSIBLE_SESSIONS
from features.definitions.behaviour import INCIDENTS, POSITIVES, REMOVALS
from features.measure import Measure
from records.history import Known
from records.tables import TABLES
from records.transfers import Shares, nothing_shared

SHOWN_WEEKS = 40
COUNTS: dict[str, Measure] = {
    "sessions_possible": POSSIBLE_SESSIONS,
    "sessions_missed": MISSED,
    "late_marks": LATE,
    "incidents": INCIDENTS,
    "removals": REMOVALS,
    "positives": POSITIVES,
}
SHOWN = ("marks", "behaviour", "positives", "suspensions")
AWAY = ("SUSP", "PERM")
_SUSPENSION_WORDS = {"SUSP": "Suspension", "PERM": "Permanent exclusion", "LNCH": "Lunchtime exclusion"}
_EVENT = ["pupil", "happened_on", "kind", "what", "place", "sessions"]


@dataclass(frozen=True)
class Recorded:
    """A shard's recorded facts: `roll` (pupil, school, year_group), `weekly_facts` and `incidents` as published."""

    roll: pd.DataFrame
    weekly_facts: pd.DataFrame
    incidents: pd.DataFrame


@dataclass(frozen=True)
class _Readers:
    """Who reads whose records: each pupil's present school and first day there, and what agreements share."""

    school: dict[int, int]
    entered: dict[int, pd.Timestamp]
    shares: Shares
    first: date


def recorded(known: Known, shares: Shares = nothing_shared) -> Recorded:
    """Return what pages show of the pupils on roll at `known.as_of`, for the last `SHOWN_WEEKS` school weeks.

    `shares` says what of an earlier school's records the present one's staff may read.
    """
    on_roll = roll(known)
    at = _Readers(
        school=dict(zip(on_roll["pupil"], on_roll["school"], strict=True)),
        entered=dict(zip(on_roll["pupil"], on_roll["entry_date"], strict=True)),
        shares=shares,
        first=_first_day(known, on_roll),
    )
    own = {table: _own(known, table, at) for table in SHOWN}
    counted = {name: _weekly(_rows(own[measure.table], measure), name) for name, measure in COUNTS.items()}
    away = own["suspensions"]
    away = away[away["category"].isin(AWAY)]
    counted["suspended"] = _weekly(away.rename(columns={"start_date": "day"}), "suspended")
    weekly = pd.concat(counted.values(), axis=1).fillna(0).astype("int64").reset_index()
    weekly["suspended"] = weekly["suspended"] > 0
    return Recorded(on_roll[["pupil", "school", "year_group"]], weekly, _events(own))


def _first_day(known: Known, on_roll: pd.DataFrame) -> date:
    schools = [int(school) for school in on_roll["school"].unique()]
    first = min((known.calendar.back(school, known.as_of, SHOWN_WEEKS) for school in schools), default=known.as_of)
    return first - timedelta(days=first.weekday())


def _own(known: Known, table: str, at: _Readers) -> pd.DataFrame:
    """Return the table's rows from the first day on that the staff of the pupil's present school may read."""
    rows = known.since(table, at.first)
    own = (rows["pupil"].map(at.school) == rows["school"]).to_numpy(bool)
    others = rows[~own]
    # Before the first day here: a school where the pupil is registered as well is no earlier school.
    earlier = (others[TABLES[table].happened_on] < pd.to_datetime(others["pupil"].map(at.entered))).to_numpy(bool)
    moves = list(zip(others["school"].tolist(), others["pupil"].map(at.school).tolist(), strict=True))
    shared = {move for move in set(moves) if not pd.isna(move[1]) and at.shares(table, int(move[0]), int(move[1]))}
    if shared:
        own = own.copy()
        own[~own] = earlier & np.fromiter((move in shared for move in moves), bool, len(moves))
    return rows[own]


def _rows(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    for column, codes in measure.where.items():
        rows = rows[rows[column].isin(codes)]
    return rows.rename(columns={TABLES[measure.table].happened_on: "day"})


def _weekly(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return the number of rows of each pupil and week (its Monday)."""
    pupil, pupils = pd.factorize(rows["pupil"].to_numpy(np.int64), sort=True)
    week, weeks = pd.factorize(_mondays(rows["day"].to_numpy()), sort=True)
    # Every pupil's every week has a place of its own: counted, and not sorted or looked up.
    number = np.bincount(pupil * len(weeks) + week, minlength=len(pupils) * len(weeks))
    there = np.flatnonzero(number)
    of = [pupils[there // max(len(weeks), 1)], weeks[there % max(len(weeks), 1)]]
    index = pd.MultiIndex.from_arrays(of, names=["pupil", "week_start"])
    return pd.Series(number[there], index=index, name=name)


def _mondays(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    # Day 0 of NumPy's calendar, 1 January 1970, was a Thursday: three days after its Monday.
    whole = days.astype("datetime64[D]").astype(np.int64)
    return (whole - (whole + 3) % 7).astype("datetime64[D]").astype("datetime64[s]")


def _events(own: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return behaviour events, achievements and suspensions in words. A witness is not in the event."""
    behaviour = own["behaviour"]
    behaviour = behaviour[behaviour["role"] != "Witness"]
    harmed = np.where(behaviour["role"] == "Target", " (was the one harmed)", "").tolist()
    outcome = ["" if pd.isna(said) else f": {said}" for said in behaviour["outcome"].tolist()]
    what = [f"{kind}{h}{o}" for kind, h, o in zip(behaviour["type"].tolist(), harmed, outcome, strict=True)]
    incidents = pd.DataFrame(
        {
            "pupil": behaviour["pupil"],
            "happened_on": behaviour["date"],
            "kind": "incident",
            "what": what,
            "place": behaviour["location"].astype(object),
        }
    )
    positives = own["positives"]
    achieved = pd.DataFrame(
        {
            "pupil": positives["pupil"],
            "happened_on": positives["date"],
            "kind": "positive",
            "what": positives["type"].astype("str"),
        }
    )
    suspensions = own["suspensions"]
    suspended = pd.DataFrame(
        {
            "pupil": suspensions["pupil"],
            "happened_on": suspensions["start_date"],
            "kind": "suspension",
            "what": suspensions["category"].astype("str").map(_SUSPENSION_WORDS),
            "sessions": suspensions["sessions"],
        }
    )
    together = pd.concat([incidents, achieved, suspended], ignore_index=True).reindex(columns=_EVENT)
    together["sessions"] = together["sessions"].astype("Int32")
    return together.sort_values(["pupil", "happened_on"], kind="stable", ignore_index=True)
