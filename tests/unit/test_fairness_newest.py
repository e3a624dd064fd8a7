"""The newest term alone: what has become of a group since is not hidden by older terms."""

from dataclasses import replace

from fairness.exhibits import Evidence, TermCells
from fairness.findings import Cell
from fairness.gate import decide
from fairness.policy import read_policy
from tests.deployed import small_audit, tiny_bundle

POLICY = read_policy()
FINE = Cell(
    attribute="ethnicity",
    group="Black",
    metric="recall",
    gate="full",
    pupils=900,
    n=200,
    positives=200,
    rest_positives=800,
    estimate=0.30,
    rest_estimate=0.31,
    harm=0.01,
    lower=-0.05,
    upper=0.07,
    p_outside=1.0,
)
BAD = replace(FINE, estimate=0.2, rest_estimate=0.5, harm=0.3, lower=0.2, upper=0.4, p_outside=1e-6)


def decided(*terms):
    """Return the decision on an audit whose terms had these cells, the last being the newest."""
    last = len(terms) - 1
    made = tuple(
        TermCells(term=f"term {place + 1}", newest=place == last, cells=(cell,)) for place, cell in enumerate(terms)
    )
    return decide(replace(small_audit(tiny_bundle()), evidence=Evidence(terms=made)), POLICY)


def test_a_group_outside_in_the_newest_term_fails_the_model():
    decision = decided(FINE, BAD)
    assert (decision.verdict, decision.exit_code, decision.waivable) == ("FAIL", 3, False)
    assert (decision.only_useless, [cell.group for cell in decision.failing_now]) == (False, ["Black"])
    assert (
        "In the newest term alone, term 2: Outside the limit: by ethnic group, Black, pupils who needed help and were "
        "flagged in time: a gap of 30 points (probably 20 to 40); the limit is 10."
    ) in decision.sentences


def test_what_an_older_term_showed_is_judged_in_all_terms_together():
    assert decided(BAD, FINE).verdict == "NOT_SETTLED"


def test_a_single_term_was_judged_already():
    assert decided(BAD).verdict == "NOT_SETTLED"


def test_verdicts_written_for_the_newest_term_decide_nothing():
    assert decided(FINE, replace(BAD, verdict="within")).verdict == "FAIL"
    assert decided(FINE, replace(FINE, verdict="outside")).verdict == "NOT_SETTLED"
