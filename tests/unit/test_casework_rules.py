"""Facts in words, the permission table, rules and their twins, the state chart: no database needed."""

import math
import re
import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest

from casework import partner_actions, partners, permissions, places, rules, states
from casework.base import Base
from casework.explanation import in_a_hundred
from casework.facts import Change, Measure, Week, changes, going_well, list_facts, what_changed
from casework.permissions import PERMISSIONS, ROLES, NotAllowed, Person, Role, check_may, may
from casework.privacy import gathered
from casework.pupils import week_of
from casework.rules import RuleBroken, TrainingNeeded
from tests.database import NORTH, SOUTH, TODAY

WHY = "twenty characters ok"


def week(number, **counts):
    given = {
        "sessions_possible": 10,
        "sessions_missed": 0,
        "late_marks": 0,
        "incidents": 0,
        "removals": 0,
        "positives": 0,
        "suspended": False,
    }
    return Week(week_start=date(2026, 1, 5) + timedelta(weeks=number), **(given | counts))


def test_counts_are_of_the_last_four_school_weeks_and_the_four_before():
    """Weeks 1 to 9, week 5 a holiday: the last four school weeks are 6-9, those before 1-4."""
    weeks = [week(n, late_marks=n, sessions_possible=0 if n == 5 else 10) for n in range(1, 10)]
    late = {change.measure.name: change for change in changes(weeks)}["late_marks"]
    assert (late.now, late.before) == (6 + 7 + 8 + 9, 1 + 2 + 3 + 4)
    assert late.sentence == "Late marks 30 in the last 4 weeks, 10 in the 4 before"


def test_fewer_weeks_are_named_and_scaled():
    """Three missed in two weeks before is six in four: as many as now, so nothing changed."""
    weeks = [week(n, sessions_missed=s) for n, s in enumerate([1, 2, 2, 1, 2, 1])]
    missed = changes(weeks)[0]
    assert missed.sentence == "Sessions missed 6 in the last 4 weeks, 3 in the 2 before"
    assert missed.harder == 0
    assert (
        changes([week(1, incidents=2)])[2].sentence == "Incidents 2 in the last week; no earlier weeks to compare with"
    )
    assert changes([]) == changes([week(1, sessions_possible=0)]) == going_well([]) == ()
    assert list_facts([]) == ("No attendance recorded yet",)


def test_how_hard_a_change_is_goes_by_the_size_of_the_counts():
    """(9 - 4) / sqrt(5) = 2.236; (21 - 16) / sqrt(17) = 1.213. More achievements are the other way round."""

    def harder(now, before, fewer_is_better=True):
        measure = Measure(name="x", words="X", fewer_is_better=fewer_is_better)
        return Change(measure=measure, now=now, now_weeks=4, before=before, before_weeks=4).harder

    assert math.isclose(harder(9, 4), 2.2360679, rel_tol=1e-6)
    assert math.isclose(harder(21, 16), 1.2126781, rel_tol=1e-6)
    assert harder(9, 4, fewer_is_better=False) == -harder(9, 4)


def test_what_changed_and_what_goes_well_are_told_apart():
    before = [week(n, incidents=1, late_marks=0, positives=0) for n in range(4)]
    now = [week(n, incidents=0, late_marks=1, positives=1, sessions_missed=2, suspended=n == 7) for n in range(4, 8)]
    assert what_changed(before + now) == (
        "Sessions missed 8 in the last 4 weeks, 0 in the 4 before",
        "Late marks 4 in the last 4 weeks, 0 in the 4 before",
        "Suspended in 1 of the last 4 weeks, 0 of the 4 before",
    )
    assert going_well(before + now) == (
        "In school for 32 of 40 sessions in the last 4 weeks",
        "Incidents 0 in the last 4 weeks, 4 in the 4 before",
        "Removals from lessons: none in the last 4 weeks",
        "Achievements recorded 4 in the last 4 weeks, 0 in the 4 before",
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.29, "about 29 in 100"),
        (0.294, "about 29 in 100"),
        (0.0099, "fewer than 1 in 100"),
        (0.01, "about 1 in 100"),
        (0.991, "more than 99 in 100"),
        (None, "cannot be calculated"),
    ],
)
def test_a_share_in_words(share, words):
    assert in_a_hundred(share) == words


