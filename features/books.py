"""Some measures of one table, what is known of them for a whole shard, and some pupils' versions counted by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.grid import Edge, Grid
from features.ledger import Ledger, Lined, masks_of, weights_of
from features.loops import Flags, Small
from features.loops_totals import Classes, Versions
from features.machine import Machine
from features.measure import Measure

# Measure's name → the measure and the edges from which it is added up; every row where there is no measure.
Wanted = Mapping[str, tuple[Measure | None, set[Edge]]]
Windows = tuple[tuple[Small, Small, Small, Small], Small]


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
    needs
        Each measure's number and edges, in order.
    """

    def __init__(self, lined: Lined, wanted: Wanted, machine: Machine) -> None:
        measures = [measure for measure, _ in wanted.values()]
        self.lined = lined
        self.bit = {name: bit for bit, name in enumerate(wanted)}
        self.needs = [(bit, edge) for bit, (_, edges) in enumerate(wanted.values()) for edge in sorted(edges, key=str)]
        self._machine = machine
        self._weighed = sorted({m.weight for m in measures if m is not None and m.weight is not None})
        weighing = [-1 if m is None or m.weight is None else self._weighed.index(m.weight) for m in measures]
        self.weighing = np.array(weighing, dtype=np.int32)
        masks = masks_of(lined.codes, lined.coded, measures)
        # A class is all kinds and days of the week that the same measures count.
        self._masks, classes = np.unique(masks, return_inverse=True)
        self._class_of = classes.reshape(masks.shape).astype(np.int16)

    def book(self, ledger: Ledger) -> Book:
        """Return the versions of a ledger, counted by these measures."""
        weights = [weights_of(ledger, name) for name in self._weighed]
        return Book(
            ledger=ledger,
            of=self._machine.classes(ledger.kind, ledger.day, self._class_of),
            weights=np.array(weights, dtype=np.int32).reshape(len(weights), len(ledger.day)),
        )

    def counts(self, measure: Measure) -> Flags:
        """Return whether the measure counts each class."""
        return (self._masks >> self.bit[measure.name] & 1).astype(np.bool_)

    @cached_property
    def counting(self) -> tuple[Small, Small]:
        """Where each class's measures begin, and the measures that count it."""
        counts = self._masks[:, None] >> np.arange(len(self.bit)) & 1
        start = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])
        return start.astype(np.int32), np.nonzero(counts)[1].astype(np.int32)

    def windows(self, rows: Grid) -> Windows:
        """Return the needs and the stops, as `features.loops_totals.totals` takes them."""
        edges: list[Edge] = [*dict.fromkeys(edge for _, edge in self.needs if edge != 0), 0]
        days = np.array([rows.edge(edge) for edge in edges], dtype=np.int32).reshape(len(edges), -1)
        stops = np.unique(days) if days.size else np.zeros(1, dtype=np.int32)
        measures = np.searchsorted([bit for bit, _ in self.needs], np.arange(len(self.bit) + 1)).astype(np.int32)
        at = np.array([edges.index(edge) for _, edge in self.needs], dtype=np.int32)
        upto = np.searchsorted(stops, np.arange(stops[0], stops[-1] + 1), side="right")
        stop_of = np.concatenate([stops[:1], upto]).astype(np.int32)
        return (measures, at, days, np.searchsorted(stops, days).astype(np.int32)), stop_of
