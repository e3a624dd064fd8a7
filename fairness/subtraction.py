"""What a reader could work out of a published table by subtraction, and what must be hidden so that they cannot.

A table is a set of sums: the groups of an attribute add up to everybody, a group's terms to the group. A reader
knows every total exactly (rolls and suspensions are published elsewhere) and every shown count to within its
rounding, so a hidden count lies between the total less the most, and less the least, that the others can be. Where
those ends lie nearer each other than the least count, the smallest shown part of the sum is hidden as well. Several
sums together tell a little more than each; the least count leaves room for that, and the tests hold that no hidden
count can then be placed more closely than a shown one, which is rounded (tests/property/test_disclosure_attack.py).
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

Span = tuple[float, float]
ANY: Span = (0.0, math.inf)


@dataclass(frozen=True, kw_only=True)
class Count:
    """One count of one part: its true value, and where a reader can place it when it is shown and when it is not.

    `of_few`: it is of fewer pupils than the least count, so it is kept as a small one is, however large.
    """

    value: float
    shown: Span
    hidden: Span = ANY
    of_few: bool = False

    def is_kept(self, least: int) -> bool:
        """Return whether nobody may place it more closely than the least count, once it is hidden."""
        return self.of_few or 0 < self.value < least


@dataclass(frozen=True, kw_only=True)
class Part:
    """A row of a table: shown as a whole or not at all. `size` orders the parts that could be hidden with another."""

    key: tuple[str, ...]
    size: int
    counts: Mapping[str, Count]
    small: bool


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Parts that add up to a total: another part, or (None) counts that anybody may know, exactly.

    `spare` is how much of each count may belong to no part: pupils of whom one of two characteristics is unknown.
    `left_out` are counts that do not add up: a pupil of two terms is one pupil.
    """

    parts: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None
    known: Mapping[str, float]
    spare: Mapping[str, float]
    left_out: frozenset[str] = frozenset()


def hidden_parts(
    parts: Iterable[Part], sums: Sequence[Sum], *, least: int, already: Collection[tuple[str, ...]] = ()
) -> frozenset[tuple[str, ...]]:
    """Return the keys of the parts to hide: the small ones, those hidden `already`, and what would give them away."""
    by_key = {part.key: part for part in parts}
    hidden = {part.key for part in by_key.values() if part.small} | (set(already) & set(by_key))
    changed = True
    while changed:
        changed = False
        for one in sums:
            while given_away(one, by_key, hidden, least):
                members = [*one.parts, *([one.total] if one.total else [])]
                shown = [by_key[key] for key in members if key in by_key and key not in hidden]
                if not shown:
                    break
                hidden.add(min(shown, key=lambda part: (part.size, part.key)).key)
                changed = True
    return frozenset(hidden)


def given_away(
    one: Sum, parts: Mapping[tuple[str, ...], Part], hidden: Collection[tuple[str, ...]], least: int
) -> bool:
    """Return whether the sum places a hidden small count within a range narrower than the least count."""
    members = [parts[key] for key in one.parts if key in parts]
    for name in {name for part in members for name in part.counts} - one.left_out:
        total = _total(one, parts, hidden, name)
        if total is None:
            continue
        with_it = [part for part in members if name in part.counts]
        unseen = [part for part in with_it if part.key in hidden]
        low, high = total
        for part in with_it:
            if part.key not in hidden:
                low, high = low - part.counts[name].shown[1], high - part.counts[name].shown[0]
        low -= one.spare.get(name, 0.0)
        for part in unseen:
            others = [other.counts[name].hidden for other in unseen if other is not part]
            ends = low - sum(end for _, end in others), high - sum(start for start, _ in others)
            if part.counts[name].is_kept(least) and ends[1] - max(0.0, ends[0]) < least:
                return True
    return False


def _total(
    one: Sum, parts: Mapping[tuple[str, ...], Part], hidden: Collection[tuple[str, ...]], name: str
) -> Span | None:
    if one.total is None:
        return (one.known[name], one.known[name]) if name in one.known else None
    whole = parts.get(one.total)
    if whole is None or name not in whole.counts:
        return None
    return whole.counts[name].hidden if one.total in hidden else whole.counts[name].shown
