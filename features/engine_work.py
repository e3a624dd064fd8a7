"""What the fast engine's forms are worked from: one shard's ledgers and, a block of pupils at a time, their totals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.feature import WEEKDAY, Feature
from features.grid import Edge, Grid
from features.ledger import MOST_MEASURES, Ledger, ledger_of, masks_of, weights_of
from features.loops import Ints, Small
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

    `counted` says of each version which of the measures count it, a bit each.
    """

    ledger: Ledger
    counted: Ints
    bit: Mapping[str, int]
    weighing: Small
    weights: Small
    needs: tuple[tuple[int, Edge], ...]

    @property
    def versions(self) -> tuple[Small, Small, Small, Small, Ints]:
        """The ledger's versions, as loops take them."""
        return self.ledger.start, self.ledger.day, self.ledger.first, self.ledger.last, self.counted


class Work:
    """One shard's ledgers, each made once."""

    def __init__(self, history: History, rows: Grid, features: Sequence[Feature], machine: Machine) -> None:
        self.rows = rows
        self.machine = machine
        self.book: dict[str, Book] = {}
        wanted: dict[str, dict[str, tuple[Measure | None, set[Edge]]]] = {MARKS.name: {FRESH: (None, {"fresh"})}}
        columns: dict[str, set[str]] = {MARKS.name: set()}
        for feature in features:
            for measure, edges in _needs(feature):
                wanted.setdefault(measure.table, {}).setdefault(measure.name, (measure, set()))[1].update(edges)
                columns.setdefault(measure.table, set()).update(_columns(measure))
            if feature.by not in ("", WEEKDAY):
                columns[named(feature.measure).table].add(feature.by)
        for table, measures in wanted.items():
            ledger = ledger_of(history, table, sorted(columns[table]), rows.pupils, machine)
            names = list(measures)
            for at in range(0, len(names), MOST_MEASURES):
                some = names[at : at + MOST_MEASURES]
                self.book |= dict.fromkeys(some, _book(ledger, {name: measures[name] for name in some}))

    @cached_property
    def first_day(self) -> int:
        """The first day that any window holds; any day will do where nobody is on roll."""
        if not len(self.rows):
            return 0
        edges = {edge for book in self.book.values() for _, edge in book.needs}
        return min((int(self.rows.edge(edge).min()) for edge in edges), default=0)

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
            rows, edges = self.work.rows, list(dict.fromkeys(edge for _, edge in book.needs))
            measures = np.searchsorted([bit for bit, _ in book.needs], np.arange(len(book.bit) + 1)).astype(np.int32)
            at = np.array([edges.index(edge) for _, edge in book.needs], dtype=np.int32)
            days = np.array([rows.edge(edge) for edge in edges], dtype=np.int32).reshape(len(edges), -1)
            self._totals[id(book)] = self.work.machine.totals(
                self.pupils,
                book.versions,
                (book.weighing, book.weights),
                (self.row_start, self.as_of, self.group),
                (measures, at, days),
                (self.work.first_day, int(rows.as_ofs[-1])),
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


def _columns(measure: Measure) -> Iterator[str]:
    yield from measure.where
    if measure.weight is not None:
        yield measure.weight


def _book(ledger: Ledger, measures: Mapping[str, tuple[Measure | None, set[Edge]]]) -> Book:
    counted = [measure for measure, _ in measures.values()]
    columns = sorted({column for measure in counted if measure is not None for column in measure.where})
    kind, codes = ledger.kinds(columns)
    weighed = sorted({m.weight for m in counted if m is not None and m.weight is not None})
    weights = [weights_of(ledger, name) for name in weighed]
    weighing = [-1 if m is None or m.weight is None else weighed.index(m.weight) for m in counted]
    needs = [(bit, edge) for bit, (_, edges) in enumerate(measures.values()) for edge in sorted(edges, key=str)]
    return Book(
        ledger=ledger,
        counted=masks_of(codes, columns, counted)[kind, (ledger.day + 3) % 7],
        bit={name: bit for bit, name in enumerate(measures)},
        weighing=np.array(weighing, dtype=np.int32),
        weights=np.array(weights, dtype=np.int32).reshape(len(weights), len(kind)),
        needs=tuple(needs),
    )
