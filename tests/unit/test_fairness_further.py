"""The further evidence as the report shows it: no count, nothing that rests on a few, nothing of a hidden group."""

from fairness.exhibits import (
    Coverage,
    Evidence,
    Funnel,
    OtherOutcome,
    PracticeSlice,
    ProxyTest,
    Recording,
    SchoolPoint,
    TippingPoint,
)
from fairness.further import further
from fairness.policy import read_policy
from fairness.subtraction import Count, Part, Sum, hidden_parts

POLICY = read_policy()


def tables(evidence, hidden=frozenset()):
    return {table["title"]: table["rows"] for table in further(evidence, POLICY, hidden)}


def school(urn, positives, estimate, reads="in_line"):
    ends = {"low_95": 0.1, "high_95": 0.9, "low_998": 0.0, "high_998": 1.0, "shrunk": 0.5}
    return SchoolPoint(
        school=urn, positives=positives, n=positives, effective_n=positives, estimate=estimate, reads=reads, **ends
    )


def test_a_school_with_few_found_is_not_shown_and_how_it_reads_is():
    """Of 20, 0.2 is four found: hidden; of 60 and 80 half: 90 in 144 all told, so the smaller goes with it."""
    points = (school(1, 20, 0.2, "low"), school(2, 60, 0.5), school(3, 80, 0.5))
    (rows,) = tables(Evidence(funnels=(Funnel(metric="recall", network=0.46, spread=0.0, schools=points),))).values()
    assert [row[1] for row in rows] == ["not shown", "not shown", "0.50"]
    assert rows[0][3] == "Lower than chance alone would give"


def test_a_result_of_a_hidden_group_has_no_tipping_point():
    def point(group, share):
        return TippingPoint(
            attribute="sex",
            group=group,
            metric="recall",
            verdict="within",
            positives=40,
            to_doubt=share,
            to_reverse=None,
            among="flagged",
        )

    evidence = Evidence(tipping=(point("female", 0.05), point("male", 0.004)))
    (rows,) = tables(evidence, {("sex", "female")}).values()
    assert [(row[0].split(":")[0], row[2], row[3]) for row in rows] == [("Boys", "Under 1", "None does")]
    assert len(next(iter(tables(evidence).values()))) == 2


def test_sanctions_of_few_incidents_are_left_out_and_no_count_is_given():
    def row(school, group, sanctions, notable=False):
        return PracticeSlice(
            school=school,
            attribute="sex",
            group=group,
            against="school",
            incidents=137,
            sanctions=sanctions,
            expected=10.0,
            ratio=1.8,
            lower=1.2,
            upper=2.7,
            notable=notable,
        )

    found = tables(Evidence(practice=(row(None, "female", 9), row(None, "male", 18), row(7, "male", 18, True))))
    assert found["Sanctions in the same school"] == [["Boys", "Removals", "1.80", "1.20 to 2.70", ""]]
    assert found["Groups that stand out within one school"] == [
        ["School 7, Boys", "Removals", "1.80", "1.20 to 2.70", "Stands out"]
    ]
    assert "137" not in str(found)


def test_who_is_missing_is_said_in_a_hundred_and_a_few_as_nearly_all():
    rows = (
        Coverage(attribute="sex", group="female", on_roll=400, evaluated=397, suspended=40, suspended_evaluated=40),
        Coverage(attribute="sex", group="male", on_roll=400, evaluated=300, suspended=9, suspended_evaluated=9),
    )
    (shown,) = tables(Evidence(coverage=rows)).values()
    assert shown == [["Sex: girls", "Nearly all", "All"], ["Sex: boys", "75", "not shown"]]


def test_small_shares_of_suspensions_and_small_groups_are_left_out():
    def row(group, bare):
        ends = {"share": bare / 50, "rest_share": 0.3, "difference": 0.1, "lower": 0.01, "upper": 0.2}
        return Recording(attribute="sex", group=group, days=7, suspensions=50, without_incident=bare, **ends)

    found = tables(Evidence(recording=(row("female", 4), row("male", 20))))
    assert found == {}  # 24 of 100: the boys' figure would give the girls' away
    test = ProxyTest(attribute="sex", group="female", pupils=500, of_group=9, schools=5, auc=0.9)
    assert tables(Evidence(proxies=(test,))) == {}


def test_another_outcome_of_few_says_nothing():
    outcome = OtherOutcome(
        name="left_roll", means="leaves the roll", pupils=900, pupil_terms=1800, positives=12, cells=(), readings=()
    )
    assert tables(Evidence(other_outcomes=(outcome,)))["Other outcomes"] == [
        ["Leaves the roll", "Too few pupils to say"]
    ]


def part(*key, value, small=False):
    return Part(key=key, size=value, counts={"x": Count(value=value, shown=(value - 2, value + 2))}, small=small)


def test_a_margin_does_not_give_away_the_cell_it_is_the_sum_of():
    """Girls 40 = 4 with a plan (hidden) + 36 without: 4 lies within 0 to 8, so the 36 goes too; boys are untouched."""
    parts = [
        part("both", "girls, plan", value=4, small=True),
        part("both", "girls, none", value=36),
        part("sex", "girls", value=40),
        part("sex", "boys", value=50),
    ]
    inside = (("both", "girls, plan"), ("both", "girls, none"))
    margin = Sum(parts=inside, total=("sex", "girls"), known={}, spare={})
    assert hidden_parts(parts, [margin], least=10) == frozenset(inside)
    # A margin known less closely, 34 to 46, leaves 0 to 12: nothing more has to go.
    wide = [*parts[:2], Part(key=("sex", "girls"), size=40, counts={"x": Count(value=40, shown=(34, 46))}, small=False)]
    assert hidden_parts(wide, [margin], least=10) == {("both", "girls, plan")}
