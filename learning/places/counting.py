"""One half-term of one shard of pupils, counted: a row for each pupil on roll on its last day.

Counts are made with the features' own measures, so a place and a pupil's page never disagree about what 'missed'
means. What a pupil did at another school counts at neither: it is no fact about the place where they are now.
"""

from dataclasses import replace
from datetime import timedelta

import pandas as pd

from features.cohort import roll
from features.definitions.attendance import MISSED, POSSIBLE_SESSIONS
from features.definitions.behaviour import INCIDENTS, REMOVALS
from features.definitions.sanctions import SUSPENSIONS
from features.measure import Measure
from learning.first_and_last import first_and_last
from learning.places.half_terms import HalfTerm
from records.history import Known
from records.tables import TABLES

COUNTED: dict[str, Measure] = {
    "sessions_possible": POSSIBLE_SESSIONS,
    "sessions_missed": MISSED,
    "incidents": INCIDENTS,
    "removals": REMOVALS,
    "suspensions": SUSPENSIONS,
}


def pupil_counts(known: Known, half_term: HalfTerm) -> pd.DataFrame:
    """Return a row for each pupil: `pupil`, `school`, `year_group`, the counts of `COUNTED`, `helped`.

    `helped`: the school's own record of support was open on the half-term's last day.
    """
    on_roll = _on_roll(known, half_term)
    found = on_roll.assign(
        **{name: _counted(known, measure, on_roll, half_term) for name, measure in COUNTED.items()},
    )
    return found.assign(helped=_helped(known, on_roll, half_term))


def _on_roll(known: Known, half_term: HalfTerm) -> pd.DataFrame:
    """Return who was on roll on each school's last day, as it is known now: one row a pupil."""
    parts = []
    for last in sorted({last for _, last in half_term.days.values()}):
        schools = [school for school, (_, end) in half_term.days.items() if end == last]
        then = roll(replace(known, as_of=last + timedelta(days=1)))
        entered = then["entry_date"] <= pd.Timestamp(last)
        parts.append(then[entered & then["school"].isin(schools)])
    together = pd.concat(parts, ignore_index=True).drop_duplicates("pupil", keep="last")
    return together[["pupil", "school", "year_group"]].sort_values("pupil", ignore_index=True)


def _counted(known: Known, measure: Measure, on_roll: pd.DataFrame, half_term: HalfTerm) -> pd.Series:
    rows, day = known[measure.table], TABLES[measure.table].happened_on
    rows = rows[(rows[day] >= pd.Timestamp(half_term.start)) & (rows[day] <= pd.Timestamp(half_term.end))]
    for column, codes in measure.where.items():
        rows = rows[rows[column].isin(codes)]
    first, last = first_and_last(rows["school"], half_term.days)
    here = rows["pupil"].map(on_roll.set_index("pupil")["school"])
    inside = (rows[day] >= first) & (rows[day] <= last) & (here == rows["school"])
    by_pupil = rows.loc[inside.to_numpy(bool)].groupby("pupil").size()
    return on_roll["pupil"].map(by_pupil).fillna(0).astype("int64")


def _helped(known: Known, on_roll: pd.DataFrame, half_term: HalfTerm) -> pd.Series:
    support = known["support"]
    ends = {school: last for school, (_, last) in half_term.days.items()}
    last = {pupil: ends[school] for pupil, school in zip(on_roll["pupil"], on_roll["school"], strict=True)}
    at = pd.to_datetime(support["pupil"].map(last))
    open_then = (support["start_date"] <= at) & (support["end_date"].isna() | (support["end_date"] >= at))
    return on_roll["pupil"].isin(support.loc[open_then.to_numpy(bool), "pupil"])
