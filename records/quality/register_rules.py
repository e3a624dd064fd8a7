"""Doubts about registers: schools that sent nothing, weeks that are thin, days when everybody was absent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from records.quality.counts import SchoolCounts
from records.quality.registers import YEARS
from records.quality.rule import Found, day_words, listed
from records.quality.span import Counts

# Year 11 leaves for its examinations in May, and schools differ in whether they still mark it: from then
# to the end of August its marks are neither asked for nor counted.
_LEAVERS, _LEAVING_MONTHS = YEARS.index("11"), (5, 6, 7, 8)
# Reception starts class by class and by half days in its first weeks.
_STARTERS, _STARTING_MONTHS = YEARS.index("R"), (9,)
# A week is compared from two open days on: one day off a register would be half of a shorter one.
LEAST_SESSIONS = 4
# Below so many marks, 'everybody' is too few people to say anything; below so many pupils, 'the year' is.
LEAST_MARKS = 20
LEAST_PUPILS = 5
# The law gives a school five school days to replace N.
N_DAYS = 5
LEAST_N = 10
LEAST_RECODED = 20


@dataclass(frozen=True)
class _Weeks:
    """A school's weeks with open sessions that were due by its newest mark.

    `mondays` ``(w,)``; `sessions` open in each; `due` marks, `given` marks, `shares` given of due.
    """

    mondays: npt.NDArray[np.datetime64]
    sessions: Counts
    due: Counts
    given: Counts

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        return self.given / np.maximum(self.due, 1)


def _due(counts: SchoolCounts) -> tuple[Counts, Counts]:
    """Return the marks due and given by day, session and year, ``(d, 2, y)``; nothing is due where none can be.

    Due is a mark for each pupil on roll in each session of an open day, from the first mark of the days
    looked at to the newest: before it the school was not there yet, after it the next export brings them.
    """
    register = counts.register
    due = np.repeat(register.roll[:, None, :], 2, axis=1) * register.open[:, None, None]
    months = register.days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    for year, exempt in ((_LEAVERS, _LEAVING_MONTHS), (_STARTERS, _STARTING_MONTHS)):
        due[np.isin(months, exempt), :, year] = 0
    marked = np.flatnonzero(register.marks.sum(axis=2).ravel())
    asked = np.zeros(2 * len(register.days), dtype=bool)
    if len(marked):
        asked[marked[0] : marked[-1] + 1] = True
    due *= asked.reshape(-1, 2)[:, :, None]
    return due, np.where(due > 0, register.marks, 0)


def _weeks(counts: SchoolCounts) -> _Weeks:
    due, given = (part.sum(axis=2) for part in _due(counts))
    days = counts.register.days
    # The days begin on a Monday (records.quality.span).
    week = np.arange(len(days)) // 7
    number = int(week[-1]) + 1 if len(week) else 0
    sums = [np.bincount(week, part.sum(axis=1), minlength=number).astype(np.int64) for part in (due > 0, due, given)]
    kept = sums[0] > 0
    return _Weeks(days[::7][kept], sums[0][kept], sums[1][kept], sums[2][kept])


def _day(counts: SchoolCounts, at: int) -> date:
    day: date = counts.register.days[at].item()
    return day


def _first_open(counts: SchoolCounts, after: date) -> date:
    later = counts.calendar[counts.calendar > np.datetime64(after, "D")]
    return later[0].item() if len(later) else after + timedelta(days=1)


def never_sent(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school of the network without a single mark, once its first open days are past."""
    since, before = np.datetime64(counts.joined, "D"), np.datetime64(counts.as_of, "D")
    days = counts.calendar[(counts.calendar >= since) & (counts.calendar < before)]
    if counts.newest is None and len(days) >= threshold:
        yield Found(
            since=days[0].item(),
            sentence=f"No register has come since the school joined: {len(days)} school days without a mark.",
        )


