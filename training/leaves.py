"""Leaves as boxes, and what each feature adds through one leaf: the arithmetic under exact contributions.

A leaf of d features holds a row when the row meets its conditions on all d. Its part in the score, averaged
over every order in which the features could become known (Shapley; a feature not yet known is met by the
share of training rows that met it: TreeSHAP's 'path dependent' rule), is for feature j

    value * (met_j - share_j) * integral over t from 0 to 1 of
        the product over i != j of (t * met_i + (1 - t) * share_i)

The integrand is a polynomial of degree d - 1, so Gauss-Legendre with d / 2 points is exact, and all of its
factors are positive: nothing cancels, however deep the leaf.
"""

from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from training.trees import NAN_IS_MISSING, ZERO_IS_MISSING, Trees

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Quadrature = tuple[Floats, Floats]

F = TypeVar("F", bound=Callable[..., object])
_FILES = ("trees.py", "leaves.py", "bunches.py", "contributions.py")
_SOURCES = sha256(b"".join(files("training").joinpath(name).read_bytes() for name in _FILES)).hexdigest()[:12]
# LightGBM calls a number zero, where zero means missing, up to this size (a float32).
ZERO = float(np.float32(1e-35))


def compiled(function: F, *, parallel: bool = False) -> F:
    """Compile a loop to machine code, which numba keeps beside the source for the next process.

    Numba compiles anew where the loop's own file has changed. These loops call each other across files, so the
    digest of all of them is in the name that it keeps the machine code under.
    """
    function.__qualname__ = f"{function.__qualname__}_{_SOURCES}"
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", parallel=parallel)(function))
    except RuntimeError:  # nowhere may be written: compiled again in every process
        return cast(F, numba.njit(nogil=True, error_model="numpy", parallel=parallel)(function))


class Bins(NamedTuple):
    """The intervals into which a model's own thresholds cut each feature.

    Feature f has the thresholds `edge[start[f]:start[f + 1]]`, ascending, k of them. Bin b, up to k, holds
    the values above b of them; bin k + 1 holds NaN; bin k + 2 holds 0 where a node takes it as missing
    (`zero_apart`).
    """

    edge: Floats
    start: Ints
    zero_apart: Bools

    def count(self, feature: int) -> int:
        """Return how many bins a feature has."""
        return int(self.start[feature + 1] - self.start[feature]) + 3


def bins_of(trees: Trees) -> tuple[Bins, Ints]:
    """Return the bins, and each node's threshold as a place among its feature's."""
    pairs = np.stack([trees.feature.astype(np.float64), trees.threshold], axis=1)
    edges, place = np.unique(pairs, axis=0, return_inverse=True) if len(pairs) else (pairs, np.empty(0, np.int64))
    start = np.searchsorted(edges[:, 0], np.arange(trees.features + 1))
    apart = np.zeros(trees.features, bool)
    apart[trees.feature[trees.missing == ZERO_IS_MISSING]] = True
    return Bins(edges[:, 1].copy(), start, apart), place.reshape(-1) - start[trees.feature]


class Nodes(NamedTuple):
    """`Trees` as compiled code takes them. `place`: of the threshold among its feature's."""

    first_leaf: Ints
    feature: Ints
    threshold: Floats
    place: Ints
    default_left: Bools
    missing: Ints
    left: Ints
    right: Ints
    node_count: Floats
    leaf_count: Floats
    leaf_value: Floats


def nodes_of(trees: Trees, place: Ints) -> Nodes:
    """Return the trees for compiled code, with each threshold's place from `bins_of`."""
    return Nodes(
        trees.first_leaf,
        trees.feature,
        trees.threshold,
        place,
        trees.default_left,
        trees.missing,
        trees.left,
        trees.right,
        trees.node_count,
        trees.leaf_count,
        trees.leaf_value,
    )


class Boxes(NamedTuple):
    """The leaves of one tree, from left to right.

    Attributes
    ----------
    feature
        The tree's m distinct features.
    cut, cuts
        Bins that stand for all bins, shape ``(m, c)``: an ordinary bin behaves as the first of them at or
        after it, the last two are NaN and zero. `cuts` is how many of each row are in use.
    asked, share
        Shape ``(leaves, m)``: whether the leaf's path asks for the feature, and which share of rows met that.
    meets
        Shape ``(leaves, m, c)``: whether a value in that bin meets the leaf's conditions on the feature.
    value
        What the leaf adds to the raw score.
    """

    feature: Ints
    cut: Ints
    cuts: Ints
    asked: Bools
    share: Floats
    meets: Bools
    value: Floats


