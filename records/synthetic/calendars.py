"""Term dates of the simulated schools: two patterns of half-terms, training days, bank holidays, closures.

The dates follow London practice of these years by rule, not by list, so any start year works.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from records.calendar import Days, days_between

WEEK = timedelta(days=7)
HALVES = ("Autumn 1", "Autumn 2", "Spring 1", "Spring 2", "Summer 1", "Summer 2")
TERMS = ("autumn", "spring", "summer")


@dataclass(frozen=True, kw_only=True)
class Span:
    """A row of the calendar: a half-term, a training day or a closure; the last day is included."""

    kind: str
    name: str
    start: date
    end: date
    known_on: date


@dataclass(frozen=True, kw_only=True)
class SchoolDays:
    """A school's calendar: its rows, its open days and the days it shut without warning."""

    spans: tuple[Span, ...]
    open_days: Days
    shut_days: Days


def easter(year: int) -> date:
    """Return Easter Sunday (the anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _weekday_before(day: date, weekday: int) -> date:
    return day - timedelta(days=(day.weekday() - weekday) % 7)


def _monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def first_monday(year: int) -> date:
    """Return the Monday on which the academic year's weeks begin."""
    return _monday_from(date(year, 9, 1))


def half_terms(year: int, *, long_october: bool) -> tuple[tuple[date, date], ...]:
    """Return (first, last) day of the six half-terms of the academic year that starts in that September.

    `long_october` schools take two weeks in October and end the year some days later.
    """
    spring = year + 1
    october = _weekday_before(date(year, 10, 28), 0)
    christmas = _weekday_before(date(year, 12, 22), 4)
    february = _weekday_before(date(spring, 2, 18), 0)
    before_easter = easter(spring) - timedelta(days=3)
    spring_end = _weekday_before(min(date(spring, 4, 4), before_easter), 4)
    summer = spring_end + timedelta(days=17)
    if summer == easter(spring) + timedelta(days=1):
        summer += timedelta(days=1)
    may = _weekday_before(date(spring, 5, 31), 0)
    july = _weekday_before(date(spring, 7, 23), 4)
    return (
        (first_monday(year), october - timedelta(days=10 if long_october else 3)),
        (october + WEEK, christmas),
        (_monday_from(date(spring, 1, 4)), february - timedelta(days=3)),
        (february + WEEK, spring_end),
        (summer, may - timedelta(days=3)),
        (may + WEEK, july + timedelta(days=5 if long_october else 0)),
    )


def week_starts(years: Sequence[int], until: date) -> Days:
    """Return the Mondays before `until` of every week in which any pattern of calendar is open."""
    mondays: set[date] = set()
    for year in years:
        for long_october in (False, True):
            for start, end in half_terms(year, long_october=long_october):
                monday = start - timedelta(days=start.weekday())
                while monday <= end:
                    mondays.add(monday)
                    monday += WEEK
    return np.array(sorted(m for m in mondays if m < until), dtype="datetime64[D]")


def school_days(years: Sequence[int], until: date, rng: np.random.Generator) -> SchoolDays:
    """Return one school's calendar: published each July before the year; closures are known on their day."""
    long_october = bool(rng.random() < 0.3)
    spans: list[Span] = []
    shut: list[date] = []
    for year in years:
        known = date(year, 7, 15)
        halves = half_terms(year, long_october=long_october)
        for name, (start, end) in zip(HALVES, halves, strict=True):
            spans.append(Span(kind="half_term", name=name, start=start, end=end, known_on=known))
        spans.extend(_planned(halves, known, rng))
        closure = _closure(halves, rng)
        if closure is not None and closure < until:
            shut.append(closure)
            spans.append(Span(kind="closure", name="No heating", start=closure, end=closure, known_on=closure))
    taught = np.concatenate([days_between(s.start, s.end) for s in spans if s.kind == "half_term"])
    closed = np.concatenate([days_between(s.start, s.end) for s in spans if s.kind != "half_term"])
    return SchoolDays(
        spans=tuple(s for s in spans if s.known_on < until),
        open_days=np.setdiff1d(taught, closed),
        shut_days=np.array(shut, dtype="datetime64[D]"),
    )


def _planned(halves: tuple[tuple[date, date], ...], known: date, rng: np.random.Generator) -> list[Span]:
    """Return the year's training days, and May Day: the one bank holiday that falls inside a half-term."""
    autumn, january, summer = halves[0][0], halves[2][0], halves[4][0]
    friday = _weekday_before(halves[int(rng.choice((1, 3, 5)))][1], 4)
    training = sorted({autumn, autumn + timedelta(days=1), january, friday})
    may_day = _monday_from(date(summer.year, 5, 1))
    return [
        *(Span(kind="inset", name="Training day", start=d, end=d, known_on=known) for d in training),
        Span(kind="closure", name="May Day bank holiday", start=may_day, end=may_day, known_on=known),
    ]


def _closure(halves: tuple[tuple[date, date], ...], rng: np.random.Generator) -> date | None:
    """Return the winter day on which the school had to shut, one year in four."""
    start, end = halves[2]
    day = start + timedelta(days=1 + int(rng.integers(0, (end - start).days - 1)))
    happened = rng.random() < 0.25
    return day if happened and day.weekday() < 5 else None
