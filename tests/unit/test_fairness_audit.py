"""The audit on held-out flags: numbers worked by hand, and what it must refuse to conclude."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from fairness.audit import audit, read_audit, write_audit
from fairness.evaluation import AuditRefused
from fairness.findings import Audit, AuditUnreadable
from fairness.intervals import newcombe
from fairness.points import AuditError, check_points, point_values
from fairness.policy import read_policy
from fairness.sums import Labels, Tally, sums_of
from tests.unit.fairness_factory import MadeEvaluation, comparison, made_network

POLICY = read_policy()
FULL = POLICY.model_copy(update={"inference": POLICY.inference.model_copy(update={"replicates": 300})})
# Fewer attributes: an audit is made in nearly every test.
QUICK = FULL.model_copy(update={"attributes": tuple(FULL.attribute(name) for name in ("sex", "ethnicity", "fsm"))})
DAY = date(2026, 3, 1)


def audited(evaluation, groups, policy=QUICK, **changes):
    asked = {"bundle_digest": "b" * 64, "comparison": comparison(), "created_on": DAY} | changes
    return audit(evaluation, groups, policy, **asked)


def cell(found, attribute, group, metric):
    return next(c for c in found.cells if (c.attribute, c.group, c.metric) == (attribute, group, metric))


@pytest.fixture(scope="module")
def network():
    return made_network(pupils=1500)


@pytest.fixture(scope="module")
def found(network):
    return audited(*network, FULL)


def twelve():
    """Twelve girls and twelve boys in two schools, one term: every count can be read off."""
    rows = []
    for pupil in range(24):
        girl = pupil < 12
        place = pupil % 12
        outcome = int(place < 4)
        # Girls: 3 of 4 caught, 1 false alarm of 8. Boys: 1 of 4 caught, one caught too late, 2 of 8.
        flagged = int(place < 3 or place == 4) if girl else int(place == 0 or place in (4, 5))
        flagged_any = flagged if girl else max(flagged, int(place == 1))
        rows.append((pupil, 100 + pupil % 2, "SS", "2025/26 Autumn", outcome, flagged, flagged_any))
    terms = pd.DataFrame(rows, columns=["pupil", "school", "phase", "term", "outcome", "flagged", "flagged_any"])
    weeks = terms[["pupil", "school", "outcome"]].assign(
        as_of=np.datetime64("2026-01-05", "s"), probability=np.where(terms["pupil"] < 12, 0.25, 0.5)
    )
    groups = pd.DataFrame(
        {
            "sex": np.repeat(["female", "male"], 12),
            "ethnicity": "White",
            "sen": "none",
            "fsm": "not",
            "eal": "not",
            "care": "none",
        },
        index=pd.Index(range(24), name="pupil"),
    )
    return MadeEvaluation(terms, weeks), groups


@pytest.mark.parametrize(
    ("metric", "girls", "boys", "n_boys"),
    [
        ("recall", 3 / 4, 1 / 4, 4),
        ("fpr_ratio", 1 / 8, 2 / 8, 8),
        ("false_alarms", 1 / 4, 2 / 4, 12),
        ("precision_ratio", 3 / 4, 1 / 4, 4),  # the flag that came too late is not a right one
        ("selection_ratio", 4 / 12, 4 / 12, 12),
        ("false_omission", 1 / 8, 3 / 9, 9),
        ("oe_ratio", 4 / 3, 4 / 6, 12),
    ],
)
def test_each_metric_by_hand(metric, girls, boys, n_boys):
    found = audited(*twelve())
    assert cell(found, "sex", "female", metric).estimate == pytest.approx(girls)
    here = cell(found, "sex", "male", metric)
    assert (here.estimate, here.rest_estimate, here.n) == (pytest.approx(boys), pytest.approx(girls), n_boys)
    assert (here.pupils, here.positives, here.rest_positives) == (12, 4, 4)


def test_harms_have_the_sign_of_the_harm():
    found = audited(*twelve())
    assert cell(found, "sex", "male", "recall").harm == pytest.approx(0.5)
    assert cell(found, "sex", "female", "recall").harm == pytest.approx(-0.5)
    assert cell(found, "sex", "male", "fpr_ratio").harm == pytest.approx(2.0)
    assert cell(found, "sex", "male", "precision_ratio").harm == pytest.approx(1 / 3)
    # 8 flags, each with the usual chance 8/24; 4 were right: 4 / (8/3).
    assert cell(found, "all", "all", "precision_lift").harm == pytest.approx(1.5)


def test_false_alarms_are_set_against_each_group_s_own_base_rate():
    """Girls: 20 of 100 suspended. Boys: 40 of 100. Recall and precision are a half for both.

    So girls have 10 right and 10 wrong flags, boys 20 and 20: one false alarm for two pupils suspended, either way.
    The false-positive rates, 10 of 80 and 20 of 60, differ by the base rates' odds and by nothing else.
    """
    terms = pd.DataFrame({"pupil": range(200), "school": 900001, "phase": "SS", "term": "2025/26 Autumn"})
    within = terms["pupil"] % 100
    boys = terms["pupil"] >= 100
    positives = 20 + 20 * boys
    terms["outcome"] = (within < positives).astype("int8")
    wrong = (within >= positives) & (within < positives * 3 // 2)
    terms["flagged"] = ((within < positives // 2) | wrong).astype("int8")
    terms["flagged_any"] = terms["flagged"]
    weeks = terms[["pupil", "school", "outcome"]].assign(as_of=pd.Timestamp("2025-09-08"), probability=0.3)
    groups = pd.DataFrame(
        {
            "sex": np.where(boys, "male", "female"),
            "ethnicity": "White",
            "sen": "none",
            "fsm": "not",
            "eal": "not",
            "care": "none",
        },
        index=pd.Index(terms["pupil"], name="pupil"),
    )
    found = audited(MadeEvaluation(terms, weeks), groups)
    assert cell(found, "sex", "male", "false_alarms").harm == pytest.approx(1.0)
    assert cell(found, "sex", "male", "recall").harm == pytest.approx(0.0)
    assert cell(found, "sex", "male", "precision_ratio").harm == pytest.approx(1.0)
    assert cell(found, "sex", "male", "fpr_ratio").harm == pytest.approx((20 / 60) / (10 / 80))


def test_under_thirty_positives_nothing_is_concluded():
    """Boys' recall is 50 points worse and the verdict is still 'too few'."""
    found = audited(*twelve())
    assert {c.verdict for c in found.cells if c.gate == "full"} == {"too_few"}


