"""What a declaration of a doubt says: what it asks, from which threshold on, why, and what to ask the school."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from records.quality.counts import SchoolCounts


@dataclass(frozen=True, kw_only=True)
class Found:
    """One place where a rule's threshold is passed: since which day, and the figures in one plain sentence."""

    since: date
    sentence: str


Find = Callable[[SchoolCounts, float], Iterable[Found]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One question about a whole school's records.

    Attributes
    ----------
    asks
        What it asks, as the documentation says it.
    threshold, unit, because
        From where on there is a doubt, in what, and the reason for that figure.
    remedy
        What to ask the school.
    holds
        Whether its pupils are not scored while the doubt stands.
    find
        Yields what it finds in one school's counts, given the threshold; the newest last.
    highest
        The largest threshold that makes sense; the smallest is above 0.
    drift_days
        How far the week of one and the same doubt may move as more weeks come in.
    """

    name: str
    asks: str
    threshold: float
    unit: str
    because: str
    remedy: str
    holds: bool
    find: Find = field(repr=False)
    highest: float = 1.0
    drift_days: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= self.highest:
            raise ValueError(f"rule {self.name!r}: the threshold must be above 0 and at most {self.highest:g}")


def day_words(day: date) -> str:
    """Return the day as people say it, for example '15 June 2026'."""
    return f"{day.day} {day:%B %Y}"


def listed(days: list[str], most: int = 3) -> str:
    """Return the first few, and how many more there are."""
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return ", ".join(days[:most]) + more
