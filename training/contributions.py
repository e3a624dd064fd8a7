"""Exact contributions (TreeSHAP) of many rows at once, from tables made once for a model.

A row's cell in each bunch of leaves (`training/bunches.py`) is a sum of one look-up a feature, and what
each feature adds there is one more; the rows of a block take each step side by side. Deep leaves are
worked out row by row.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from features.matrix import Matrix
from training.bunches import Bunch, Deep, MostCells, Steps, bunches_of
from training.leaves import (
    ZERO,
    Bins,
    Bools,
    Floats,
    Ints,
    Quadrature,
    add_leaf,
    bins_of,
    compiled,
    nodes_of,
    quadrature,
)
from training.scorer import Scorer
from training.trees import Trees, TreesRefused, trees_of

ROWS_AT_ONCE = 2048
# Below this LightGBM's own contributions, 1 to 5 ms a row, take less time than the tables.
FEW = 500
# Rows that are worked out both ways before the others are believed, and how near they must be, in log-odds.
PROVEN, NEAR = 8, 1e-9


class _Tables(NamedTuple):
    """All bunches one after the other: bunch b has features `first[b]` up to `first[b + 1]`, each `cells[b]` cells.

    `step_at` and `part_at`: where the steps of each of these features begin, and its parts.
    """

    first: Ints
    cells: Ints
    feature: Ints
    step: Steps
    step_at: Ints
    part: Floats
    part_at: Ints


class _Deeps(NamedTuple):
    """All deep leaves one after the other: leaf l has features `first[l]` up to `first[l + 1]`."""

    first: Ints
    feature: Ints
    share: Floats
    meets: Bools
    meets_at: Ints
    value: Floats


class Explainer:
    """A model's tables. Making them takes about a second; then a row takes microseconds.

    `usual` is the raw score that no feature explains, `deep` how many leaves have no table, `bytes` the tables' size.
    """

    def __init__(self, trees: Trees, *, threads: int = 1, most: MostCells | None = None) -> None:
        self.usual, self.features, self.threads = trees.usual, trees.features, threads
        self._bins, place = bins_of(trees)
        nodes, leaves = nodes_of(trees, place), np.diff(trees.first_leaf)
        most, self._rule = most or MostCells(), quadrature(int(leaves.max(initial=2)) - 1)
        with ThreadPoolExecutor(threads) as pool:
            made = list(
                pool.map(lambda tree: bunches_of(nodes, self._bins, tree, most, self._rule), range(len(leaves)))
            )
        edges = np.diff(self._bins.start)
        self._tables = _tables([bunch for bunches, _ in made for bunch in bunches], edges + 3)
        self._deeps = _deeps([leaf for _, deep in made for leaf in deep], edges + 3)
        self.deep = len(self._deeps.value)
        self.bytes = sum(array.nbytes for array in (*self._tables, *self._deeps))

    def contributions(self, values: Floats) -> Floats:
        """Return what each feature adds to the raw score, the last column the usual score.

        Shape ``(len(values), features + 1)``. A row's numbers do not depend on the rows beside it, nor on
        how many threads work.
        """
        if values.shape[1] != self.features:
            raise ValueError(f"the model was trained on {self.features} features; the rows have {values.shape[1]}")
        out = np.empty((len(values), self.features + 1))
        out[:, -1] = self.usual
        numba.set_num_threads(min(self.threads, os.cpu_count() or 1))
        _explain(out, np.ascontiguousarray(values, np.float64), self._bins, self._tables, self._deeps, self._rule)
        return out


def _offsets(lengths: Iterable[int]) -> Ints:
    return np.cumsum([0, *lengths])


def _tables(bunches: list[Bunch], counts: Ints) -> _Tables:
    features = np.concatenate([np.empty(0, np.int64), *(bunch.feature for bunch in bunches)])
    cells = [bunch.part.shape[1] for bunch in bunches for _ in bunch.feature]
    return _Tables(
        first=_offsets(len(bunch.feature) for bunch in bunches),
        cells=np.array([bunch.part.shape[1] for bunch in bunches], np.int64),
        feature=features,
        step=np.concatenate([np.empty(0, np.int32), *(bunch.step for bunch in bunches)]),
        step_at=_offsets(counts[features].tolist()),
        part=np.concatenate([np.empty(0), *(bunch.part.ravel() for bunch in bunches)]),
        part_at=_offsets(cells),
    )


def _deeps(leaves: list[Deep], counts: Ints) -> _Deeps:
    features = np.concatenate([np.empty(0, np.int64), *(leaf.feature for leaf in leaves)])
    return _Deeps(
        first=_offsets(len(leaf.feature) for leaf in leaves),
        feature=features,
        share=np.concatenate([np.empty(0), *(leaf.share for leaf in leaves)]),
        meets=np.concatenate([np.empty(0, bool), *(leaf.meets for leaf in leaves)]),
        meets_at=_offsets(counts[features].tolist()),
        value=np.array([leaf.value for leaf in leaves], np.float64),
    )


@compiled
def _place(bins: Bins, feature: int, value: float) -> int:
    """Return the bin of a value. LightGBM reads a number as small as `ZERO` as 0, whatever a node calls missing."""
    low, edges = bins.start[feature], bins.start[feature + 1] - bins.start[feature]
    if np.isnan(value):
        return int(edges + 1)
    if -ZERO <= value <= ZERO:
        if bins.zero_apart[feature]:
            return int(edges + 2)
        value = 0.0
    return int(np.searchsorted(bins.edge[low : low + edges], value))


@partial(compiled, parallel=True)
def _explain(out: Floats, values: Floats, bins: Bins, tables: _Tables, deeps: _Deeps, rule: Quadrature) -> None:
    features = values.shape[1]
    for block in numba.prange((len(values) + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE):
        low = block * ROWS_AT_ONCE
        rows = min(ROWS_AT_ONCE, len(values) - low)
        binned = np.empty((features, rows), np.uint16)
        for f in range(features):
            for r in range(rows):
                binned[f, r] = _place(bins, f, values[low + r, f])
        found = np.zeros((features, rows))
        _look_up(found, binned, tables)
        _work_out(found, binned, deeps, rule)
        for r in range(rows):
            out[low + r, :features] = found[:, r]


@compiled
def _look_up(found: Floats, binned: npt.NDArray[np.uint16], tables: _Tables) -> None:
    rows = binned.shape[1]
    cell = np.empty(rows, np.int32)
    for b in range(len(tables.cells)):
        cell[:] = 0
        for k in range(tables.first[b], tables.first[b + 1]):
            bin_of, step = binned[tables.feature[k]], tables.step[tables.step_at[k] : tables.step_at[k + 1]]
            for r in range(rows):
                cell[r] += step[bin_of[r]]
        for k in range(tables.first[b], tables.first[b + 1]):
            sums, part = found[tables.feature[k]], tables.part[tables.part_at[k] : tables.part_at[k + 1]]
            for r in range(rows):
                sums[r] += part[cell[r]]


@compiled
def _work_out(found: Floats, binned: npt.NDArray[np.uint16], deeps: _Deeps, rule: Quadrature) -> None:
    for leaf in range(len(deeps.value)):
        low, high = deeps.first[leaf], deeps.first[leaf + 1]
        met, parts = np.empty(high - low, np.bool_), np.empty(high - low)
        for r in range(binned.shape[1]):
            for k in range(low, high):
                met[k - low] = deeps.meets[deeps.meets_at[k] + binned[deeps.feature[k], r]]
            add_leaf(parts, met, deeps.share[low:high], deeps.value[leaf], rule)
            for k in range(low, high):
                found[deeps.feature[k], r] += parts[k - low]


def contributions(scorer: Scorer, matrix: Matrix, *, threads: int | None = None) -> Floats:
    """Return what `scorer.contributions` returns, by tables where there are enough rows to pay for making them.

    Raises
    ------
    TreesRefused
        The tables and LightGBM do not agree on the first rows; nothing is explained.
    """
    if len(matrix) < FEW or scorer.kind != "booster":
        return scorer.contributions(matrix)
    trees = trees_of(scorer.bundle.model.decode("utf-8"))
    found = Explainer(trees, threads=threads or os.cpu_count() or 1).contributions(matrix.values)
    proof = scorer.contributions(matrix.where(np.arange(len(matrix)) < PROVEN))
    if not np.allclose(found[:PROVEN], proof, rtol=0, atol=NEAR):
        raise TreesRefused("the tables' contributions are not LightGBM's own; do not publish, and report the model")
    return found
