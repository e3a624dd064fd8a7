"""Mess in whole files: a school's register missing for weeks, a change of school system, files sent twice."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from records.synthetic.events import TYPES
from records.synthetic.rows import Rows

# At mess = 1: lost weeks of a school's register a school and year, changes of system a school and year, and the
# share of files sent twice. A change falls in the middle of a year; neither falls in the last eight weeks of a run.
LOST_WEEKS, CHANGES, TWICE = 0.15, 0.04, 0.004
SPARED_WEEKS = 8
# The new system counts in fives and knows fewer words.
NEW_POINTS = 5
NEW_WORDS = {
    "Insolence": "Defiance",
    "Verbal Abuse": "Other (Severe)",
    "Equipment": "Other (Minor)",
    "Homework": "Inadequate Work",
    "Uniform/Jewellery etc": "Other (Minor)",
    "Persistent Lateness to Lessons": "Truancy",
    "Fighting": "Assault - Pupil",
}
_WORDS = np.array([TYPES.index(NEW_WORDS.get(name, name)) for name in TYPES] + [len(TYPES)])


@dataclass(frozen=True, kw_only=True)
class WholeFiles:
    """What goes wrong with one cluster's files.

    `lost` holds (school, first day, last day) of registers that are never sent; `changed` (schools,) the day
    from which each school uses a new system, past any day where it does not. Days are indices.
    """

    lost: tuple[tuple[int, int, int], ...]
    changed: npt.NDArray[np.int64]
    mess: float
    rng: np.random.Generator

    def apply(self, table: str, rows: Rows) -> Rows:
        """Return the rows as they are sent."""
        if not rows or not len(rows["school"]):
            return rows
        if table in ("marks", "weeks"):
            return self._without_lost(rows, rows["date" if table == "marks" else "week"])
        if table in ("behaviour", "positives"):
            return self._in_new_system(table, rows)
        return rows

    def send_again(self, paths: Sequence[Path]) -> None:
        """Copy a few files under another name: the same bytes, sent twice."""
        for path in np.array(paths)[self.rng.random(len(paths)) < TWICE * self.mess].tolist():
            name, dot, kind = path.name.partition(".")
            shutil.copyfile(path, path.with_name(f"{name}_again{dot}{kind}"))

    def _without_lost(self, rows: Rows, day: npt.NDArray[np.integer]) -> Rows:
        keep = np.ones(len(day), bool)
        for school, first, last in self.lost:
            keep &= ~((rows["school"] == school) & (day >= first) & (day <= last))
        return {name: values[keep] for name, values in rows.items()} if not keep.all() else rows

    def _in_new_system(self, table: str, rows: Rows) -> Rows:
        new = rows["date"] >= self.changed[rows["school"]]
        if not new.any():
            return rows
        changed = {**rows, "points": np.where(new, NEW_POINTS * rows["points"], rows["points"])}
        if table == "behaviour":
            changed["type"] = np.where(new, _WORDS[rows["type"]], rows["type"])
        return changed


def plan_whole_files(
    schools: int, days: Sequence[int], year_of_week: npt.NDArray[np.int64], mess: float, rng: np.random.Generator
) -> WholeFiles:
    """Return what goes wrong with the files of `schools` schools; `days` are the Mondays of the run."""
    settled = max(len(days) - SPARED_WEEKS, 1)
    years = int(year_of_week[-1]) + 1
    number = int(rng.poisson(LOST_WEEKS * mess * schools * years))
    where, when, long = rng.integers(0, schools, number), rng.integers(0, settled, number), rng.random(number) < 0.3
    # Half of the changes of system come over Christmas, the others at any time.
    changed = np.full(schools, np.iinfo(np.int64).max)
    for school in np.flatnonzero(rng.random(schools) < CHANGES * mess * years).tolist():
        weeks = np.flatnonzero(year_of_week == int(rng.integers(0, years)))
        week = int(weeks[min(14, len(weeks) - 1)] if rng.random() < 0.5 else rng.choice(weeks))
        if week < settled:
            changed[school] = days[week]
    lost = tuple((int(s), days[w], days[w] + (11 if two else 4)) for s, w, two in zip(where, when, long, strict=True))
    return WholeFiles(lost=lost, changed=changed, mess=mess, rng=rng)
