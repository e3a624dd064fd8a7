"""The manual, 4: forms of a weekly series, and of how a pupil's weeks compare with the weeks before.

The day asked about is Monday 24 March 2025. The school weeks before it, newest first, begin on 17, 10 and
3 March, 24 and 10 February, 3 February, 27, 20, 13 and 6 January, 16, 9 and 2 December, 25, 18, 11 and 4 November:
holidays have no week. Every number here was worked by hand.
"""

import pytest

from tests.spec.conftest import incident, marks, records

MONDAY = "2025-03-24"


def incidents(pupil, *days):
    """Return one incident for each day given; a day given twice has two."""
    kinds = ("Disruption", "Defiance", "Fighting")
    return [incident(pupil, day, type=kinds[days[:at].count(day)]) for at, day in enumerate(days)]


def test_volatility_is_the_standard_deviation_of_the_weeks(spec):
    """Three incidents in each of the last two weeks of twelve: mean 1/2, variance (2·6.25 + 10·0.25)/12."""
    days = ["2025-03-10"] * 3 + ["2025-03-17"] * 3
    spec(
        "incidents_volatility_12w",
        records(behaviour=incidents("ann", *days)),
        as_of=MONDAY,
        expect={"ann": 1.25**0.5, "bob": 0.0},
    )


def test_volatility_of_a_rate_needs_three_weeks_with_a_possible_session(spec):
    """Shares 0, 1/2 and 1: variance (1/4 + 0 + 1/4)/3. Bob was ill in one of the weeks: two points are too few."""
    ann = marks("ann", "2025-03-03", "a a") + marks("ann", "2025-03-10", "O a") + marks("ann", "2025-03-17", "O O")
    bob = marks("bob", "2025-03-03", "I I") + marks("bob", "2025-03-10", "O a") + marks("bob", "2025-03-17", "O O")
    given = records(marks=ann + bob)
    spec("missed_volatility_12w", given, as_of=MONDAY, expect={"ann": (1 / 6) ** 0.5, "bob": None})


def test_momentum_is_what_the_newest_weeks_add_to_the_usual(spec):
    """One incident, in the newest week.

    Its weight is 1 in both means. The fast weights shrink by 2^(-2/3) a week and add up over twelve to
    (1 - 1/256) / (1 - 2^(-2/3)); the slow ones by 2^(-1/6), to (1 - 1/4) / (1 - 2^(-1/6)).
    """
    fast, slow = (1 - 2 ** (-2 / 3)) * 256 / 255, (1 - 2 ** (-1 / 6)) * 4 / 3
    given = records(behaviour=incidents("ann", "2025-03-17"))
    spec("incidents_momentum_12w", given, as_of=MONDAY, expect={"ann": fast - slow, "bob": 0.0})


def test_momentum_of_steady_weeks_is_none_and_after_a_calm_it_is_negative(spec):
    weeks = ["2025-03-17", "2025-03-10", "2025-03-03", "2025-02-24", "2025-02-10", "2025-02-03"]
    weeks += ["2025-01-27", "2025-01-20", "2025-01-13", "2025-01-06", "2024-12-16", "2024-12-09"]
    spec("incidents_momentum_12w", records(behaviour=incidents("ann", *weeks)), as_of=MONDAY, expect={"ann": 0.0})
    # One incident twelve weeks back: weights 2^(-22/3) of the fast sum and 2^(-11/6) of the slow.
    fast, slow = 2 ** (-22 / 3) * (1 - 2 ** (-2 / 3)) * 256 / 255, 2 ** (-11 / 6) * (1 - 2 ** (-1 / 6)) * 4 / 3
    given = records(behaviour=incidents("ann", "2024-12-09"))
    spec("incidents_momentum_12w", given, as_of=MONDAY, expect={"ann": fast - slow})


