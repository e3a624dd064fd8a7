"""The manual, 1: which records a feature sees, and where a window begins and ends.

Monday 24 March 2025 is the day asked about unless a test says otherwise. The four school weeks
before it begin on Monday 24 February; the week of 17 February is holiday and is passed over.
"""

from tests.factories import term_calendar
from tests.spec.conftest import incident, records

MONDAY = "2025-03-24"


def test_the_day_itself_is_not_yet_past(spec):
    given = records(behaviour=[incident("ann", "2025-03-23"), incident("bob", "2025-03-24")])
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})


def test_a_window_holds_its_first_day(spec):
    given = records(behaviour=[incident("ann", "2025-02-24"), incident("bob", "2025-02-23")])
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})


def test_a_holiday_does_not_use_up_a_window(spec):
    """Eight school weeks before 24 March reach to 20 January, not 27 January: one week was holiday."""
    given = records(behaviour=[incident("ann", "2025-01-20"), incident("bob", "2025-01-19")])
    spec("incidents_8w", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})


def test_any_day_may_be_asked_about(spec):
    """Wednesday 26 February: the first block back holds 24 and 25 February, the second 12 to 14 February."""
    given = records(behaviour=[incident("ann", "2025-02-12"), incident("bob", "2025-02-11")])
    spec("incidents_2w", given, as_of="2025-02-26", expect={"ann": 1, "bob": 0})


def test_each_school_has_its_own_holidays(spec):
    """Bob's school was also closed in the week of 10 March, so his four weeks reach one school week further back."""
    closed = {
        "school": 900002,
        "kind": "closure",
        "name": "Flood",
        "start_date": "2025-03-10",
        "end_date": "2025-03-14",
    }
    given = records(
        enrolments=[{"pupil": "bob", "school": 900002}],
        behaviour=[incident(name, "2025-02-10", school=900002 if name == "bob" else 900001) for name in ("ann", "bob")],
        calendars=[*term_calendar(), *term_calendar(900002), closed],
    )
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 0, "bob": 1})


def test_a_closure_counts_only_from_the_day_it_is_known(spec):
    """Closed in the week of 10 March: on 31 March four school weeks reach to 24 February, else to 3 March."""
    closed = {"kind": "closure", "name": "Flood", "start_date": "2025-03-10", "end_date": "2025-03-14"}
    for known_on, counted in (("2025-03-30", 1), ("2025-03-31", 0)):
        given = records(
            behaviour=[incident("ann", "2025-02-24")], calendars=[*term_calendar(), {**closed, "known_on": known_on}]
        )
        spec("incidents_4w", given, as_of="2025-03-31", expect={"ann": counted})


def test_a_row_counts_only_from_the_day_it_is_known(spec):
    """An incident of 20 March typed in on 24 March was not knowable at the start of 24 March."""
    given = records(
        behaviour=[incident("ann", "2025-03-20", known_on="2025-03-23"), incident("bob", "2025-03-20", known_on=MONDAY)]
    )
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 1, "bob": 0})
    spec("incidents_4w", given, as_of="2025-03-25", expect={"ann": 1, "bob": 1})


def test_a_correction_counts_from_the_day_it_is_known_and_the_old_version_until_then(spec):
    """Graded 5 on 20 March, corrected to 2 on 24 March."""
    given = records(
        behaviour=[
            incident("ann", "2025-03-20", severity=5),
            incident("ann", "2025-03-20", severity=2, known_on=MONDAY),
        ]
    )
    spec("severity_4w", given, as_of=MONDAY, expect={"ann": 5})
    spec("severity_largest_4w", given, as_of=MONDAY, expect={"ann": 5})
    spec("severity_4w", given, as_of="2025-03-25", expect={"ann": 2})
    spec("severity_largest_4w", given, as_of="2025-03-25", expect={"ann": 2})


def test_an_event_moved_to_another_day_leaves_none_behind(spec):
    """Entered for 20 February, corrected on 3 March to 26 February: one event, inside the window."""
    first = incident("ann", "2025-02-20")
    given = records(behaviour=[first, {**first, "date": "2025-02-26", "known_on": "2025-03-03"}])
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 1})
    spec("incidents_12w", given, as_of=MONDAY, expect={"ann": 1})


def test_an_event_moved_to_another_pupil_leaves_the_first(spec):
    first = incident("ann", "2025-03-03")
    given = records(behaviour=[first, {**first, "pupil": "bob", "known_on": "2025-03-10"}])
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 0, "bob": 1})
    spec("incidents_4w", given, as_of="2025-03-10", expect={"ann": 1, "bob": 0})


def test_a_deleted_row_counts_until_its_deletion_is_known(spec):
    gone = incident("ann", "2025-03-20")
    given = records(behaviour=[gone, {**gone, "deleted": True, "known_on": "2025-03-22"}])
    spec("incidents_4w", given, as_of="2025-03-22", expect={"ann": 1})
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 0})


def test_of_two_versions_of_one_day_the_later_line_holds(spec):
    given = records(behaviour=[incident("ann", "2025-03-20", severity=1), incident("ann", "2025-03-20", severity=4)])
    spec("severity_4w", given, as_of=MONDAY, expect={"ann": 4})


def test_a_suspension_entered_before_it_starts_is_no_feature_until_it_has_begun(spec):
    coming = {"pupil": "ann", "start_date": MONDAY, "known_on": "2025-03-20"}
    spec("suspensions_12w", records(suspensions=[coming]), as_of=MONDAY, expect={"ann": 0})
    spec("suspensions_12w", records(suspensions=[coming]), as_of="2025-03-25", expect={"ann": 1})


def test_a_history_follows_the_pupil_to_the_next_school(spec):
    given = records(
        enrolments=[
            {"pupil": "ann", "leaving_date": "2025-03-07"},
            {"pupil": "ann", "school": 900002, "entry_date": "2025-03-10"},
        ],
        behaviour=[incident("ann", "2025-03-05"), incident("ann", "2025-03-12", school=900002)],
        calendars=[*term_calendar(), *term_calendar(900002)],
    )
    spec("incidents_4w", given, as_of=MONDAY, expect={"ann": 2})
    spec("schools_117w", given, as_of=MONDAY, expect={"ann": 2, "bob": 1})
