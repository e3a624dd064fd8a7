"""What the registers hold, school by school and day by day, summed over shards of pupils."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records import codes
from records.arrow import one_array
from records.calendar import Days
from records.quality.span import Counts, Part, Span, integers, places
from records.tables import MARKS

# Years whose registers the law asks for; nursery and sixth form are never scored.
YEARS = ("R", *(str(year) for year in range(1, 12)), "X", "M")
# Current, main and subsidiary enrolments: each is owed a mark, D where the pupil is due at the other school.
ON_ROLL = frozenset({"C", "M", "S"})
# An absence still changed so many days later was explained after the law's five school days.
LATE_DAYS = 8
_ABSENT = codes.AUTHORISED | codes.UNAUTHORISED


@dataclass(frozen=True, kw_only=True)
class Register:
    """What one school's register holds in the days before `as_of`.

    Attributes
    ----------
    days, open
        The days looked at, and whether the calendar says each is open; shape ``(d,)``.
    roll
        Pupils on roll by day and year of `YEARS`; ``(d, y)``.
    marks
        Marks of those pupils by day, session and year; ``(d, 2, y)``.
    possible, absent
        Marks of anyone that count as a possible session, and those of them that are absences; ``(d, 2)``.
    unexplained
        Marks that stand at N; ``(d,)``.
    recoded, explainable
        Absences that became attendance `LATE_DAYS` or more days later, and all first marked absent; ``(d,)``.
    """

    days: Days
    open: npt.NDArray[np.bool_]
    roll: Counts
    marks: Counts
    possible: Counts
    absent: Counts
    unexplained: Counts
    recoded: Counts
    explainable: Counts

    @property
    def newest(self) -> date | None:
        """The newest day with a mark; None: there is none in these days."""
        marked = np.flatnonzero(self.marks.any(axis=(1, 2)) | self.possible.any(axis=1))
        if not len(marked):
            return None
        day: date = self.days[marked[-1]].item()
        return day


class Registers:
    """Sums over shards of what the registers hold."""

    def __init__(self, span: Span) -> None:
        self.span = span
        shape = (len(span.schools), span.days)
        self.roll = np.zeros((*shape, len(YEARS)), dtype=np.int64)
        self.marks = np.zeros((*shape, 2, len(YEARS)), dtype=np.int64)
        self.possible = np.zeros((*shape, 2), dtype=np.int64)
        self.absent = np.zeros((*shape, 2), dtype=np.int64)
        self.unexplained = np.zeros(shape, dtype=np.int64)
        self.recoded = np.zeros(shape, dtype=np.int64)
        self.explainable = np.zeros(shape, dtype=np.int64)

    def of(self, at: int, open_days: Days) -> Register:
        """Return one school's register."""
        days = np.datetime64(self.span.first, "D") + np.arange(self.span.days)
        return Register(
            days=days,
            open=np.isin(days, open_days),
            roll=self.roll[at],
            marks=self.marks[at],
            possible=self.possible[at],
            absent=self.absent[at],
            unexplained=self.unexplained[at],
            recoded=self.recoded[at],
            explainable=self.explainable[at],
        )

    def add(self, part: Part, enrolments: pd.DataFrame) -> None:
        """Add one shard of pupils."""
        mine = enrolments[enrolments["status"].isin(ON_ROLL) & enrolments["year_group"].isin(YEARS)]
        stays = _Stays(mine, self.span)
        stays.count(self.roll)
        span, first = self.span, pa.scalar(self.span.first, pa.date32())
        day = pa.scalar(span.as_of, pa.date32())
        where = (pc.field("date") >= first) & (pc.field("date") < day) & (pc.field("known_on") < day)
        names = ["school", "date", "session", "code", "known_on", "deleted", "row"]
        rows, pupils = part.rows(MARKS, names, where)
        if not rows.num_rows:
            return
        columns = {name: integers(rows[name]) for name in ("school", "date", "known_on", "row")}
        school, date_at = span.place(columns["school"]), span.day(columns["date"])
        session = places(rows["session"], codes.SESSION.codes)
        code = places(rows["code"], codes.ATTENDANCE.codes)
        pupil = pd.factorize(pupils)[0].astype(np.int64)
        cell = (school * span.days + date_at) * 2 + session
        thing = pupil * (len(span.schools) * span.days * 2) + cell
        stands, first_absent, changed_late = _versions(thing, code, columns["known_on"], columns["row"])
        stands &= ~one_array(rows["deleted"]).to_numpy(zero_copy_only=False) & (school >= 0)
        year = stays.year(pupils, school, date_at)
        self._add(cell, year, code, stands)
        for name, those in (("recoded", changed_late), ("explainable", first_absent)):
            chosen = stands & those
            getattr(self, name).ravel()[:] += np.bincount(cell[chosen] // 2, minlength=self.recoded.size)

    def _add(self, cell: Counts, year: Counts, code: Counts, stands: npt.NDArray[np.bool_]) -> None:
        placed = stands & (year >= 0)
        self.marks.ravel()[:] += np.bincount(cell[placed] * len(YEARS) + year[placed], minlength=self.marks.size)
        possible = stands & _is(code, codes.POSSIBLE)
        self.possible.ravel()[:] += np.bincount(cell[possible], minlength=self.possible.size)
        absent = stands & _is(code, _ABSENT)
        self.absent.ravel()[:] += np.bincount(cell[absent], minlength=self.absent.size)
        unexplained = stands & _is(code, frozenset({"N"}))
        self.unexplained.ravel()[:] += np.bincount(cell[unexplained] // 2, minlength=self.unexplained.size)


class _Stays:
    """Who is on which roll from when to when."""

    def __init__(self, enrolments: pd.DataFrame, span: Span) -> None:
        self.span = span
        self.school = span.place(enrolments["school"].to_numpy(np.int64))
        entry = enrolments["entry_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        leaving = enrolments["leaving_date"].to_numpy().astype("datetime64[D]")
        last = np.where(np.isnat(leaving), np.iinfo(np.int32).max, leaving.astype(np.int64))
        self.entry, self.last = span.day(entry), span.day(last)
        self.at_year = _places_of(enrolments["year_group"], YEARS)
        self.pupil = enrolments["pupil"].to_numpy(np.int64)

    def count(self, roll: Counts) -> None:
        """Add the pupils on roll on each day."""
        days = self.span.days
        steps = np.zeros((roll.shape[0], days + 1, roll.shape[2]), dtype=np.int64)
        here = (self.school >= 0) & (self.last >= 0) & (self.entry < days) & (self.last >= self.entry)
        school, year = self.school[here], self.at_year[here]
        np.add.at(steps, (school, np.maximum(self.entry[here], 0), year), 1)
        np.add.at(steps, (school, np.minimum(self.last[here] + 1, days), year), -1)
        roll += steps.cumsum(axis=1)[:, :days]

    def year(self, pupil: Counts, school: Counts, day: Counts) -> Counts:
        """Return the year's place of each mark's pupil, -1 where the pupil is not on that roll that day."""
        width = len(self.span.schools) + 1
        known, places = np.unique(self.pupil, return_inverse=True)
        if not len(known):
            return np.full(len(pupil), -1, dtype=np.int64)
        order = np.lexsort((self.entry, self.school, places))
        # The newest stay at that school that began by that day.
        days = self.span.days + 2
        stay = (places * width + self.school + 1) * days + np.clip(self.entry + 1, 0, days - 1)
        sorted_stay = stay[order]
        at = np.minimum(np.searchsorted(known, pupil), len(known) - 1)
        asked = (at * width + school + 1) * days + day + 1
        found = order[np.maximum(np.searchsorted(sorted_stay, asked, side="right") - 1, 0)]
        same = (known[at] == pupil) & (self.pupil[found] == pupil) & (self.school[found] == school) & (school >= 0)
        on_roll = same & (self.entry[found] <= day) & (day <= self.last[found])
        return np.where(on_roll, self.at_year[found], -1)


def _versions(
    thing: Counts, code: Counts, known_on: Counts, row: Counts
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which rows are the newest of their mark; which of those were first an absence; which changed late.

    Two versions of one day are ordered by line alone: reading every file's digest would cost more than
    the rare tie between two files can move a count.
    """
    absent = _is(code, _ABSENT)
    stands, changed_late = np.ones(len(thing), dtype=bool), np.zeros(len(thing), dtype=bool)
    first_absent = absent.copy()
    several = np.flatnonzero(pd.Series(thing).duplicated(keep=False).to_numpy())
    if len(several):
        order = several[np.lexsort((row[several], known_on[several], thing[several]))]
        new = np.r_[True, thing[order][1:] != thing[order][:-1]]
        firsts, lasts = order[new], order[np.r_[new[1:], True]]
        stands[several] = False
        stands[lasts] = True
        first_absent[lasts] = absent[firsts]
        late = known_on[lasts] - known_on[firsts] >= LATE_DAYS
        present = _is(code[lasts], codes.PRESENT)
        changed_late[lasts] = absent[firsts] & present & late
    return stands, first_absent, changed_late


def _is(code: Counts, wanted: frozenset[str]) -> npt.NDArray[np.bool_]:
    listed = np.array([*(one in wanted for one in codes.ATTENDANCE.codes), False])
    return np.asarray(listed[code], dtype=bool)


def _places_of(column: pd.Series, listed: Sequence[str]) -> Counts:
    place = {code: position for position, code in enumerate(listed)}
    return np.array([place.get(str(code), -1) for code in column.cat.categories], dtype=np.int64)[column.cat.codes]
