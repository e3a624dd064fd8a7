"""Terms alone, other outcomes, sentences, and the whole evidence through JSON."""

import json
from dataclasses import asdict, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from fairness.audit import audit, cells_of
from fairness.evidence.outcomes import other_outcomes
from fairness.evidence.sentences import sentences
from fairness.evidence.terms import cells_by_term, terms_alone
from fairness.exhibits import Evidence, LeftOut, PracticeSlice, ProxyInput, ProxyTest, Recording, TippingPoint
from fairness.findings import Audit, AuditUnreadable
from fairness.gate import judge
from fairness.policy import read_policy
from tests.unit.fairness_factory import TERMS, comparison, made_network

POLICY = read_policy()
QUICK = POLICY.model_copy(
    update={
        "attributes": (POLICY.attribute("ethnicity"),),
        "metrics": (POLICY.metric("recall"), POLICY.metric("false_alarms"), POLICY.metric("selection_ratio")),
        "inference": POLICY.inference.model_copy(update={"replicates": 300}),
    }
)


OWN = "the policy's outcome"


@pytest.fixture(scope="module")
def network():
    return made_network(pupils=6000)


def term_of(evaluation):
    """The first two weeks lie in the autumn, the others in the spring."""
    days = sorted(evaluation.snapshots["as_of"].unique())
    return {pd.Timestamp(day): TERMS[at >= 2] for at, day in enumerate(days)}


def test_a_group_passed_over_in_the_newest_term_alone_is_outside_there(network):
    evaluation, groups = network
    terms = evaluation.pupil_terms.copy()
    black = terms["pupil"].isin(groups.index[groups["ethnicity"] == "Black"])
    terms.loc[black & (terms["term"] == TERMS[1]) & (terms["outcome"] == 1), ["flagged", "flagged_any"]] = 0
    found = terms_alone(replace(evaluation, pupil_terms=terms), groups, QUICK, term_of(evaluation))
    assert [(one.term, one.newest) for one in found] == [(TERMS[0], False), (TERMS[1], True)]
    assert found[0].outside == ()
    assert {(cell.group, cell.metric) for cell in found[1].outside} >= {("Black", "recall")}
    assert {cell.metric for cell in found[1].cells} == {"recall", "false_alarms"}


def test_a_term_s_cells_are_those_of_an_audit_of_that_term_alone(network):
    evaluation, groups = network
    rows = evaluation.pupil_terms[evaluation.pupil_terms["term"] == TERMS[1]]
    white = rows[(rows["outcome"] == 1) & rows["pupil"].isin(groups.index[groups["ethnicity"] == "White"])]
    cells = cells_by_term(evaluation, groups, QUICK, term_of(evaluation))[TERMS[1]]
    cell = next(one for one in cells if (one.group, one.metric) == ("White", "recall"))
    assert (cell.estimate, cell.n) == (pytest.approx(white["flagged"].mean()), len(white))


def test_terms_are_told_apart_by_their_days_and_not_by_their_names(network):
    evaluation, groups = network
    summer = {TERMS[0]: "2024/25 Summer", TERMS[1]: "2025/26 Autumn"}
    renamed = replace(evaluation, pupil_terms=evaluation.pupil_terms.replace({"term": summer}))
    days = {day: summer[term] for day, term in term_of(evaluation).items()}
    assert list(cells_by_term(renamed, groups, QUICK, days)) == ["2024/25 Summer", "2025/26 Autumn"]


def test_flags_that_serve_a_group_worse_under_another_outcome_are_named(network):
    """The same flags; of those severely absent, Black pupils are never flagged."""
    evaluation, groups = network
    other = evaluation.pupil_terms.copy()
    rng = np.random.default_rng(2)
    other["outcome"] = (rng.random(len(other)) < 0.1).astype(np.int8)
    black = other["pupil"].isin(groups.index[groups["ethnicity"] == "Black"])
    flagged = np.where(other["outcome"] == 1, np.where(black, 0, rng.random(len(other)) < 0.6), other["flagged_any"])
    other["flagged"] = other["flagged_any"] = flagged.astype(np.int8)
    cells = judge(cells_of(evaluation, groups, QUICK), QUICK)
    absence, permanent = other_outcomes(
        {"severe_absence": other, "permanent": other.head(20)}, evaluation, cells, groups, QUICK
    )
    assert [one.group for one in absence.disagrees if one.reads == "worse"] == ["Black"]
    assert {cell.verdict for cell in absence.cells} == {"shown"}
    assert (permanent.cells, permanent.readings) == ((), ())
    assert "under 30" in permanent.why
    said = sentences(Evidence(other_outcomes=(absence,)), POLICY)
    # That the others, who are set beside them, look better for it is not said as well.
    assert list(said) == [
        f"Held against severe absence, the same flags serve Black clearly less well than held against {OWN}."
    ]


