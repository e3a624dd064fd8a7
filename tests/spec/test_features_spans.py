"""The manual, 7: windows that the school year sets, and what a feature is when there is nothing to work from.

The school year 2024/25 began for pupils on Tuesday 3 September (the 2nd was a training day), the next on
Tuesday 2 September 2025. The spring term began on 6 January 2025, its second half on 24 February.
"""

import pytest

from tests.spec.conftest import incident, marks, records

MONDAY = "2025-03-24"


def test_the_school_year_begins_with_its_first_open_day(spec):
    """2 of 4 sessions in the year's first seven days, 4 of 6 since it began."""
    given = records(marks=marks("ann", "2024-09-03", "O O a a") + marks("ann", "2024-09-10", "O O"))
    spec("missed_rate_first_week", given, as_of="2024-09-16", expect={"ann": 0.5, "bob": None})
    spec("missed_rate_year", given, as_of="2024-09-16", expect={"ann": 4 / 6, "bob": None})


def test_the_first_week_is_seven_days_and_may_not_be_over(spec):
    """The ninth of September is its last day; on the sixth it holds three days."""
    given = records(marks=marks("ann", "2024-09-03", "a a a a a a O O O O") + marks("bob", "2024-09-10", "O O"))
    spec("missed_rate_first_week", given, as_of=MONDAY, expect={"ann": 0.4, "bob": None})
    spec("missed_rate_first_week", given, as_of="2024-09-06", expect={"ann": 0.0})


def test_a_new_school_year_starts_afresh(spec):
    """Four absences in July are of another year, though twelve school weeks reach back to them."""
    given = records(marks=marks("ann", "2025-07-21", "O O O O") + marks("ann", "2025-09-02", "a a"))
    spec("missed_rate_year", given, as_of="2025-09-08", expect={"ann": 0.0})
    spec("missed_rate_12w", given, as_of="2025-09-08", expect={"ann": 4 / 6})


def test_a_school_year_that_has_not_begun_holds_nothing(spec):
    given = records(marks=marks("ann", "2025-07-21", "O O"), behaviour=[incident("ann", "2025-07-21")])
    spec("missed_rate_year", given, as_of="2025-08-20", expect={"ann": None})
    spec("incidents_year", given, as_of="2025-08-20", expect={"ann": 0})
    spec("missed_rate_first_week", given, as_of="2025-08-20", expect={"ann": None})


def test_the_half_term_is_the_one_under_way_or_just_over(spec):
    """14 February is before the half-term of 24 February; on 14 April, in the holiday, it still is that one."""
    given = records(behaviour=[incident("ann", day) for day in ("2025-02-14", "2025-02-24", "2025-04-03")])
    spec("incidents_half_term", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})
    spec("incidents_half_term", given, as_of="2025-04-14", expect={"ann": 2})
    spec("incidents_half_term", given, as_of="2025-02-24", expect={"ann": 0})


def test_a_term_is_two_half_terms(spec):
    """19 December is of the autumn term; 6 January and 3 March are of the spring term, before and after its holiday."""
    given = records(
        suspensions=[
            {"pupil": "ann", "start_date": day, "sessions": sessions}
            for day, sessions in (("2024-12-19", 10), ("2025-01-06", 4), ("2025-03-03", 2))
        ]
    )
    spec("sessions_lost_term", given, as_of=MONDAY, expect={"ann": 6, "bob": 0})
    spec("sessions_lost_term", given, as_of="2025-01-06", expect={"ann": 0})
    spec("sessions_lost_year", given, as_of=MONDAY, expect={"ann": 16})
    spec("suspensions_year", given, as_of=MONDAY, expect={"ann": 3})


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("incidents_4w", 0),
        ("incidents_year", 0),
        ("missed_rate_4w", None),
        ("missed_rate_year", None),
        ("lessons_missed_rate_2w", None),  # no lesson register is taken
        ("positive_share_4w", None),
        ("incidents_change_4w", 0),
        ("missed_change_4w", None),
        ("afternoon_gap_8w", None),
        ("incidents_slope_6w", 0),
        ("missed_slope_6w", None),
        ("incidents_volatility_12w", 0),
        ("missed_volatility_12w", None),
        ("incidents_momentum_12w", 0),
        ("late_momentum_12w", None),
        ("incidents_cusum_6w", 0),
        ("unauthorised_cusum_6w", None),
        ("incidents_departure_4w", 0),
        ("missed_departure_4w", None),
        ("incidents_weeks_12w", 0),
        ("severity_largest_12w", 0),
        ("incident_days_4w", 0),
        ("days_since_incident_39w", 195),
        ("incidents_gap_39w", None),
        ("incidents_gap_change_39w", None),
        ("incident_types_12w", 0),
        ("incident_same_period_share_12w", None),
        ("missed_same_weekday_share_12w", None),
        ("incidents_after_suspension_39w", 0),
        ("missed_spells_12w", None),
        ("missed_brief_12w", None),
        ("missed_longest_12w", None),
        ("unauthorised_run_12w", None),
        ("year", 9),
    ],
)
def test_what_a_feature_is_when_nothing_was_recorded(spec, feature, value):
    """No incident is none; no register is unknown. Where nothing can be divided or found, a feature does not guess."""
    spec(feature, records(), as_of=MONDAY, expect={"ann": value})


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("incidents_4w", 1),  # the window is what the calendar holds
        ("incidents_change_4w", None),
        ("incidents_slope_6w", None),
        ("incidents_volatility_12w", None),
        ("incidents_momentum_12w", None),
        ("incidents_cusum_6w", None),
        ("incidents_departure_4w", None),
        ("incidents_weeks_12w", 1),
    ],
)
def test_weeks_that_the_calendar_does_not_hold_are_no_quiet_weeks(spec, feature, value):
    """On 16 September 2024 the calendar holds two school weeks: there is nothing to compare with."""
    spec(feature, records(behaviour=[incident("ann", "2024-09-10")]), as_of="2024-09-16", expect={"ann": value})