@compiled
def _goes_left(nodes: Nodes, node: int, cut: int, edges: int) -> bool:
    zero = nodes.missing[node] == ZERO_IS_MISSING
    if cut <= edges:
        return bool(cut <= nodes.place[node])
    if (cut == edges + 1 and nodes.missing[node] == NAN_IS_MISSING) or zero:
        return bool(nodes.default_left[node])
    return bool(nodes.threshold[node] >= 0.0)  # a missing value that this node does not know of is 0


@compiled
def boxes_of(nodes: Nodes, bins: Bins, tree: int) -> Boxes:
    """Return one tree's leaves as boxes."""
    leaf_0, leaves = nodes.first_leaf[tree], nodes.first_leaf[tree + 1] - nodes.first_leaf[tree]
    node_0, many = leaf_0 - tree, leaves - 1
    feature = np.unique(nodes.feature[node_0 : node_0 + many])
    cut, cuts = np.zeros((len(feature), many + 3), np.int64), np.zeros(len(feature), np.int64)
    for m in range(len(feature)):
        mine = np.unique(nodes.place[node_0 : node_0 + many][nodes.feature[node_0 : node_0 + many] == feature[m]])
        edges = bins.start[feature[m] + 1] - bins.start[feature[m]]
        cuts[m] = len(mine) + 3
        cut[m, : len(mine)] = mine
        cut[m, len(mine) : len(mine) + 3] = (edges, edges + 1, edges + 2)
    parent, order = _parents(nodes, node_0, many)
    asked, share = np.zeros((leaves, len(feature)), np.bool_), np.ones((leaves, len(feature)))
    meets = np.ones((leaves, len(feature), many + 3), np.bool_)
    value = np.empty(leaves)
    for place in range(leaves):
        child = ~order[place]
        value[place] = nodes.leaf_value[leaf_0 + order[place]]
        rows = nodes.leaf_count[leaf_0 + order[place]]
        while child != 0:
            at = parent[child + leaves]
            node = node_0 + at
            m = np.searchsorted(feature, nodes.feature[node])
            edges = bins.start[feature[m] + 1] - bins.start[feature[m]]
            asked[place, m] = True
            share[place, m] *= rows / nodes.node_count[node]
            for c in range(cuts[m]):
                if _goes_left(nodes, node, cut[m, c], edges) != (nodes.left[node] == child):
                    meets[place, m, c] = False
            rows, child = nodes.node_count[node], at
    return Boxes(feature, cut, cuts, asked, share, meets, value)


@compiled
def _parents(nodes: Nodes, node_0: int, many: int) -> tuple[Ints, Ints]:
    """Return each child's parent (leaf l at place many - l, node n at many + 1 + n), and leaves from left to right."""
    parent, order = np.zeros(2 * many + 1, np.int64), np.zeros(many + 1, np.int64)
    stack, found = [0], 0
    while stack:
        at = stack.pop()
        if at < 0:
            order[found] = ~at
            found += 1
            continue
        for child in (nodes.right[node_0 + at], nodes.left[node_0 + at]):
            parent[child + many + 1] = at
            stack.append(child)
    return parent, order


def quadrature(most: int) -> Quadrature:
    """Return points and weights on 0 to 1: row n is exact for a leaf of n features, shape ``(most + 1, k)``."""
    points, weights = np.zeros((2, most + 1, most // 2 + 1))
    for features in range(1, most + 1):
        at, weight = np.polynomial.legendre.leggauss((features + 1) // 2)
        points[features, : len(at)], weights[features, : len(at)] = (at + 1) / 2, weight / 2
    return points, weights


@compiled
def add_leaf(out: Floats, met: Bools, share: Floats, value: float, rule: Quadrature) -> None:
    """Set `out` to what each of a leaf's features adds through it, all of shape ``(d,)``."""
    d = len(share)
    points, weights = rule[0][d], rule[1][d]
    out[:] = 0.0
    for q in range((d + 1) // 2):
        t = points[q]
        whole = weights[q] * value
        for i in range(d):
            whole *= t * met[i] + (1 - t) * share[i]
        for i in range(d):
            out[i] += whole / (t * met[i] + (1 - t) * share[i])
    for i in range(d):
        out[i] *= met[i] - share[i]
