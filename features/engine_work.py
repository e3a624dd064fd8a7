"""What the fast engine's forms are worked from: one shard's ledgers and, a block of pupils at a time, their totals."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.books import Book, Plan, Windows
from features.feature import WEEKDAY, Feature
from features.grid import Edge, Grid
from features.ledger import MOST_MEASURES, Ledger, lined_up
from features.loops import Small
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


class Work:
    """One shard's tables, each lined up once, and what is asked of them."""

    def __init__(self, history: History, rows: Grid, features: Sequence[Feature], machine: Machine) -> None:
        self.rows = rows
        self.machine = machine
        self.plan: dict[str, Plan] = {}
        self._windows: dict[int, Windows] = {}
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
            lined = lined_up(history, table, sorted(columns[table]), rows.pupils, machine, counted)
            names = list(measures)
            for at in range(0, len(names), MOST_MEASURES):
                some = names[at : at + MOST_MEASURES]
                self.plan |= dict.fromkeys(some, Plan(lined, {name: measures[name] for name in some}, machine))

    def windows(self, plan: Plan) -> Windows:
        """Return the plan's needs and stops, worked out once."""
        if id(plan) not in self._windows:
            self._windows[id(plan)] = plan.windows(self.rows)
        return self._windows[id(plan)]

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
        self.pupils = (0, end - first)
        self._range = (first, end)
        order, start = work.rows.by_pupil
        self.row = order[start[first] : start[end]]
        self.row_start = start[first : end + 1] - start[first]
        self.group = work.rows.group[self.row]
        self.as_of = work.rows.edge(0)[self.group].astype(np.int32)
        self._totals: dict[int, Small] = {}
        self._books: dict[int, Book] = {}
        self._ledgers: dict[str, Ledger] = {}

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
        plan = self.work.plan[measure]
        found: Small = self._added(plan)[plan.needs.index((plan.bit[measure], since))]
        return found

    def added_all(self, measure: str) -> Small:
        """Return every total of the measure's plan, shape (needs, rows); they are worked out once."""
        return self._added(self.work.plan[measure])

    def weekly(self, measure: Measure | None, weeks: int) -> Small:
        """Return the measure added up over the last 0, 1, 2 ... school weeks, shape (weeks + 1, rows)."""
        plan = self.work.plan[named(measure).name]
        at = [plan.needs.index((plan.bit[named(measure).name], week)) for week in range(weeks + 1)]
        found: Small = self._added(plan)[at]
        return found

    def total(self, measure: Measure | None, since: Edge, until: Edge = 0) -> Values:
        """Return the measure added up from one edge to another, for each row."""
        total = self.added(named(measure).name, since)
        return (total if until == 0 else total - self.added(named(measure).name, until)).astype(np.float64)

    def sum(self, measure: Measure | None, feature: Feature) -> Values:
        """Return the measure added up over the feature's window."""
        return self.total(measure, *edges_of(feature))

    def book(self, plan: Plan) -> Book:
        """Return these pupils' versions of a plan's table, lined up and counted once."""
        table = plan.lined.table
        if table not in self._ledgers:
            self._ledgers[table] = plan.lined.ledger(*self._range)
        if id(plan) not in self._books:
            self._books[id(plan)] = plan.book(self._ledgers[table])
        return self._books[id(plan)]

    def _added(self, plan: Plan) -> Small:
        if id(plan) not in self._totals:
            book = self.book(plan)
            self._totals[id(plan)] = self.work.machine.totals(
                self.pupils,
                book.versions,
                plan.counting,
                (plan.weighing, book.weights),
                (self.row_start, self.as_of, self.group),
                *self.work.windows(plan),
            )
        return self._totals[id(plan)]


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