def stale(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school whose newest mark has so many open days behind it."""
    if counts.newest is None:
        return
    after = np.datetime64(counts.newest, "D")
    missed = int(((counts.calendar > after) & (counts.calendar < np.datetime64(counts.as_of, "D"))).sum())
    if missed >= threshold:
        yield Found(
            since=_first_open(counts, counts.newest),
            sentence=f"The newest register mark is of {day_words(counts.newest)}: "
            f"{missed} school days have gone by since then without one.",
        )


def no_term_dates(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school whose calendar names no open day in the weeks looked at, though it takes registers."""
    if not counts.register.open.any() and counts.register.possible.sum() >= threshold:
        first = int(np.flatnonzero(counts.register.possible.any(axis=1))[0])
        marked = int(counts.register.possible.any(axis=1).sum())
        yield Found(
            since=_day(counts, first),
            sentence=f"Registers were taken on {marked} days and the school's calendar names none of them: "
            "a holiday cannot be told from a gap.",
        )


def open_when_closed(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield days that the calendar says were closed and on which most pupils have a mark that counts."""
    register = counts.register
    roll = register.roll.sum(axis=1)
    marked = register.possible.max(axis=1)
    days = np.flatnonzero(~register.open & (marked >= np.maximum(threshold * roll, LEAST_MARKS)) & register.open.any())
    if len(days):
        yield Found(
            since=_day(counts, int(days[0])),
            sentence=f"Registers were taken on {len(days)} days that the calendar calls closed "
            f"({listed([day_words(_day(counts, int(day))) for day in days])}).",
        )


def fewer_marks(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield weeks with so much less marked, of what was due, than the week with school before."""
    weeks = _weeks(counts)
    full = np.flatnonzero(weeks.sessions >= LEAST_SESSIONS)
    shares = weeks.shares
    for before, at in pairwise(full):
        if shares[before] > 0 and shares[at] <= (1 - threshold) * shares[before]:
            monday: date = weeks.mondays[at].item()
            yield Found(
                since=monday,
                sentence=f"In the week of {day_words(monday)} the registers hold {shares[at]:.0%} of the marks due "
                f"({weeks.given[at]:,} of {weeks.due[at]:,}); the school week before it had {shares[before]:.0%}.",
            )


def thin_week(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield the newest week when so little of what was due is marked, whatever the week before."""
    weeks = _weeks(counts)
    full = np.flatnonzero(weeks.sessions >= LEAST_SESSIONS)
    if len(full) and weeks.shares[full[-1]] < threshold:
        at = full[-1]
        # Since the first of the run of thin weeks that ends with the newest.
        thick = full[weeks.shares[full] >= threshold]
        monday: date = weeks.mondays[full[full > thick[-1]][0] if len(thick) else full[0]].item()
        yield Found(
            since=monday,
            sentence=f"In the week of {day_words(weeks.mondays[at].item())} the registers hold only "
            f"{weeks.shares[at]:.0%} of the marks due ({weeks.given[at]:,} of {weeks.due[at]:,}).",
        )


def all_absent(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield open days on which, in a session, everybody with a mark that counts was absent."""
    possible, absent = counts.register.possible, counts.register.absent
    empty = (possible >= LEAST_MARKS) & (absent >= threshold * possible) & counts.register.open[:, None]
    for at in np.flatnonzero(empty.any(axis=1)).tolist():
        session = int(np.flatnonzero(empty[at])[0])
        away, of = absent[at, session], possible[at, session]
        yield Found(
            since=_day(counts, at),
            sentence=f"On {day_words(_day(counts, at))} {away:,} of the {of:,} pupils "
            f"in the {('morning', 'afternoon')[session]} register are marked absent, and the calendar calls it open.",
        )


def session_untaken(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield sessions of open days with few or no marks for the pupils on roll."""
    due, given = (part.sum(axis=2) for part in _due(counts))
    gaps = np.argwhere((due >= LEAST_MARKS) & (given < threshold * due))
    if len(gaps):
        words = [f"{('morning', 'afternoon')[session]} of {day_words(_day(counts, day))}" for day, session in gaps]
        yield Found(
            since=_day(counts, int(gaps[0, 0])),
            sentence=f"{len(gaps)} registers on open days were not taken or hold few marks ({listed(words)}).",
        )


def year_unmarked(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield weeks in which a whole year group has next to no marks while the rest of the school has them."""
    due, given = (part.sum(axis=1) for part in _due(counts))
    for start in range(0, len(due), 7):
        owed, marked = due[start : start + 7], given[start : start + 7]
        if 2 * int((owed.sum(axis=1) > 0).sum()) < LEAST_SESSIONS or marked.sum() < owed.sum() / 2:
            continue
        pupils = owed.max(axis=0) / 2
        missing = (pupils >= LEAST_PUPILS) & (marked.sum(axis=0) <= threshold * owed.sum(axis=0))
        if missing.any():
            years = [YEARS[year] for year in np.flatnonzero(missing)]
            monday = _day(counts, start)
            yield Found(
                since=monday,
                sentence=f"In the week of {day_words(monday)} {_years(years)} of about "
                f"{pupils[missing].sum():.0f} pupils {'has' if len(years) == 1 else 'have'} next to no marks "
                f"({marked.sum(axis=0)[missing].sum():,} of {owed.sum(axis=0)[missing].sum():,}).",
            )


def _years(years: list[str]) -> str:
    named = ["reception" if year == "R" else f"year {year}" for year in years]
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def unexplained(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school with marks that still stand at N after the five school days the law gives."""
    open_days = np.flatnonzero(counts.register.open)
    if len(open_days) <= N_DAYS:
        return
    old = slice(0, int(open_days[-N_DAYS]))
    left, of = int(counts.register.unexplained[old].sum()), int(counts.register.possible[old].sum())
    if left >= LEAST_N and left >= threshold * of:
        first = int(np.flatnonzero(counts.register.unexplained[old])[0])
        yield Found(
            since=_day(counts, first),
            sentence=f"{left:,} marks ({left / of:.1%}) still stand at N, no reason yet, "
            f"more than {N_DAYS} school days later.",
        )


def recoded(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school where many absences were changed to attendance long after the day."""
    changed, of = int(counts.register.recoded.sum()), int(counts.register.explainable.sum())
    if changed >= LEAST_RECODED and changed >= threshold * of:
        first = int(np.flatnonzero(counts.register.recoded)[0])
        yield Found(
            since=_day(counts, first),
            sentence=f"{changed:,} of {of:,} absences ({changed / of:.0%}) were changed to attendance "
            "more than a week after the day.",
        )


def put_aside(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield files of the school of which so many rows were quarantined or held."""
    for one in counts.aside:
        if one.share >= threshold and one.aside >= LEAST_MARKS:
            yield Found(
                since=counts.as_of,
                sentence=f"{one.aside:,} of the {one.aside + one.landed:,} rows of {one.file} did not land "
                f"({one.share:.0%}): {one.quarantined:,} quarantined, {one.held:,} held.",
            )


def two_rolls(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a school with pupils who stand on another school's roll as well."""
    if counts.on_two_rolls >= threshold:
        pupils = "1 pupil stands" if counts.on_two_rolls == 1 else f"{counts.on_two_rolls:,} pupils stand"
        yield Found(
            since=counts.as_of,
            sentence=f"{pupils} on this roll and on another school's, and neither says that they are shared.",
        )
