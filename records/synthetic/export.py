"""The export files: what each school sends when, and the network's own lists of schools, calendars and rolls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from records.synthetic.people import People
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import HEADERS, Ledger, Rows, Vocabulary, arrow, write_by_school, write_csv
from records.synthetic.world import World

SENT = ("marks", "behaviour", "positives", "suspensions")
ENROLMENT_STATUS = "C"


@dataclass
class Exporter:
    """Writes a window's rows when the window ends. A window is a half-term, or a week of the last half-term."""

    out: Path
    words: Vocabulary
    people: People
    until: date
    windows: list[int]
    ledgers: Mapping[str, Ledger] = field(default_factory=lambda: {name: Ledger(name) for name in SENT})
    written: dict[str, int] = field(default_factory=dict)

    def close_week(self, week: int, monday: date) -> None:
        """Write what is due, if a window ends with this week."""
        if week in self.windows:
            self.flush(monday + timedelta(days=6), self.windows.index(week))

    def flush(self, last: date, window: int) -> None:
        """Write every row recorded on `last` or before, and before `until`; the files bear that day's stamp."""
        last = min(last, self.until - timedelta(days=1))
        upns = self.upns(window)
        for table, ledger in self.ledgers.items():
            rows = self.before_until(ledger.take(self.words.day(last)))
            self.count(table, self.write(table, rows, last, upns))

    def write(self, table: str, rows: Rows, last: date, upns: pa.Array) -> int:
        """Write one file per school and return the number of rows."""
        stamp = f"{last:%Y%m%d}"
        return write_by_school(self.out, table, rows, stamp, lambda r: arrow(table, r, upns, self.words))

    def before_until(self, rows: Rows) -> Rows:
        """Return the rows that happened before `until`; a suspension may lie ahead."""
        if "date" not in rows:
            return rows
        keep = rows["date"] < self.words.day(self.until)
        return {name: values[keep] for name, values in rows.items()}

    def upns(self, window: int) -> pa.Array:
        """Return the pupils' UPNs as their schools used them then: a few temporary ones become permanent."""
        people = self.people
        temporary = people.temporary & (window < people.permanent_from)
        return pa.array(np.where(temporary, people.former_upn, people.upn).tolist())

    def count(self, table: str, rows: int) -> None:
        """Add to the number of rows written of a table."""
        self.written[table] = self.written.get(table, 0) + rows


def write_reference(exporter: Exporter, world: World) -> None:
    """Write schools.csv, calendars.csv and the enrolment files."""
    first = min(span.known_on for school in world.schools for span in school.days.spans)
    opened = date(first.year, 9, 1)
    schools = [[str(s.urn), s.laestab, s.name, s.phase, opened.isoformat(), first.isoformat()] for s in world.schools]
    spans = [
        [str(s.urn), x.kind, x.name, x.start.isoformat(), x.end.isoformat(), x.known_on.isoformat()]
        for s in world.schools
        for x in s.days.spans
    ]
    for table, lines in (("schools", schools), ("calendars", spans)):
        names = HEADERS[table].split(",")
        columns = {name: pa.array([line[i] for line in lines]) for i, name in enumerate(names)}
        exporter.count(table, write_csv(exporter.out / f"{table}.csv", HEADERS[table], pa.table(columns)))
    _write_enrolments(exporter, world)


def _write_enrolments(exporter: Exporter, world: World) -> None:
    rows = _enrolment_rows(world)
    before = -1
    for window, week in enumerate(exporter.windows):
        last = min(_day_of(world, week) + timedelta(days=6), exporter.until - timedelta(days=1))
        now = exporter.words.day(last)
        due = (rows["updated"] > before) & (rows["updated"] <= now)
        before = now
        order = np.argsort(rows["school"][due], kind="stable")
        mine = {name: values[due][order] for name, values in rows.items()}
        upns = exporter.upns(window)
        text = _enrolment_text(exporter, upns)
        exporter.count("enrolments", write_by_school(exporter.out, "enrolments", mine, f"{last:%Y%m%d}", text))


def _day_of(world: World, week: int) -> date:
    found: date = world.moments[week].monday.astype(object)
    return found


def _enrolment_rows(world: World) -> Rows:
    """Return a row when a pupil joins a school, at each September there, and when they leave."""
    school, years = world.rolls.school, world.rolls.year_of_week
    padded = np.pad(school, ((0, 0), (1, 1)), constant_values=NOT_ON_ROLL)
    joins = (padded[:, 1:-1] != padded[:, :-2]) & (school != NOT_ON_ROLL)
    leaves = (padded[:, 1:-1] != padded[:, 2:]) & (school != NOT_ON_ROLL)
    leaves[:, -1] = False  # the last week of the run is no end of anybody's enrolment
    september = np.concatenate([[False], years[1:] != years[:-1]])
    starts = joins | (september & (school != NOT_ON_ROLL))
    mondays = np.array([world.day(week) for week in range(len(years))])
    entry = world.entry_days()
    parts = []
    for events, leaving in ((starts, False), (leaves, True)):
        pupil, week = np.nonzero(events)
        day = mondays[week] + (4 if leaving else 0)
        parts.append(
            {
                "school": school[pupil, week],
                "pupil": pupil.astype(np.int32),
                "year_group": world.rolls.year_group[pupil, years[week]],
                "entry": entry[pupil, week],
                "leaving": day if leaving else np.full(len(pupil), -1),
                "updated": day,
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _enrolment_text(exporter: Exporter, upns: pa.Array) -> Callable[[Rows], pa.Table]:
    people, words = exporter.people, exporter.words
    first = np.datetime64(words.first_day, "D")

    def text(rows: Rows) -> pa.Table:
        pupil = rows["pupil"]
        used = np.asarray(upns.to_pylist())[pupil]
        changed = people.temporary[pupil] & (used == people.upn[pupil])
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
                "status": pa.array([ENROLMENT_STATUS] * len(pupil)),
                "entry_date": pa.array(days["entry"].tolist()),
                "leaving_date": pa.array(np.where(rows["leaving"] >= 0, days["leaving"], "").tolist()),
                "updated_on": pa.array(days["updated"].tolist()),
            }
        )

    return text
