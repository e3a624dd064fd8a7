"""Pupils of a term's look-backs, counted by the project's one rule: small counts hidden, others rounded to five.

A pupil counts once. What Belong saw and when help came is that of the first event of the term, since after it
everybody knew; themes are those of every review of theirs that was concluded.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from casework.lookback_facts import LookedBack
from casework.lookback_words import DUE_DAYS, THEMES, WAITS
from casework.themes import CONCLUDED, DIVISIONS, WHOLE, ThemeCounts
from fairness.count_tables import COUNT, CountCell, shown_counts
from fairness.disclosure import rounded
from fairness.policy import Disclosure
from fairness.subtraction import Sum
from learning.continuum.terms import MOST_BACK, Term, terms
from learning.places.half_terms import SETTLE_DAYS
from learning.places.release import RULE
from learning.themes.signals import offer_of, signal_of, wait_of
from records.calendar import Calendar

_OF_EVERYBODY: Final = ("kind", "standing", "signal", "offer")
_LISTED: Final = ("beside", "listed")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one pupil's look-backs of a term say: a part of each division, and the themes of what was concluded."""

    parts: Mapping[str, str]
    themes: frozenset[str]


@dataclass(frozen=True)
class _Table:
    """Cells, and what a reader knows of how they hang together."""

    cells: list[CountCell] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)

    def add(self, key: tuple[str, str], count: int, *, unseen: bool = False) -> None:
        self.cells.append(CountCell(key=key, count=count, pupils=count, never_shown=unseen))

    def add_left(self, part: tuple[str, str], whole: tuple[str, str], count: int) -> None:
        """Add what is left of a whole beside its part: whoever reads both can take one from the other."""
        left = ("left", f"{whole} without {part}")
        self.add(left, count, unseen=True)
        self.add_sum((part, left), whole)

    def add_sum(self, parts: Sequence[tuple[str, str]], total: tuple[str, str]) -> None:
        self.sums.append(Sum(parts=tuple(parts), total=total, known={}, spare={}))


def due(calendar: Calendar, today: date, published: Collection[date]) -> tuple[Term, ...]:
    """Return the terms to publish today, the oldest first.

    A review may take six weeks, and an event is often written down some days late: so a term is published when the
    last of its reviews should be concluded, and never one before the newest that is out.
    """
    waits = timedelta(days=DUE_DAYS + SETTLE_DAYS)
    ended = [one for one in terms(calendar) if one.end + waits < today][-MOST_BACK:]
    newest = max(published, default=date.min)
    return tuple(one for one in ended if one.start > newest)


def told_of(found: Sequence[LookedBack]) -> list[Told]:
    """Return what each pupil's look-backs say, in order of pupil."""
    mine: dict[int, list[LookedBack]] = {}
    for one in sorted(found, key=lambda one: (one.pupil, one.on)):
        mine.setdefault(one.pupil, []).append(one)
    return [_told(reviews) for reviews in mine.values()]


def released(pupils: Sequence[Told], rule: Disclosure = RULE) -> ThemeCounts:
    """Return (division, part) → pupils as they may be shown, None where they may not; (WHOLE, WHOLE): all of them.

    Where there are too few pupils in all, nothing is shown, not even a nought: it would be a fact about each of them.
    A reader is held to know exactly how many there are: exclusions are published elsewhere.
    """
    shown = [(name, part) for name, parts in DIVISIONS.items() for part in parts]
    if 0 < len(pupils) < rule.primary:
        return dict.fromkeys([(WHOLE, WHOLE), *shown])
    table = _table(pupils)
    found = shown_counts(table.cells, table.sums, rule)
    return {(WHOLE, WHOLE): rounded(len(pupils), rule), **{key: found[key] for key in shown}}


def _told(reviews: Sequence[LookedBack]) -> Told:
    first = reviews[0]
    return Told(
        parts={
            "kind": "permanent" if any(one.kind == "permanent" for one in reviews) else "long",
            "standing": max((one.state for one in reviews), key=DIVISIONS["standing"].index),
            "signal": signal_of(first.lists, first.on),
            "offer": offer_of(first.offered, first.on),
            "wait": wait_of(first.lists, first.offered, first.on),
        },
        themes=frozenset[str]().union(*(one.themes for one in reviews)),
    )


def _table(pupils: Sequence[Told]) -> _Table:
    table = _Table()
    counts = {name: Counter(one.parts[name] for one in pupils) for name in (*_OF_EVERYBODY, "wait")}
    for name, count in counts.items():
        for part in DIVISIONS[name]:
            table.add((name, part), count[part])
    for name in _OF_EVERYBODY:
        parts = tuple((name, part) for part in DIVISIONS[name])
        table.sums.append(Sum(parts=parts, total=None, known={COUNT: float(len(pupils))}, spare={}))
    _add_waits(table, counts)
    for theme in THEMES:
        coded = sum(theme in one.themes for one in pupils)
        table.add(("theme", theme), coded)
        table.add_left(("theme", theme), ("standing", CONCLUDED), counts["standing"][CONCLUDED] - coded)
    return table


def _add_waits(table: _Table, counts: Mapping[str, Counter[str]]) -> None:
    """Add that waits are of those whom a list had, and that who never had help is among those without any."""
    signals = counts["signal"]
    table.add(_LISTED, signals["in_time"] + signals["late"], unseen=True)
    table.add_sum((("signal", "in_time"), ("signal", "late")), _LISTED)
    table.add_sum([("wait", part) for part in WAITS], _LISTED)
    table.add_left(("wait", "never"), ("offer", "none"), counts["offer"]["none"] - counts["wait"]["never"])
