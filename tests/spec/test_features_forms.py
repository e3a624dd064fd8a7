"""The manual, 2: what each form of feature is, and how attendance codes count.

The day asked about is Monday 24 March 2025; the last two school weeks before it are those of 10 and
17 March. Every number here was worked by hand.
"""

import pytest

from tests.spec.conftest import incident, marks, records

MONDAY = "2025-03-24"


def test_a_rate_is_a_share_of_possible_sessions(spec):
    """Ten sessions, three without permission, two of them after the register closed."""
    given = records(marks=marks("ann", "2025-03-17", "a a O a U a U a a a"))
    spec("unauthorised_rate_2w", given, as_of=MONDAY, expect={"ann": 0.3})
    spec("after_register_rate_4w", given, as_of=MONDAY, expect={"ann": 0.2})


def test_never_marked_is_unknown_and_not_zero(spec):
    spec("unauthorised_rate_2w", records(), as_of=MONDAY, expect={"ann": None})


@pytest.mark.parametrize("code", ["E", "R", "T", "I", "M", "S"])
def test_neutral_codes_are_neither_missed_nor_attended(spec, code):
    """Eight sessions, one missed, and two neutral ones that are left out of both sides: 1 of 8, not 3 of 10."""
    given = records(marks=marks("ann", "2025-03-17", f"a a O a a a {code} {code} a a"))
    spec("missed_rate_2w", given, as_of=MONDAY, expect={"ann": 1 / 8})


@pytest.mark.parametrize("code", ["X", "Y1", "Y5", "D", "#"])
def test_sessions_that_were_not_possible_do_not_count(spec, code):
    given = records(marks=marks("ann", "2025-03-17", f"a a O a a a {code} {code} a a"))
    spec("missed_rate_2w", given, as_of=MONDAY, expect={"ann": 1 / 8})


@pytest.mark.parametrize(
    ("code", "missed", "without"),
    [("C", 0.2, 0.0), ("C2", 0.2, 0.0), ("O", 0.2, 0.2), ("N", 0.2, 0.2), ("V", 0.0, 0.0)],
)
def test_what_counts_as_missed(spec, code, missed, without):
    given = records(marks=marks("ann", "2025-03-17", f"{code} {code} a a a a a a a a"))
    spec("missed_rate_2w", given, as_of=MONDAY, expect={"ann": missed})
    spec("unauthorised_rate_2w", given, as_of=MONDAY, expect={"ann": without})


def test_late_before_the_register_closed_is_present(spec):
    given = records(marks=marks("ann", "2025-03-17", "L a L a a a a a a a"))
    spec("late_rate_2w", given, as_of=MONDAY, expect={"ann": 0.2})
    spec("missed_rate_2w", given, as_of=MONDAY, expect={"ann": 0.0})


def test_a_change_of_rates_is_recent_less_before(spec):
    """5 of 10 sessions since 24 February; 1 of 10 in the eight school weeks before that."""
    before = marks("ann", "2025-02-10", "O a a a a a a a a a")
    recent = marks("ann", "2025-03-17", "O O O O O a a a a a")
    spec("unauthorised_change_4w", records(marks=before + recent), as_of=MONDAY, expect={"ann": 0.4})
    spec("unauthorised_change_4w", records(marks=recent), as_of=MONDAY, expect={"ann": None})


def test_a_change_of_counts_is_in_events_a_school_week(spec):
    """Ann: 6 in the last 4 weeks (1.5 a week), 2 in the 8 before (0.25 a week)."""
    days = [
        "2025-01-06",
        "2025-02-14",
        "2025-02-24",
        "2025-02-25",
        "2025-03-10",
        "2025-03-18",
        "2025-03-19",
        "2025-03-20",
    ]
    given = records(behaviour=[incident("ann", day) for day in days])
    spec("incidents_change_4w", given, as_of=MONDAY, expect={"ann": 1.25, "bob": 0.0})


def test_a_change_divides_by_the_weeks_the_calendar_holds(spec):
    """On 7 October 2024 the calendar holds five school weeks: 4 recent and 1 before, not 8."""
    given = records(behaviour=[incident("ann", "2024-09-05"), incident("ann", "2024-09-30")])
    spec("incidents_change_4w", given, as_of="2024-10-07", expect={"ann": 1 / 4 - 1 / 1})


def test_a_slope_is_the_least_squares_rise_a_week(spec):
    """Weekly counts 0 0 1 1 2 2 over six weeks: slope 16/35, worked by hand from centred weeks."""
    days = ["2025-02-25", "2025-03-04", "2025-03-10", "2025-03-11", "2025-03-17", "2025-03-18"]
    spec(
        "incidents_slope_6w",
        records(behaviour=[incident("ann", day) for day in days]),
        as_of=MONDAY,
        expect={"ann": 16 / 35, "bob": 0.0},
    )


