"""Recorded counts before and after, in words: what lists and pages say before anyone has seen a score.

The same rule for every pupil on the list, whether flagged or in the check sample: it reads the weekly
counts only, and knows nothing of the model.
"""

import math
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Select, Uuid, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.tables_flags import WeeklyFactsRow

WINDOW_WEEKS: Final = 4
_COLUMNS = (
    "week_start",
    *("sessions_possible", "sessions_missed", "late_marks", "incidents", "removals", "positives"),
    "suspended",
)


@dataclass(frozen=True, kw_only=True)
class Week:
    """Counts of one week that begins on a Monday. No possible session: the school was closed to this pupil."""

    week_start: date
    sessions_possible: int
    sessions_missed: int
    late_marks: int
    incidents: int
    removals: int
    positives: int
    suspended: bool


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One count that facts speak of; `fewer_is_better` is false for achievements."""

    name: str
    words: str
    fewer_is_better: bool = True


MEASURES: Final = (
    Measure(name="sessions_missed", words="Sessions missed"),
    Measure(name="late_marks", words="Late marks"),
    Measure(name="incidents", words="Incidents"),
    Measure(name="removals", words="Removals from lessons"),
    Measure(name="positives", words="Achievements recorded", fewer_is_better=False),
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A measure's counts in the last school weeks and in those before."""

    measure: Measure
    now: int
    now_weeks: int
    before: int
    before_weeks: int

    @property
    def harder(self) -> float:
        """How much harder things became: above 0 harder, below 0 better, by the size of the counts."""
        if not self.before_weeks or not self.now_weeks:
            return 0.0
        scaled = self.before * self.now_weeks / self.before_weeks
        # Counts vary by about their square root: 9 after 4 says more than 21 after 16.
        size = (self.now - scaled) / math.sqrt(scaled + 1)
        return size if self.measure.fewer_is_better else -size

    @property
    def sentence(self) -> str:
        """For example 'Late marks 6 in the last 4 weeks, 1 in the 4 before'."""
        start = f"{self.measure.words} {self.now} in the last {_weeks(self.now_weeks)}"
        if not self.before_weeks:
            return f"{start}; no earlier weeks to compare with"
        return f"{start}, {self.before} in the {self.before_weeks} before"


def changes(weeks: Sequence[Week]) -> tuple[Change, ...]:
    """Return each measure's change over the last four school weeks against the four before; none without a week."""
    now, before = _windows(weeks)
    if not now:
        return ()
    return tuple(
        Change(
            measure=measure,
            now=sum(getattr(week, measure.name) for week in now),
            now_weeks=len(now),
            before=sum(getattr(week, measure.name) for week in before),
            before_weeks=len(before),
        )
        for measure in MEASURES
    )


def list_facts(weeks: Sequence[Week]) -> tuple[str, ...]:
    """Return the two facts of a line of the list: what became hardest first, then the largest counts."""
    ranked = sorted(
        (change for change in changes(weeks) if change.measure.fewer_is_better),
        key=lambda change: (-max(change.harder, 0.0), -change.now, change.measure.name),
    )
    facts = [change.sentence for change in ranked[:2]]
    return tuple(facts or ["No attendance recorded yet"])


def what_changed(weeks: Sequence[Week]) -> tuple[str, ...]:
    """Return what became harder in the last four school weeks, hardest first."""
    harder = sorted((c for c in changes(weeks) if c.harder > 0), key=lambda c: (-c.harder, c.measure.name))
    sentences = [change.sentence for change in harder]
    now, before = _windows(weeks)
    suspended = sum(week.suspended for week in now)
    if suspended:
        earlier = f", {sum(week.suspended for week in before)} of the {len(before)} before" if before else ""
        sentences.append(f"Suspended in {suspended} of the last {_weeks(len(now))}{earlier}")
    return tuple(sentences)


def going_well(weeks: Sequence[Week]) -> tuple[str, ...]:
    """Return what is kept up or became better in the last four school weeks."""
    now, _ = _windows(weeks)
    if not now:
        return ()
    possible = sum(week.sessions_possible for week in now)
    missed = sum(week.sessions_missed for week in now)
    sentences = [f"In school for {possible - missed} of {possible} sessions in the last {_weeks(len(now))}"]
    for change in changes(weeks):
        if change.harder < 0:
            sentences.append(change.sentence)
        elif change.measure.fewer_is_better and change.now == 0 and change.measure.name != "sessions_missed":
            sentences.append(f"{change.measure.words}: none in the last {_weeks(change.now_weeks)}")
    return tuple(sentences)


def weeks_of(
    session: Session, pupils: Collection[uuid.UUID], most: int | None = None
) -> dict[uuid.UUID, tuple[Week, ...]]:
    """Return each pupil's weeks, oldest first, in one query; `most` keeps only the last that many school weeks."""
    found = session.execute(_statement(last=most is not None), {"pupils": list(pupils), "most": most})
    return {
        pupil: tuple(Week(**dict(zip(_COLUMNS, row[1:], strict=True))) for row in mine)
        for pupil, mine in groupby(found, key=itemgetter(0))
    }


@lru_cache(maxsize=2)
def _statement(*, last: bool) -> Select[*tuple[Any, ...]]:
    of_pupil = WeeklyFactsRow.__table__.columns
    columns = [of_pupil[name] for name in ("pupil_id", *_COLUMNS)]
    # A pupil at a time, from the newest week on: row-level security looks at every row that is read, and a year's
    # weeks of each pupil would be five times as many.
    asked = (
        func.unnest(bindparam("pupils", type_=ARRAY(Uuid()))).table_valued("pupil_id", name="asked").render_derived()
    )
    rows = select(*columns).where(of_pupil["pupil_id"] == asked.c.pupil_id)
    if last:
        rows = rows.where(of_pupil["sessions_possible"] > 0).order_by(of_pupil["week_start"].desc())
        rows = rows.limit(bindparam("most"))
    mine = rows.lateral("mine")
    found = select(*(mine.columns[column.name] for column in columns)).select_from(asked).join(mine, true())
    return found.order_by("pupil_id", "week_start")


def _windows(weeks: Sequence[Week]) -> tuple[Sequence[Week], Sequence[Week]]:
    school_weeks = [week for week in weeks if week.sessions_possible > 0]
    return school_weeks[-WINDOW_WEEKS:], school_weeks[-2 * WINDOW_WEEKS : -WINDOW_WEEKS]


def _weeks(number: int) -> str:
    return "week" if number == 1 else f"{number} weeks"
