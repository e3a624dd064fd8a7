"""Exact contributions: by hand on small trees, and equal to LightGBM's and shap's own on trees of every kind."""

import warnings
from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numba
import numpy as np
import pandas as pd
import pytest

from features.catalogue import CATALOGUE, fingerprint
from features.matrix import Matrix
from tests.deployed import tiny_bundle
from training import contributions as tables
from training.bunches import MostCells
from training.contributions import Explainer, contributions
from training.leaves import compiled
from training.scorer import MatrixMismatch, Scorer
from training.trees import TreesRefused, trees_of

TWO_LEAVES = {
    "num_leaves": "2",
    "num_cat": "0",
    "split_feature": "0",
    "threshold": "0.5",
    "decision_type": "2",
    "left_child": "-1",
    "right_child": "-2",
    "leaf_value": "-1 1",
    "leaf_count": "60 40",
    "internal_count": "100",
    "is_linear": "0",
}
# Up to 0.5 of the first feature: 1, half of the rows. Above, up to 2 of the second: 2, three in ten; above: 4.
THREE_LEAVES = TWO_LEAVES | {
    "num_leaves": "3",
    "split_feature": "0 1",
    "threshold": "0.5 2",
    "decision_type": "2 2",
    "left_child": "-1 -2",
    "right_child": "1 -3",
    "leaf_value": "1 2 4",
    "leaf_count": "50 30 20",
    "internal_count": "100 50",
}


def text_of(*trees: dict[str, str], outputs: int = 1, head: str = "") -> str:
    """Return a booster's text with these trees over two features."""
    said = "".join(
        f"\nTree={number}\n" + "\n".join(f"{name}={value}" for name, value in tree.items()) + "\n\n"
        for number, tree in enumerate(trees)
    )
    return f"tree\nversion=v4\nnum_tree_per_iteration={outputs}\nmax_feature_idx=1\n{head}\n{said}\nend of trees\n"


def of(text: str, rows: list[list[float]], **most: Any) -> np.ndarray:
    return Explainer(trees_of(text), **most).contributions(np.array(rows))


def test_two_leaves_by_hand() -> None:
    """The usual score is .6 x -1 + .4 x 1 = -.2; the one feature explains the whole way from there."""
    np.testing.assert_allclose(of(text_of(TWO_LEAVES), [[0.5, 9], [0.6, 9]]), [[-0.8, 0, -0.2], [1.2, 0, -0.2]])


@pytest.mark.parametrize("most", [MostCells(), MostCells(bunch=1, leaf=1)], ids=["by table", "row by row"])
def test_three_leaves_by_hand(most: MostCells) -> None:
    """Usual: .5 x 1 + .3 x 2 + .2 x 4 = 1.9.

    Of a row (1, 3), knowing the first feature alone expects .6 x 2 + .4 x 4 = 2.8, the second alone .5 x 1 +
    .5 x 4 = 2.5, both 4. First feature: half of (2.8 - 1.9) + (4 - 2.5) = 1.2; second: half of .6 + 1.2 = .9.
    Of a row (0, 3): 1, 2.5 and 1. First: half of -.9 - 1.5 = -1.2; second: half of .6 + 0 = .3.
    """
    found = of(text_of(THREE_LEAVES), [[1, 3], [0, 3]], most=most)
    np.testing.assert_allclose(found, [[1.2, 0.9, 1.9], [-1.2, 0.3, 1.9]])


def test_trees_add_up_and_a_tree_of_one_leaf_moves_only_the_usual_score() -> None:
    stump = {"num_leaves": "1", "num_cat": "0", "leaf_value": "0.25"}
    np.testing.assert_allclose(of(text_of(TWO_LEAVES, stump, TWO_LEAVES), [[0, 0]]), [[-1.6, 0, -0.15]])
    np.testing.assert_allclose(of(text_of(stump), [[0, 0]]), [[0, 0, 0.25]])


def test_a_missing_value_goes_where_its_node_says() -> None:
    """Decision types: 2 no missing (NaN is 0, goes left); 8 NaN to the right, 10 to the left; 4 zero to the right."""
    found = {
        kind: of(text_of(TWO_LEAVES | {"decision_type": str(kind)}), [[np.nan, 0], [0, 0]])[:, 0].round(9).tolist()
        for kind in (2, 8, 10, 4, 6)
    }
    left, right = -0.8, 1.2
    assert found == {2: [left, left], 8: [right, left], 10: [left, left], 4: [right, right], 6: [left, left]}


KINDS: dict[str, dict[str, Any]] = {
    "as trained here": {"num_leaves": 10, "lambda_l2": 10.0},
    "wide": {"num_leaves": 31},
    "deep and lopsided": {"num_leaves": 60, "min_data_in_leaf": 1, "learning_rate": 0.5},
    "zero is missing": {"zero_as_missing": True, "num_leaves": 15},
    "nothing is missing": {"use_missing": False, "num_leaves": 15},
    "monotone": {"monotone_constraints": [1, -1] + [0] * 10, "monotone_constraints_method": "advanced"},
    "few bins": {"max_bin": 3, "num_leaves": 12},
}


def booster_of(seed: int = 1, **parameters: Any) -> tuple[lgb.Booster, np.ndarray]:
    """Return a booster of 12 features and rows for it: as it was trained, and from the very edges of its bins."""
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((900, 12)) < 0.4, rng.poisson(1.0, (900, 12)), rng.normal(size=(900, 12)).round(1))
    values[rng.random(values.shape) < 0.15] = np.nan
    outcome = (np.nan_to_num(values)[:, :5].sum(axis=1) + rng.normal(size=900) > 1).astype(float)
    chosen = {"objective": "binary", "min_data_in_leaf": 5, "num_threads": 1, "verbosity": -1, "seed": seed}
    booster = lgb.train({**chosen, **parameters}, lgb.Dataset(values, outcome), 25)
    trees = trees_of(booster.model_to_string())
    edges = np.concatenate([trees.threshold, np.nextafter(trees.threshold, np.inf), [np.nan, 0.0, -0.0, 1e-36, -2.0]])
    return booster, np.concatenate([values[:150], rng.choice(edges, (250, 12))])


