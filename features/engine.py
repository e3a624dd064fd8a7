"""The fast engine: the same features as `features.reference`, over many as-of dates of one shard at once.

Counts are differences of prefix sums (`features.loops_totals`), and so is every form of a weekly series. Forms that
look at rows (`features.loops_rows`) or along a line of sessions (`features.loops_sessions`) are no sums.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np

from features.catalogue import CATALOGUE, fingerprint
from features.engine_rows import after, of_line, of_rows
from features.engine_series import of_series
from features.engine_work import FRESH, SERIES, Block, Values, Work, divide
from features.feature import Feature
from features.forms import Kind
from features.grid import grid
from features.grid_cohort import keys_of
from features.grid_context import CONTEXTS
from features.machine import PLAIN, Machine
from features.matrix import Matrix
from records.history import History

_LINES = frozenset({"spells", "brief", "longest", "run"})
ROWS_AT_ONCE = 1 << 14
Made = dict[object, Values]
# History and as-of dates → the matrix: `build`, or `features.compiled.build`.
Build = Callable[[History, Sequence[date]], Matrix]


def build(
    history: History, as_ofs: Sequence[date], features: Sequence[Feature] = CATALOGUE, *, machine: Machine = PLAIN
) -> Matrix:
    """Return every feature at every as-of date, rows ordered by as_of, then pupil.

    The same as `reference(known(history, as_of), features)` at each as_of, one under the other: keys
    and counts exactly, other values to 1e-9. Any day may be an as_of; one given twice counts once.
    `machine` runs the loops: `features.compiled` has the one for a whole network.

    Raises
    ------
    ValueError
        No as-of date was given.
    """
    if not as_ofs:
        raise ValueError("give at least one as-of date")
    rows = grid(history, as_ofs, machine)
    work = Work(history, rows, features, machine)
    values = np.empty((len(rows), len(features)), dtype=np.float64)
    fresh = np.zeros(len(rows), dtype=np.bool_)
    # One buffer for all blocks: a new one each time is new pages each time, and the kernel may look long for them.
    buffer = np.empty((len(features), min(max(ROWS_AT_ONCE, len(as_ofs)), len(rows))))
    for block in work.blocks(ROWS_AT_ONCE):
        fresh[block.row] = block.added(FRESH, "fresh") > 0
        made: Made = {}
        columns = buffer[:, : len(block)]
        for column, feature in enumerate(features):
            if feature.kind != "context":
                columns[column] = value_of(block, feature, made)
        values[block.row] = columns.T
    for column, feature in enumerate(features):
        if feature.kind == "context":
            values[:, column] = CONTEXTS[feature.context](rows)
    keys = keys_of(history, rows, fresh, machine)
    return Matrix(keys, values, tuple(f.name for f in features), fingerprint(features))


def value_of(block: Block, feature: Feature, made: Made) -> Values:
    """Return the feature for every row of the block; `when_empty` where the form has no value.

    `made` keeps what features of one block share.
    """
    if feature.kind in _LINES:
        value = of_line(block, feature, made)
    elif feature.kind in SERIES:
        value = of_series(block, feature)
    else:
        value = _FORMS.get(feature.kind, of_rows)(block, feature)
    return value if feature.when_empty is None else np.where(np.isnan(value), feature.when_empty, value)


def _count(block: Block, feature: Feature) -> Values:
    return block.sum(feature.measure, feature)


def _rate(block: Block, feature: Feature) -> Values:
    return divide(block.sum(feature.measure, feature), block.sum(feature.per, feature))


def _share(block: Block, feature: Feature) -> Values:
    mine = block.sum(feature.measure, feature)
    return divide(mine, mine + block.sum(feature.other, feature))


def _change(block: Block, feature: Feature) -> Values:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
    if feature.per is None:
        now, before = block.held(recent), block.held(both) - block.held(recent)
    else:
        now, before = block.total(feature.per, recent), block.total(feature.per, both, recent)
    earlier = divide(block.total(feature.measure, both, recent), before)
    return divide(block.total(feature.measure, recent), now) - earlier


def _contrast(block: Block, feature: Feature) -> Values:
    other = divide(block.sum(feature.other, feature), block.sum(feature.other_per, feature))
    return divide(block.sum(feature.measure, feature), block.sum(feature.per, feature)) - other


_FORMS: Mapping[Kind, Callable[[Block, Feature], Values]] = {
    "count": _count,
    "rate": _rate,
    "share": _share,
    "change": _change,
    "contrast": _contrast,
    "after": after,
}
