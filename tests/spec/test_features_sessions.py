"""The manual, 6: lines of sessions and days of the week. The day asked about is Monday 24 March 2025."""

import pytest

from tests.spec.conftest import marks, records

MONDAY = "2025-03-24"
# Spells of 1; 2; 3 (Friday afternoon, Monday morning and, past an afternoon of illness, Tuesday morning); 1.
ANN = marks("ann", "2025-03-10", "O a O O a a a a a O") + marks("ann", "2025-03-17", "O I O a a a a a a O")
BOB = marks("bob", "2025-03-10", "a a a a") + marks("bob", "2025-03-17", "O O a a")


@pytest.mark.parametrize(
    ("feature", "ann", "bob"),
    [
        ("missed_spells_12w", 4, 1),
        ("missed_brief_12w", 2, 0),
        ("missed_longest_12w", 3, 2),
        ("unauthorised_run_12w", 1, 0),
    ],
)
def test_spells(spec, feature, ann, bob):
    """Neither a night, a weekend nor a neutral code ends a spell. Never marked: unknown, not none."""
    spec(feature, records(marks=ANN + BOB), as_of=MONDAY, expect={"ann": ann, "bob": bob, "cat": None})


def test_a_holiday_does_not_end_a_spell(spec):
    """Friday afternoon before the half-term holiday and Monday morning after it."""
    given = records(marks=marks("ann", "2025-02-14", "a O") + marks("ann", "2025-02-24", "O a"))
    spec("missed_longest_12w", given, as_of=MONDAY, expect={"ann": 2})
    spec("missed_spells_12w", given, as_of=MONDAY, expect={"ann": 1})


def test_a_spell_is_cut_where_the_window_begins(spec):
    """Twelve school weeks before 24 March begin on 9 December; Friday 6 December is outside."""
    given = records(marks=marks("ann", "2024-12-06", "O O O O a a"))
    spec("missed_longest_12w", given, as_of=MONDAY, expect={"ann": 2})


def test_a_run_is_over_when_the_newest_session_is_attended(spec):
    given = records(marks=marks("ann", "2025-03-20", "L L a L") + marks("bob", "2025-03-20", "a L L L"))
    spec("late_run_12w", given, as_of=MONDAY, expect={"ann": 1, "bob": 3})
    spec("late_run_12w", given, as_of="2025-03-21", expect={"ann": 2, "bob": 1})


def test_a_session_of_which_two_schools_speak_is_missed_if_either_says_so(spec):
    """Moved on 21 March: the old school marks the morning absent, the new one present. It is one session."""
    new = marks("ann", "2025-03-21", "a a", school=900002)
    given = records(marks=marks("ann", "2025-03-20", "a O") + marks("ann", "2025-03-21", "O") + new)
    spec("missed_longest_12w", given, as_of=MONDAY, expect={"ann": 2})
    spec("unauthorised_run_12w", given, as_of=MONDAY, expect={"ann": 0})


def test_part_time_spells_are_of_sessions_too(spec):
    """C2 on four sessions, broken by one attended: spells of three and one."""
    given = records(marks=marks("ann", "2025-03-17", "C2 C2 C2 a C2 a"))
    spec("part_time_longest_39w", given, as_of=MONDAY, expect={"ann": 3, "bob": None})
    spec("part_time_4w", given, as_of=MONDAY, expect={"ann": 4, "bob": 0})


def test_a_measure_may_count_one_day_of_the_week_alone(spec):
    """Mondays: 2 of 4 sessions. Friday afternoons: 1 of 2. Other absences are of other days, or of mornings."""
    first, second = "a a O O a a a a O O", "O O a a a a O O O a"
    given = records(marks=marks("ann", "2025-03-10", first) + marks("ann", "2025-03-17", second))
    spec("missed_monday_rate_12w", given, as_of=MONDAY, expect={"ann": 0.5, "bob": None})
    spec("missed_friday_afternoon_rate_12w", given, as_of=MONDAY, expect={"ann": 0.5, "bob": None})


def test_a_week_without_a_monday_says_nothing_of_mondays(spec):
    given = records(marks=marks("ann", "2025-03-18", "O O O O"))
    spec("missed_monday_rate_12w", given, as_of=MONDAY, expect={"ann": None})
