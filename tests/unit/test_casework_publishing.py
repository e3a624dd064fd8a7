"""Publishing: whole or nothing, once per bundle and day, facts brought up to date, cases opened and ended."""

from datetime import date, timedelta

import pandas as pd
import pytest
from sqlalchemy import text

from casework.database import connect, scoped
from casework.people import save_identities
from casework.permissions import Role
from casework.publishing import CannotPublish, publish
from tests.database import (
    NORTH,
    SOUTH,
    TODAY,
    identity,
    make_person,
    names_by_pupil,
    publication,
    publish_now,
    save_pupils,
    school_weeks,
    superuser,
    weekly_facts,
)

ROLL = {11: NORTH, 12: NORTH, 22: SOUTH}
NEXT = TODAY + timedelta(days=7)


@pytest.fixture
def home(casework_home):
    save_pupils(casework_home, identity(11), identity(12), identity(22, SOUTH))
    return casework_home


def rows(home, query):
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        found = [tuple(row) for row in session.execute(text(query))]
    engine.dispose()
    return found


def test_the_first_publication(home):
    done = publish_now(home, publication(ROLL, flagged=(11, 22)))
    assert (done.repeated, done.pupils, done.scores, done.flags, done.cases_opened) == (False, 3, 3, 2, 2)
    assert done.weekly_facts_changed == 36
    assert rows(home, "SELECT pseudonym, features FROM feature_rows JOIN pupils ON id = pupil_id ORDER BY 1")[0] == (
        11,
        {"late_4w": 6.0, "removals_4w": None},
    )
    assert rows(home, "SELECT feature_names FROM publications") == [(["late_4w", "removals_4w"],)]


def test_publishing_again_changes_nothing_and_the_first_log_stands(home):
    publish_now(home, publication(ROLL, flagged=(11,)))
    before = rows(home, "SELECT * FROM scores ORDER BY pupil_id")
    done = publish_now(home, publication(ROLL, flagged=(12,)))
    assert (done.repeated, done.weekly_facts_changed, done.scores, done.flags, done.cases_opened) == (True, 0, 0, 0, 0)
    assert rows(home, "SELECT * FROM scores ORDER BY pupil_id") == before
    assert rows(home, "SELECT pseudonym FROM cases JOIN pupils p ON p.id = pupil_id") == [(11,)]


def test_a_corrected_week_is_changed_and_a_week_that_is_gone_is_removed(home):
    publish_now(home, publication({11: NORTH}))
    weeks = school_weeks(11)
    corrected = weekly_facts(11, weeks, late_marks=[0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 1], removals=[0] * 8 + [1, 1, 0])
    done = publish_now(home, publication({11: NORTH}, as_of=NEXT, weekly_facts=corrected))
    # The oldest of twelve weeks is gone, the newest has a removal less; ten say the same and are not written.
    assert done.weekly_facts_changed == 2
    assert rows(home, "SELECT min(week_start), sum(removals)::int FROM weekly_facts") == [(weeks[0], 2)]


def test_a_pupil_flagged_while_their_case_is_open_stays_on_that_case(home):
    publish_now(home, publication(ROLL, flagged=(11,)))
    done = publish_now(home, publication(ROLL, flagged=(11, 12), as_of=NEXT))
    assert (done.flags, done.cases_opened) == (2, 1)
    assert rows(home, "SELECT pseudonym, opened_on FROM cases JOIN pupils p ON p.id = pupil_id ORDER BY 1") == [
        (11, TODAY),
        (12, NEXT),
    ]


def test_cases_end_when_the_flag_ran_out_the_pupil_left_or_moved(home):
    publish_now(home, publication(ROLL, flagged=(11, 12, 22)))
    done = publish_now(home, publication({11: NORTH, 12: SOUTH}, as_of=NEXT))
    assert done.cases_ended == 2
    assert rows(home, "SELECT pseudonym, state, closed_on FROM cases JOIN pupils p ON p.id = pupil_id ORDER BY 1") == [
        (11, "open", None),
        (12, "closed", NEXT),
        (22, "closed", NEXT),
    ]
    assert rows(home, "SELECT pseudonym, left_on FROM pupils ORDER BY 1") == [(11, None), (12, None), (22, NEXT)]
    # Flags run to 3 August, that day included.
    assert publish_now(home, publication({11: NORTH}, as_of=date(2026, 8, 3))).cases_ended == 0
    assert publish_now(home, publication({11: NORTH}, as_of=date(2026, 8, 10))).cases_ended == 1
    assert rows(home, "SELECT state FROM cases JOIN pupils p ON p.id = pupil_id WHERE pseudonym = 11") == [("expired",)]


def test_the_case_of_a_pupil_who_moved_goes_on_only_where_an_agreement_covers_it(home):
    """Both move, one each way; the agreement is about those who go from the north to the south."""
    publish_now(home, publication(ROLL, flagged=(11, 22)))
    owner = make_person(home, Role(name="school_lead", school=NORTH))
    with superuser(home) as connection:
        connection.execute("UPDATE cases SET owner_id = %s", [owner.id])
    moved = publication(
        {11: SOUTH, 12: NORTH, 22: NORTH}, as_of=NEXT, passes_on=lambda old, new: (old, new) == (NORTH, SOUTH)
    )
    done = publish_now(home, moved)
    assert (done.cases_passed_on, done.cases_ended) == (1, 1)
    assert rows(
        home,
        "SELECT pseudonym, state, c.school_urn, owner_id IS NULL, version FROM cases c "
        "JOIN pupils p ON p.id = pupil_id ORDER BY 1",
    ) == [
        (11, "open", SOUTH, True, 2),
        (22, "closed", SOUTH, False, 2),
    ]
    assert publish_now(home, moved).cases_passed_on == 0


