"""The export files: what each school sends when, and the network's own lists of schools and calendars."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from records.synthetic.compact import WeekLedger, weeks_arrow
from records.synthetic.people import People
from records.synthetic.rows import HEADERS, Ledger, Rows, Vocabulary, arrow, write_by_school, write_csv
from records.synthetic.whole_files import WholeFiles
from records.synthetic.world import World

EVENTS = ("behaviour", "positives", "suspensions")


@dataclass
class Exporter:
    """Writes a window's rows when the window ends. A window is a half-term, or a week of the last half-term.

    `tag` names the cluster in file names, '' where there is one; `packed` is the compact export; `enrolled` counts
    the windows whose enrolments are written.
    """

    out: Path
    words: Vocabulary
    people: People
    until: date
    windows: list[int]
    whole_files: WholeFiles
    tag: str = ""
    packed: bool = False
    enrolled: int = 0
    ledgers: Mapping[str, Ledger] = field(init=False)
    written: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        a_monday = self.words.day(self.until - timedelta(days=self.until.weekday()))
        marks = WeekLedger(until=self.words.day(self.until), a_monday=a_monday) if self.packed else Ledger("marks")
        self.ledgers = {"marks": marks, **{name: Ledger(name) for name in EVENTS}}

    def close_week(self, week: int, monday: date) -> None:
        """Write what is due, if a window ends with this week."""
        if week in self.windows:
            self.flush(monday + timedelta(days=6), self.windows.index(week))

    def flush(self, last: date, window: int) -> None:
        """Write every row recorded on `last` or before, and before `until`; the files bear that day's stamp."""
        last = min(last, self.until - timedelta(days=1))
        upns = self.upns(window)
        for ledger in self.ledgers.values():
            rows = self.whole_files.apply(ledger.table, self.before_until(ledger.take(self.words.day(last))))
            text = weeks_arrow if ledger.table == "weeks" else partial(arrow, ledger.table)
            self.write(ledger.table, rows, last, partial(text, upns=upns, words=self.words))

    def write(self, table: str, rows: Rows, last: date, text: Callable[[Rows], pa.Table]) -> None:
        """Write rows in order of school: one file for each, or one packed file for the cluster."""
        if not rows or not len(rows["school"]):
            return
        stamp = f"{last:%Y%m%d}"
        if self.packed:
            path = self.out / f"{table}_{self.tag or '001'}_{stamp}.csv.gz"
            written = [(path, write_csv(path, HEADERS[table], text(rows)))]
        else:
            written = write_by_school(self.out, table, rows, stamp, text)
        self.count(table, sum(number for _, number in written))
        self.whole_files.send_again([path for path, _ in written])

    def before_until(self, rows: Rows) -> Rows:
        """Return the rows that happened before `until`; a suspension may lie ahead."""
        if "date" not in rows:
            return rows
        keep = rows["date"] < self.words.day(self.until)
        return {name: values[keep] for name, values in rows.items()}

    def upns(self, window: int) -> pa.Array:
        """Return the pupils' UPNs as their schools used them then: a few change."""
        people = self.people
        return pa.array(np.where(people.former(window), people.former_upn, people.upn).tolist())

    def count(self, table: str, rows: int) -> None:
        """Add to the number of rows written of a table."""
        self.written[table] = self.written.get(table, 0) + rows


def write_reference(exporter: Exporter, world: World) -> None:
    """Write the lists of schools and calendars."""
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
        name = f"{table}_{exporter.tag}.csv" if exporter.tag else f"{table}.csv"
        exporter.count(table, write_csv(exporter.out / name, HEADERS[table], pa.table(columns)))
