"""What pages show of a pupil's own records: counts by week, and events in words. No model is asked.

Counts are made with the features' own measures, so a page and a reason never disagree about what
'missed' means: illness and the other neutral codes are neither missed nor possible (docs/decisions.md,
14). Only what the pupil's present school recorded is published: an earlier school's records are not
its staff's to read.
"""

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

SHOWN_WEEKS = 40
COUNTS: dict[str, Measure] = {
    "sessions_possible": POSSIBLE_SESSIONS,
    "sessions_missed": MISSED,
    "late_marks": LATE,
    "incidents": INCIDENTS,
    "removals": REMOVALS,
    "positives": POSITIVES,
}
AWAY = ("SUSP", "PERM")
_SUSPENSION_WORDS = {"SUSP": "Suspension", "PERM": "Permanent exclusion", "LNCH": "Lunchtime exclusion"}
_EVENT = ["pupil", "happened_on", "kind", "what", "place", "sessions"]


@dataclass(frozen=True)
class Recorded:
    """A shard's recorded facts: `roll` (pupil, school, year_group), `weekly_facts` and `incidents` as published."""

    roll: pd.DataFrame
    weekly_facts: pd.DataFrame
    incidents: pd.DataFrame


def recorded(known: Known) -> Recorded:
    """Return what pages show of the pupils on roll at `known.as_of`, for the last `SHOWN_WEEKS` school weeks."""
    on_roll = roll(known)
    first = _first_day(known, on_roll)
    at = dict(zip(on_roll["pupil"], on_roll["school"], strict=True))
    counted = {name: _weekly(_rows(known, measure, at, first), name) for name, measure in COUNTS.items()}
    away = _own(known, "suspensions", at, first)
    away = away[away["category"].isin(AWAY)]
    counted["suspended"] = _weekly(away.rename(columns={"start_date": "day"}), "suspended")
    weekly = pd.concat(counted.values(), axis=1).fillna(0).astype("int64").reset_index()
    weekly["suspended"] = weekly["suspended"] > 0
    return Recorded(on_roll[["pupil", "school", "year_group"]], weekly, _events(known, at, first))


def _first_day(known: Known, on_roll: pd.DataFrame) -> date:
    schools = [int(school) for school in on_roll["school"].unique()]
    first = min((known.calendar.back(school, known.as_of, SHOWN_WEEKS) for school in schools), default=known.as_of)
    return first - timedelta(days=first.weekday())


def _own(known: Known, table: str, at: dict[int, int], first: date) -> pd.DataFrame:
    """Return the table's rows from `first` on that the pupil's present school recorded."""
    rows = known[table]
    rows = rows[rows[TABLES[table].happened_on] >= pd.Timestamp(first)]
    return rows[(rows["pupil"].map(at) == rows["school"]).to_numpy(bool)]


def _rows(known: Known, measure: Measure, at: dict[int, int], first: date) -> pd.DataFrame:
    rows = _own(known, measure.table, at, first)
    for column, codes in measure.where.items():
        rows = rows[rows[column].isin(codes)]
    return rows.rename(columns={TABLES[measure.table].happened_on: "day"})


def _weekly(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return the number of rows of each pupil and week (its Monday)."""
    pupil = rows["pupil"].to_numpy(np.int64)
    monday = _mondays(rows["day"].to_numpy())
    index = pd.MultiIndex.from_arrays([pupil, monday], names=["pupil", "week_start"])
    return index.to_frame(index=False).groupby(["pupil", "week_start"]).size().rename(name)


def _mondays(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    # Day 0 of NumPy's calendar, 1 January 1970, was a Thursday: three days after its Monday.
    whole = days.astype("datetime64[D]").astype(np.int64)
    return (whole - (whole + 3) % 7).astype("datetime64[D]").astype("datetime64[s]")


def _events(known: Known, at: dict[int, int], first: date) -> pd.DataFrame:
    """Return behaviour events, achievements and suspensions in words. A witness is not in the event."""
    behaviour = _own(known, "behaviour", at, first)
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
    positives = _own(known, "positives", at, first)
    achieved = pd.DataFrame(
        {
            "pupil": positives["pupil"],
            "happened_on": positives["date"],
            "kind": "positive",
            "what": positives["type"].astype("str"),
        }
    )
    suspensions = _own(known, "suspensions", at, first)
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
