"""Weights by group: by hand, against Fairlearn's own parts, and what they do to one model with one threshold."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from fairness.mitigation.kept import keep, kept
from fairness.mitigation.picture import pareto, table
from fairness.mitigation.trying import WHY_ONE_THRESHOLD, Point, Tried, _marked, tried_before, try_all
from fairness.mitigation.weighing import Reduction, reduced, reweighing
from fairness.policy import read_policy
from tests.training_factory import made_up
from training.fitting import fit_all, part_of
from training.run import By
from training.search import NothingToJudge
from training.settings import Settings
from training.variants import Variant, folds_of, judged

POLICY = read_policy()
SEX = POLICY.model_copy(
    update={
        "attributes": (POLICY.attribute("sex"),),
        "inference": POLICY.inference.model_copy(update={"replicates": 200}),
    }
)
SMALL = Settings(rounds_most=10, patience=5, folds=2, resamples=0, threads=1, processes=1)


def test_reweighing_makes_group_and_outcome_independent():
    """Six boys, four of them with the outcome; four girls, one: P(boy) P(outcome) / P(both) = .6 x .5 / .4 = .75."""
    labels = np.array([0] * 6 + [1] * 4)
    outcomes = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0], np.int8)
    weights, taught = reweighing(labels, outcomes)(np.arange(10))
    assert weights[0] == pytest.approx(0.75)
    assert weights[6] == pytest.approx(0.4 * 0.5 / 0.1)
    assert taught.tolist() == outcomes.tolist()
    rates = [np.average(outcomes[labels == at], weights=weights[labels == at]) for at in (0, 1)]
    assert rates == pytest.approx([0.5, 0.5])


def test_a_price_under_nought_teaches_the_opposite():
    labels, outcomes = np.array([0, 0, 1]), np.array([1, 0, 1], np.int8)
    weights, taught = Reduction({0: -0.5, 1: 3.0}).weigh(labels, outcomes)(np.arange(3))
    assert weights.tolist() == [0.5, 1.0, 3.0]
    assert taught.tolist() == [0, 0, 1]
    assert Reduction({0: -0.5}).softer(0.5).times == {0: 0.25}


def test_fairlearn_s_prices_raise_whoever_is_missed():
    """What tells need for group 0 says little of group 1: a plain model finds .34 and .11 of them."""
    import lightgbm as lgb

    rng = np.random.default_rng(1)
    group = (rng.random(8000) < 0.3).astype(np.int64)
    x = rng.normal(size=(8000, 4))
    z = x[:, 0] * np.where(group == 1, 0.3, 1.5) + x[:, 1] * np.where(group == 1, 0.6, 0.0) - 3.2
    came = (rng.random(8000) < 1 / (1 + np.exp(-z))).astype(np.int8)
    price = reduced(x, came, group, level=0.15, slack=0.02, seed=1)
    assert price.times[1] > 1 > price.times[0]
    gaps = []
    for weights in (np.ones(8000), price.softer(0.25).weigh(group, came)(np.arange(8000))[0]):
        data = lgb.Dataset(x, came, weight=weights)
        chosen = {"objective": "binary", "verbosity": -1, "num_leaves": 8, "seed": 1, "num_threads": 1}
        scores = lgb.train(chosen, data, 40).predict(x, num_threads=1)
        listed = scores >= np.quantile(scores, 0.95)
        recalls = [recall_score(came[group == at], listed[group == at]) for at in (0, 1)]
        gaps.append(recalls[0] - recalls[1])
    assert gaps[1] < gaps[0] - 0.05


def point(number, recall, shortfall):
    worth = dict.fromkeys(("recall_lower", "recall_upper", "shortfall_lower", "shortfall_upper"), 0.1)
    return Point(number=number, name=str(number), words="", recall=recall, shortfall=shortfall, group="girls", **worth)


def test_a_point_is_marked_where_no_other_beats_it_on_both_counts():
    points = _marked([point(0, 0.30, 0.10), point(1, 0.28, 0.05), point(2, 0.28, 0.06), point(3, 0.25, 0.20)])
    assert [one.number for one in points if one.best] == [0, 1]
    assert list(table(points)["best"]) == [True, True, False, False]
    equal = _marked([point(0, 0.30, 0.10), point(1, 0.30, 0.10), point(2, 0.28, 0.05), point(3, 0.28, 0.05)])
    assert [one.number for one in equal if one.best] == [0, 2], "of equals, the one tried first, which is the simplest"
    texts = {text.get_text() for text in pareto(points).axes[0].texts}
    assert texts == {"0", "1"}


@pytest.fixture(scope="module")
def made():
    data, network, when = made_up(SMALL, pupils=200)
    part = part_of(data, when.train)
    pupils = np.unique(data.matrix.keys["pupil"])
    sex = np.where(np.arange(len(pupils)) % 2 == 0, "male", "female")
    return data, network, when, part, pd.DataFrame({"sex": sex}, index=pd.Index(pupils, name="pupil"))


def test_the_search_tries_leaving_out_and_weighing_and_its_first_point_changes_nothing(made):
    *_, part, groups = made
    folds = folds_of(part, SMALL)
    told = []
    few = SMALL.__class__(**{**SMALL.__dict__, "inputs": ("incidents_4w", "disruption_4w", "missed_rate_4w")})
    found = try_all(part, folds, few, groups, SEX, lambda name, done, of: told.append(name))
    assert isinstance(found, Tried)
    names = [variant.name for variant in found.variants]
    assert names[:2] == ["as_it_is", "without disruption_4w"]
    assert {"reweighed by sex", "reduction by sex 0.25", "reduction by sex 1"} <= set(names)
    assert [one.number for one in found.points] == list(range(len(names)))
    assert told == names
    again = tried_before(found.points, part, few, groups, SEX)
    assert [variant.name for variant in again.variants] == names
    assert again.points == found.points
    rows, last = np.arange(len(part.outcomes)), names.index("reduction by sex 1")
    for one, other in zip(again.variants[last].weigh(rows), found.variants[last].weigh(rows), strict=True):
        np.testing.assert_array_equal(one, other)
    plain = judged(part, folds, few, Variant(name="plain", words=""))
    came = plain["outcome"] == 1
    assert found.points[0].recall == pytest.approx(recall_score(plain["outcome"], plain["listed"]))
    shares = [
        plain.loc[came & (plain["pupil"].map(groups["sex"]) == one), "listed"].mean() for one in ("male", "female")
    ]
    assert found.points[0].shortfall == pytest.approx(abs(shares[0] - shares[1]))
    assert found.points[0].recall_lower <= found.points[0].recall <= found.points[0].recall_upper


def test_a_weighted_model_learns_otherwise_and_scores_without_knowing_any_group(made):
    """The same features in, the same names on the model: only what it learned differs."""
    data, network, when, part, groups = made
    labels = (part.matrix.keys["pupil"].map(groups["sex"]) == "male").to_numpy(np.int64)
    variant = Variant(name="reweighed", words="rows reweighed by sex", weigh=reweighing(labels, part.outcomes))
    plain = fit_all(data, part, network, when, SMALL)
    fairer = fit_all(data, part, network, when, SMALL, refit=By(variant=variant).refit(SMALL))
    assert fairer.content != plain.content
    assert fairer.fitted.rounds == plain.fitted.rounds
    names = [re.search(rb"feature_names=(.*)", one.content)[1] for one in (plain, fairer)]
    assert names[0] == names[1]
    assert By().refit(SMALL) is None
    nothing = Variant(name="nothing", words="", weigh=lambda rows: (np.ones(len(rows)), part.outcomes[rows]))
    same = fit_all(data, part, network, when, SMALL, refit=By(variant=nothing).refit(SMALL))
    assert np.allclose(same.raw(part.matrix), plain.raw(part.matrix))


def test_one_term_is_too_few_to_search_in(made):
    *_, part, _ = made
    nobody = part.__class__(part.matrix, np.zeros_like(part.outcomes))
    with pytest.raises(NothingToJudge, match="no forward fold has suspensions on both sides"):
        folds_of(nobody, SMALL)


def test_it_is_said_why_no_group_has_a_threshold_of_its_own():
    assert "direct discrimination" in WHY_ONE_THRESHOLD


def test_a_search_is_kept_for_the_same_records_and_a_damaged_file_is_none(tmp_path):
    points = (point(0, 0.30, 0.10), point(1, 0.28, 0.05))
    assert kept(tmp_path, "a") == ()
    keep(tmp_path, "a", points)
    assert kept(tmp_path, "a") == points
    assert kept(tmp_path, "b") == ()
    (tmp_path / "fair.json").write_text("{", encoding="utf-8")
    assert kept(tmp_path, "a") == ()