def test_a_group_that_nobody_is_in_is_there_and_not_settled(network):
    evaluation, groups = network
    found = audited(evaluation, groups.replace({"ethnicity": {"Other": "White"}}))
    here = cell(found, "ethnicity", "Other", "recall")
    assert (here.pupils, here.n, here.estimate, here.verdict) == (0, 0, None, "too_few")
    assert here.why == "no pupil of this group was suspended in the period"


def test_recall_without_positives_is_never_nought(network):
    """Fairlearn and scikit-learn say 0.0 here; it would look like a gap of 60 points."""
    evaluation, groups = network
    terms = evaluation.pupil_terms.copy()
    mixed = terms["pupil"].isin(groups.index[groups["ethnicity"] == "Mixed"])
    terms.loc[mixed, "outcome"] = 0
    found = audited(replace(evaluation, pupil_terms=terms), groups)
    here = cell(found, "ethnicity", "Mixed", "recall")
    assert (here.estimate, here.harm, here.verdict) == (None, None, "too_few")


def test_everyone_alike_is_within_or_not_settled_never_outside(found):
    assert {c.verdict for c in found.cells} <= {"within", "not_settled", "too_few", "shown"}
    assert cell(found, "fsm", "not", "false_alarms").gate == "full"
    assert cell(found, "fsm", "not", "fpr_ratio").gate == "report"
    assert cell(found, "sex_x_sen", "male, none", "recall").gate == "fail_only"
    assert cell(found, "sex", "male", "selection_ratio").verdict == "shown"


def test_a_group_passed_over_is_outside():
    evaluation, groups = made_network(pupils=6000, recall_Black=0.2)
    found = audited(evaluation, groups)
    here = cell(found, "ethnicity", "Black", "recall")
    assert here.verdict == "outside"
    assert here.lower > 0.10
    assert here.p_outside < 1e-6


