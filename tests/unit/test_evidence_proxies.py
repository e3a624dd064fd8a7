"""Proxy tests: areas against scikit-learn, and groups that inputs give away, or do not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fairness.evidence.proxies import area, drawn, proxy_tests
from fairness.policy import read_policy
from features.matrix import Matrix

POLICY = read_policy()
SEX = POLICY.model_copy(update={"attributes": (POLICY.attribute("sex"),)})


def matrix(pupils=1500, schools=10, weeks=1, seed=1):
    """Three features: what boys do more (0.8 standard deviations), what a school does, and noise."""
    rng = np.random.default_rng(seed)
    boys = rng.random(pupils) < 0.5
    school = rng.integers(0, schools, pupils)
    keys = pd.DataFrame(
        {
            "pupil": np.tile(np.arange(pupils), weeks),
            "as_of": pd.Timestamp("2025-09-08"),
            "school": 900_000 + np.tile(school, weeks),
            "year_group": "7",
            "abstain": "",
        }
    )
    told = np.tile(boys, weeks)
    values = np.column_stack([rng.normal(0.8 * told, 1.0), np.tile(school, weeks), rng.normal(size=len(keys))])
    groups = pd.DataFrame({"sex": np.where(boys, "male", "female")}, index=pd.Index(np.arange(pupils), name="pupil"))
    return Matrix(keys, values.astype(float), ("given_away", "school", "noise"), "f"), groups, told


def test_the_area_is_scikit_learn_s_and_pairs_stay_within_strata():
    rng = np.random.default_rng(2)
    scores, mine = rng.integers(0, 20, 300).astype(float), (rng.random(300) < 0.3).astype(float)
    one = area(scores, mine, np.zeros(300, np.int64))
    assert one.value == pytest.approx(roc_auc_score(mine, scores))
    two = np.repeat([0, 1], 150)
    halves = [roc_auc_score(mine[two == at], scores[two == at]) for at in (0, 1)]
    pairs = [mine[two == at].sum() * (1 - mine[two == at]).sum() for at in (0, 1)]
    # A shift of a whole stratum makes no difference: no pair lies across.
    assert area(scores + 100 * two, mine, two).value == pytest.approx(np.average(halves, weights=pairs))


def test_the_area_s_error_is_that_of_pupils_drawn_again():
    rng = np.random.default_rng(3)
    mine = np.repeat([1.0, 0.0], [60, 140])
    scores = rng.normal(mine, 1.0)
    found = area(scores, mine, np.zeros(200, np.int64))
    again = []
    for _ in range(2000):
        one, other = rng.choice(scores[:60], 60), rng.choice(scores[60:], 140)
        again.append((one[:, None] > other).mean() + (one[:, None] == other).mean() / 2)
    assert found.error == pytest.approx(np.std(again), rel=0.1)


def test_a_side_of_one_has_no_area():
    assert area(np.arange(3.0), np.array([1.0, 0, 0]), np.zeros(3, np.int64)) is None


def test_a_group_that_an_input_gives_away_is_found_and_the_input_named():
    """Two normals 0.8 apart: the best any classifier can do is Phi(0.8 / sqrt 2) = 0.714; ours also reads noise."""
    rows, groups, _ = matrix(pupils=3000)
    outcomes = np.random.default_rng(1).random(3000) < 0.1
    male = next(
        test
        for test in proxy_tests(rows, outcomes.astype(float), groups, SEX, {"given_away": "ethnicity"})
        if test.group == "male"
    )
    assert 0.67 < male.auc < 0.73
    assert male.lower < male.auc < male.upper
    assert (male.inputs[0].feature, male.inputs[0].declared) == ("given_away", "ethnicity")
    assert male.inputs[0].auc_alone == pytest.approx(0.714, abs=0.025)


def test_what_only_the_outcome_says_is_gone_given_the_outcome():
    """The input is the outcome and the outcome is commoner for boys: told overall, and not among pupils alike."""
    rng = np.random.default_rng(4)
    boys = np.arange(4000) % 2 == 0
    came = rng.random(4000) < np.where(boys, 0.7, 0.2)
    keys = pd.DataFrame({"pupil": np.arange(4000), "school": 900_000 + np.arange(4000) // 2 % 10})
    rows = Matrix(keys, rng.normal(3.0 * came, 1.0)[:, None], ("harm",), "f")
    groups = pd.DataFrame({"sex": np.where(boys, "male", "female")}, index=pd.Index(np.arange(4000), name="pupil"))
    test = proxy_tests(rows, came.astype(float), groups, SEX, {})[0]
    assert test.alert
    assert test.auc > 0.7
    assert test.given_lower < 0.5 < test.given_upper


def test_a_classifier_is_never_judged_at_a_school_it_was_fitted_at():
    """Every school holds one sex only: the school's number tells it perfectly, and of another school nothing."""
    keys = pd.DataFrame({"pupil": np.arange(2000), "school": 900_000 + np.arange(2000) % 20})
    boys = keys["school"].to_numpy() % 2 == 0
    values = np.random.default_rng(5).permutation(20)[keys["school"].to_numpy() % 20].astype(float)
    groups = pd.DataFrame({"sex": np.where(boys, "male", "female")}, index=pd.Index(np.arange(2000), name="pupil"))
    test = proxy_tests(Matrix(keys, values[:, None], ("number",), "f"), np.zeros(2000), groups, SEX, {})[0]
    assert test.auc < 0.9


def test_too_few_to_tell_says_so():
    rows, groups, _ = matrix(pupils=50)
    tests = proxy_tests(rows, np.zeros(50), groups.assign(sex=["male"] * 10 + ["female"] * 40), SEX, {})
    assert {test.why for test in tests} == {"under 30 pupils on one side"}
    rows, groups, _ = matrix(pupils=200, schools=1)
    assert proxy_tests(rows, np.zeros(200), groups, SEX, {})[0].why.startswith("one school")


def test_a_pupil_counts_once_and_few_are_enough(monkeypatch):
    monkeypatch.setattr("fairness.evidence.proxies.MOST_PUPILS", 400)
    rows, _, _ = matrix(pupils=1000, weeks=3)
    few, came = drawn(rows, np.zeros(3000), seed=1)
    assert (len(few), few.keys["pupil"].nunique(), len(came)) == (400, 400, 400)
    again, _ = drawn(rows, np.zeros(3000), seed=1)
    assert few.keys.equals(again.keys)