def test_a_week_holds_one_list_and_no_list_is_undone(home):
    """Capacity is by the week: a second day of the same week would hand each school a second full list."""
    publish_now(home, publication(ROLL, flagged=(11,), as_of=date(2026, 6, 22)))
    for day in (date(2026, 6, 23), date(2026, 6, 28)):
        with pytest.raises(CannotPublish, match=r"2026-06-22 is this week's.*from 2026-06-29 on"):
            publish_now(home, publication(ROLL, flagged=(12,), as_of=day))
    with pytest.raises(CannotPublish, match="an earlier day would undo it"):
        publish_now(home, publication(ROLL, as_of=date(2026, 6, 1)))
    assert publish_now(home, publication(ROLL, flagged=(11,), as_of=date(2026, 6, 22))).repeated
    assert not publish_now(home, publication(ROLL, as_of=date(2026, 6, 29))).repeated


def test_a_decision_with_a_review_date_outlives_the_flag(home):
    publish_now(home, publication(ROLL, flagged=(11, 12)))
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        session.execute(
            text(
                "UPDATE cases SET state = 'support_offered', review_on = "
                "CASE WHEN pupil_id = (SELECT id FROM pupils WHERE pseudonym = 11) THEN date '2026-07-01' END"
            )
        )
    engine.dispose()
    publish_now(home, publication(ROLL, as_of=date(2026, 9, 1)))
    assert rows(home, "SELECT pseudonym, state FROM cases JOIN pupils p ON p.id = pupil_id ORDER BY 1") == [
        (11, "support_offered"),
        (12, "closed"),
    ]


def test_missing_values_arrive_as_missing_and_empty_text_as_empty(home):
    made = publication({11: NORTH})
    made.scores.loc[:, "rising_since"] = pd.NaT
    made.scores["cut_off"] = float("nan")
    made.scores["probability"] = float("nan")
    made.scores["abstain"] = 'joined, "too" lately\nto say'
    made.scores["rank"] = pd.array([None], "Int32")
    made.incidents["place"] = ""
    publish_now(home, made)
    assert rows(home, "SELECT probability, rank, cut_off, rising_since, abstain FROM scores") == [
        (None, None, None, None, 'joined, "too" lately\nto say')
    ]
    assert rows(home, "SELECT place, sessions FROM incidents") == [("", None)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roll": pd.DataFrame({"pupil": [], "school": [], "year_group": []})}, "roll is empty"),
        ({"schools": pd.DataFrame({"urn": [NORTH]})}, "schools has no column name, phase, data_to, up_to_date, note"),
        ({"base_rates": {"SS": 2.0}}, "shares of 1"),
        ({"roll": pd.DataFrame({"pupil": [11, 11], "school": NORTH, "year_group": "8"})}, "two rows of the same pupil"),
        (
            {"roll": pd.DataFrame({"pupil": [11, 99], "school": NORTH, "year_group": "8"})},
            "1 pupils on roll have no identity here",
        ),
        (
            {"weekly_facts": weekly_facts(12, school_weeks())},
            "weekly_facts has 12 rows about pupils who are not on roll",
        ),
        (
            {
                "flags": pd.DataFrame(
                    {
                        "pupil": [12],
                        "rising_since": pd.NaT,
                        "expires_on": TODAY,
                        "check_sample": True,
                        "eased_on": pd.NaT,
                        "eased": None,
                    }
                ),
                "roll": pd.DataFrame({"pupil": [11, 12], "school": NORTH, "year_group": "8"}),
            },
            "1 flags have no row in the allocation log",
        ),
        (
            {
                "reasons": pd.DataFrame(
                    [(11, 1, "for", "x", "x", "most", True)],
                    columns=["pupil", "position", "side", "group", "sentence", "share", "changeable"],
                )
            },
            "some reasons are about pupils without a flag of the day",
        ),
        (
            {
                "levers": pd.DataFrame(
                    [(11, 1, "x", "x", 0.1)], columns=["pupil", "position", "group", "sentence", "probability"]
                )
            },
            "some levers are about pupils without a flag of the day",
        ),
        ({"changes": pd.DataFrame({"pupil": [11]})}, "changes has no column position, way"),
    ],
)
def test_what_does_not_fit_is_refused_whole(home, changes, words):
    with pytest.raises(CannotPublish, match=words):
        publish_now(home, publication({11: NORTH}, **changes))
    assert rows(home, "SELECT count(*) FROM weekly_facts") == rows(home, "SELECT count(*) FROM publications") == [(0,)]


def test_publishing_needs_every_school_in_scope(home):
    engine = connect(home, "job")
    with pytest.raises(CannotPublish, match="every school"), scoped(engine, frozenset({NORTH})) as session:
        publish(session, publication({11: NORTH}))
    engine.dispose()


def test_a_failure_after_publishing_leaves_nothing(home):
    engine = connect(home, "job")

    def cut_off():
        with scoped(engine, None) as session:
            publish(session, publication(ROLL, flagged=(11,)))
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        cut_off()
    engine.dispose()
    assert rows(home, "SELECT count(*) FROM scores") == rows(home, "SELECT count(*) FROM cases") == [(0,)]


def test_identities_the_row_known_last_wins_in_any_order(casework_home):
    engine = connect(casework_home, "job")
    old, new = identity(11, known_on=date(2025, 9, 1)), identity(11, SOUTH, known_on=date(2026, 1, 5), forename="New")
    for batch in ([old, new], [new, old], [old]):
        with scoped(engine, None) as session:
            save_identities(session, batch)
    engine.dispose()
    assert rows(casework_home, "SELECT school_urn FROM pupils") == [(SOUTH,)]
    assert [named.full for named in names_by_pupil(casework_home).values()] == ["New Example"]
    assert "Example" not in repr(old)