def test_pupils_alike_in_both_terms_are_not_counted_twice(network):
    """Every row twice over, in two terms: the interval stays that of the pupils, not of the rows."""
    evaluation, groups = network
    one = evaluation.pupil_terms[evaluation.pupil_terms["term"] == "2025/26 Autumn"]
    two = pd.concat([one, one.assign(term="2025/26 Spring")], ignore_index=True)
    once = cell(audited(replace(evaluation, pupil_terms=one), groups), "fsm", "fsm", "fpr_ratio")
    twice = cell(audited(replace(evaluation, pupil_terms=two), groups), "fsm", "fsm", "fpr_ratio")
    assert twice.n == 2 * once.n
    assert twice.effective_n == pytest.approx(once.effective_n, rel=0.15)


def test_a_school_that_differs_widens_the_interval():
    """The same flags, but boys' misses lie in half the schools: chance alone no longer explains them."""
    evaluation, groups = made_network(pupils=3000, schools=8, base_rate=0.3)
    terms = evaluation.pupil_terms.copy()
    boys = terms["pupil"].isin(groups.index[groups["sex"] == "male"]) & (terms["outcome"] == 1)
    spread = boys & (terms["pupil"] % 2 == 0)
    gathered = boys & (terms["school"] % 8 < 4)
    made = {}
    for name, missed in (("spread", spread), ("gathered", gathered)):
        changed = terms.copy()
        flags = np.where(boys, ~missed, changed["flagged"]).astype(np.int8)
        changed["flagged"] = changed["flagged_any"] = flags
        found = cell(audited(replace(evaluation, pupil_terms=changed), groups), "sex", "male", "recall")
        made[name] = found.upper - found.harm
    assert made["gathered"] > 3 * made["spread"]


def test_one_school_cannot_be_told_from_chance():
    found = audited(*made_network(pupils=1500, schools=1, base_rate=0.3))
    here = cell(found, "fsm", "fsm", "recall")
    assert "in one school" in here.why
    assert here.verdict == "not_settled"


def test_the_same_seed_gives_the_same_audit_whatever_the_rows_order(network, found):
    evaluation, groups = network
    again = MadeEvaluation(
        evaluation.pupil_terms.sample(frac=1, random_state=1), evaluation.snapshots.sample(frac=1, random_state=2)
    )
    assert audited(again, groups.sample(frac=1, random_state=3), FULL).digest == found.digest


def test_an_audit_survives_json_and_holds_no_pupil(found, tmp_path, network):
    write_audit(found, tmp_path / "audit.json")
    text = (tmp_path / "audit.json").read_text()
    again = read_audit(tmp_path / "audit.json")
    assert again.digest == found.digest
    assert not any(str(pupil) in text for pupil in network[1].index)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("said", ["[]", "{}", "not json", '{"schema": "belong-audit/9"}'])
def test_what_is_not_an_audit_is_refused(tmp_path, said):
    (tmp_path / "audit.json").write_text(said)
    with pytest.raises(AuditUnreadable):
        read_audit(tmp_path / "audit.json")


def test_an_audit_with_a_key_more_is_refused(found):
    with pytest.raises(AuditUnreadable, match="not an audit of this version"):
        Audit.from_json(found.to_json() | {"also": 1})


@pytest.mark.parametrize(
    ("frame", "change", "message"),
    [
        ("pupil_terms", lambda f: f.drop(columns="flagged"), "missing columns flagged"),
        ("pupil_terms", lambda f: f.head(0), "no rows"),
        ("pupil_terms", lambda f: f.assign(outcome=2), "outcome must be 0 or 1"),
        ("pupil_terms", lambda f: f.assign(flagged=1, flagged_any=0), "implies flagged at all"),
        ("pupil_terms", lambda f: f.assign(outcome=0, flagged=0, flagged_any=1), "no flag is too late"),
        ("pupil_terms", lambda f: f.assign(term="one"), "stands twice in one term"),
        ("snapshots", lambda f: f.assign(probability=np.nan), "between 0 and 1"),
        ("snapshots", lambda f: f.assign(probability=1.0), "between 0 and 1"),
        ("snapshots", lambda f: f.assign(outcome=3), "outcome must be 0 or 1"),
    ],
)
def test_what_cannot_be_audited_is_refused(network, frame, change, message):
    evaluation, groups = network
    with pytest.raises(AuditRefused, match=message):
        audited(replace(evaluation, **{frame: change(getattr(evaluation, frame))}), groups)


