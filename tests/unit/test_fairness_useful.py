"""Usefulness: a candidate that finds hardly more pupils than a rule anyone can read is not let through."""

from dataclasses import replace
from datetime import date

import pytest

from fairness.gate import decide
from fairness.policy import read_policy
from tests.unit.fairness_factory import passed_audit

POLICY = read_policy()


@pytest.fixture(scope="module")
def found():
    return passed_audit(POLICY, date(2026, 3, 1))


@pytest.mark.parametrize("rule", ["rule_of_thumb", "prior_suspensions", "school_year_rate"])
@pytest.mark.parametrize("recall", [0.59, 0.9, None, float("nan")])
def test_a_rule_that_is_not_beaten_fails_the_model(found, rule, recall):
    rows = tuple(dict(row, recall=recall) if row["approach"] == rule else row for row in found.comparison)
    decision = decide(replace(found, comparison=rows), POLICY)
    assert decision.verdict == "FAIL"
    assert decision.sentences[1].startswith("Not ")
    assert decision.only_useless
    assert not decision.waivable


def test_a_gain_of_two_points_is_enough(found):
    rows = tuple(dict(row, recall=0.57) if row["approach"] != "model" else row for row in found.comparison)
    assert decide(replace(found, comparison=rows), POLICY).verdict == "PASS"


def test_the_models_own_recall_must_be_there(found):
    rows = tuple(row for row in found.comparison if row["approach"] != "model")
    assert decide(replace(found, comparison=rows), POLICY).verdict == "FAIL"


def of(candidate: str, **recalls: float | None) -> tuple[dict[str, object], ...]:
    """Return a comparison whose first row is the candidate's own."""
    return tuple({"approach": name, "recall": recalls[name]} for name in (candidate, *(set(recalls) - {candidate})))


def test_a_transparent_rule_must_beat_what_says_nothing_of_a_pupil_and_no_other_rule(found):
    recalls = {"rule_of_thumb": 0.30, "prior_suspensions": 0.35, "school_year_rate": 0.05, "logistic": 0.4}
    assert decide(replace(found, comparison=of("rule_of_thumb", **recalls)), POLICY).verdict == "PASS"
    decision = decide(replace(found, comparison=of("rule_of_thumb", **recalls | {"school_year_rate": 0.29})), POLICY)
    assert decision.verdict == "FAIL"
    assert "within the same capacity the recall of the rule of thumb" in decision.sentences[1]


def test_a_regression_must_beat_every_rule(found):
    recalls = {"logistic": 0.36, "rule_of_thumb": 0.30, "prior_suspensions": 0.35, "school_year_rate": 0.05}
    decision = decide(replace(found, comparison=of("logistic", **recalls)), POLICY)
    assert decision.verdict == "FAIL"
    assert (
        "the recall of logistic regression is 36% and that of counting earlier suspensions is 35%"
        in (decision.sentences[1])
    )
    assert decide(replace(found, comparison=of("logistic", **recalls | {"logistic": 0.37})), POLICY).verdict == "PASS"


@pytest.mark.parametrize("candidate", ["school_year_rate", "oracle"])
def test_what_no_bundle_may_be_made_of_does_not_pass(found, candidate):
    recalls = {candidate: 0.9, "rule_of_thumb": 0.3, "prior_suspensions": 0.3}
    assert decide(replace(found, comparison=of(candidate, **recalls)), POLICY).verdict == "FAIL"
