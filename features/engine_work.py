"""What the fast engine's forms are worked from: one shard's ledgers and, a block of pupils at a time, their totals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.feature import WEEKDAY, Feature
from features.grid import Edge, Grid
from features.ledger import MOST_MEASURES, Ledger, ledger_of, weights_of
from features.loops import Flags, Ints, Small
from features.loops_totals import Classes, Versions
from features.machine import Machine
from features.measure import Measure
from records.history import History
from records.tables import MARKS

Values = npt.NDArray[np.float64]
SUMS = frozenset({"count", "rate", "share", "change", "contrast"})
SERIES = frozenset({"slope", "volatility", "momentum", "cusum", "departure", "weeks"})
WEEKDAYS = range(7)
# Every mark whatever its code, from the first day that is fresh: only the cohort may ask that.
FRESH = "every mark"


@dataclass(frozen=True)
class Book:
    """Some measures of one table, and the windows over which each is added up.

    `of` is the class of each version, `masks` the measures that count a class, a bit each.
    """

    ledger: Ledger
    of: Classes
    masks: Ints
    bit: Mapping[str, int]
    weighing: Small
    weights: Small
    needs: tuple[tuple[int, Edge], ...]

    @property
    def versions(self) -> Versions:
        """The ledger's versions, as loops take them."""
        return self.ledger.start, self.ledger.day, self.ledger.first, self.ledger.last, self.of

    def counts(self, measure: Measure) -> Flags:
        """Return whether the measure counts each class."""
        return (self.masks >> self.bit[measure.name] & 1).astype(np.bool_)

    @cached_property
    def counting(self) -> tuple[Small, Small]:
        """Where each class's measures begin, and the measures that count it."""
        counts = self.masks[:, None] >> np.arange(len(self.bit)) & 1
        start = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])
        return start.astype(np.int32), np.nonzero(counts)[1].astype(np.int32)

    def windows(self, rows: Grid) -> tuple[tuple[Small, Small, Small, Small], Small]:
        """Return the needs and the stops, as `features.loops_totals.totals` takes them."""
        edges: list[Edge] = [*dict.fromkeys(edge for _, edge in self.needs if edge != 0), 0]
        days = np.array([rows.edge(edge) for edge in edges], dtype=np.int32).reshape(len(edges), -1)
        stops = np.unique(days) if days.size else np.zeros(1, dtype=np.int32)
        measures = np.searchsorted([bit for bit, _ in self.needs], np.arange(len(self.bit) + 1)).astype(np.int32)
        at = np.array([edges.index(edge) for _, edge in self.needs], dtype=np.int32)
        upto = np.searchsorted(stops, np.arange(stops[0], stops[-1] + 1), side="right")
        stop_of = np.concatenate([stops[:1], upto]).astype(np.int32)
        return (measures, at, days, np.searchsorted(stops, days).astype(np.int32)), stop_of


class Work:
    """One shard's ledgers, each made once."""

    def __init__(self, history: History, rows: Grid, features: Sequence[Feature], machine: Machine) -> None:
        self.rows = rows
        self.machine = machine
        self.book: dict[str, Book] = {}
        self._windows: dict[int, tuple[tuple[Small, Small, Small, Small], Small]] = {}
        wanted: dict[str, dict[str, tuple[Measure | None, set[Edge]]]] = {MARKS.name: {FRESH: (None, {"fresh"})}}
        columns: dict[str, set[str]] = {MARKS.name: set()}
        for feature in features:
            for measure, edges in _needs(feature):
                wanted.setdefault(measure.table, {}).setdefault(measure.name, (measure, set()))[1].update(edges)
                columns.setdefault(measure.table, set()).update([measure.weight] if measure.weight else [])
            if feature.by not in ("", WEEKDAY):
                columns[named(feature.measure).table].add(feature.by)
        for table, measures in wanted.items():
            counted = [measure for measure, _ in measures.values() if measure is not None]
            ledger = ledger_of(history, table, sorted(columns[table]), rows.pupils, machine, counted)
            names = list(measures)
            for at in range(0, len(names), MOST_MEASURES):
                some = names[at : at + MOST_MEASURES]
                self.book |= dict.fromkeys(some, _book(ledger, {name: measures[name] for name in some}, machine))

    def windows(self, book: Book) -> tuple[tuple[Small, Small, Small, Small], Small]:
        """Return the book's needs and stops, worked out once."""
        if id(book) not in self._windows:
            self._windows[id(book)] = book.windows(self.rows)
        return self._windows[id(book)]

    def blocks(self, rows_at_once: int) -> Iterator["Block"]:
        """Return the pupils in order, so many rows at a time: what is worked from them then stays in the cache."""
        start = self.rows.by_pupil[1]
        pupil = 0
        while pupil < len(self.rows.pupils):
            end = int(np.searchsorted(start, start[pupil] + rows_at_once, side="right")) - 1
            end = max(end, pupil + 1)
            yield Block(self, pupil, end)
            pupil = end