def test_a_slope_of_rates_leaves_out_weeks_without_a_possible_session_and_needs_three(spec):
    """0, 0.5 and 1 in weeks 3, 2 and 1 before: 0.5 a week. Bob has two weeks only."""
    ann = (
        marks("ann", "2025-03-03", "a a a a")
        + marks("ann", "2025-03-10", "O a a O")
        + marks("ann", "2025-03-17", "O O O O")
    )
    bob = marks("bob", "2025-03-10", "a a a a") + marks("bob", "2025-03-17", "O O O O")
    spec("missed_slope_6w", records(marks=ann + bob), as_of=MONDAY, expect={"ann": 0.5, "bob": None})


def test_a_contrast_sets_afternoons_beside_mornings(spec):
    """3 of 5 afternoons and 1 of 5 mornings missed."""
    given = records(marks=marks("ann", "2025-03-17", "O O a O a O a a a a"))
    spec("afternoon_gap_8w", given, as_of=MONDAY, expect={"ann": 0.4})


def test_a_share_is_unknown_when_nothing_was_recorded(spec):
    given = records(
        behaviour=[incident("ann", "2025-03-17")],
        positives=[{"pupil": "ann", "date": f"2025-03-{day}", "event_id": str(day)} for day in (11, 12, 13)],
    )
    spec("positive_share_12w", given, as_of=MONDAY, expect={"ann": 0.75, "bob": None})


def test_days_count_each_day_once(spec):
    given = records(
        behaviour=[
            incident("ann", "2025-03-17", type="Defiance"),
            incident("ann", "2025-03-17", type="Disruption"),
            incident("ann", "2025-03-19", type="Defiance"),
        ]
    )
    spec("incident_days_12w", given, as_of=MONDAY, expect={"ann": 2, "bob": 0})


def test_days_since_are_school_days(spec):
    """From Thursday 13 February to Monday 24 February lies the half-term holiday: two school days ago."""
    given = records(behaviour=[incident("ann", "2025-02-13"), incident("ann", "2025-01-13")])
    spec("days_since_incident_39w", given, as_of="2025-02-24", expect={"ann": 2, "bob": 195})


def test_who_was_harmed_did_not_take_part(spec):
    given = records(
        behaviour=[incident("ann", "2025-03-17", role="Target"), incident("bob", "2025-03-17", role="Witness")]
    )
    spec("incidents_12w", given, as_of=MONDAY, expect={"ann": 0, "bob": 0})
    spec("harmed_12w", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})


def test_a_suspension_recorded_as_an_outcome_is_an_incident_and_nothing_more(spec):
    given = records(
        behaviour=[
            incident("ann", "2025-03-17", outcome="Suspended from School"),
            incident("bob", "2025-03-17", outcome="Isolation"),
        ]
    )
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 1, "bob": 1})
    spec("removals_4w", given, as_of=MONDAY, expect={"ann": 0, "bob": 1})
    spec("detentions_4w", given, as_of=MONDAY, expect={"ann": 0, "bob": 0})


def test_lunchtime_exclusions_are_sessions_lost_but_no_suspension(spec):
    given = records(
        suspensions=[
            {"pupil": "ann", "start_date": "2025-03-10", "category": "LNCH", "sessions": 1},
            {"pupil": "bob", "start_date": "2025-03-10", "sessions": 4},
            {"pupil": "cat", "start_date": "2025-03-10", "sessions": None},
        ]
    )
    spec("suspensions_39w", given, as_of=MONDAY, expect={"ann": 0, "bob": 1, "cat": 1, "dan": 0})
    spec("sessions_lost_39w", given, as_of=MONDAY, expect={"ann": 1, "bob": 4, "cat": 0})
    spec("days_since_suspension_39w", given, as_of=MONDAY, expect={"ann": 195, "bob": 10})


def test_the_season(spec):
    """24 March 2025 is in the half-term that began on 24 February: the fourth of six, fifth week."""
    given = records(enrolments=[{"pupil": "ann", "year_group": "R"}, {"pupil": "bob", "year_group": "X"}])
    spec("half_term", given, as_of=MONDAY, expect={"ann": 4})
    spec("week_of_half_term", given, as_of=MONDAY, expect={"ann": 5})
    spec("week_of_half_term", given, as_of="2025-03-03", expect={"ann": 2})
    spec("year", given, as_of=MONDAY, expect={"ann": 0, "bob": None, "cat": 9})


def test_the_roll(spec):
    """Ann joined on Monday 10 March, ten school days before; Bob when the year began; Cat before the calendar."""
    given = records(
        enrolments=[
            {"pupil": "ann", "entry_date": "2025-03-10"},
            {"pupil": "bob", "entry_date": "2024-09-03"},
            {"pupil": "cat", "entry_date": "2021-09-01"},
        ]
    )
    spec("days_on_roll", given, as_of=MONDAY, expect={"ann": 10, "cat": 195})
    spec("joined_mid_year", given, as_of=MONDAY, expect={"ann": 1, "bob": 0, "cat": 0})
