"""One term of one shard of pupils, counted: a row for each pupil of each school, with every step as 0 or 1.

The measures are the features' own, so a count and a pupil's page never disagree. A school counts who was there at any
time in the term: whoever is counted on its last day alone has lost those who left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from casework.continuum import PUPILS, STEPS
from features.cohort import ON_ROLL, YEARS
from features.definitions.attendance import ELSEWHERE, PART_TIME
from features.definitions.behaviour import REMOVALS, TRUANCY
from features.measure import Measure
from learning.continuum.terms import Term
from learning.first_and_last import first_and_last
from records.codes import ATTENDANCE_CODES_FROM, AUTHORISED, POSSIBLE, PRESENT, UNAUTHORISED
from records.history import Known
from records.tables import TABLES

FEW_TIMES: Final = 3
WEEK_SESSIONS: Final = 10
LEAST_SESSIONS: Final = 20
HALF: Final = 0.5
# A new school may enter a pupil a while after, or as a guest a while before, the old one takes them off.
BEFORE_DAYS, AFTER_DAYS = 120, 60
GOING_ON: Final = frozenset({"6", "11"})
# A census tells the year of whoever left by age, so after a summer they stand a year further on.
GONE_ON: Final = frozenset({"7", "12"})
GUEST: Final = frozenset({"G", "S"})
# Once a census has followed, whoever left stands there as a pupil of before: without them only the newest have left.
BEFORE: Final = "P"
# What must hold rows of a school in a term for nought of a step to mean that there was none of it.
FROM_TABLE: Final[Mapping[str, str]] = {"truanted": "behaviour", "removed": "behaviour"}
NEW_CODES: Final = frozenset({"part_time", "off_site"})


@dataclass(frozen=True)
class Counted:
    """One term of some pupils: their rows, and (table, school) of every table that had rows of a school in it."""

    pupils: pd.DataFrame
    recorded: frozenset[tuple[str, int]]


def count_term(known: Known, term: Term) -> Counted:
    """Return a row for each pupil at each school: `pupil`, `school`, `year_group`, `pupils` 1, and each step 0 or 1."""
    leaving = _leaving(known, term)
    found = _at_school(known, term, leaving)
    marks = _inside(known, "marks", term)
    behaviour = _inside(known, "behaviour", term)
    sanctions = _inside(known, "suspensions", term)
    possible = _each(marks[marks["code"].isin(POSSIBLE)], found)
    absent = _each(marks[marks["code"].isin(AUTHORISED | UNAUTHORISED)], found)
    steps = {
        "truanted": _days_truanted(known, term, (marks, behaviour), found) >= FEW_TIMES,
        "removed": _each(_of(behaviour, REMOVALS), found) >= FEW_TIMES,
        "part_time": _each(_of(marks, PART_TIME), found) >= WEEK_SESSIONS,
        "off_site": _each(_of(marks, ELSEWHERE), found) >= WEEK_SESSIONS,
        "severe": (possible >= LEAST_SESSIONS) & (absent >= HALF * possible),
        "suspended": _each(sanctions[sanctions["category"] == "SUSP"], found) > 0,
        "excluded": _each(sanctions[sanctions["category"] == "PERM"], found) > 0,
        "moved": (_each(leaving[leaving["onward"]], found) > 0) | (_guests(known, term, found) > 0),
        "left": _each(leaving[~leaving["onward"]], found) > 0,
    }
    recorded = {(name, int(school)) for name in ("marks", "behaviour") for school in _schools(known, name, term)}
    counts = {name: steps[name].astype("int64") for name in STEPS}
    return Counted(found.assign(**{PUPILS: 1}, **counts), frozenset(recorded))


def together(parts: list[Counted], term: Term) -> pd.DataFrame:
    """Return the rows of all shards; a step that a school did not record in the term is not known there, not nought."""
    rows = pd.concat([part.pupils for part in parts], ignore_index=True)
    recorded = frozenset().union(*(part.recorded for part in parts))
    unknown = {
        name: ~rows["school"].isin({school for table, school in recorded if table == FROM_TABLE.get(name, "marks")})
        | (name in NEW_CODES and term.start < ATTENDANCE_CODES_FROM)
        for name in STEPS
    }
    return rows.assign(**{name: rows[name].astype("Int64").mask(gone) for name, gone in unknown.items()})


def _at_school(known: Known, term: Term, leaving: pd.DataFrame) -> pd.DataFrame:
    """Return who was on each roll at any time in the term, and who left it on a day that counts in the term."""
    rows = _on_rolls(known)
    first, last = first_and_last(rows["school"], term.days)
    there = (rows["entry_date"] <= last) & (rows["leaving_date"].isna() | (rows["leaving_date"] >= first))
    both = pd.concat([rows[there.to_numpy(bool)], leaving], ignore_index=True).sort_values("entry_date", kind="stable")
    found = both.drop_duplicates(["pupil", "school"], keep="last")[["pupil", "school", "year_group"]]
    return found.astype({"year_group": "str"}).sort_values(["pupil", "school"], ignore_index=True)


def _on_rolls(known: Known) -> pd.DataFrame:
    rows = known["enrolments"]
    there = rows["status"].isin(ON_ROLL) | (rows["status"].eq(BEFORE) & rows["leaving_date"].notna())
    return rows[there & rows["year_group"].isin(YEARS)]


def _leaving(known: Known, term: Term) -> pd.DataFrame:
    """Return each roll left in the term, with `onward`: for another school of the network.

    Without those permanently excluded, those going on to secondary school or college, and those whose newest
    enrolment at the school is another: a row that ends because the next begins is no leaving.
    """
    rows = _on_rolls(known).sort_values(["pupil", "school", "entry_date"], kind="stable")
    rows = rows.drop_duplicates(["pupil", "school"], keep="last")
    first, last = first_and_last(rows["school"], term.leaves)
    begins, _ = first_and_last(rows["school"], term.days)
    left = rows["leaving_date"]
    year, before = rows["year_group"], rows["status"].eq(BEFORE)
    going_on = (~before & year.isin(GOING_ON) | before & year.isin(GONE_ON)) & (left < begins)
    going_on |= year.eq("11") & term.summer
    rows = rows[((left >= first) & (left <= last) & ~going_on).to_numpy(bool)]
    sanctions = known["suspensions"]
    permanent = sanctions[sanctions["category"] == "PERM"][["pupil", "school", "start_date"]]
    out = rows.merge(permanent, on=["pupil", "school"])
    near = out["start_date"] >= out["leaving_date"] - pd.Timedelta(days=BEFORE_DAYS)
    excluded = pd.MultiIndex.from_frame(out[near.to_numpy(bool)][["pupil", "school"]])
    rows = rows[~pd.MultiIndex.from_frame(rows[["pupil", "school"]]).isin(excluded)]
    entered = _on_rolls(known)[["pupil", "school", "entry_date"]]
    joined = rows.merge(entered, on="pupil", suffixes=("", "_next"))
    apart = (joined["entry_date_next"] - joined["leaving_date"]).dt.days
    onward = joined[(joined["school_next"] != joined["school"]) & apart.between(-BEFORE_DAYS, AFTER_DAYS)]
    moved = pd.MultiIndex.from_frame(rows[["pupil", "school"]]).isin(
        pd.MultiIndex.from_frame(onward[["pupil", "school"]])
    )
    return rows.assign(onward=moved)


def _guests(known: Known, term: Term, found: pd.DataFrame) -> pd.Series:
    """Return how many other schools of the network have each pupil as a guest, or as dually registered, in the term."""
    rows = known["enrolments"]
    guests = rows[rows["status"].isin(GUEST)][["pupil", "school", "entry_date", "leaving_date"]]
    both = guests.merge(found[["pupil", "school"]], on="pupil", suffixes=("_guest", ""))
    first, last = first_and_last(both["school"], term.days)
    then = (both["entry_date"] >= first) & (both["entry_date"] <= last) & (both["school"] != both["school_guest"])
    return _each(both[then.to_numpy(bool)], found)


def _days_truanted(known: Known, term: Term, rows: tuple[pd.DataFrame, pd.DataFrame], found: pd.DataFrame) -> pd.Series:
    """Return on how many days each pupil missed a lesson while in school, by a report or by a lesson's register."""
    marks, behaviour = rows
    lessons = _inside(known, "lesson_marks", term)
    missed = lessons[lessons["code"].isin(UNAUTHORISED)]
    key = ["pupil", "school", "date"]
    present = pd.MultiIndex.from_frame(marks[marks["code"].isin(PRESENT)][key])
    in_school = missed[pd.MultiIndex.from_frame(missed[key]).isin(present)]
    days = pd.concat([in_school[key], _of(behaviour, TRUANCY)[key]], ignore_index=True).drop_duplicates()
    return _each(days, found)


def _of(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    for column, codes in measure.where.items():
        rows = rows[rows[column].isin(codes)]
    return rows


def _inside(known: Known, table: str, term: Term) -> pd.DataFrame:
    """Return a table's rows of the term, each within its own school's days."""
    rows, day = known[table], TABLES[table].happened_on
    rows = rows[rows["school"].isin(term.days)]
    first, last = first_and_last(rows["school"], term.days)
    return rows[((rows[day] >= first) & (rows[day] <= last)).to_numpy(bool)]


def _schools(known: Known, table: str, term: Term) -> list[int]:
    return list(_inside(known, table, term)["school"].unique())


def _each(rows: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Return how many of the rows each of the pupils has at their school, in the order of `found`."""
    sizes = rows.groupby(["pupil", "school"]).size()
    keys = pd.MultiIndex.from_frame(found[["pupil", "school"]])
    return pd.Series(sizes.reindex(keys).fillna(0).to_numpy("int64"), index=found.index)
