"""What of a half-term's counts may be shown: every cell rounded or hidden, and totals made of rounded cells.

The rule is OpenSAFELY's for counts that leave it: 1 to 7 redacted, others to the nearest 5, totals recomputed from
rounded cells, rates over redacted counts dropped (docs/decisions.md, 76).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Final

import pandas as pd

from casework.places import MEASURES, NETWORK, PARTS_OF, PlaceCounts
from fairness.count_tables import COUNT, CountCell, shown_counts
from fairness.disclosure import Key
from fairness.policy import Disclosure
from fairness.subtraction import Sum
from learning.places.cuts import Cut

RULE: Final = Disclosure(
    primary=8,
    round=5,
    reason="Counts of 1 to 7 pupils or events could point to a pupil; rounding keeps two of them from being compared.",
)
WHOLE: Final = "all"
_LEFT = "left of "
_BESIDE = "beside"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What a release counts: families of measures that hang together, and which of them is part of which."""

    families: tuple[tuple[str, ...], ...]
    parts: tuple[tuple[str, str], ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure, family by family."""
        return tuple(name for family in self.families for name in family)


# Measures that are parts of one another are looked at together, every other by itself.
OF_PLACES: Final = Counted(
    families=(
        *((name,) for name in MEASURES if name not in PARTS_OF and name not in PARTS_OF.values()),
        *((whole, *(p for p, its in PARTS_OF.items() if its == whole)) for whole in dict.fromkeys(PARTS_OF.values())),
    ),
    parts=tuple(PARTS_OF.items()),
)


@dataclass(frozen=True)
class _Overlaps:
    """How the cuts lie within each other, which is the same whatever is counted.

    `groups`: by two cuts, the places of both that hold the same pupils, as few as can be in each. `pairs`: the places
    of two cuts that share a pupil. `beside`: by a cut and one that is public beside it, each place's places there.
    """

    groups: dict[tuple[str, str], list[tuple[list[str], list[str]]]]
    pairs: dict[tuple[str, str], pd.DataFrame]
    beside: dict[tuple[str, str], dict[str, list[str]]]

    @classmethod
    def of(cls, pupils: pd.DataFrame, cuts: Sequence[Cut]) -> "_Overlaps":
        pairs = {
            (one.name, other.name): pupils[[one.name, other.name]].drop_duplicates()
            for one, other in combinations(cuts, 2)
        }
        beside: dict[tuple[str, str], dict[str, list[str]]] = {}
        for one, other in combinations(cuts, 2):
            if one.is_public_beside(other):
                there = pairs[one.name, other.name]
                for mine, theirs in ((one.name, other.name), (other.name, one.name)):
                    names = there.groupby(mine)[theirs].apply(sorted)
                    beside[mine, theirs] = dict(zip(names.index, names, strict=True))
        groups = {names: _together(there, *names) for names, there in pairs.items()}
        return cls(groups, pairs, beside)


@dataclass(frozen=True)
class _Table:
    """One family of measures: its cells, and what a reader knows of how they hang together."""

    cells: list[CountCell]
    sums: list[Sum]
    links: list[Sum]


def release_of(
    pupils: pd.DataFrame,
    cuts: Sequence[Cut],
    rule: Disclosure = RULE,
    *,
    counted: Counted = OF_PLACES,
    already: Collection[Key] = (),
) -> dict[Key, int | None]:
    """Return (cut, place, measure) → the count as it is shown, None where it is not; the network's own last.

    Parameters
    ----------
    pupils
        One row a pupil: a text column for each cut, a whole number for each measure.
    already
        Cells that are hidden because another release hides them.
    """
    shown: dict[Key, int | None] = {}
    overlaps = _Overlaps.of(pupils, cuts)
    for family in counted.families:
        table = _table(pupils, (cuts, overlaps), (family, counted.parts), rule)
        shown |= shown_counts(table.cells, table.sums, rule, links=table.links, already=already)
    return shown | {(NETWORK, WHOLE, measure): _whole(measure, cuts, shown) for measure in counted.measures}


def places_of(shown: dict[Key, int | None], half_term: date) -> Iterator[PlaceCounts]:
    """Yield the release place by place."""
    places: dict[tuple[str, str], dict[str, int | None]] = {}
    for (cut, place, measure), count in shown.items():
        places.setdefault((cut, place), {})[measure] = count
    for (cut, place), counts in places.items():
        yield PlaceCounts(half_term=half_term, cut=cut, place=place, counts=counts)


def _whole(measure: str, cuts: Sequence[Cut], shown: dict[Key, int | None]) -> int | None:
    """Return the network's count from rounded cells: of the cut with the fewest places that hides none of them."""
    added = []
    for cut in cuts:
        if measure in cut.measures:
            cells = [shown[cut.name, place, measure] for place in cut.places]
            if None not in cells:
                added.append((len(cells), sum(count for count in cells if count is not None)))
    return min(added, key=lambda one: one[0])[1] if added else None


def _table(
    pupils: pd.DataFrame,
    division: tuple[Sequence[Cut], _Overlaps],
    measures: tuple[Sequence[str], Sequence[tuple[str, str]]],
    rule: Disclosure,
) -> _Table:
    """Return the cells of a family of measures, and what a reader knows that they add up to."""
    cuts, overlaps = division
    family, pairs = measures
    made = _Table([], [], [])
    for measure in family:
        counted = [cut for cut in cuts if measure in cut.measures]
        values = pupils[measure]
        for cut in counted:
            made.cells.extend(_cells(pupils, (cut, counted, overlaps), measure, rule))
            parts = tuple((cut.name, place, measure) for place in cut.places)
            made.sums.append(Sum(parts=parts, total=None, known={COUNT: float(values.sum())}, spare={}))
        for one, other in combinations(counted, 2):
            _add_shared(made, pupils, (one, other, overlaps), measure)
    for part, whole in pairs:
        for cut in cuts:
            if part in family and {part, whole} <= set(cut.measures):
                _add_left(made, pupils, cut, (part, whole))
    return made


def _cells(
    pupils: pd.DataFrame, division: tuple[Cut, Sequence[Cut], _Overlaps], measure: str, rule: Disclosure
) -> Iterator[CountCell]:
    cut, counted, overlaps = division
    values = pupils[measure]
    by_place = pd.DataFrame({"place": pupils[cut.name], "count": values, "some": values > 0}).groupby("place")
    summed, some, rolls = (
        column.to_dict() for column in (by_place["count"].sum(), by_place["some"].sum(), by_place.size())
    )
    # Of what anybody knows: two schools with the same years are alike.
    known = [
        overlaps.beside[cut.name, other.name] for other in counted if other is not cut and cut.is_public_beside(other)
    ]
    for place in cut.places:
        # Of a handful of pupils nothing is told: that none of them was suspended is a fact about each.
        of = int(rolls[place]) if rolls[place] < rule.primary else int(some[place])
        alike = tuple(name for places in known for name in places[place])
        yield CountCell(key=(cut.name, place, measure), count=int(summed[place]), pupils=of, alike=alike)


def _add_left(made: _Table, pupils: pd.DataFrame, cut: Cut, named: tuple[str, str]) -> None:
    """Add what is left of a whole beside its part: whoever reads both can take one from the other."""
    part, whole = named
    left = (
        pd.DataFrame({"place": pupils[cut.name], "left": pupils[whole] - pupils[part]}).groupby("place")["left"].sum()
    )
    for place in cut.places:
        key = (cut.name, place, f"{_LEFT}{whole} beside {part}")
        count = int(left[place])
        made.cells.append(CountCell(key=key, count=count, pupils=count, never_shown=True))
        parts = ((cut.name, place, part), key)
        made.sums.append(Sum(parts=parts, total=(cut.name, place, whole), known={}, spare={}))


def _add_shared(made: _Table, pupils: pd.DataFrame, division: tuple[Cut, Cut, _Overlaps], measure: str) -> None:
    """Add the sums that two cuts share: schools of a phase are the phase, primary schools are their year groups."""
    one, other, overlaps = division
    groups, pairs = overlaps.groups[one.name, other.name], overlaps.pairs[one.name, other.name]
    for at, (mine, theirs) in enumerate(groups):
        sides = [
            tuple((cut.name, place, measure) for place in places) for cut, places in ((one, mine), (other, theirs))
        ]
        small, large = sorted(sides, key=len)
        if len(small) == 1:
            made.sums.append(Sum(parts=large, total=small[0], known={}, spare={}))
            continue
        if one.is_public_beside(other):
            inside = pairs[pairs[one.name].isin(mine)]
            if len(inside) < len(mine) * len(theirs):
                made.links.extend(_links(inside, (one, other), measure))
        if len(groups) > 1:
            key = (_BESIDE, f"{one.name} {other.name} {at}", measure)
            values = pupils.loc[pupils[one.name].isin(mine), measure]
            made.cells.append(
                CountCell(key=key, count=int(values.sum()), pupils=int((values > 0).sum()), never_shown=True)
            )
            made.sums.extend(Sum(parts=side, total=key, known={}, spare={}) for side in sides)


def _links(pairs: pd.DataFrame, cuts: tuple[Cut, Cut], measure: str) -> Iterator[Sum]:
    """Yield each place of two cuts as the sum of what it shares with the places of the other, which nobody sees."""
    names = " ".join(cut.name for cut in cuts)
    cells = pd.Series([(names, f"{mine} {theirs}", measure) for mine, theirs in pairs.itertuples(index=False)])
    for cut in cuts:
        for place, mine in cells.groupby(pairs[cut.name].to_numpy()):
            yield Sum(parts=tuple(mine), total=(cut.name, str(place), measure), known={}, spare={})


def _together(pairs: pd.DataFrame, one: str, other: str) -> list[tuple[list[str], list[str]]]:
    """Return the places of two cuts in groups with the same pupils in them, as few as can be in each."""
    groups: list[tuple[set[str], set[str]]] = []
    for mine, theirs in zip(pairs[one], pairs[other], strict=True):
        touched = [group for group in groups if mine in group[0] or theirs in group[1]]
        joined = ({mine}.union(*(group[0] for group in touched)), {theirs}.union(*(group[1] for group in touched)))
        groups = [group for group in groups if group not in touched] + [joined]
    return [(sorted(mine), sorted(theirs)) for mine, theirs in groups]
