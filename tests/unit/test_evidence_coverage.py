"""Nobody leaves a group, or those a model missed, out of an audit unseen."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sklearn.metrics import recall_score

from fairness.audit import audit, set_aside
from fairness.evidence.coverage import coverage, left_out
from fairness.gate import decide
from fairness.points import point_values
from fairness.policy import read_policy
from tests.unit.fairness_factory import comparison, made_network

POLICY = read_policy()
QUICK = POLICY.model_copy(
    update={
        "attributes": (POLICY.attribute("ethnicity"),),
        "metrics": (POLICY.metric("recall"),),
        "inference": POLICY.inference.model_copy(update={"replicates": 300}),
    }
)


@pytest.fixture(scope="module")
def network():
    return made_network(pupils=4000)


def audited(evaluation, groups, left_out=None):
    asked = {"bundle_digest": "b" * 64, "comparison": comparison(), "created_on": date(2026, 3, 1)}
    return set_aside(audit(evaluation, groups, QUICK, **asked), left_out or {}, QUICK)


def on_record(evaluation):
    """Return who the records say was on roll and who was suspended: everybody who was there to begin with."""
    terms = evaluation.pupil_terms
    return np.unique(terms["pupil"]), np.unique(terms.loc[terms["outcome"] == 1, "pupil"])


def without(evaluation, gone):
    return replace(
        evaluation,
        pupil_terms=evaluation.pupil_terms[~evaluation.pupil_terms["pupil"].isin(gone)],
        snapshots=evaluation.snapshots[~evaluation.snapshots["pupil"].isin(gone)],
    )


def test_everybody_evaluated_leaves_nobody_out(network):
    evaluation, groups = network
    rows = coverage(evaluation, *on_record(evaluation), groups, QUICK)
    assert {row.on_roll - row.evaluated for row in rows} == {0}
    assert left_out(rows) == {}


def test_a_group_taken_out_of_the_evaluation_is_not_settled(network):
    evaluation, groups = network
    gone = groups.index[groups["ethnicity"] == "Mixed"]
    rows = coverage(without(evaluation, gone), *on_record(evaluation), groups, QUICK)
    mixed = next(row for row in rows if row.group == "Mixed")
    assert (mixed.on_roll, mixed.evaluated) == (len(gone), 0)
    why = left_out(rows)
    assert set(why) == {("ethnicity", "Mixed")}
    found = audited(without(evaluation, gone), groups, left_out=why)
    cell = next(one for one in found.cells if (one.group, one.metric) == ("Mixed", "recall"))
    assert cell.verdict == "too_few"
    assert decide(found, QUICK).verdict != "PASS"


def test_those_a_model_missed_taken_out_of_the_evaluation_are_missed(network):
    """Every missed Black pupil gone: recall 1.0, a group that looks best served of all, and is not settled."""
    evaluation, groups = network
    terms = evaluation.pupil_terms
    missed = terms[(terms["outcome"] == 1) & (terms["flagged"] == 0)]["pupil"]
    gone = missed[missed.isin(groups.index[groups["ethnicity"] == "Black"])]
    kept = without(evaluation, gone)
    why = left_out(coverage(kept, *on_record(evaluation), groups, QUICK))
    assert "suspended in the period" in why["ethnicity", "Black"]
    cell = next(
        one for one in audited(kept, groups, left_out=why).cells if (one.group, one.metric) == ("Black", "recall")
    )
    assert cell.estimate == pytest.approx(1.0)
    assert cell.verdict == "not_settled"


def test_a_few_pupils_gone_by_chance_are_nothing(network):
    evaluation, groups = network
    some = np.random.default_rng(1).choice(groups.index, 400, replace=False)
    assert left_out(coverage(without(evaluation, some), *on_record(evaluation), groups, QUICK)) == {}


def test_where_libraries_say_nought_of_a_group_without_positives_the_audit_says_nothing(network):
    """scikit-learn and Fairlearn both have recall 0.0 there: a gap of 60 points that is none."""
    evaluation, groups = network
    terms = evaluation.pupil_terms.copy()
    mixed = terms["pupil"].isin(groups.index[groups["ethnicity"] == "Mixed"])
    terms.loc[mixed, ["outcome", "flagged"]] = 0
    terms["flagged_any"] = terms["flagged"]
    assert recall_score(terms.loc[mixed, "outcome"], terms.loc[mixed, "flagged"], zero_division=0) == 0.0
    points = point_values(terms, terms["pupil"].map(groups["ethnicity"]))
    assert points.loc["Mixed", "recall"] == 0.0
    found = audited(replace(evaluation, pupil_terms=terms), groups)
    cell = next(one for one in found.cells if (one.group, one.metric) == ("Mixed", "recall"))
    assert (cell.estimate, cell.harm, cell.verdict) == (None, None, "too_few")
    assert not any(one.group == "Mixed" for one in decide(found, QUICK).failing)


def test_a_declared_group_nobody_is_in_holds_the_audit_open(network):
    evaluation, groups = network
    found = audited(evaluation, groups.replace({"ethnicity": {"Other": "White"}}))
    decision = decide(found, QUICK)
    assert decision.verdict == "NOT_SETTLED"
    assert ("ethnicity", "Other") in {(cell.attribute, cell.group) for cell in decision.unsettled}
