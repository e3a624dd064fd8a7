"""What declared features ask for, worked out once: measures, windows and, by number, how each value is made of sums.

Nothing here depends on a pupil or a day, so a process that builds again and again works it out for the first time only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from features import loops_series, loops_sums
from features.books import Plan
from features.catalogue import CATALOGUE, fingerprint
from features.feature import WEEKDAY, Feature
from features.forms import Kind
from features.grid import Edge
from features.ledger import MOST_MEASURES, Told, told_by
from features.loops_series import SeriesRecipes
from features.loops_sums import SumRecipes
from features.measure import Measure
from records.tables import MARKS

# Every mark whatever its code, from the first day that is fresh: only the cohort may ask that.
FRESH = "every mark"

SUMS: dict[Kind, int] = {
    "count": loops_sums.COUNT,
    "rate": loops_sums.RATE,
    "share": loops_sums.RATE,
    "change": loops_sums.DIFFERENCE,
    "contrast": loops_sums.DIFFERENCE,
}
SERIES: dict[Kind, int] = {
    "slope": loops_series.SLOPE,
    "volatility": loops_series.VOLATILITY,
    "momentum": loops_series.MOMENTUM,
    "cusum": loops_series.CUSUM,
    "departure": loops_series.DEPARTURE,
    "weeks": loops_series.WEEKS,
}


@dataclass(frozen=True)
class AskedTable:
    """The columns of a table that features look at, and how their measures tell its rows apart."""

    columns: tuple[str, ...]
    told: Told


class Asked:
    """What some features ask for.

    Attributes
    ----------
    tables, plans
        By name of the table what is looked at; the measures that are added up, in order.
    plan
        By name of the measure the plan it belongs to.
    needs
        How many totals there are; one more, the last, is nothing at all times.
    sums, series
        How the features that are made of totals alone are made of them.
    weekdays
        By name of each feature that compares weekdays the numbers of their seven totals.
    others, contexts
        The number and declaration of every other feature; contexts ask for no row.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.names = tuple(feature.name for feature in features)
        self.fingerprint = fingerprint(features)
        self.tables: dict[str, AskedTable] = {}
        self.plans: list[Plan] = []
        self.plan: dict[str, Plan] = {}
        self.needs = 0
        wanted, columns = _wanted(features)
        for table, measures in wanted.items():
            told = told_by(table, [measure for measure, _ in measures.values() if measure is not None])
            self.tables[table] = AskedTable(tuple(sorted(columns[table])), told)
            names = list(measures)
            for at in range(0, len(names), MOST_MEASURES):
                some = {name: measures[name] for name in names[at : at + MOST_MEASURES]}
                plan = Plan(table, told, some, self.needs)
                self.plans.append(plan)
                self.plan |= dict.fromkeys(some, plan)
                self.needs += len(plan.needs)
        numbered = list(enumerate(features))
        self.sums = self._sums([(column, f) for column, f in numbered if f.kind in SUMS])
        self.series = self._series([(column, f) for column, f in numbered if f.kind in SERIES])
        self.weekdays = {
            feature.name: np.array([self.at(m.name, feature.window_weeks) for m, _ in _needs(feature)])
            for feature in features
            if by_weekday(feature)
        }
        made = {*SUMS, *SERIES, "context"}
        self.others = tuple((column, f) for column, f in numbered if f.kind not in made)
        self.contexts = tuple((column, f) for column, f in numbered if f.kind == "context")

    def at(self, measure: str, since: Edge) -> int:
        """Return the number of the total of a measure from an edge to as_of."""
        return self.needs if since == 0 else self.plan[measure].at[measure, since]

    def _sums(self, features: list[tuple[int, Feature]]) -> SumRecipes:
        parts = [self._parts(feature) for _, feature in features]
        return (
            np.array([column for column, _ in features], dtype=np.int32),
            np.array([SUMS[feature.kind] for _, feature in features], dtype=np.int32),
            np.array([at for at, _ in parts], dtype=np.int32).reshape(-1, 6, 2),
            np.array([weeks for _, weeks in parts], dtype=np.int32).reshape(-1, 2),
            np.array([_empty(feature) for _, feature in features]),
        )

    def _parts(self, feature: Feature) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """Return where the six sums of a recipe begin and end (`features.loops_sums`), and its weeks held."""
        since, until = edges_of(feature)
        none = (self.needs, self.needs)

        def of(measure: Measure | None, since: Edge = since, until: Edge = until) -> tuple[int, int]:
            return none if measure is None else (self.at(measure.name, since), self.at(measure.name, until))

        first = of(feature.measure)
        if feature.kind == "share":
            return [first, first, of(feature.other), none, none, none], (0, 0)
        if feature.kind == "contrast":
            return [first, of(feature.per), none, of(feature.other), of(feature.other_per), none], (0, 0)
        if feature.kind != "change":
            return [first, of(feature.per), none, none, none, none], (0, 0)
        recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
        now, then = (of(one, recent, 0) for one in (feature.measure, feature.per))
        before, below = (of(one, both, recent) for one in (feature.measure, feature.per))
        return [now, then, none, before, below, none], ((recent, both) if feature.per is None else (0, 0))

    def _series(self, features: list[tuple[int, Feature]]) -> SeriesRecipes:
        longest = 1 + max((f.window_weeks + f.before_weeks for _, f in features), default=0)

        def weekly(feature: Feature, measure: Measure | None) -> list[int]:
            weeks = feature.window_weeks + feature.before_weeks
            found = [] if measure is None else [self.at(measure.name, week) for week in range(weeks + 1)]
            return found + [self.needs] * (longest - len(found))

        return (
            np.array([column for column, _ in features], dtype=np.int32),
            np.array([SERIES[feature.kind] for _, feature in features], dtype=np.int32),
            np.array([weekly(f, f.measure) for _, f in features], dtype=np.int32).reshape(-1, longest),
            np.array([weekly(f, f.per) for _, f in features], dtype=np.int32).reshape(-1, longest),
            np.array(
                [(f.window_weeks, f.before_weeks, f.per is not None) for _, f in features], dtype=np.int32
            ).reshape(-1, 3),
            np.array([_empty(feature) for _, feature in features]),
        )


