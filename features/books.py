"""Some measures of one table, what is known of them for a whole shard, and some pupils' versions counted by them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.grid import Edge, Groups, Windows
from features.ledger import Ledger, Told, masks_of, weights_of
from features.loops import Flags, Small
from features.loops_totals import Classes, Versions
from features.machine import Machine
from features.measure import Measure

# Measure's name → the measure and the edges from which it is added up; every row where there is no measure.
Wanted = Mapping[str, tuple[Measure | None, set[Edge]]]


@dataclass(frozen=True)
class Book:
    """Some pupils' versions of a table, with the class of each and what each adds to measures that weigh."""

    ledger: Ledger
    of: Classes
    weights: Small

    @property
    def versions(self) -> Versions:
        """The ledger's versions, as loops take them."""
        return self.ledger.start, self.ledger.day, self.ledger.first, self.ledger.last, self.of


class Plan:
    """Some measures of one table, and the windows over which each is added up.

    Attributes
    ----------
    bit
        The number of each measure, by its name.
    weighing
        For each measure the number of the weights it adds up, -1 to count.
    needs, at
        Each measure's number and edges, in order; the number of a measure's total from an edge, among all plans'.
    places
        Where this plan's totals stand among all plans'.
    counting
        Where each class's measures begin, and the measures that count it.
    """

    def __init__(self, table: str, told: Told, wanted: Wanted, first: int) -> None:
        measures = [measure for measure, _ in wanted.values()]
        self.table = table
        self.bit = {name: bit for bit, name in enumerate(wanted)}
        named = [(name, edge) for name, (_, edges) in wanted.items() for edge in sorted(edges, key=str)]
        self.needs = [(self.bit[name], edge) for name, edge in named]
        self.at = {need: first + number for number, need in enumerate(named)}
        self.places = slice(first, first + len(named))
        self._weighed = sorted({m.weight for m in measures if m is not None and m.weight is not None})
        weighing = [-1 if m is None or m.weight is None else self._weighed.index(m.weight) for m in measures]
        self.weighing = np.array(weighing, dtype=np.int32)
        masks = masks_of(told.codes, told.coded, measures)
        # A class is all kinds and days of the week that the same measures count.
        self._masks, classes = np.unique(masks, return_inverse=True)
        self._class_of = classes.reshape(masks.shape).astype(np.int16)
        counts = self._masks[:, None] >> np.arange(len(self.bit)) & 1
        start = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])
        self.counting = start.astype(np.int32), np.nonzero(counts)[1].astype(np.int32)
        self._counts = [counts[:, bit].astype(np.bool_) for bit in range(len(self.bit))]
        self._edges: list[Edge] = [*dict.fromkeys(edge for _, edge in self.needs), 0]
        number = np.searchsorted([bit for bit, _ in self.needs], np.arange(len(self.bit) + 1)).astype(np.int32)
        self._measures = number, np.array([self._edges.index(edge) for _, edge in self.needs], dtype=np.int32)

    def book(self, ledger: Ledger, machine: Machine) -> Book:
        """Return the versions of a ledger, counted by these measures."""
        weights = [weights_of(ledger, name) for name in self._weighed]
        return Book(
            ledger=ledger,
            of=machine.classes(ledger.kind, ledger.day, self._class_of),
            weights=np.array(weights, dtype=np.int32).reshape(len(weights), len(ledger.day)),
        )

    def counts(self, measure: Measure) -> Flags:
        """Return whether the measure counts each class."""
        return self._counts[self.bit[measure.name]]

    def windows(self, groups: Groups) -> Windows:
        """Return the needs and the stops, as `features.loops_totals.totals` takes them; worked out once for a plan."""
        if self not in groups.windows:
            days = np.array([groups.edge(edge) for edge in self._edges], dtype=np.int32)
            stops = np.unique(days) if days.size else np.zeros(1, dtype=np.int32)
            upto = np.searchsorted(stops, np.arange(stops[0], stops[-1] + 1), side="right")
            stop_of = np.concatenate([stops[:1], upto]).astype(np.int32)
            stop = np.searchsorted(stops, days).astype(np.int32)
            groups.windows[self] = (*self._measures, days, stop), stop_of
        return groups.windows[self]