# Every permission x every role, written out: s staff, l lead, n network lead, d data scientist, b board
# member, o data-protection officer, a administrator, p partner.
TRUTH = {
    "see_caseload": "sln",
    "see_pupil": "sln",
    "see_names": "sln",
    "record_view": "sl",
    "record_decision": "sl",
    "set_aside": "sl",
    "take_case": "sl",
    "hand_over": "ln",
    "take_away": "sl",
    "see_records": "sln",
    "see_places": "lnbo",
    "see_need": "nbo",
    "see_impact": "ndbo",
    "see_continuum": "n",
    "record_action": "sl",
    "manage_place_actions": "n",
    "see_partner_actions": "p",
    "see_lookbacks": "sln",
    "record_lookback": "sl",
    "see_themes": "nbo",
    "bring_data": "l",
    "enter_term_dates": "l",
    "record_voice": "sl",
    "record_challenge": "sl",
    "record_support": "sl",
    "see_programmes": "nbo",
    "manage_programmes": "n",
    "write_letter": "sl",
    "grant_fresh_start": "l",
    "see_challenges": "lo",
    "answer_challenge": "lo",
    "see_audits": "slndboa",
    "see_report": "bo",
    "see_models": "dbo",
    "sign_approval": "bo",
    "take_training": "slndboa",
    "see_looks": "oa",
    "see_agreements": "oa",
    "manage_people": "a",
    "grant_integration": "o",
    "answer_rights": "o",
}
LETTERS = {
    "s": "school_staff",
    "l": "school_lead",
    "n": "network_lead",
    "d": "data_scientist",
    "b": "board_member",
    "o": "data_protection_officer",
    "a": "administrator",
    "p": "partner",
}


def person(*roles, training_on=TODAY):
    return Person(id=uuid.UUID(int=1), name="Someone", roles=roles, training_on=training_on)


def role(name, school=NORTH):
    return Role(name=name, school=school if name in permissions.SCHOOL_ROLES else None)


def test_the_truth_table_names_every_permission_and_role():
    assert TRUTH.keys() == PERMISSIONS.keys()
    assert set(LETTERS.values()) == set(ROLES)


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("permission", TRUTH)
def test_every_permission_for_every_role(permission, letter):
    someone = person(role(LETTERS[letter]))
    allowed = letter in TRUTH[permission]
    assert may(someone, permission) == allowed
    if allowed:
        check_may(someone, permission)
    else:
        with pytest.raises(NotAllowed, match=r"^You cannot .*: it needs .*, and you hold .*\.$"):
            check_may(someone, permission)


def test_a_school_role_counts_at_its_school():
    someone = person(role("school_lead", NORTH))
    assert may(someone, "record_view", NORTH)
    assert not may(someone, "record_view", SOUTH)
    assert may(person(role("network_lead")), "see_pupil", SOUTH)
    assert not may(person(), "see_audits")


def test_the_schools_of_a_person_are_those_of_roles_that_come_with_pupils():
    assert person(role("school_staff", NORTH), role("board_member")).schools == {NORTH}
    assert person(role("network_lead"), role("school_staff", NORTH)).schools is None
    assert person(role("administrator"), role("data_scientist")).schools == frozenset()


@pytest.mark.parametrize(("name", "school"), [("school_staff", None), ("board_member", NORTH), ("head", None)])
def test_a_role_is_one_of_ours_and_at_a_school_or_not(name, school):
    with pytest.raises(ValueError, match=name):
        Role(name=name, school=school)


@pytest.mark.parametrize(
    ("check", "twin", "given", "sentence"),
    [
        (rules.check_view, rules.may_view, ("no_concern", WHY), None),
        (rules.check_view, rules.may_view, ("no_concern", WHY[:-1]), "at least 20 characters; you have written 19"),
        (rules.check_view, rules.may_view, ("no_concern", " " * 30 + "x"), "you have written 1"),
        (rules.check_view, rules.may_view, ("no_concern", "x" * 4001), "at most 4000"),
        (rules.check_view, rules.may_view, ("no_concern", WHY + "\x00"), "null character"),
        (rules.check_view, rules.may_view, ("exclude", WHY), "Select your view"),
        (rules.check_decision, rules.may_decide, ("mentor", "", TODAY + timedelta(days=1), TODAY), None),
        (rules.check_decision, rules.may_decide, ("none_now", "", None, TODAY), None),
        (rules.check_decision, rules.may_decide, ("mentor", "", None, TODAY), "Enter the date"),
        (rules.check_decision, rules.may_decide, ("mentor", "", TODAY, TODAY), "after today"),
        (rules.check_decision, rules.may_decide, ("mentor", "", TODAY + timedelta(days=121), TODAY), "within 120"),
        (rules.check_decision, rules.may_decide, ("detention", "", None, TODAY), "what you will offer"),
        (rules.check_record_view, rules.may_record_view, (person(role("school_lead")), "open", NORTH), None),
        (rules.check_record_view, rules.may_record_view, (person(role("school_lead")), "closed", NORTH), "closed"),
        (
            rules.check_record_view,
            rules.may_record_view,
            (person(role("school_lead")), "open", SOUTH),
            "at this school",
        ),
    ],
)
def test_a_rule_and_its_twin_agree(check, twin, given, sentence):
    assert twin(*given) == (sentence is None)
    if sentence is None:
        check(*given)
    else:
        with pytest.raises((RuleBroken, NotAllowed), match=sentence) as broken:
            check(*given)
        assert broken.value.sentence == str(broken.value)


