"""Tipping points by hand: which outcomes are struck out, and how many until the verdict falls."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from fairness.audit import cells_of
from fairness.evidence.discretion import Counts, tipping_points
from fairness.gate import judge
from fairness.policy import read_policy
from tests.unit.fairness_factory import MadeEvaluation

POLICY = read_policy()
SEX = POLICY.model_copy(
    update={
        "attributes": (POLICY.attribute("sex"),),
        "metrics": (POLICY.metric("recall"),),
        "inference": POLICY.inference.model_copy(update={"replicates": 400}),
    }
)
SOME = Counts(terms=50, positives=10, caught=4, late=1, alarms=6, weeks=100, came=20, expected=25)


def test_flagged_outcomes_struck_out_become_false_alarms():
    """Of 10 outcomes 4 were caught, 1 flagged late, 5 missed. Striking 5 flagged first leaves 5 missed ones."""
    found = SOME.without(5, "flagged")
    assert (found.positives, found.caught, found.late, found.alarms) == (5, 0, 0, 11)
    assert (found.came, found.share("recall", 1.0).value, found.share("false_alarms", 1.0).value) == (10, 0, 11 / 5)


def test_missed_outcomes_struck_out_change_no_flag():
    found = SOME.without(5, "missed")
    assert (found.positives, found.caught, found.late, found.alarms) == (5, 4, 1, 6)
    assert found.share("precision_ratio", 1.0).value == 4 / 11
    assert SOME.without(6, "missed").alarms == 7  # the late one is next


def network(caught_girls, caught_boys, positives=1000):
    """As many girls as boys with the outcome, each in one term, spread evenly over forty schools."""
    frames = []
    for sex, caught in (("female", caught_girls), ("male", caught_boys)):
        number = np.arange(positives)
        # Multiplied by a number prime to the size: those caught are spread over schools.
        frames.append(pd.DataFrame({"sex": sex, "flagged": ((number * 7) % positives < caught).astype(np.int8)}))
    terms = pd.concat(frames, ignore_index=True).assign(outcome=1, phase="SS", term="2025/26 Autumn")
    terms["pupil"] = np.arange(len(terms))
    terms["school"] = 900_000 + terms["pupil"] % 40
    terms["flagged_any"] = terms["flagged"]
    groups = terms.set_index("pupil")[["sex"]]
    weeks = terms[["pupil", "school", "outcome"]].assign(as_of=pd.Timestamp("2025-09-08"), probability=0.5)
    return MadeEvaluation(terms.drop(columns="sex"), weeks), groups


def tipping(evaluation, groups, group):
    cells = judge(cells_of(evaluation, groups, SEX), SEX)
    return next(point for point in tipping_points(cells, evaluation, groups, SEX) if point.group == group)


def by_statsmodels(caught, positives, rest_caught, rest):
    """The two ends of rest - group by Newcombe's rule, 5 % on each side."""
    return confint_proportions_2indep(
        rest_caught, rest, caught, positives, method="newcomb", compare="diff", alpha=0.10
    )


def test_a_verdict_within_falls_where_newcombe_s_end_crosses_the_limit():
    """Girls 600 of 1,000, boys 600 of 1,000. Struck out k flagged girls: 600 - k of 1,000 - k."""
    point = tipping(*network(600, 600), "female")
    doubt = next(k for k in range(1, 999) if by_statsmodels(600 - k, 1000 - k, 600, 1000)[1] >= 0.10)
    reverse = next(k for k in range(1, 999) if by_statsmodels(600 - k, 1000 - k, 600, 1000)[0] > 0.10)
    assert (point.verdict, point.among, point.positives) == ("within", "flagged", 1000)
    assert point.to_doubt == pytest.approx(doubt / 1000, abs=0.006)
    assert point.to_reverse == pytest.approx(reverse / 1000, abs=0.006)


def test_a_verdict_outside_falls_when_missed_ones_were_no_need():
    point = tipping(*network(350, 600), "female")
    doubt = next(k for k in range(1, 999) if by_statsmodels(350, 1000 - k, 600, 1000)[0] <= 0.10)
    reverse = next(k for k in range(1, 999) if by_statsmodels(350, 1000 - k, 600, 1000)[1] < 0.10)
    assert (point.verdict, point.among) == ("outside", "missed")
    assert point.to_doubt == pytest.approx(doubt / 1000, abs=0.01)
    assert point.to_reverse == pytest.approx(reverse / 1000, abs=0.01)


def test_a_cell_that_settles_nothing_has_no_tipping_point():
    evaluation, groups = network(50, 60, positives=100)
    cells = judge(cells_of(evaluation, groups, SEX), SEX)
    assert [point.group for point in tipping_points(cells, evaluation, groups, SEX)] == ["male"]
