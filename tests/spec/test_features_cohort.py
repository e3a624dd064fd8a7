"""The manual, 3: who is scored, and why somebody on roll is not. The day is Monday 24 March 2025."""

import pytest

from tests.factories import term_calendar
from tests.spec.conftest import records

MONDAY = "2025-03-24"
FRESH = [{"pupil": name, "date": "2025-03-21"} for name in ("ann", "bob", "cat", "dan")]


def on_roll(**enrolment):
    return records(enrolments=[{"pupil": "ann", **enrolment}], marks=FRESH)


def test_pupils_on_roll_with_a_fresh_register_are_scored(spec):
    spec.abstain(records(marks=FRESH), as_of=MONDAY, expect={"ann": "", "bob": ""})


@pytest.mark.parametrize(
    "enrolment",
    [
        {"leaving_date": "2025-03-23"},
        {"entry_date": MONDAY, "known_on": "2025-03-01"},
        {"known_on": MONDAY},
        {"status": "S"},
        {"status": "G"},
        {"year_group": "12"},
        {"year_group": "N2"},
    ],
)
def test_who_is_not_in_the_cohort(spec, enrolment):
    spec.abstain(on_roll(**enrolment), as_of=MONDAY, expect={"ann": None, "bob": ""})


@pytest.mark.parametrize(
    "enrolment",
    [{"leaving_date": MONDAY}, {"status": "M"}, {"year_group": "R"}, {"year_group": "11"}, {"year_group": "X"}],
)
def test_who_is_in_it(spec, enrolment):
    spec.abstain(on_roll(**enrolment), as_of=MONDAY, expect={"ann": ""})


def test_a_new_pupil_is_left_alone_for_three_school_weeks(spec):
    """Three school weeks before 24 March begin on 3 March."""
    given = records(
        enrolments=[{"pupil": "ann", "entry_date": "2025-03-04"}, {"pupil": "bob", "entry_date": "2025-03-03"}],
        marks=FRESH,
    )
    spec.abstain(given, as_of=MONDAY, expect={"ann": "too_new", "bob": ""})


def test_a_pupil_who_comes_from_another_school_of_the_network_is_not_new(spec):
    given = records(
        enrolments=[
            {"pupil": "ann", "leaving_date": "2025-03-14"},
            {"pupil": "ann", "school": 900002, "entry_date": "2025-03-17"},
        ],
        marks=[{"pupil": "ann", "date": "2025-03-21", "school": 900002}],
        calendars=[*term_calendar(), *term_calendar(900002)],
    )
    spec.abstain(given, as_of=MONDAY, expect={"ann": ""})


def test_a_register_more_than_five_school_days_old_is_not_up_to_date(spec):
    """From Monday 17 March to 24 March lie five school days; from Friday 14 March, six."""
    given = records(marks=[{"pupil": "ann", "date": "2025-03-17"}, {"pupil": "bob", "date": "2025-03-14"}])
    spec.abstain(given, as_of=MONDAY, expect={"ann": "", "bob": "not_up_to_date", "cat": "not_up_to_date"})


def test_a_holiday_does_not_make_a_register_old(spec):
    """On 24 February the last school days were 10 to 14 February."""
    given = records(marks=[{"pupil": "ann", "date": "2025-02-10"}, {"pupil": "bob", "date": "2025-02-07"}])
    spec.abstain(given, as_of="2025-02-24", expect={"ann": "", "bob": "not_up_to_date"})


def test_a_mark_typed_in_late_does_not_make_the_register_fresh_before_it_is_known(spec):
    given = records(marks=[{"pupil": "ann", "date": "2025-03-21", "known_on": MONDAY}])
    spec.abstain(given, as_of=MONDAY, expect={"ann": "not_up_to_date"})


@pytest.mark.parametrize(
    ("start", "sessions", "abstain"),
    [
        ("2025-03-20", 6, "serving"),  # Thursday, Friday, Monday
        ("2025-03-20", 5, "serving"),  # half of Monday
        ("2025-03-20", 4, ""),  # Thursday, Friday
        ("2025-03-21", None, ""),  # length not recorded: the first day is all that is known
    ],
)
def test_who_is_serving_a_suspension_is_not_at_risk_of_one(spec, start, sessions, abstain):
    given = records(marks=FRESH, suspensions=[{"pupil": "ann", "start_date": start, "sessions": sessions}])
    spec.abstain(given, as_of=MONDAY, expect={"ann": abstain, "bob": ""})


@pytest.mark.parametrize(
    ("start", "known_on", "category", "abstain"),
    [
        ("2025-03-25", "2025-03-23", "SUSP", "decided"),
        (MONDAY, "2025-03-23", "SUSP", "decided"),  # begins on the day itself: not yet served, but decided
        ("2025-03-25", MONDAY, "SUSP", ""),
        ("2025-03-25", "2025-03-23", "LNCH", ""),
    ],
)
def test_what_has_been_decided_is_no_risk(spec, start, known_on, category, abstain):
    coming = {"pupil": "ann", "start_date": start, "known_on": known_on, "category": category}
    spec.abstain(records(marks=FRESH, suspensions=[coming]), as_of=MONDAY, expect={"ann": abstain})


def test_permanently_excluded_from_this_school_and_at_the_next(spec):
    out = {"start_date": "2024-11-04", "category": "PERM", "sessions": None}
    given = records(
        enrolments=[
            {"pupil": "bob", "leaving_date": "2024-12-20"},
            {"pupil": "bob", "school": 900002, "entry_date": "2025-01-06"},
        ],
        marks=[{"pupil": "ann", "date": "2025-03-21"}, {"pupil": "bob", "date": "2025-03-21", "school": 900002}],
        suspensions=[{"pupil": "ann", **out}, {"pupil": "bob", **out}],
        calendars=[*term_calendar(), *term_calendar(900002)],
    )
    spec.abstain(given, as_of=MONDAY, expect={"ann": "excluded", "bob": ""})


@pytest.mark.parametrize(
    ("objection", "why"),
    [
        ({"made_on": "2025-03-20", "known_on": "2025-03-20"}, "objection"),
        # Made today: it binds from the next run, which is today's.
        ({"made_on": MONDAY, "known_on": MONDAY}, "objection"),
        ({"made_on": "2025-03-25", "known_on": "2025-03-25"}, ""),
        ({"made_on": "2025-03-20", "known_on": "2025-03-20", "ended_on": MONDAY}, ""),
        ({"made_on": "2025-03-20", "known_on": "2025-03-20", "ended_on": "2025-03-25"}, "objection"),
    ],
)
def test_a_pupil_who_objects_is_on_roll_and_not_scored(spec, objection, why):
    given = records(marks=FRESH, objections=[{"pupil": "ann", "ended_on": None, **objection}])
    spec.abstain(given, as_of=MONDAY, expect={"ann": why, "bob": ""})


def test_an_objection_withdrawn_the_same_day_is_gone(spec):
    made = {"pupil": "ann", "made_on": "2025-03-20", "known_on": "2025-03-20", "source": "belong"}
    given = records(
        marks=FRESH, objections=[{**made, "ended_on": None, "row": 1}, {**made, "ended_on": "2025-03-20", "row": 2}]
    )
    spec.abstain(given, as_of=MONDAY, expect={"ann": "", "bob": ""})
