"""What the fast engine's forms are worked from: totals by prefix sums, and the rows that each as-of date sees."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.cube import Versions, totals
from features.feature import WEEKDAY, Feature
from features.grid import Edge, Grid, Ints
from features.lines import Runs
from features.measure import Measure
from records.history import History
from records.tables import TABLES

Values = npt.NDArray[np.float64]
SUMS = frozenset({"count", "rate", "share", "change", "contrast"})
SERIES = frozenset({"slope", "volatility", "momentum", "cusum", "departure", "weeks"})
WEEKDAYS = range(7)


class Work:
    """One shard's counts at many as-of dates, each made once."""

    def __init__(self, history: History, rows: Grid, features: Sequence[Feature], runs: Runs) -> None:
        self.rows = rows
        self.runs = runs
        self._history = history
        self._versions: dict[str, Versions] = {}
        wanted: dict[str, tuple[Measure, set[Edge]]] = {}
        for measure, edge in (need for feature in features for need in _needs(feature)):
            wanted.setdefault(measure.name, (measure, set()))[1].add(edge)
        self._totals = {
            name: totals(self.table(measure.table), measure, {edge: rows.start(edge) for edge in edges}, rows)
            for name, (measure, edges) in wanted.items()
        }

    def table(self, name: str) -> Versions:
        """Return every version of the table's rows, lined up with the grid."""
        if name not in self._versions:
            self._versions[name] = Versions(self._history.tables[name], TABLES[name], self.rows)
        return self._versions[name]

    def total(self, measure: Measure | None, since: Edge, until: Edge = 0) -> Values:
        """Return the measure added up from one edge to another, for each row of the grid."""
        found = self._totals[named(measure).name]
        total = found[since] if until == 0 else found[since] - found[until]
        return total.astype(np.float64)

    def sum(self, measure: Measure | None, feature: Feature) -> Values:
        """Return the measure added up over the feature's window."""
        return self.total(measure, *_edges(feature))

    def series(self, feature: Feature, since_weeks: int, until_weeks: int = 0) -> Values:
        """Return the weekly series, oldest week first, shape (rows, since_weeks - until_weeks); NaN: no point."""
        held = self.rows.held(since_weeks)
        weekly = []
        for week in range(since_weeks, until_weeks, -1):
            per = 1.0 if feature.per is None else self.total(feature.per, week, week - 1)
            weekly.append(divide(self.total(feature.measure, week, week - 1), np.where(held >= week, per, 0.0)))
        return np.stack(weekly, axis=1)

    def seen(self, measure: Measure | None, feature: Feature | None) -> tuple[Ints, Ints, Ints]:
        """Return grid row, day and version of each row of the measure that an as-of date sees.

        Those of the feature's window; of all time where no feature is given.
        """
        chosen, _ = self.table(named(measure).table).weights(named(measure))
        versions = self.table(named(measure).table)
        if feature is None:
            # As-of dates lie within a few decades of any row.
            pairs = versions.seen(chosen, 1 << 20)
            return pairs.row, versions.day[pairs.version], pairs.version
        first, end = (self.rows.start(edge) for edge in _edges(feature))
        pairs = versions.seen(chosen, int((self.rows.end - first).max(initial=0)))
        day = versions.day[pairs.version]
        inside = (day >= first[pairs.row]) & (day < end[pairs.row])
        return pairs.row[inside], day[inside], pairs.version[inside]

    def weight(self, measure: Measure | None, version: Ints) -> Ints:
        """Return what each of these versions adds to the measure."""
        versions = self.table(named(measure).table)
        chosen, weight = versions.weights(named(measure))
        by_version = np.zeros(len(versions.day), dtype=np.int64)
        by_version[chosen] = weight
        return by_version[version]

    def edges(self, feature: Feature) -> tuple[Ints, Ints]:
        """Return the first day number of the feature's window and the one after its last, for each row."""
        first, end = _edges(feature)
        return self.rows.start(first), self.rows.start(end)


def named(measure: Measure | None) -> Measure:
    """Return the measure that a checked feature's kind needs."""
    if measure is None:
        raise TypeError("a feature that was checked when made names the measures its kind needs")
    return measure


def divide(above: Values, below: Values) -> Values:
    """Return above / below, NaN where there is nothing to divide by."""
    divided: Values = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return divided


def on_weekday(measure: Measure, weekday: int) -> Measure:
    """Return the measure on one day of the week."""
    days = measure.weekdays & {weekday} if measure.weekdays else frozenset({weekday})
    return replace(measure, name=f"{measure.name} on {weekday}", weekdays=days)


def _edges(feature: Feature) -> tuple[Edge, Edge]:
    if feature.span == "weeks":
        return feature.window_weeks, 0
    return (feature.span, "first"), (feature.span, "end")


def _needs(feature: Feature) -> Iterator[tuple[Measure, Edge]]:
    """Yield every (measure, edge) whose total the feature is worked from."""
    both = feature.window_weeks + feature.before_weeks
    edges: list[Edge] = []
    if feature.kind in SUMS:
        edges = [edge for edge in (*_edges(feature), both) if edge != 0]
    elif feature.kind in SERIES:
        edges = list(range(1, both + 1))
    elif feature.kind == "top_share" and feature.by == WEEKDAY:
        for weekday in WEEKDAYS:
            yield on_weekday(named(feature.measure), weekday), feature.window_weeks
        return
    for measure in feature.measures:
        yield from ((measure, edge) for edge in edges)
