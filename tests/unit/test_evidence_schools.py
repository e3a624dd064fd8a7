"""Funnels: limits and pooling by hand, against scipy and statsmodels, and on made networks."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import binom, poisson

from fairness.evidence.schools import design_effect, funnels, limits, shrunk
from fairness.policy import read_policy
from tests.unit.fairness_factory import MadeEvaluation, made_network

POLICY = read_policy()


def test_limits_lie_between_the_counts_that_hold_the_chance():
    """20 pupils at 0.5: P(X <= 5) = .0207, P(X <= 6) = .0577, so the 2.5 % point lies between 5 and 6 of 20."""
    low, high, lowest, highest = (end * 20 for end in limits(0.5, 20, is_share=True))
    assert low == pytest.approx(6 - (binom.cdf(6, 20, 0.5) - 0.025) / binom.pmf(6, 20, 0.5))
    assert 5 < low < 6
    assert (high, highest) == pytest.approx((20 - low, 20 - lowest))  # as the distribution is symmetric
    low, *_ = limits(1.0, 10, is_share=False)
    assert poisson.cdf(np.floor(low * 10), 10) < 0.025 < poisson.cdf(np.ceil(low * 10), 10)


def test_limits_leave_one_school_in_forty_on_each_side_at_most():
    """A single count has a chance of a few in a hundred here, so the tails come out near and not at 2.5 %."""
    rng = np.random.default_rng(3)
    low, high, *_ = limits(0.4, 60, is_share=True)
    drawn = rng.binomial(60, 0.4, 20_000) / 60
    for beyond in (drawn < low, drawn > high):
        assert 0.01 < beyond.mean() < 0.03


def test_the_design_effect_is_the_cluster_sandwich():
    """Against statsmodels: a linear model of a constant, variance by pupil over the binomial's."""
    rng = np.random.default_rng(4)
    pupil = np.repeat(np.arange(200), 3)
    hits = (rng.random(200) < 0.4).repeat(3) ^ (rng.random(600) < 0.1)
    rows = pd.DataFrame({"pupil": pupil, "hits": hits.astype(float), "base": 1.0})
    share = rows["hits"].mean()
    fitted = sm.OLS(rows["hits"], np.ones(600)).fit(
        cov_type="cluster", cov_kwds={"groups": pupil, "use_correction": False}
    )
    expected = float(np.asarray(fitted.cov_params())[0, 0]) / (share * (1 - share) / 600)
    assert design_effect(rows, share, is_share=True) == pytest.approx(expected)
    assert expected > 2


def test_pooling_by_hand():
    """A prior worth ten pupils at 0.6; 3 of 10: (6 + 3) / 20."""
    assert shrunk(3, 10, 0.6, 10) == pytest.approx(0.45)
    assert shrunk(3, 10, 0.6, None) == 0.6


def made(recalls, positives=100):
    """One school for each recall."""
    parts = []
    for number, recall in enumerate(recalls):
        flagged = (np.arange(positives) < round(recall * positives)).astype(np.int8)
        parts.append(pd.DataFrame({"school": 100 + number, "outcome": 1, "flagged": flagged}))
    terms = pd.concat(parts, ignore_index=True)
    terms["pupil"] = np.arange(len(terms))
    weeks = terms[["pupil", "school", "outcome"]].assign(probability=0.5)
    return MadeEvaluation(terms, weeks)


def test_a_school_far_below_is_named_and_a_small_one_is_not():
    found, _ = funnels(made([0.6] * 9 + [0.2]), POLICY)
    assert [point.reads for point in found.schools][-1] == "very_low"
    few, _ = funnels(made([0.6] * 9 + [0.2], positives=20), POLICY)
    assert {point.reads for point in few.schools} == {"too_few"}
    last = found.schools[-1]
    assert last.estimate == pytest.approx(0.2)
    assert last.estimate < last.shrunk < found.network


def test_few_small_schools_are_pooled_together_whatever_the_last_one_does():
    """GATE.md's six groups: 9 of 26 beside 0.60 elsewhere is pooled away. That is why nothing is judged by it."""
    parts = made([0.6] * 5, positives=400).pupil_terms
    small = made([9 / 26], positives=26).pupil_terms.assign(school=200)
    terms = pd.concat([parts, small], ignore_index=True).assign(pupil=lambda f: np.arange(len(f)))
    found, _ = funnels(MadeEvaluation(terms, terms.assign(probability=0.5)), POLICY)
    small_school = found.schools[-1]
    assert small_school.estimate == pytest.approx(9 / 26)
    assert small_school.shrunk - small_school.estimate > 0.1


def test_schools_that_differ_have_a_spread_near_the_truth():
    rng = np.random.default_rng(6)
    recall, oe = funnels(made(np.clip(rng.normal(0.5, 0.15, 60), 0, 1), positives=200), POLICY)
    assert recall.spread == pytest.approx(0.15, abs=0.03)
    assert oe.network == pytest.approx(2.0)  # everybody had the outcome and half were expected
    assert oe.spread == 0.0


def test_alike_schools_are_in_line():
    evaluation, _ = made_network(pupils=6000, schools=24)
    for funnel in funnels(evaluation, POLICY):
        judged = [point.reads for point in funnel.schools if point.reads != "too_few"]
        assert len(judged) > 15
        assert judged.count("in_line") >= len(judged) - 4
        assert not {"very_low", "very_high"} & set(judged)


def test_a_network_where_nobody_was_flagged_has_no_funnel():
    found, _ = funnels(made([0.0, 0.0]), POLICY)
    assert (found.network, found.spread, found.schools[0].low_95) == (0.0, None, None)
