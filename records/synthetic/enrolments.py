"""The enrolment files: who joins, stays, moves and leaves, with changed UPNs and second registrations."""

from datetime import timedelta
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.synthetic.export import Exporter
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import Ints, Rows, joined
from records.synthetic.world import World

STATUSES = ("C", "M", "S")
CURRENT, MAIN, SUBSIDIARY = range(3)
Mask = npt.NDArray[np.bool_]


def write_enrolments(exporter: Exporter, world: World, until: int) -> None:
    """Write the enrolment rows of every window that ended by the week of index `until` and is not written yet.

    To be called when that week is over: an exclusion changes the rolls of weeks that are still to come.
    """
    mondays = [world.moments[week].monday.astype(object) for week in exporter.windows if week <= until]
    if len(mondays) <= exporter.enrolled:
        return
    rows = _rows(world, exporter)
    lasts = [min(monday + timedelta(days=6), exporter.until - timedelta(days=1)) for monday in mondays]
    for window in range(exporter.enrolled, len(lasts)):
        before = exporter.words.day(lasts[window - 1]) if window else -1
        due = (rows["updated"] > before) & (rows["updated"] <= exporter.words.day(lasts[window]))
        order = np.argsort(rows["school"][due], kind="stable")
        mine = {name: values[due][order] for name, values in rows.items()}
        exporter.write("enrolments", mine, lasts[window], partial(_text, exporter, exporter.upns(window)))
    exporter.enrolled = len(lasts)


def _rows(world: World, exporter: Exporter) -> Rows:
    """Return a row when a pupil joins a school, at each September there, when the row changes, and on leaving."""
    school, years = world.rolls.school, world.rolls.year_of_week
    on_roll = school != NOT_ON_ROLL
    padded = np.pad(school, ((0, 0), (1, 1)), constant_values=NOT_ON_ROLL)
    joins = (padded[:, 1:-1] != padded[:, :-2]) & on_roll
    leaves = (padded[:, 1:-1] != padded[:, 2:]) & on_roll
    leaves[:, -1] = False  # the last week of the run is no end of anybody's enrolment
    september = np.concatenate([[False], years[1:] != years[:-1]])
    dual, ends = world.rolls.dual, world.rolls.dual.ends(school)
    elsewhere = np.zeros(school.shape, bool)
    for pupil, first, last in zip(dual.pupil, dual.first, ends, strict=True):
        elsewhere[pupil, first : last + 1] = True
    changes = (elsewhere != np.pad(elsewhere, ((0, 0), (1, 0)))[:, :-1]) & on_roll
    starts = joins | (september & on_roll) | _new_upns(world, exporter) | changes
    entry = world.entry_days()
    mondays = np.array([world.day(week) for week in range(len(years))])
    parts = []
    for events, leaving in ((starts, False), (leaves, True)):
        pupil, week = np.nonzero(events)
        day = mondays[week] + (4 if leaving else 0)
        status = np.where(elsewhere[pupil, week], MAIN, CURRENT)
        row = _row(world, pupil, week, school[pupil, week], status)
        parts.append({**row, "entry": entry[pupil, week], "leaving": day if leaving else day * 0 - 1, "updated": day})
    for mask, leaving in ((ends >= dual.first, False), ((ends >= dual.first) & (ends < len(years) - 1), True)):
        first = dual.first[mask]
        entered, left = mondays[first], mondays[ends[mask]] + 4
        row = _row(world, dual.pupil[mask], first, dual.second[mask], np.full(len(first), SUBSIDIARY))
        when = (left, left) if leaving else (left * 0 - 1, entered)
        parts.append({**row, "entry": entered, "leaving": when[0], "updated": when[1]})
    return joined(parts)


def _row(world: World, pupil: Ints, week: Ints, school: Ints, status: Ints) -> Rows:
    group = world.rolls.year_group[pupil, world.rolls.year_of_week[week]]
    return {"school": school, "pupil": pupil.astype(np.int32), "year_group": group, "status": status}


def _new_upns(world: World, exporter: Exporter) -> Mask:
    """Return (pupils, weeks): where a pupil's new UPN is first used, so the enrolment is sent again."""
    school, people = world.rolls.school, exporter.people
    found = np.zeros(school.shape, bool)
    for window, week in enumerate(exporter.windows[:-1], start=1):
        changed = np.flatnonzero((people.former_upn != "") & (people.permanent_from == window))
        found[changed, week + 1] = school[changed, week + 1] != NOT_ON_ROLL
    return found


def _text(exporter: Exporter, upns: pa.Array, rows: Rows) -> pa.Table:
    people, words = exporter.people, exporter.words
    first, pupil = np.datetime64(words.first_day, "D"), rows["pupil"]
    used = np.asarray(upns.to_pylist())[pupil]
    changed = (people.former_upn[pupil] != "") & (used == people.upn[pupil])
    days = {name: (first + rows[name]).astype(str) for name in ("entry", "leaving", "updated")}
    group = np.where(rows["year_group"] == 0, "R", rows["year_group"].astype(str))
    return pa.table(
        {
            "upn": pa.array(used.tolist()),
            "former_upn": pa.array(np.where(changed, people.former_upn[pupil], "").tolist()),
            "forename": pa.array(people.forename[pupil].tolist()),
            "surname": pa.array(people.surname[pupil].tolist()),
            "date_of_birth": pa.array(people.birth_day[pupil].astype(str).tolist()),
            "urn": pa.DictionaryArray.from_arrays(pa.array(rows["school"].astype(np.int32)), pa.array(words.urns)),
            "year_group": pa.array(group.tolist()),
            "status": pa.array(np.array(STATUSES)[rows["status"]].tolist()),
            "entry_date": pa.array(days["entry"].tolist()),
            "leaving_date": pa.array(np.where(rows["leaving"] >= 0, days["leaving"], "").tolist()),
            "updated_on": pa.array(days["updated"].tolist()),
        }
    )
