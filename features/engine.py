"""The fast engine: the same features as `features.reference`, over many as-of dates of one shard at once.

Counts are differences of prefix sums (`features.loops_totals`), and so is every form of a weekly series. Forms that
look at rows (`features.loops_rows`) or along a line of sessions (`features.loops_sessions`) are no sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.asked import FRESH, Asked, asked
from features.catalogue import CATALOGUE
from features.engine_rows import after, of_line, of_rows
from features.engine_work import Block, Values, Work
from features.feature import Feature
from features.grid import Grid, Kept, grid
from features.grid_cohort import abstain_of, keys_of
from features.grid_context import CONTEXTS
from features.machine import PLAIN, Machine
from features.matrix import Matrix
from records.fresh_history import with_fresh_starts
from records.history import History

_LINES = frozenset({"spells", "brief", "longest", "run"})
ROWS_AT_ONCE = 1 << 14
Made = dict[object, Values]
# History and as-of dates → the matrix: `build`, or `features.compiled.build`.
Build = Callable[[History, Sequence[date]], Matrix]


@dataclass(frozen=True)
class Worked:
    """Every feature at every as-of date, as arrays: a `Matrix` before its keys are made for people to read.

    Attributes
    ----------
    rows
        Who each row is about, and when.
    values
        Shape (rows, features), as in a `Matrix`.
    abstain
        Why a row cannot be scored: its place in `features.grid_cohort.REASONS`, 0 where it can.
    fingerprint
        Digest of the catalogue that made them.
    """

    rows: Grid
    values: Values
    abstain: npt.NDArray[np.int8]
    fingerprint: str


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
    found = work_out(history, as_ofs, features, machine=machine)
    return Matrix(keys_of(found.rows, found.abstain), found.values, asked(features).names, found.fingerprint)


def work_out(
    history: History,
    as_ofs: Sequence[date],
    features: Sequence[Feature] = CATALOGUE,
    *,
    machine: Machine = PLAIN,
    kept: Kept | None = None,
) -> Worked:
    """Return what `build` returns, as arrays; `kept` as in `features.grid.grid`. Raises as `build`."""
    if not as_ofs:
        raise ValueError("give at least one as-of date")
    history, asks = with_fresh_starts(history), asked(features)
    rows = grid(history, as_ofs, machine, kept)
    work = Work(history, rows, asks, machine)
    values = np.empty((len(rows), len(features)), dtype=np.float64)
    fresh = np.zeros(len(rows), dtype=np.bool_)
    # One buffer for all blocks: a new one each time is new pages each time, and the kernel may look long for them.
    # Lines a power of two apart would push each other out of the processor's cache where they are turned into rows.
    buffer = np.empty((len(features), min(max(ROWS_AT_ONCE, len(as_ofs)), len(rows)) + 8))
    for block in work.blocks(ROWS_AT_ONCE):
        fresh[block.row] = block.added(FRESH, "fresh") > 0
        _fill(buffer, block, asks)
        values[block.row] = buffer[:, : len(block)].T
    for column, feature in asks.contexts:
        values[:, column] = CONTEXTS[feature.context](rows)
    return Worked(rows, values, abstain_of(history, rows, fresh, machine), asks.fingerprint)


def _fill(lines: Values, block: Block, asks: Asked) -> None:
    """Write every feature of the block's rows but the contexts, a line a feature, which may be longer."""
    block.work.machine.sums(lines, block.totals, block.held, asks.sums)
    block.work.machine.series(lines, block.totals, block.held, asks.series)
    made: Made = {}
    for column, feature in asks.others:
        lines[column, : len(block)] = value_of(block, feature, made)


def value_of(block: Block, feature: Feature, made: Made) -> Values:
    """Return a feature that is not made of totals for every row of the block; `when_empty` where it has no value.

    `made` keeps what features of one block share.
    """
    if feature.kind in _LINES:
        value = of_line(block, feature, made)
    elif feature.kind == "after":
        value = after(block, feature)
    else:
        value = of_rows(block, feature)
    return value if feature.when_empty is None else np.where(np.isnan(value), feature.when_empty, value)
