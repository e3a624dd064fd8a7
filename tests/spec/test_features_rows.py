"""The manual, 5: forms that look at rows one by one. The day asked about is Monday 24 March 2025."""

from tests.spec.conftest import incident, marks, records

MONDAY = "2025-03-24"


def test_a_gap_is_the_mean_of_school_days_from_one_day_to_the_next(spec):
    """Wednesday 12 February to Monday 24: three school days, the holiday is passed over; 24 to 25: one. Mean 2.

    Two incidents on one day are one day. Bob has a single day: there is no gap.
    """
    given = records(
        behaviour=[
            incident("ann", "2025-02-12"),
            incident("ann", "2025-02-24"),
            incident("ann", "2025-02-24", type="Fighting"),
            incident("ann", "2025-02-25"),
            incident("bob", "2025-02-25"),
        ]
    )
    spec("incidents_gap_39w", given, as_of=MONDAY, expect={"ann": 2.0, "bob": None})


def test_a_gap_change_is_the_newest_gap_less_the_mean_of_the_earlier(spec):
    """Ann's gaps are 3, 1 and 5 school days: 5 - 2. Bob's are 3 and 1: 1 - 3. Cat has one gap, nothing to compare."""
    days = {"ann": ["2025-02-12", "2025-02-24", "2025-02-25", "2025-03-04"]}
    days |= {"bob": days["ann"][:3], "cat": days["ann"][:2]}
    given = records(behaviour=[incident(pupil, day) for pupil, mine in days.items() for day in mine])
    spec("incidents_gap_change_39w", given, as_of=MONDAY, expect={"ann": 3.0, "bob": -2.0, "cat": None})


def test_the_largest_row(spec):
    """A length that is not recorded adds nothing; neither does one from before the window."""
    given = records(
        suspensions=[
            {"pupil": "ann", "start_date": "2025-01-13", "sessions": 10},
            {"pupil": "ann", "start_date": "2025-02-03", "sessions": 4},
            {"pupil": "ann", "start_date": "2025-03-03", "sessions": None},
        ]
    )
    spec("suspension_longest_39w", given, as_of=MONDAY, expect={"ann": 10, "bob": 0})


def test_distinct_counts_kinds_not_incidents(spec):
    given = records(
        behaviour=[
            incident("ann", "2025-03-17", type="Defiance"),
            incident("ann", "2025-03-18", type="Defiance"),
            incident("ann", "2025-03-19", type="Fighting"),
        ]
    )
    spec("incident_types_12w", given, as_of=MONDAY, expect={"ann": 2, "bob": 0})


def test_the_top_share_is_of_the_rows_that_say_which(spec):
    """Periods 1, 1, 3 and one not recorded: two of three in period 1."""
    periods = {"17": 1, "18": 1, "19": 3, "20": None}
    given = records(behaviour=[incident("ann", f"2025-03-{day}", period=period) for day, period in periods.items()])
    spec("incident_same_period_share_12w", given, as_of=MONDAY, expect={"ann": 2 / 3, "bob": None})


def test_the_top_share_of_weekdays(spec):
    """Five sessions missed: two on Monday 10 March, one on Monday 17, two on Friday 21. Three of five on a Monday."""
    ann = marks("ann", "2025-03-10", "O O a a") + marks("ann", "2025-03-17", "O a a a a a a a O O")
    given = records(marks=ann + marks("bob", "2025-03-17", "a a"))
    spec("missed_same_weekday_share_12w", given, as_of=MONDAY, expect={"ann": 0.6, "bob": None})


def test_after_counts_from_the_day_after_to_the_fourteenth(spec):
    """Suspended on 3 March: the 3rd is not after it, the 4th and the 17th are, the 18th is too late."""
    given = records(
        behaviour=[incident("ann", f"2025-03-{day}") for day in ("03", "04", "17", "18")]
        + [incident("bob", "2025-03-04")],
        suspensions=[{"pupil": "ann", "start_date": "2025-03-03"}],
    )
    spec("incidents_after_suspension_39w", given, as_of=MONDAY, expect={"ann": 2, "bob": 0})


def test_lessons_missed_by_a_pupil_who_was_in_school(spec):
    """Ten lessons: two missed, two late (by 5 minutes, and by a time nobody wrote down), one neutral: 2 and 2 of 9."""
    codes = ["/", "O", "/", "L", "/", "O", "L", "I", "/", "/"]
    given = records(
        lesson_marks=[
            {
                "pupil": "ann",
                "date": f"2025-03-{17 + number // 5}",
                "period": number % 5 + 1,
                "code": code,
                "minutes_late": 5 if number == 3 else None,
            }
            for number, code in enumerate(codes)
        ]
    )
    spec("lessons_missed_rate_2w", given, as_of=MONDAY, expect={"ann": 2 / 9, "bob": None})
    spec("lessons_late_rate_4w", given, as_of=MONDAY, expect={"ann": 2 / 9})
    spec("minutes_late_rate_12w", given, as_of=MONDAY, expect={"ann": 5 / 9, "bob": None})
    spec("missed_rate_2w", given, as_of=MONDAY, expect={"ann": None})
