"""The fast engine: the same features as `features.reference`, over many as-of dates of one shard at once.

Counts are differences of prefix sums (`features.cube`). Three forms are not sums and are worked from
the list of events seen at each as_of, which costs in proportion to events times as-of dates in
the window: 'maximum', 'days' and 'since'.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import CATALOGUE, fingerprint
from features.cohort import fresh_from, with_abstain
from features.context import CONTEXTS
from features.cube import Versions, totals
from features.feature import Feature
from features.forms import FEWEST_POINTS
from features.grid import Grid, Ints, day_number, grid
from features.matrix import KEYS, Matrix
from features.measure import Measure
from records.history import History
from records.tables import MARKS, TABLES

Values = npt.NDArray[np.float64]


def build(history: History, as_ofs: Sequence[date], features: Sequence[Feature] = CATALOGUE) -> Matrix:
    """Return every feature at every as-of date, rows ordered by as_of, then pupil.

    The same as `reference(known(history, as_of), features)` at each as_of, one under the other: keys
    and counts exactly, other values to 1e-9. Any day may be an as_of; one given twice counts once.

    Raises
    ------
    ValueError
        No as-of date was given.
    """
    if not as_ofs:
        raise ValueError("give at least one as-of date")
    rows = grid(history, as_ofs)
    work = _Work(history, rows, features)
    values = np.empty((len(rows), len(features)), dtype=np.float64)
    for column, feature in enumerate(features):
        values[:, column] = work.value(feature)
    return Matrix(work.keys(), values, tuple(f.name for f in features), fingerprint(features))


class _Work:
    """The counts that the features need, each made once, and each form of the algebra as one method."""

    def __init__(self, history: History, rows: Grid, features: Sequence[Feature]) -> None:
        self._history = history
        self._rows = rows
        self._versions: dict[str, Versions] = {}
        self._forms = {
            "count": self._count,
            "rate": self._rate,
            "share": self._share,
            "change": self._change,
            "contrast": self._contrast,
            "slope": self._slope,
            "maximum": self._maximum,
            "days": self._days,
            "since": self._since,
        }
        wanted: dict[str, tuple[Measure, set[int]]] = {}
        for measure, weeks in (need for feature in features for need in _needs(feature)):
            wanted.setdefault(measure.name, (measure, set()))[1].add(weeks)
        self._totals = {
            name: totals(self._table(measure.table), measure, {week: rows.start(week) for week in weeks}, rows)
            for name, (measure, weeks) in wanted.items()
        }

    def keys(self) -> pd.DataFrame:
        """Return the matrix's keys, abstentions included."""
        rows = self._rows
        start = rows.by_group(lambda calendar, as_of, school: day_number(fresh_from(calendar, school, as_of)))
        fresh = totals(self._table(MARKS.name), None, {0: start}, rows)[0] > 0
        parts = []
        for number, stand in enumerate(rows.stands):
            found = with_abstain(stand.on_roll, stand.known, fresh[rows.stand == number])
            as_of = pd.Series(pd.Timestamp(stand.known.as_of), index=found.index).astype("datetime64[s]")
            parts.append(found.assign(as_of=as_of)[list(KEYS)])
        return pd.concat(parts, ignore_index=True)

    def value(self, feature: Feature) -> Values:
        """Return the feature for every row; `when_empty` where the form has no value."""
        if feature.kind == "context":
            parts = [CONTEXTS[feature.context](stand.on_roll, stand.known) for stand in self._rows.stands]
            return np.concatenate(parts)
        value = self._forms[feature.kind](feature)
        return value if feature.when_empty is None else np.where(np.isnan(value), feature.when_empty, value)

    def _table(self, name: str) -> Versions:
        if name not in self._versions:
            self._versions[name] = Versions(self._history.tables[name], TABLES[name], self._rows)
        return self._versions[name]

    def _total(self, measure: Measure | None, since_weeks: int, until_weeks: int = 0) -> Values:
        if measure is None:
            raise TypeError("a feature that was checked when made names the measures its kind needs")
        found = self._totals[measure.name]
        total = found[since_weeks] - found[until_weeks] if until_weeks else found[since_weeks]
        return total.astype(np.float64)

    def _count(self, feature: Feature) -> Values:
        return self._total(feature.measure, feature.window_weeks)

    def _rate(self, feature: Feature) -> Values:
        return _divide(self._count(feature), self._total(feature.per, feature.window_weeks))

    def _share(self, feature: Feature) -> Values:
        mine = self._count(feature)
        return _divide(mine, mine + self._total(feature.other, feature.window_weeks))

    def _change(self, feature: Feature) -> Values:
        recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
        if feature.per is None:
            now, before = self._rows.held(recent), self._rows.held(both) - self._rows.held(recent)
        else:
            now, before = self._total(feature.per, recent), self._total(feature.per, both, recent)
        earlier = _divide(self._total(feature.measure, both, recent), before)
        return _divide(self._total(feature.measure, recent), now) - earlier

    def _contrast(self, feature: Feature) -> Values:
        weeks = feature.window_weeks
        other = _divide(self._total(feature.other, weeks), self._total(feature.other_per, weeks))
        return _divide(self._total(feature.measure, weeks), self._total(feature.per, weeks)) - other

    def _slope(self, feature: Feature) -> Values:
        weeks = range(1, feature.window_weeks + 1)
        held = self._rows.held(feature.window_weeks)
        weekly = []
        for week in weeks:
            per = 1.0 if feature.per is None else self._total(feature.per, week, week - 1)
            weekly.append(_divide(self._total(feature.measure, week, week - 1), np.where(held >= week, per, 0.0)))
        return _slopes(np.stack(weekly, axis=1), -np.array(weeks, dtype=np.float64))

    def _seen(self, feature: Feature) -> tuple[Ints, Ints, Ints]:
        """Return row, day and weight of each event that a row's window holds."""
        measure = feature.measure
        if measure is None:
            raise TypeError("a feature that was checked when made names the measures its kind needs")
        versions = self._table(measure.table)
        chosen, weight = versions.weights(measure)
        start = self._rows.start(feature.window_weeks)
        pairs = versions.seen(chosen, int((self._rows.end - start).max(initial=0)))
        inside = versions.day[pairs.version] >= start[pairs.row]
        by_version = np.zeros(len(versions.day), dtype=np.int64)
        by_version[chosen] = weight
        version = pairs.version[inside]
        return pairs.row[inside], versions.day[version], by_version[version]

    def _maximum(self, feature: Feature) -> Values:
        row, _, weight = self._seen(feature)
        largest = np.zeros(len(self._rows))
        np.maximum.at(largest, row, weight.astype(np.float64))
        return largest

    def _days(self, feature: Feature) -> Values:
        row, day, _ = self._seen(feature)
        distinct = np.unique(row * (1 << 20) + day)
        return np.bincount(distinct >> 20, minlength=len(self._rows)).astype(np.float64)

    def _since(self, feature: Feature) -> Values:
        row, day, _ = self._seen(feature)
        newest = np.full(len(self._rows), -1, dtype=np.int64)
        np.maximum.at(newest, row, day)
        return np.where(newest < 0, np.nan, self._rows.open_days_since(newest))


def _needs(feature: Feature) -> Iterator[tuple[Measure, int]]:
    """Yield every (measure, window in school weeks) whose total the feature is worked from."""
    if feature.kind in {"maximum", "days", "since", "context"}:
        return
    windows = {feature.window_weeks, feature.window_weeks + feature.before_weeks}
    if feature.kind == "slope":
        windows = set(range(1, feature.window_weeks + 1))
    for measure in feature.measures:
        yield from ((measure, weeks) for weeks in sorted(windows))


def _divide(above: Values, below: Values) -> Values:
    divided: Values = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return divided


def _slopes(y: Values, x: Values) -> Values:
    """Return the least-squares slope of each row of y, shape (rows, weeks), over x; NaN points are left out."""
    there = ~np.isnan(y)
    points = there.sum(axis=1)
    mean = _divide(there @ x, points.astype(np.float64))
    centred = np.where(there, x - mean[:, None], 0.0)
    slope = _divide((centred * np.where(there, y, 0.0)).sum(axis=1), (centred**2).sum(axis=1))
    return np.where(points >= FEWEST_POINTS, slope, np.nan)
