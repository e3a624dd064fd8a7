"""What leaving a feature out changes: differences by hand, and a model fitted again on its own records."""

import numpy as np
import pandas as pd
import pytest

from fairness.evidence.leaving_out import _asked, compared
from fairness.policy import read_policy
from features.catalogue import CATALOGUE

POLICY = read_policy()
SEX = POLICY.model_copy(update={"attributes": (POLICY.attribute("sex"),)})


def terms(caught_girls, caught_boys, positives=100):
    """So many of a hundred girls and of a hundred boys with the outcome flagged in time, the first of each."""
    number = np.arange(2 * positives)
    caught = np.where(number < positives, number < caught_girls, number - positives < caught_boys)
    return pd.DataFrame({"pupil": number, "term": "2025/26 Autumn", "outcome": 1, "flagged": caught.astype(np.int8)})


GROUPS = pd.DataFrame({"sex": np.repeat(["female", "male"], 100)}, index=pd.Index(np.arange(200), name="pupil"))


def test_a_gap_that_narrows_at_no_cost_is_a_suggestion():
    """Girls 40 and boys 60 of 100; without it 45 and 56: recall .500 to .505, the gap 20 to 11 points."""
    found = compared(terms(40, 60), terms(45, 56), GROUPS, SEX, ("harm", ("harm",), "poverty"))
    assert (found.recall, found.recall_change) == (pytest.approx(0.505), pytest.approx(0.005))
    girls = next(one for one in found.shortfalls if one.group == "female")
    assert (girls.with_all, girls.without, girls.change) == (
        pytest.approx(0.20),
        pytest.approx(0.11),
        pytest.approx(-0.09),
    )
    assert (found.worst_with_all, found.worst_without) == (pytest.approx(0.20), pytest.approx(0.11))
    assert found.suggested
    # Nine of 200 flags changed, five up and four down: sqrt(9/200^2) but for the mean's own square.
    assert found.upper - found.recall_change == pytest.approx(1.645 * np.sqrt(9) / 200, rel=0.01)
    # Girls .05, boys -.04: each side's own variance adds.
    sides = [(0.05 * 0.95**2 + 0.95 * 0.05**2) / 100, (0.04 * 0.96**2 + 0.96 * 0.04**2) / 100]
    assert girls.upper - girls.change == pytest.approx(1.645 * np.sqrt(sum(sides)), rel=0.001)


def test_a_gap_that_narrows_at_a_cost_or_turns_round_is_none():
    dear = compared(terms(40, 60), terms(41, 55), GROUPS, SEX, ("dear", ("dear",), ""))
    assert dear.recall_change == pytest.approx(-0.02)
    assert not dear.suggested
    turned = compared(terms(40, 60), terms(61, 40), GROUPS, SEX, ("turned", ("turned",), ""))
    assert not turned.suggested


def test_too_few_positives_have_no_shortfall():
    few = compared(terms(4, 6, 20), terms(5, 6, 20), GROUPS, SEX, ("few", ("few",), ""))
    assert few.shortfalls == ()
    assert (few.worst_with_all, few.suggested) == (0.0, False)


def test_what_is_left_out_by_default_is_what_has_a_risk_and_each_family():
    every = [feature.name for feature in CATALOGUE]
    risky = [feature.name for feature in CATALOGUE if feature.proxy_risk is not None]
    families = {feature.group for feature in CATALOGUE}
    asked = _asked(every, "risk")
    assert {name for name, _, _ in asked} == {*risky, *families}
    assert all(risk for name, _, risk in asked if name in risky)
    assert len(_asked(every, "all")) == len(every) + len(families)
    assert _asked(["incidents_4w"], "risk") == []  # a family that is all there is cannot be left out
