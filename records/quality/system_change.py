"""Doubts about behaviour records: a change of school system, or of habit, that shifts what an event means.

Nothing is known of systems as such. What is looked for is a week from which on the mix of types, the
severities, the points or the number of events differ from the weeks before by more than schools' own
ups and downs. The week named is where the difference is best supported: its size, weighed by the events
on both sides, so that the same change is found in the same week as more weeks come in.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from records.codes import INCIDENT_TYPE
from records.quality.counts import LOOK_BACK_WEEKS, SchoolCounts
from records.quality.rule import Found, day_words
from records.quality.span import Counts

# Weeks on each side of a change: at least so many, at most so many.
LEAST_BEFORE, LEAST_AFTER, MOST = 4, 2, 8
# Below so many events on a side, a mix of fifteen types differs by chance alone.
LEAST_EVENTS = 100
# A number of events is compared where so many were to be expected.
LEAST_EXPECTED = 40


@dataclass(frozen=True, eq=False)
class _Change:
    """A split of the weeks: the first week after it, and the slices on both sides."""

    monday: date
    before: slice
    after: slice

    @property
    def sides(self) -> tuple[slice, slice]:
        return self.before, self.after


def _changes(counts: SchoolCounts) -> Iterator[_Change]:
    weeks, written = _weeks(counts), np.flatnonzero(counts.events.types.any(axis=1))
    # Before the first event of all the school was not there yet, or wrote none down.
    first = int(written[0]) if len(written) else weeks
    for at in range(first + LEAST_BEFORE, weeks - LEAST_AFTER + 1):
        before = slice(max(first, at - MOST), at)
        yield _Change(counts.events.mondays[at].item(), before, slice(at, min(weeks, at + MOST)))


def _weeks(counts: SchoolCounts) -> int:
    # Weeks past the newest register are not quiet: their export has not come.
    reach = np.datetime64(counts.newest, "D") if counts.newest is not None else np.datetime64("NaT")
    return int((counts.events.mondays <= reach).sum())


def _distance(before: Counts, after: Counts) -> float:
    """Return the total variation distance of two mixes, 0 (the same) to 1 (nothing in common)."""
    return float(np.abs(before / before.sum() - after / after.sum()).sum() / 2)


@dataclass(frozen=True)
class _Size:
    """How large a change is, and how many events on each side say so."""

    size: float
    before: float
    after: float
    change: _Change

    @property
    def support(self) -> float:
        return self.size * math.sqrt(self.before * self.after / (self.before + self.after))


def _best(counts: SchoolCounts, found: Sequence[_Size], threshold: float) -> _Change | None:
    """Return the change of most support where it is large enough and within the weeks looked back on."""
    best = max(found, key=lambda one: one.support, default=None)
    if best is None or best.size < threshold:
        return None
    recent = counts.events.mondays[max(0, _weeks(counts) - LOOK_BACK_WEEKS)]
    return best.change if np.datetime64(best.change.monday, "D") >= recent else None


def _mix(counts: SchoolCounts, by: Counts, threshold: float) -> tuple[_Change, Counts, Counts] | None:
    sums = [(change, by[change.before].sum(axis=0), by[change.after].sum(axis=0)) for change in _changes(counts)]
    enough = [(c, b, a) for c, b, a in sums if min(b.sum(), a.sum()) >= LEAST_EVENTS]
    best = _best(counts, [_Size(_distance(b, a), b.sum(), a.sum(), c) for c, b, a in enough], threshold)
    return None if best is None else (best, by[best.before].sum(axis=0), by[best.after].sum(axis=0))


def types_shift(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a week from which on the mix of event types is another one."""
    best = _mix(counts, counts.events.types, threshold)
    if best is None:
        return
    change, before, after = best
    gone = [name for name, b, a in zip(INCIDENT_TYPE.codes, before, after, strict=True) if b and not a]
    vanished = f"; {len(gone)} types are no longer used" if gone else ""
    top = INCIDENT_TYPE.codes[int(np.argmax(np.abs(before / before.sum() - after / after.sum())))]
    at = INCIDENT_TYPE.codes.index(top)
    yield Found(
        since=change.monday,
        sentence=f"From the week of {day_words(change.monday)} behaviour events are of other types: "
        f"{_distance(before, after):.0%} of them would have to change type to match the weeks before ({top!r}: "
        f"{before[at] / before.sum():.0%} before, "
        f"{after[at] / after.sum():.0%} after{vanished}).",
    )


def severity_shift(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a week from which on events are graded otherwise."""
    best = _mix(counts, counts.events.severities, threshold)
    if best is not None:
        change, before, after = best
        yield Found(
            since=change.monday,
            sentence=f"From the week of {day_words(change.monday)} behaviour events are graded otherwise: mean "
            f"severity {_mean_grade(before):.1f} before and {_mean_grade(after):.1f} after, and "
            f"{_distance(before, after):.0%} of events would have to change grade to match.",
        )


def _mean_grade(severities: Counts) -> float:
    return float((severities * np.arange(1, len(severities) + 1)).sum() / severities.sum())


def points_shift(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a week from which on an event carries that many times more, or fewer, points."""
    events = counts.events
    yield from _ratio(
        counts,
        threshold,
        of=events.points,
        per=events.pointed,
        enough=lambda before, after, per: bool(min(per) >= LEAST_EVENTS),
        words="an event carries {after:.1f} points on average; it carried {before:.1f} in the weeks before",
    )


def events_shift(counts: SchoolCounts, threshold: float) -> Iterator[Found]:
    """Yield a week from which on there are that many times more, or fewer, events a school day."""
    events = counts.events
    yield from _ratio(
        counts,
        threshold,
        of=events.types.sum(axis=1),
        per=events.open_days,
        enough=lambda before, after, per: bool(max(before * per[1], after * per[1]) >= LEAST_EXPECTED),
        words="{after:.1f} behaviour events are recorded a school day; there were {before:.1f} in the weeks before",
    )


def _ratio(
    counts: SchoolCounts,
    threshold: float,
    *,
    of: Counts,
    per: Counts,
    enough: Callable[[float, float, tuple[int, int]], bool],
    words: str,
) -> Iterator[Found]:
    """Yield a week from which on `of` for each `per` is that many times more, or fewer."""
    found = {}
    for change in _changes(counts):
        sides = (int(per[change.before].sum()), int(per[change.after].sum()))
        before, after = (float(of[part].sum()) / max(n, 1) for part, n in zip(change.sides, sides, strict=True))
        if before > 0 and enough(before, after, sides):
            # Half an event where there is none: nothing divides by nought, and one event more changes little.
            times = (after or 0.5 / max(sides[1], 1)) / before
            found[change] = _Size(abs(math.log(times)), *sides, change), before, after
    best = _best(counts, [size for size, _, _ in found.values()], math.log(threshold))
    if best is not None:
        said = words.format(before=found[best][1], after=found[best][2])
        yield Found(since=best.monday, sentence=f"From the week of {day_words(best.monday)} {said}.")
