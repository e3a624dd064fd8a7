"""A LightGBM model's trees as arrays, read from its own text: what exact contributions are worked out from.

Only what Belong trains is read: one raw score, numbers as features, constant leaves. Anything else is
refused by name, never read wrongly.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_SHIFT = 2
# LightGBM's ways to see a missing value: not at all (it becomes 0), at 0, at NaN.
NEVER_MISSING, ZERO_IS_MISSING, NAN_IS_MISSING = 0, 1, 2


class TreesRefused(ValueError):
    """A model whose trees cannot be read here; the message says what it holds and what to do."""


@dataclass(frozen=True)
class Trees:
    """Every tree of a model, one after the other.

    A tree of n leaves has n - 1 nodes, the root first. Trees with one leaf only move `usual` and are not kept.

    Attributes
    ----------
    features
        How many features the model was trained on.
    usual
        The raw score over the training rows as the trees count them: what no feature explains.
    first_leaf
        Tree → its first leaf, one entry more than there are trees; its first node is that less the tree's number.
    feature, threshold, default_left, missing
        Each node's question: values up to `threshold` go left; a missing one, where `missing` says so, to its default.
    left, right
        Each node's children inside its tree: a node from 0, or a leaf as its complement (leaf 0 is -1).
    node_count, leaf_count, leaf_value
        Training rows that came to each, and what a leaf adds to the raw score.
    """

    features: int
    usual: float
    first_leaf: Ints
    feature: Ints
    threshold: Floats
    default_left: npt.NDArray[np.bool_]
    missing: Ints
    left: Ints
    right: Ints
    node_count: Floats
    leaf_count: Floats
    leaf_value: Floats


def trees_of(text: str) -> Trees:
    """Return the trees of a booster's text (`Booster.model_to_string`).

    Raises
    ------
    TreesRefused
        Several outputs, averaged trees, categorical features, linear leaves, or a text that is damaged.
    """
    head, *parts = text.split("\nTree=")
    said = _entries(head)
    outputs = said.get("num_tree_per_iteration")
    if outputs != "1":
        raise TreesRefused(f"the model has {outputs or 'no'} trees a round; contributions are for one score: 1")
    if any(line.strip() == "average_output" for line in head.splitlines()):
        raise TreesRefused("the model averages its trees (a random forest); train with boosting=gbdt")
    kept, usual = [], 0.0
    for number, part in enumerate(parts):
        tree = _tree(number, _entries(part))
        usual += tree.usual
        if len(tree.leaf_value) > 1:
            kept.append(tree)
    return _joined(kept, int(said["max_feature_idx"]) + 1, usual)


def _entries(block: str) -> dict[str, str]:
    """Return the `name=value` lines up to the first empty line."""
    lines = block.split("\n\n", 1)[0].splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@dataclass(frozen=True)
class _Tree:
    """One tree's own arrays, by their names in the text."""

    usual: float
    split_feature: Ints
    threshold: Floats
    decision_type: Ints
    left_child: Ints
    right_child: Ints
    internal_count: Floats
    leaf_count: Floats
    leaf_value: Floats


def _tree(number: int, said: Mapping[str, str]) -> _Tree:
    leaves = int(said.get("num_leaves", "0"))
    if int(said.get("num_cat", "0")):
        raise TreesRefused(f"tree {number} asks for categories; give features as numbers, NaN where unknown")
    if said.get("is_linear", "0") != "0":
        raise TreesRefused(f"tree {number} has linear leaves; train with linear_tree=false")
    value = _numbers(number, said, "leaf_value", leaves)
    if leaves == 1:
        none, no = np.empty(0, np.int64), np.empty(0)
        return _Tree(float(value[0]), none, no, none, none, none, no, no, value)
    whole = {
        name: _numbers(number, said, name, leaves - 1).astype(np.int64)
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    }
    nodes, count = (
        _numbers(number, said, name, n) for name, n in (("internal_count", leaves - 1), ("leaf_count", leaves))
    )
    _check(number, whole, nodes, count)
    threshold = _numbers(number, said, "threshold", leaves - 1)
    return _Tree(
        float(count @ value / nodes[0]),
        threshold=threshold,
        **whole,
        internal_count=nodes,
        leaf_count=count,
        leaf_value=value,
    )


def _numbers(number: int, said: Mapping[str, str], name: str, length: int) -> Floats:
    found = np.array(said.get(name, "").split(), np.float64)
    if len(found) != length or not length:
        raise TreesRefused(f"tree {number}: {name} has {len(found)} entries and needs {length}; fetch the model again")
    return found


def _check(number: int, whole: Mapping[str, Ints], nodes: Floats, leaves: Floats) -> None:
    if (whole["decision_type"] & _CATEGORICAL).any():
        raise TreesRefused(f"tree {number} asks for categories; give features as numbers, NaN where unknown")
    children = np.concatenate([whole["left_child"], whole["right_child"]])
    every = np.concatenate([np.arange(-len(leaves), 0), np.arange(1, len(nodes))])
    if not np.array_equal(np.sort(children), every):
        raise TreesRefused(f"tree {number}: a node or leaf has no parent, or two; fetch the model again")
    counted = np.concatenate([nodes, leaves[::-1]])  # so that child -1 is the last entry, leaf 0
    sums = counted[whole["left_child"]] + counted[whole["right_child"]]
    if not (counted > 0).all() or not np.array_equal(sums, nodes):
        raise TreesRefused(f"tree {number}: its rows do not add up from leaf to root; train again, without refitting")


def _joined(trees: list[_Tree], features: int, usual: float) -> Trees:
    def all_of(name: str, kind: type) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
        return np.concatenate([np.empty(0, kind), *(getattr(tree, name) for tree in trees)])

    decision = all_of("decision_type", np.int64).astype(np.int64)
    return Trees(
        features=features,
        usual=usual,
        first_leaf=np.cumsum([0, *(len(tree.leaf_value) for tree in trees)]),
        feature=all_of("split_feature", np.int64).astype(np.int64),
        threshold=all_of("threshold", np.float64).astype(np.float64),
        default_left=(decision & _DEFAULT_LEFT) > 0,
        missing=(decision >> _MISSING_SHIFT) & 3,
        left=all_of("left_child", np.int64).astype(np.int64),
        right=all_of("right_child", np.int64).astype(np.int64),
        node_count=all_of("internal_count", np.float64).astype(np.float64),
        leaf_count=all_of("leaf_count", np.float64).astype(np.float64),
        leaf_value=all_of("leaf_value", np.float64).astype(np.float64),
    )