def asked(features: Sequence[Feature]) -> Asked:
    """Return what the features ask for; of the catalogue it is worked out once."""
    return _of_catalogue() if features is CATALOGUE else Asked(features)


@cache
def _of_catalogue() -> Asked:
    return Asked(CATALOGUE)


def _empty(feature: Feature) -> float:
    return np.nan if feature.when_empty is None else feature.when_empty


def named(measure: Measure | None) -> Measure:
    """Return the measure that a checked feature's kind needs."""
    if measure is None:
        raise TypeError("a feature that was checked when made names the measures its kind needs")
    return measure


def by_weekday(feature: Feature) -> bool:
    """Whether it is a matter of seven sums, one for each day of the week, which spares looking at every row."""
    return feature.kind == "top_share" and feature.by == WEEKDAY


def _on_weekday(measure: Measure, weekday: int) -> Measure:
    """Return the measure on one day of the week."""
    days = measure.weekdays & {weekday} if measure.weekdays else frozenset({weekday})
    return replace(measure, name=f"{measure.name} on {weekday}", weekdays=days)


def edges_of(feature: Feature) -> tuple[Edge, Edge]:
    """Return where the feature's window begins and ends."""
    if feature.span == "weeks":
        return feature.window_weeks, 0
    return (feature.span, "first"), (feature.span, "end")


def _wanted(
    features: Sequence[Feature],
) -> tuple[dict[str, dict[str, tuple[Measure | None, set[Edge]]]], dict[str, set[str]]]:
    """Return by table every measure with the edges from which it is added up, and the columns looked at."""
    wanted: dict[str, dict[str, tuple[Measure | None, set[Edge]]]] = {MARKS.name: {FRESH: (None, {"fresh"})}}
    columns: dict[str, set[str]] = {MARKS.name: set()}
    for feature in features:
        for measure, edges in _needs(feature):
            wanted.setdefault(measure.table, {}).setdefault(measure.name, (measure, set()))[1].update(edges)
            columns.setdefault(measure.table, set()).update([measure.weight] if measure.weight else [])
        if feature.by not in ("", WEEKDAY):
            columns[named(feature.measure).table].add(feature.by)
    return wanted, columns


def _needs(feature: Feature) -> Iterator[tuple[Measure, list[Edge]]]:
    """Yield every measure the feature looks at, and the edges from which it is added up."""
    both = feature.window_weeks + feature.before_weeks
    edges: list[Edge] = []
    if feature.kind in SUMS:
        edges = [edge for edge in (*edges_of(feature), both) if edge != 0]
    elif feature.kind in SERIES:
        edges = list(range(1, both + 1))
    elif by_weekday(feature):
        for weekday in range(7):
            yield _on_weekday(named(feature.measure), weekday), [feature.window_weeks]
        return
    for measure in feature.measures:
        yield measure, edges