def test_every_check_has_its_twin():
    checks = {name for name in vars(rules) if name.startswith("check_") and name not in ("check_may",)}
    twins = {name for name in vars(rules) if name.startswith("may_")}
    assert len(checks) == len(twins) == 5


@pytest.mark.parametrize(
    ("training_on", "good"), [(None, False), (TODAY - timedelta(days=364), True), (TODAY - timedelta(days=365), False)]
)
def test_training_lasts_a_year(training_on, good):
    someone = person(training_on=training_on)
    assert rules.may_see_pupils(someone, TODAY) == good
    if not good:
        with pytest.raises(TrainingNeeded, match="training"):
            rules.check_trained(someone, TODAY)


def test_no_action_is_a_sanction():
    assert set(states.ACTIONS) == {"conversation", "send_check", "family_contact", "mentor", "none_now"}
    assert set(states.STATE_OF_ACTION) == set(states.ACTIONS)


def test_every_state_is_reached_and_every_state_but_the_final_ones_is_left():
    reached = {"open"} | {step.end for step in states.TRANSITIONS}
    left = {start for step in states.TRANSITIONS for start in step.starts}
    assert reached == set(states.STATES)
    assert left == set(states.STATES) - states.FINAL
    assert not states.leads("open", "support_offered")
    assert states.leads("viewed", "support_offered")
    with pytest.raises(ValueError, match="unknown states"):
        states.Transition(name="x", starts=frozenset({"open"}), end="gone", permission=None, says="")


def test_people_steps_need_a_permission_that_is_declared():
    assert {step.permission for step in states.TRANSITIONS} - {None} <= PERMISSIONS.keys()


def test_the_database_knows_the_same_words():
    """The migration spells states, opinions, actions and roles again, as a database must; they may not drift."""
    versions = Path(permissions.__file__).parent / "migrations/versions"
    for version, column, words in (
        ("v0001_tables", "state", states.STATES),
        ("v0001_tables", "opinion", states.OPINIONS),
        ("v0001_tables", "action", states.ACTIONS),
        ("v0022_partners", "role", ROLES),
        ("v0022_partners", "kind", partners.KINDS),
        ("v0022_partners", "owner", partner_actions.OWNERS),
        ("v0022_partners", "step", ("agree", *partner_actions.STEPS)),
        ("v0022_partners", "measure", places.FOR_PARTNERS),
        ("v0021_areas", "level", ("area", *places.LEVELS)),
    ):
        text = (versions / f"{version}.py").read_text(encoding="utf-8")
        found = re.search(rf"\b{column} IN \(([^)]*)\)", text)
        assert set(re.findall(r"'(\w+)'", found.group(1))) == set(words)


def test_the_state_chart_page_has_every_state_step_and_action():
    page = states.page()
    for name in (*states.STATES, *states.ACTIONS, *states.OPINIONS, *(step.name for step in states.TRANSITIONS)):
        assert f"`{name}`" in page


def test_the_week_of_a_day_is_its_monday():
    assert [week_of(TODAY + timedelta(days=n)) for n in (0, 6, 7)] == [TODAY, TODAY, TODAY + timedelta(days=7)]


def test_every_table_is_declared_as_a_holding_or_as_impersonal():
    held = [table for holding in gathered.IN_THE_DATABASE for table in holding.places]
    assert sorted([*held, *gathered.IMPERSONAL_TABLES]) == sorted(Base.metadata.tables)