def everything():
    who = {"attribute": "ethnicity", "group": "Black"}
    slices = who | {"incidents": 400, "sanctions": 90, "expected": 50.0, "ratio": 1.8}
    slices |= {"lower": 1.5, "upper": 2.2, "notable": True}
    seen = who | {"days": 7, "suspensions": 90, "without_incident": 30, "share": 0.33}
    return Evidence(
        practice=(
            PracticeSlice(school=None, against="network", **slices),
            PracticeSlice(school=None, against="school", **slices),
            PracticeSlice(school=900001, against="school", **slices),
        ),
        recording=(Recording(rest_share=0.05, difference=0.28, lower=0.2, upper=0.36, **seen),),
        tipping=(
            TippingPoint(
                attribute="sex",
                group="female",
                metric="recall",
                verdict="within",
                positives=400,
                to_doubt=0.04,
                to_reverse=None,
                among="flagged",
            ),
        ),
        proxies=(
            ProxyTest(
                attribute="sen",
                group="support",
                pupils=8000,
                of_group=900,
                schools=40,
                auc=0.74,
                alert=True,
                inputs=(ProxyInput(feature="part_time_12w", share=0.4, auc_alone=0.7, declared="disability"),),
            ),
        ),
        left_out=(
            LeftOut(
                name="part_time_12w",
                features=("part_time_12w",),
                risk="disability",
                recall=0.3,
                recall_change=-0.001,
                lower=-0.004,
                upper=0.002,
                shortfalls=(),
                worst_with_all=0.1,
                worst_without=0.07,
                suggested=True,
            ),
        ),
    )


def test_what_stands_out_is_said_and_what_errors_cannot_show_comes_first():
    said = sentences(everything(), POLICY)
    assert said[0].startswith(
        "Practice: within the same schools, incidents of Black graded as equally severe ended in removal from "
        "lessons 1.8 times (probably 1.5 to 2.2) as often as those of others. Errors by group cannot show this"
    )
    assert said[1].startswith("Practice: in one school some group's incidents clearly end in removal from lessons")
    assert said[2].startswith("Recording: more suspensions of Black than of others come with no incident recorded")
    assert any("fewer than 10 in 100 outcomes" in one and "girls" in one for one in said)
    assert any(one.startswith("The inputs give away") and "part_time_12w" in one for one in said)
    assert any(one.startswith("Worth trying without: part_time_12w.") for one in said)
    assert sentences(Evidence(), POLICY) == ()


def test_small_counts_are_in_no_sentence():
    few = replace(everything(), tipping=(), proxies=(), left_out=())
    few = replace(
        few,
        practice=tuple(replace(one, sanctions=9) for one in few.practice),
        recording=tuple(replace(one, without_incident=4) for one in few.recording),
    )
    assert sentences(few, POLICY) == ()


def test_evidence_survives_json_and_an_audit_from_before_keeps_its_digest(network):
    evaluation, groups = network
    asked = {"bundle_digest": "b" * 64, "comparison": comparison(), "created_on": date(2026, 3, 1)}
    before = audit(evaluation, groups, QUICK, **asked)
    said = json.loads(json.dumps(before.to_json()))
    assert "evidence" not in said
    assert Audit.from_json(said).digest == before.digest
    after = replace(before, evidence=everything())
    again = Audit.from_json(json.loads(json.dumps(after.to_json())))
    assert asdict(again.evidence) == asdict(everything())
    assert again.digest == after.digest != before.digest
    tampered = json.loads(json.dumps(after.to_json()))
    tampered["evidence"]["practice"][0]["ratio"] = 1.0
    assert Audit.from_json(tampered).digest != after.digest
    tampered["evidence"]["practice"][0]["also"] = 1
    with pytest.raises(AuditUnreadable, match=r"evidence\.practice\.0\.also"):
        Audit.from_json(tampered)