def test_cusum_piles_up_what_is_above_the_usual_and_never_falls_below_none(spec):
    """Of the twelve weeks before, every other one had an incident: mean 1/2, spread 1/2, so 3/4 a week is allowed.

    The six weeks since: 2, 0, 0, 1, 1, 1. So 1.25, 0.5, 0 (not -0.25), 0.25, 0.5, 0.75.
    """
    before = ["2025-01-27", "2025-01-13", "2024-12-16", "2024-12-02", "2024-11-18", "2024-11-04"]
    since = ["2025-02-03", "2025-02-03", "2025-03-03", "2025-03-10", "2025-03-17"]
    given = records(behaviour=incidents("ann", *before, *since))
    spec("incidents_cusum_6w", given, as_of=MONDAY, expect={"ann": 0.75, "bob": 0.0})


def test_departure_is_in_the_pupils_own_usual_spreads(spec):
    """Two incidents in every other of the twelve weeks before: mean 1, spread 1. Now 2 a week: one spread above."""
    before = ["2025-02-10", "2025-01-27", "2025-01-13", "2024-12-16", "2024-12-02", "2024-11-18"] * 2
    since = ["2025-02-24", "2025-03-03", "2025-03-10", "2025-03-17"] * 2
    given = records(behaviour=incidents("ann", *before, *since))
    spec("incidents_departure_4w", given, as_of=MONDAY, expect={"ann": 1.0, "bob": 0.0})


def test_a_pupil_who_never_varied_does_not_divide_by_nothing(spec):
    """Nothing for twelve weeks, then 2 in 4 weeks: half an incident a week over the least spread of a count, 0.5.

    Present all of three weeks, then 1 of 10 sessions missed: 0.1 over the least spread of a rate, 0.05.
    """
    given = records(behaviour=incidents("ann", "2025-03-03", "2025-03-17"))
    spec("incidents_departure_4w", given, as_of=MONDAY, expect={"ann": 1.0})
    before = [row for day in ("2025-01-27", "2025-02-03", "2025-02-10") for row in marks("ann", day, "a a")]
    given = records(marks=before + marks("ann", "2025-03-17", "O a a a a a a a a a"))
    spec("missed_departure_4w", given, as_of=MONDAY, expect={"ann": 2.0})


@pytest.mark.parametrize("feature", ["missed_departure_4w", "unauthorised_cusum_6w"])
def test_two_earlier_weeks_say_nothing_of_what_is_usual(spec, feature):
    """Ann has three weeks before the window, Bob two, Cat three but none in the window itself."""
    early = ("2025-01-13", "2025-01-20", "2025-01-27")
    ann = [row for day in (*early, "2025-03-17") for row in marks("ann", day, "a a")]
    bob = [row for day in (*early[1:], "2025-03-17") for row in marks("bob", day, "a a")]
    cat = [row for day in early for row in marks("cat", day, "a a")]
    spec(feature, records(marks=ann + bob + cat), as_of=MONDAY, expect={"ann": 0.0, "bob": None, "cat": None})


def test_weeks_count_each_school_week_once(spec):
    """Three incidents in two school weeks; the holiday week between them is no week."""
    given = records(behaviour=incidents("ann", "2025-02-13", "2025-02-24", "2025-02-28"))
    spec("incidents_weeks_12w", given, as_of=MONDAY, expect={"ann": 2, "bob": 0})


def test_a_mean_grade_and_its_slope_are_by_incident(spec):
    """Grades 1; 2 and 4; 5 in weeks 3, 2 and 1 before: 12/4 on average, weekly means 1, 3, 5: up 2 a week."""
    given = records(
        behaviour=[
            incident("ann", "2025-03-04", severity=1),
            incident("ann", "2025-03-11", severity=2),
            incident("ann", "2025-03-13", severity=4),
            incident("ann", "2025-03-20", severity=5),
            incident("bob", "2025-03-20", severity=5),
        ]
    )
    spec("severity_mean_12w", given, as_of=MONDAY, expect={"ann": 3.0, "bob": 5.0, "cat": None})
    spec("severity_slope_8w", given, as_of=MONDAY, expect={"ann": 2.0, "bob": None})