def test_a_group_that_the_policy_does_not_declare_is_refused(network):
    evaluation, groups = network
    with pytest.raises(AuditRefused, match=r"observed group\(s\) \['Chinese'\] are not in the policy"):
        audited(evaluation, groups.replace({"ethnicity": {"Other": "Chinese"}}))
    with pytest.raises(AuditRefused, match="needs the column"):
        audited(evaluation, groups.drop(columns="fsm"))
    with pytest.raises(AuditRefused, match="stands twice"):
        audited(evaluation, pd.concat([groups, groups.head(1)]))


def test_pupils_of_whom_nothing_is_known_are_shown_and_not_judged(network):
    evaluation, groups = network
    found = audited(evaluation, groups.iloc[200:])
    here = cell(found, "ethnicity", "unclassified", "recall")
    assert (here.pupils, here.gate, here.verdict) == (200, "report", "shown")


def test_the_audit_stops_when_fairlearn_disagrees(network):
    terms, groups = network[0].pupil_terms, network[1]
    labels = terms["pupil"].map(groups["sex"])
    points = point_values(terms, labels)
    girls = terms[labels == "female"]
    by_hand = float((girls["flagged"] & girls["outcome"]).sum() / girls["outcome"].sum())
    check_points(points, {("female", "recall"): by_hand})
    with pytest.raises(AuditError, match="recall of 'female'"):
        check_points(points, {("female", "recall"): by_hand + 0.001})


def test_a_gap_at_the_margin_rarely_passes():
    """Recall 0.5 against 0.6 with a margin of 0.10: 'within' is a false pass, one in twenty at most.

    300 made networks, 60 suspended pupils of the group with up to three terms each, outcomes alike
    within a pupil. At 5 % the chance of more than 9 % here is under one in five hundred.
    """
    rng = np.random.default_rng(11)
    passes = 0
    for _ in range(300):
        sizes = rng.integers(1, 4, 360)
        group = (np.arange(360) >= 60).astype(np.int64)
        p = np.where(group == 0, 0.5, 0.6)
        # A third of the variance is the pupil's own (a beta with the same mean).
        own = rng.beta(2 * p, 2 * (1 - p))
        pupil = np.repeat(np.arange(360), sizes)
        hits = (rng.random(len(pupil)) < own[pupil]).astype(float)
        ones = np.ones(len(pupil))
        tally = Tally(name="recall", pupil=pupil, school=pupil % 30, hits=hits, base=ones, rows=ones)
        sums = sums_of([tally], {"a": Labels(("g", "r"), group)}, 360, replicates=200, seed=1)["a", "recall"]
        share, rest = sums.sides(0)
        passes += newcombe(share, rest, "difference", True, 1.6449)[1] < 0.10
    assert passes / 300 <= 0.09


def test_each_side_has_its_own_design_effect():
    """The group has one row a pupil, the rest two alike: only the rest's effective n is halved."""
    label = np.repeat([0, 1], [100, 200])
    pupil = np.concatenate([np.arange(100), np.repeat(np.arange(100, 300), 2)])
    hits = (pupil % 4 == 0).astype(float)
    ones = np.ones(len(pupil))
    tally = Tally(name="recall", pupil=pupil, school=pupil % 5, hits=hits, base=ones, rows=ones)
    sums = sums_of([tally], {"a": Labels(("g", "r"), label)}, 300, replicates=4000, seed=1)["a", "recall"]
    share, rest = sums.sides(0)
    assert share.effective_n == pytest.approx(100, rel=0.06)
    assert rest.effective_n == pytest.approx(200, rel=0.06)
    assert (share.rows, rest.rows) == (100, 400)
