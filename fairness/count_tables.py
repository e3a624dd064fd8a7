"""Tables of plain counts, hidden cell by cell: the small ones, and what would give one away by any sums together.

An audit's group is hidden as a whole, because its figures share their counts; here every count stands for itself.
The form of the rule, the rounding, the reader and the search for partners are the audit's (`fairness.disclosure`,
`fairness.subtraction`); where the two differ, and why, is docs/decisions.md, 76.

What is found is then attacked: everything a reader has is put into a linear programme, and where it places a hidden
count within a range narrower than the least count, one more cell is hidden. Sums nest within one another and cross
only in the count itself, so the ends of the programme are whole numbers, as the counts are.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array

from fairness.disclosure import Key, rounded
from fairness.policy import Disclosure
from fairness.resampling import Ints
from fairness.subtraction import ANY, Count, Part, Span, Sum, hidden_parts

COUNT = "count"
_ENDLESS = 3
# Counts are whole, and so are the ends of the programme, to within what its solver rounds.
_DUST = 1e-6


@dataclass(frozen=True, kw_only=True)
class CountCell:
    """One count of a table.

    Attributes
    ----------
    count, pupils
        The count, and of how many pupils it is: twenty removals of two pupils are a fact about two pupils.
    never_shown
        No page has this cell, but a reader can think of it: flagged and not reviewed, all of a phase.
    alike
        What tells it from other cells in the same sums, such as the year groups that a school has.
    """

    key: Key
    count: int
    pupils: int
    never_shown: bool = False
    alike: tuple[str, ...] = ()


def shown_counts(
    cells: Iterable[CountCell],
    sums: Sequence[Sum],
    rule: Disclosure,
    *,
    links: Sequence[Sum] = (),
    already: Collection[Key] = (),
) -> dict[Key, int | None]:
    """Return every cell that a page may have: its count rounded, or None where it is not shown.

    Parameters
    ----------
    sums
        What adds up to what, over the keys of cells; `known` totals are under the name `COUNT`.
    rule
        Counts from 1 to under `primary` are hidden, others rounded to `round`; nought is shown as it is.
    links
        Sums over cells that nobody sees and that are not kept: those of one school and one year group, which say no
        more than that a school without a Year 7 has nothing to do with it. They are asked of the programme alone.
    already
        Cells that another table hides: shown here, they would give it away.
    """
    all_cells = tuple(cells)
    # Where there is none of it anywhere, nothing beside a place of few pupils gives them away.
    nowhere = {key for one in sums if one.known.get(COUNT) == 0 for key in one.parts}
    parts = {cell.key: _part(cell, rule, kept=cell.key not in nowhere) for cell in all_cells}
    never = frozenset(cell.key for cell in all_cells if cell.never_shown)
    sorts = {cell.key: cell.alike for cell in all_cells}
    hidden = hidden_parts(parts.values(), sums, least=rule.primary, already=never | frozenset(already))
    attack = _Attack(parts=parts, sums=sums, links=links, sorts=sorts, free=never | nowhere, least=rule.primary)
    while partners := attack.partners(hidden):
        hidden = hidden_parts(parts.values(), sums, least=rule.primary, already=hidden | partners)
    shown = (cell for cell in all_cells if not cell.never_shown)
    return {cell.key: None if cell.key in hidden else rounded(cell.count, rule) for cell in shown}


def _part(cell: CountCell, rule: Disclosure, *, kept: bool) -> Part:
    few = any(0 < number < rule.primary for number in (cell.count, cell.pupils))
    count = Count(value=cell.count, shown=_shown(cell.count, rule), of_few=few and kept)
    return Part(key=cell.key, size=cell.count, counts={COUNT: count}, small=few)


def _shown(count: int, rule: Disclosure) -> Span:
    """Return what a reader makes of a shown count: nought is nought, others lie within the rounding and are not few."""
    if count == 0:
        return (0.0, 0.0)
    middle, half = rounded(count, rule), (rule.round - 1) // 2 if rule.round % 2 else rule.round // 2
    return (float(max(rule.primary, middle - half)), float(middle + half))


@dataclass(frozen=True, kw_only=True)
class _Attack:
    """Everything that a reader knows of one table; `free` cells are asked for only where they are small themselves."""

    parts: Mapping[Key, Part]
    sums: Sequence[Sum]
    links: Sequence[Sum]
    sorts: Mapping[Key, tuple[str, ...]]
    free: frozenset[Key]
    least: int

    def partners(self, hidden: frozenset[Key]) -> frozenset[Key]:
        """Return the next cells to hide, because hidden ones could be placed; none where none can, or none is left."""
        kept = {key for key in hidden if self.parts[key].counts[COUNT].is_kept(self.least)}
        # Hidden cells in the same sums can take from each other: each may be anything up to all of them together.
        # Where that is enough nothing has to be worked out, and of a large network's schools it mostly is.
        asked = [
            keys[0]
            for keys in self._alike(sorted(hidden - self.free | kept))
            if len(keys) == 1 or sum(self.parts[key].size for key in keys) < self.least
        ]
        found: set[Key] = set()
        for key in self._given_away(asked, hidden):
            shown = self._nearest_shown(key, hidden)
            if shown and not found & shown:
                found.add(min(shown, key=lambda other: (self.parts[other].size, other)))
        return frozenset(found)

    def _alike(self, asked: Iterable[Key]) -> list[list[Key]]:
        """Return the cells in groups that stand in the same sums in the same way: no reader can tell them apart."""
        stands: dict[Key, list[object]] = {key: [self.sorts[key]] for key in asked}
        for at, one in enumerate(self.sums):
            for key in _members(one):
                if key in stands:
                    stands[key].append((at, key == one.total))
        groups: dict[tuple[object, ...], list[Key]] = {}
        for key, where in stands.items():
            groups.setdefault(tuple(where), []).append(key)
        return list(groups.values())

    def _nearest_shown(self, key: Key, hidden: Collection[Key]) -> set[Key]:
        """Return the shown cells that stand in a sum with this one; where all are hidden, those that stand by them."""
        found, ring = {key}, {key}
        while ring:
            near = (one for one in (*self.sums, *self.links) if ring & set(_members(one)))
            ring = {other for one in near for other in _members(one)} - found
            if shown := {other for other in ring if other in self.parts} - set(hidden):
                return shown
            found |= ring
        return set()

    def _given_away(self, asked: Sequence[Key], hidden: Collection[Key]) -> list[Key]:
        """Return which of the cells can only lie within a range narrower than the least count.

        That is, given every shown cell and every sum at once. Every answer of the programme is a whole table that a
        reader cannot tell from the true one, and says of every cell that it may be so much: a cell of which the tables
        found so far differ by the least count is not asked for any more. The true table is the first of them.
        """
        if not asked:
            return []
        place = {key: at for at, key in enumerate(self.parts)}
        for one in self.links:
            for key in _members(one):
                place.setdefault(key, len(place))
        counts = {key: part.counts[COUNT] for key, part in self.parts.items()}
        bounds = [ANY if key not in counts or key in hidden else counts[key].shown for key in place]
        equal = _equations((*self.sums, *self.links), place)
        at = np.array([place[key] for key in asked])
        true = np.array([counts[key].value for key in asked], dtype=np.float64)
        least, most = true.copy(), true.copy()

        def look(some: Ints) -> None:
            for way in (-1.0, 1.0):
                some = some[most[some] - least[some] < self.least - _DUST]
                if not len(some):
                    return
                table = _furthest(at[some], way, equal, bounds)
                if table is not None:
                    np.minimum(least, table[at], out=least)
                    np.maximum(most, table[at], out=most)
                elif len(some) == 1:
                    most[some] = math.inf

        look(np.arange(len(asked)))  # all at once, which settles most
        for number in range(len(asked)):
            look(np.array([number]))
        return [key for key, low, high in zip(asked, least, most, strict=True) if high - low < self.least - _DUST]


def _members(one: Sum) -> tuple[Key, ...]:
    return one.parts if one.total is None else (*one.parts, one.total)


def _equations(sums: Sequence[Sum], place: Mapping[Key, int]) -> tuple[csr_array, list[float]]:
    """Return each sum as a row of signs, and what it comes to: nought, or a total that anybody may know."""
    columns: list[int] = []
    signs: list[float] = []
    ends, totals = [0], []
    for one in sums:
        if one.total is None and COUNT not in one.known:
            continue
        columns += [place[key] for key in _members(one)]
        signs += [1.0] * len(one.parts) + ([] if one.total is None else [-1.0])
        ends.append(len(columns))
        totals.append(0.0 if one.total is not None else float(one.known[COUNT]))
    return csr_array((signs, columns, ends), shape=(len(totals), len(place))), totals


def _furthest(
    at: Ints, way: float, equal: tuple[csr_array, Sequence[float]], bounds: Sequence[Span]
) -> npt.NDArray[np.float64] | None:
    """Return the table in which these cells together are the least (way 1) or the most (way -1); None: no end to it."""
    aim = np.zeros(len(bounds))
    aim[at] = way
    found = linprog(aim, A_eq=equal[0], b_eq=equal[1], bounds=bounds, method="highs")
    if found.status == _ENDLESS:
        return None
    if found.status != 0:
        raise RuntimeError(f"the attack on a table of counts cannot be worked out: {found.message}")
    return np.asarray(found.x, dtype=np.float64)
