"""Leaves in bunches, each with one table: what every feature adds, for every way in which a row can meet them.

Neighbouring leaves of a tree ask nearly the same. For each feature of a bunch, values that meet the
conditions of the same leaves are one *state*; a row's states together are its *cell*; and the table holds,
for every cell, what each feature adds through all leaves of the bunch. A leaf that asks for so many
features that its own table would be too large stays without one: it is *deep*.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.leaves import Bins, Bools, Boxes, Floats, Ints, Nodes, Quadrature, add_leaf, boxes_of, compiled

MOST_LEAVES = 62  # of a bunch: one bit each of a whole number

Steps = npt.NDArray[np.int32]


class MostCells(NamedTuple):
    """The largest tables: of leaves that are taken together, and of one leaf by itself.

    Of 400 trees with 31 leaves: 12,400 rows a second of one processor, tables of 242 MB. Half as many cells for a
    bunch: 10,900 rows; a quarter for a leaf: 7,500, most of it spent on the 159 leaves left without one.
    """

    bunch: int = 1024
    leaf: int = 8192


class Bunch(NamedTuple):
    """Neighbouring leaves of one tree with one table.

    Attributes
    ----------
    feature
        Its k features.
    step
        For each of them, bin → what it adds to the number of a row's cell; one after the other.
    part
        What each adds to the raw score in each cell, shape ``(k, cells)``.
    """

    feature: Ints
    step: Steps
    part: Floats


class Deep(NamedTuple):
    """A leaf without a table: its features, the share of rows that met each, and which bins meet it."""

    feature: Ints
    share: Floats
    meets: Bools
    value: float


def bunches_of(
    nodes: Nodes, bins: Bins, tree: int, most: MostCells, rule: Quadrature
) -> tuple[list[Bunch], list[Deep]]:
    """Return one tree's leaves: in bunches of at most so many cells, and those too deep for a table."""
    boxes = boxes_of(nodes, bins, tree)
    begins = _begins(boxes, most.bunch).tolist()
    bunches, deep = [], []
    for low, high in pairwise(begins):
        if high - low == 1 and _cells(boxes, low, high) > most.leaf:
            deep.append(_deep(boxes, bins, low))
        else:
            bunches.append(Bunch(*_bunch(boxes, bins, low, high, rule)))
    return bunches, deep


def _deep(boxes: Boxes, bins: Bins, leaf: int) -> Deep:
    ms: Ints = np.flatnonzero(boxes.asked[leaf])
    meets = [_spread(bins, boxes, m, boxes.meets[leaf, m].astype(np.int64)) for m in ms.tolist()]
    return Deep(boxes.feature[ms], boxes.share[leaf, ms], np.concatenate(meets) > 0, float(boxes.value[leaf]))


@compiled
def _states(boxes: Boxes, m: int, low: int, high: int) -> tuple[Ints, Ints]:
    """Return each cut's state of the tree's feature m, and each state's leaves among low to high, as bits."""
    state, leaves, many = np.zeros(boxes.cuts[m], np.int64), np.zeros(boxes.cuts[m], np.int64), 0
    for c in range(boxes.cuts[m]):
        bits = 0
        for leaf in range(low, high):
            if boxes.meets[leaf, m, c]:
                bits |= 1 << (leaf - low)
        found = 0
        while found < many and leaves[found] != bits:
            found += 1
        if found == many:
            leaves[many] = bits
            many += 1
        state[c] = found
    return state, leaves[:many]


@compiled
def _cells(boxes: Boxes, low: int, high: int) -> float:
    """Return how many cells a bunch of leaves low to high has: as a float, since it may be beyond any table."""
    cells = 1.0
    for m in range(len(boxes.feature)):
        if boxes.asked[low:high, m].any():
            cells *= len(_states(boxes, m, low, high)[1])
    return cells


@compiled
def _begins(boxes: Boxes, most_cells: int) -> Ints:
    """Return where each bunch of leaves begins, and the number of leaves at the end."""
    leaves = len(boxes.value)
    begins, many = np.zeros(leaves + 1, np.int64), 1
    for leaf in range(1, leaves):
        low = begins[many - 1]
        if leaf - low >= MOST_LEAVES or _cells(boxes, low, leaf + 1) > most_cells:
            begins[many] = leaf
            many += 1
    begins[many] = leaves
    return begins[: many + 1]


@compiled
def _spread(bins: Bins, boxes: Boxes, m: int, of_cut: Ints) -> Ints:
    """Return a value of each cut as a value of each bin."""
    edges = bins.start[boxes.feature[m] + 1] - bins.start[boxes.feature[m]]
    out, last = np.empty(edges + 3, np.int64), boxes.cuts[m]
    for b in range(edges + 1):
        out[b] = of_cut[np.searchsorted(boxes.cut[m, : last - 2], b)]
    out[edges + 1], out[edges + 2] = of_cut[last - 2], of_cut[last - 1]
    return out


@compiled
def _bunch(boxes: Boxes, bins: Bins, low: int, high: int, rule: Quadrature) -> tuple[Ints, Steps, Floats]:
    """Return the features, steps and parts of a bunch of leaves low to high."""
    ms = np.flatnonzero(np.array([boxes.asked[low:high, m].any() for m in range(len(boxes.feature))]))
    stride, states = np.ones(len(ms), np.int64), np.ones(len(ms), np.int64)
    meeting = np.zeros((len(ms), boxes.cut.shape[1]), np.int64)
    edges = bins.start[boxes.feature[ms] + 1] - bins.start[boxes.feature[ms]]
    step, at, cells = np.empty(edges.sum() + 3 * len(ms), np.int32), 0, 1
    for k in range(len(ms)):
        state, leaves = _states(boxes, ms[k], low, high)
        stride[k], states[k] = cells, len(leaves)
        meeting[k, : len(leaves)] = leaves
        step[at : at + edges[k] + 3] = _spread(bins, boxes, ms[k], state * cells)
        at, cells = at + edges[k] + 3, cells * len(leaves)
    part = np.zeros((len(ms), cells))
    for leaf in range(low, high):
        ks = np.flatnonzero(boxes.asked[leaf][ms])
        table = _of_every_mask(boxes.share[leaf][ms[ks]], boxes.value[leaf], rule)
        meets = meeting[ks] >> (leaf - low) & 1
        for cell in range(cells):
            mask = 0
            for i in range(len(ks)):
                mask |= meets[i, cell // stride[ks[i]] % states[ks[i]]] << i
            for i in range(len(ks)):
                part[ks[i], cell] += table[mask, i]
    return boxes.feature[ms], step, part


@compiled
def _of_every_mask(share: Floats, value: float, rule: Quadrature) -> Floats:
    """Return a leaf's parts for every set of its features that a row may meet (bit i: feature i)."""
    d = len(share)
    table, met = np.empty((1 << d, d)), np.empty(d, np.bool_)
    for mask in range(1 << d):
        for i in range(d):
            met[i] = (mask >> i) & 1
        add_leaf(table[mask], met, share, value, rule)
    return table
