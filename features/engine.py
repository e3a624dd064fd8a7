"""The fast engine: the same features as `features.reference`, over many as-of dates of one shard at once.

Counts are differences of prefix sums (`features.cube`), and so is every form of a weekly series. Forms that
look at rows (`features.engine_rows`) or along a line of sessions (`features.engine_sessions`) are no sums.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from features import engine_rows as rows_of
from features import engine_series as series
from features import lines
from features.catalogue import CATALOGUE, fingerprint
from features.cohort import fresh_from, with_abstain
from features.context import CONTEXTS
from features.cube import totals
from features.engine_sessions import of_line
from features.engine_work import Values, Work, divide
from features.feature import Feature
from features.forms import Kind
from features.grid import day_number, grid
from features.lines import Runs
from features.matrix import KEYS, Matrix
from records.history import History
from records.tables import MARKS


def build(
    history: History, as_ofs: Sequence[date], features: Sequence[Feature] = CATALOGUE, *, runs: Runs = lines.runs
) -> Matrix:
    """Return every feature at every as-of date, rows ordered by as_of, then pupil.

    The same as `reference(known(history, as_of), features)` at each as_of, one under the other: keys
    and counts exactly, other values to 1e-9. Any day may be an as_of; one given twice counts once.
    `runs` walks along the sessions: `features.compiled` has a quicker one for a whole network.

    Raises
    ------
    ValueError
        No as-of date was given.
    """
    if not as_ofs:
        raise ValueError("give at least one as-of date")
    rows = grid(history, as_ofs)
    work = Work(history, rows, features, runs)
    values = np.empty((len(rows), len(features)), dtype=np.float64)
    made: dict[object, Values] = {}
    for column, feature in enumerate(features):
        values[:, column] = _value(work, feature, made)
    return Matrix(_keys(work), values, tuple(f.name for f in features), fingerprint(features))


def _value(work: Work, feature: Feature, made: dict[object, Values]) -> Values:
    """Return the feature for every row; `when_empty` where the form has no value."""
    if feature.kind == "context":
        return np.concatenate([CONTEXTS[feature.context](stand.on_roll, stand.known) for stand in work.rows.stands])
    form = _FORMS.get(feature.kind)
    value = form(work, feature) if form is not None else of_line(work, feature, made)
    return value if feature.when_empty is None else np.where(np.isnan(value), feature.when_empty, value)


def _keys(work: Work) -> pd.DataFrame:
    """Return the matrix's keys, abstentions included."""
    rows = work.rows
    start = rows.by_group(lambda calendar, as_of, school: day_number(fresh_from(calendar, school, as_of)))
    fresh = totals(work.table(MARKS.name), None, {0: start}, rows)[0] > 0
    parts = []
    for number, stand in enumerate(rows.stands):
        found = with_abstain(stand.on_roll, stand.known, fresh[rows.stand == number])
        as_of = pd.Series(pd.Timestamp(stand.known.as_of), index=found.index).astype("datetime64[s]")
        parts.append(found.assign(as_of=as_of)[list(KEYS)])
    return pd.concat(parts, ignore_index=True)


def _count(work: Work, feature: Feature) -> Values:
    return work.sum(feature.measure, feature)


def _rate(work: Work, feature: Feature) -> Values:
    return divide(work.sum(feature.measure, feature), work.sum(feature.per, feature))


def _share(work: Work, feature: Feature) -> Values:
    mine = work.sum(feature.measure, feature)
    return divide(mine, mine + work.sum(feature.other, feature))


def _change(work: Work, feature: Feature) -> Values:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
    if feature.per is None:
        now, before = work.rows.held(recent), work.rows.held(both) - work.rows.held(recent)
    else:
        now, before = work.total(feature.per, recent), work.total(feature.per, both, recent)
    earlier = divide(work.total(feature.measure, both, recent), before)
    return divide(work.total(feature.measure, recent), now) - earlier


def _contrast(work: Work, feature: Feature) -> Values:
    other = divide(work.sum(feature.other, feature), work.sum(feature.other_per, feature))
    return divide(work.sum(feature.measure, feature), work.sum(feature.per, feature)) - other


_FORMS: Mapping[Kind, Callable[[Work, Feature], Values]] = {
    "count": _count,
    "rate": _rate,
    "share": _share,
    "change": _change,
    "contrast": _contrast,
    "slope": series.slope,
    "volatility": series.volatility,
    "momentum": series.momentum,
    "cusum": series.cusum,
    "departure": series.departure,
    "weeks": series.weeks,
    "maximum": rows_of.maximum,
    "days": rows_of.days,
    "since": rows_of.since,
    "gap": rows_of.gap,
    "gap_change": rows_of.gap_change,
    "distinct": rows_of.distinct,
    "top_share": rows_of.top_share,
    "after": rows_of.after,
}
