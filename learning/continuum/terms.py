"""The three terms of a school year, from half-terms, and the days on which leaving a roll counts in each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from learning.places.half_terms import SETTLE_DAYS, HalfTerm, half_terms
from records.calendar import Calendar

# A term's own and, before it, up to two years to compare with.
MOST_BACK = 7


@dataclass(frozen=True, kw_only=True)
class Term(HalfTerm):
    """One term: '2025/26 Spring', and each school's first and last day in it.

    Attributes
    ----------
    leaves
        School → the first and last day on which leaving its roll counts in this term: from the end of the term before,
        as whoever does not come back after a holiday leaves in it.
    """

    leaves: Mapping[int, tuple[date, date]]

    @property
    def summer(self) -> bool:
        """Whether it is the last of a school year."""
        return self.name.endswith("Summer")


def terms(calendar: Calendar) -> tuple[Term, ...]:
    """Return every term of the network, the oldest first."""
    days: dict[str, dict[int, tuple[date, date]]] = {}
    for half in half_terms(calendar):
        mine = days.setdefault(half.name.rsplit(" ", 1)[0], {})
        for school, (first, last) in half.days.items():
            begun, ended = mine.get(school, (first, last))
            mine[school] = (min(begun, first), max(ended, last))
    found: list[Term] = []
    settled: dict[int, date] = {}
    for name, mine in sorted(days.items(), key=lambda one: min(first for first, _ in one[1].values())):
        leaves = {}
        for school, (first, last) in mine.items():
            # Whoever leaves when the year ends leaves between two years: that is the autumn's to tell.
            end = last - timedelta(days=1) if name.endswith("Summer") else last + timedelta(days=SETTLE_DAYS)
            leaves[school] = (settled.get(school, first), end)
            settled[school] = end + timedelta(days=1)
        found.append(Term(name=name, days=mine, leaves=leaves))
    return tuple(found)


def due(calendar: Calendar, today: date, published: Collection[date]) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Return the terms to publish today, and all that are counted for them, the oldest first in both.

    To publish are those that ended over a week ago and are not out, never one before the newest that is.
    """
    ended = [one for one in terms(calendar) if one.end + timedelta(days=SETTLE_DAYS) < today][-MOST_BACK:]
    newest = max(published, default=date.min)
    wanted = tuple(one for one in ended if one.start > newest)
    return wanted, tuple(ended) if wanted else ()