class Block:
    """Some pupils' rows, pupil by pupil, and what their measures add up to in every window."""

    def __init__(self, work: Work, first: int, end: int) -> None:
        self.work = work
        self.pupils = (first, end)
        order, start = work.rows.by_pupil
        self.row = order[start[first] : start[end]]
        self.row_start = start[first : end + 1] - start[first]
        self.group = work.rows.group[self.row]
        self.as_of = work.rows.edge(0)[self.group].astype(np.int32)
        self._totals: dict[int, Small] = {}

    def __len__(self) -> int:
        return len(self.row)

    def edge(self, edge: Edge) -> Small:
        """Return the day number of an edge for each row."""
        return self.work.rows.edge(edge)[self.group].astype(np.int32)

    def held(self, school_weeks: int) -> Values:
        """Return how many of so many school weeks each row's calendar holds."""
        return np.minimum(self.work.rows.weeks_known[self.group], school_weeks).astype(np.float64)

    def added(self, measure: str, since: Edge) -> Small:
        """Return the measure added up from an edge to as_of, for each row."""
        book = self.work.book[measure]
        found: Small = self._added(book)[book.needs.index((book.bit[measure], since))]
        return found

    def added_all(self, measure: str) -> Small:
        """Return every total of the measure's book, shape (needs, rows); they are worked out once."""
        return self._added(self.work.book[measure])

    def weekly(self, measure: Measure | None, weeks: int) -> Small:
        """Return the measure added up over the last 0, 1, 2 ... school weeks, shape (weeks + 1, rows)."""
        book = self.work.book[named(measure).name]
        at = [book.needs.index((book.bit[named(measure).name], week)) for week in range(weeks + 1)]
        found: Small = self._added(book)[at]
        return found

    def total(self, measure: Measure | None, since: Edge, until: Edge = 0) -> Values:
        """Return the measure added up from one edge to another, for each row."""
        total = self.added(named(measure).name, since)
        return (total if until == 0 else total - self.added(named(measure).name, until)).astype(np.float64)

    def sum(self, measure: Measure | None, feature: Feature) -> Values:
        """Return the measure added up over the feature's window."""
        return self.total(measure, *edges_of(feature))

    def _added(self, book: Book) -> Small:
        if id(book) not in self._totals:
            self._totals[id(book)] = self.work.machine.totals(
                self.pupils,
                book.versions,
                book.counting,
                (book.weighing, book.weights),
                (self.row_start, self.as_of, self.group),
                *self.work.windows(book),
            )
        return self._totals[id(book)]


def named(measure: Measure | None) -> Measure:
    """Return the measure that a checked feature's kind needs."""
    if measure is None:
        raise TypeError("a feature that was checked when made names the measures its kind needs")
    return measure


def divide(above: Values, below: Values) -> Values:
    """Return above / below, NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        divided: Values = above / below
    divided[below <= 0] = np.nan
    return divided


def on_weekday(measure: Measure, weekday: int) -> Measure:
    """Return the measure on one day of the week."""
    days = measure.weekdays & {weekday} if measure.weekdays else frozenset({weekday})
    return replace(measure, name=f"{measure.name} on {weekday}", weekdays=days)


def edges_of(feature: Feature) -> tuple[Edge, Edge]:
    """Return where the feature's window begins and ends."""
    if feature.span == "weeks":
        return feature.window_weeks, 0
    return (feature.span, "first"), (feature.span, "end")


def _needs(feature: Feature) -> Iterator[tuple[Measure, list[Edge]]]:
    """Yield every measure the feature looks at, and the edges from which it is added up."""
    both = feature.window_weeks + feature.before_weeks
    edges: list[Edge] = []
    if feature.kind in SUMS:
        edges = [edge for edge in (*edges_of(feature), both) if edge != 0]
    elif feature.kind in SERIES:
        edges = list(range(both + 1))
    elif feature.kind == "top_share" and feature.by == WEEKDAY:
        for weekday in WEEKDAYS:
            yield on_weekday(named(feature.measure), weekday), [feature.window_weeks]
        return
    for measure in feature.measures:
        yield measure, edges


def _book(ledger: Ledger, measures: Mapping[str, tuple[Measure | None, set[Edge]]], machine: Machine) -> Book:
    counted = [measure for measure, _ in measures.values()]
    weighed = sorted({m.weight for m in counted if m is not None and m.weight is not None})
    weights = [weights_of(ledger, name) for name in weighed]
    weighing = [-1 if m is None or m.weight is None else weighed.index(m.weight) for m in counted]
    needs = [(bit, edge) for bit, (_, edges) in enumerate(measures.values()) for edge in sorted(edges, key=str)]
    of, masks = ledger.classes(counted, machine)
    return Book(
        ledger=ledger,
        of=of,
        masks=masks,
        bit={name: bit for bit, name in enumerate(measures)},
        weighing=np.array(weighing, dtype=np.int32),
        weights=np.array(weights, dtype=np.int32).reshape(len(weights), len(of)),
        needs=tuple(needs),
    )