@pytest.mark.parametrize("most", [MostCells(), MostCells(bunch=16, leaf=16)], ids=["tables", "many deep leaves"])
@pytest.mark.parametrize("kind", KINDS)
def test_contributions_are_lightgbms_own(kind: str, most: MostCells) -> None:
    booster, rows = booster_of(**KINDS[kind])
    explainer = Explainer(trees_of(booster.model_to_string()), most=most)
    found = explainer.contributions(rows)
    np.testing.assert_allclose(found, booster.predict(rows, pred_contrib=True), rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), booster.predict(rows, raw_score=True), rtol=0, atol=1e-10)
    assert (explainer.deep > 0) == (most.leaf == 16)


def test_contributions_are_shaps_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap's plots call what matplotlib is about to withdraw
        import shap

        booster, rows = booster_of(seed=2, num_leaves=31)
        theirs = shap.TreeExplainer(booster).shap_values(rows)
    found = Explainer(trees_of(booster.model_to_string())).contributions(rows)
    np.testing.assert_allclose(found[:, :-1], theirs, rtol=0, atol=1e-5)


def test_a_row_says_the_same_alone_among_others_and_with_any_number_of_threads() -> None:
    booster, rows = booster_of(num_leaves=31)
    trees = trees_of(booster.model_to_string())
    many = np.tile(rows, (7, 1))  # more than one block
    found = Explainer(trees, threads=2).contributions(many)
    one = Explainer(trees)
    assert np.array_equal(found, one.contributions(many))
    assert np.array_equal(found[3:4], one.contributions(many[3:4]))
    assert one.contributions(many[:0]).shape == (0, 13)
    with pytest.raises(ValueError, match="trained on 12 features; the rows have 11"):
        one.contributions(many[:, :11])


def test_a_booster_that_was_not_trained_here_is_refused_by_name() -> None:
    rng = np.random.default_rng(3)
    values, outcome = rng.integers(0, 5, (300, 3)).astype(float), rng.integers(0, 3, 300).astype(float)
    few = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    by_category = {**few, "objective": "binary", "min_data_per_group": 1}
    categories = lgb.train(by_category, lgb.Dataset(values, values[:, 0] % 2, categorical_feature=[0]), 3)
    classes = lgb.train({**few, "objective": "multiclass", "num_class": 3}, lgb.Dataset(values, outcome), 2)
    forest = {**few, "objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
    averaged = lgb.train(forest, lgb.Dataset(values, outcome > 1), 2)
    linear = {**few, "objective": "regression", "linear_tree": True}
    sloping = lgb.train(linear, lgb.Dataset(values, outcome, params={"linear_tree": True}), 2)
    for booster, says in (
        (categories, "asks for categories; give features as numbers"),
        (classes, "3 trees a round"),
        (averaged, "averages its trees"),
        (sloping, "linear leaves"),
    ):
        with pytest.raises(TreesRefused, match=says):
            trees_of(booster.model_to_string())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"leaf_value": "1 2"}, "leaf_value has 2 entries and needs 3"),
        ({"left_child": "-1 -1"}, "no parent, or two"),
        ({"leaf_count": "50 30 19"}, "do not add up"),
        ({"leaf_count": "50 50 0"}, "do not add up"),
        ({"decision_type": "2 3"}, "asks for categories"),
    ],
)
def test_a_damaged_tree_is_refused(changed: dict[str, str], says: str) -> None:
    with pytest.raises(TreesRefused, match=says):
        trees_of(text_of(THREE_LEAVES | changed))


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(tiny_bundle())


def rows_of(many: int) -> Matrix:
    keys = pd.DataFrame({"pupil": np.arange(many), "abstain": ""})
    values = np.random.default_rng(5).normal(size=(many, len(CATALOGUE))) * 3
    return Matrix(keys, values, tuple(feature.name for feature in CATALOGUE), fingerprint())


def test_few_rows_are_left_to_lightgbm_and_many_say_the_same(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    many = rows_of(tables.FEW)
    found = contributions(scorer, many)
    np.testing.assert_allclose(found, scorer.contributions(many), rtol=0, atol=1e-10)
    monkeypatch.setattr(tables, "trees_of", lambda _: pytest.fail("tables were made"))
    few = many.where(np.arange(len(many)) > 0)
    assert np.array_equal(contributions(scorer, few), scorer.contributions(few))


def test_nothing_is_explained_where_the_two_ways_differ(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tables, "trees_of", lambda text: replace(trees_of(text), leaf_value=trees_of(text).leaf_value * 2)
    )
    with pytest.raises(TreesRefused, match="not LightGBM's own"):
        contributions(scorer, rows_of(tables.FEW))


def test_where_nothing_may_be_written_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = numba.njit, []

    def nowhere(**options: Any) -> Any:
        asked.append(options.pop("cache", False))
        if asked[-1]:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert compiled(lambda number: number + 1)(2) == 3
    assert asked == [True, False]


def test_rows_of_another_catalogue_are_refused(scorer: Scorer) -> None:
    with pytest.raises(MatrixMismatch):
        contributions(scorer, replace(rows_of(tables.FEW), fingerprint="other"))
