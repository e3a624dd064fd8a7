"""The half-terms of a network: six a school year, each school's own days in them, and which are due to be counted.

Schools name half-terms as they like, so one is told by the day on which it begins.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from records.calendar import Calendar

# The half-term that begins before this month and day, and not before the one above. Easter moves the fifth to between
# early and late April; the sixth begins after the May holiday.
_BEFORE = (
    ((2, 8), "Spring 1"),
    ((3, 25), "Spring 2"),
    ((5, 15), "Summer 1"),
    ((8, 1), "Summer 2"),
    ((10, 10), "Autumn 1"),
    ((12, 20), "Autumn 2"),
    ((13, 1), "Spring 1"),
)
# Marks and events are put right for a while after a half-term ends.
SETTLE_DAYS = 7
# A first publication looks back over a school year, and one half-term to compare it with.
MOST_BACK = 7


@dataclass(frozen=True, kw_only=True)
class HalfTerm:
    """One half-term: '2025/26 Spring 1', and each school's first and last day in it."""

    name: str
    days: Mapping[int, tuple[date, date]]

    @property
    def start(self) -> date:
        """The first day of the first school to begin."""
        return min(first for first, _ in self.days.values())

    @property
    def end(self) -> date:
        """The last day of the last school to end."""
        return max(last for _, last in self.days.values())


def half_terms(calendar: Calendar) -> tuple[HalfTerm, ...]:
    """Return every half-term of the network, the oldest first."""
    found: dict[str, dict[int, tuple[date, date]]] = {}
    for school, terms in calendar.terms.items():
        for term in terms:
            mine = found.setdefault(name_of(term.start), {})
            first, last = mine.get(school, (term.start, term.end))
            mine[school] = (min(first, term.start), max(last, term.end))
    made = [HalfTerm(name=name, days=days) for name, days in found.items()]
    return tuple(sorted(made, key=lambda one: one.start))


def name_of(start: date) -> str:
    """Return the half-term that begins on a day: '2025/26 Spring 1'."""
    name = next(words for before, words in _BEFORE if (start.month, start.day) < before)
    first_year = start.year if start.month >= 8 and name != "Spring 1" else start.year - 1
    if (start.month, start.day) >= (12, 20):
        first_year = start.year
    return f"{first_year}/{(first_year + 1) % 100:02d} {name}"


def due(calendar: Calendar, today: date, published: Collection[date]) -> tuple[HalfTerm, ...]:
    """Return the half-terms to publish today: those that ended a week ago and are not out, the oldest first.

    Never one before the newest that is out, and never more than the last seven.
    """
    ended = [one for one in half_terms(calendar) if one.end + timedelta(days=SETTLE_DAYS) < today]
    newest = max(published, default=date.min)
    return tuple(one for one in ended[-MOST_BACK:] if one.start > newest)
