"""The exclusions continuum: terms, who is counted in each step, what drifts, what is shown, who may read it."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.continuum import (
    PUPILS,
    STEPS,
    Course,
    Drift,
    TermPublished,
    TermRelease,
    courses,
    drifts_of,
    save_term,
    terms_out,
)
from casework.database import connect, scoped
from casework.permissions import NotAllowed, Role
from casework.places import SCHOOL
from fairness.policy import read_policy
from learning.continuum.counting import Counted, count_term, together
from learning.continuum.drift import drifts
from learning.continuum.publishing import published
from learning.continuum.terms import due, terms
from records.calendar import calendar_from
from records.history import known
from serving.change_words import change_words
from serving.pages.continuum import said_of
from tests.continuum_made_up import save_continuum
from tests.database import NORTH, SOUTH, TODAY, job_session, make_person
from tests.factories import SCHOOL as HERE
from tests.factories import frame, history, term_calendar

OTHER = 900002
SPRING = "2025/26 Spring"


def calendar():
    return calendar_from(frame("calendars", [*term_calendar(), *term_calendar(OTHER)]))


def spring():
    return next(one for one in terms(calendar()) if one.name == SPRING)


class TestTerms:
    def test_two_half_terms_are_a_term_and_leaving_counts_from_the_end_of_the_one_before(self):
        found = {one.name: one for one in terms(calendar())}
        assert list(found)[-3:] == ["2025/26 Autumn", SPRING, "2025/26 Summer"]
        assert found[SPRING].days[HERE] == (date(2026, 1, 5), date(2026, 3, 27))
        assert found[SPRING].leaves[HERE] == (date(2025, 12, 27), date(2026, 4, 3))
        assert found["2024/25 Summer"].leaves[HERE][1] == date(2025, 7, 21), "the last day is the autumn's to tell of"
        assert found["2025/26 Autumn"].leaves[HERE][0] == date(2025, 7, 22)

    def test_due_is_what_ended_over_a_week_ago_with_all_before_it_to_hold_it_against(self):
        wanted, counted = due(calendar(), TODAY, [date(2025, 9, 1)])
        assert [one.name for one in wanted] == [SPRING]
        assert len(counted) == 5
        assert due(calendar(), TODAY, [spring().start]) == ((), ())


def enrolled(pupil, **given):
    return {"pupil": pupil, **given}


def count(**tables):
    schools = [{"school": one, "known_on": date(2024, 7, 1)} for one in (HERE, OTHER)]
    made = history(schools=schools, calendars=[*term_calendar(), *term_calendar(OTHER)], **tables)
    return count_term(known(made, TODAY), spring())


def days(number):
    return [
        spring().start + timedelta(days=at) for at in range(60) if (spring().start + timedelta(days=at)).weekday() < 5
    ][:number]


class TestCounting:
    def test_every_step_of_the_register_and_the_behaviour_log_by_hand(self):
        """Pupil 1 just reaches each threshold, pupil 2 is one short of each."""
        marks = [
            {"pupil": pupil, "date": day, "session": session, "code": code}
            for pupil, codes in (
                (1, ["C2"] * 10 + ["K"] * 10 + ["O"] * 4),
                (2, ["C2"] * 9 + ["D"] * 9 + ["/"] * 6),
            )
            for (day, session), code in zip(
                [(day, session) for day in days(12) for session in ("AM", "PM")], codes, strict=True
            )
        ]
        behaviour = [
            {"pupil": pupil, "event_id": f"{kind}{pupil}{at}", "date": days(3)[at], **given}
            for kind, given in (("t", {"type": "Truancy"}), ("r", {"outcome": "Isolation"}))
            for pupil, number in ((1, 3), (2, 2))
            for at in range(number)
        ]
        found = count(marks=marks, behaviour=behaviour, enrolments=[enrolled(1), enrolled(2)]).pupils.set_index("pupil")
        steps = ["truanted", "removed", "part_time", "off_site", "severe"]
        assert found.loc[1, steps].tolist() == [1, 1, 1, 1, 1]
        assert found.loc[2, steps].tolist() == [0, 0, 0, 0, 0]

    def test_a_lesson_missed_counts_where_the_register_says_in_school(self):
        marks = [
            {"pupil": pupil, "date": day, "code": "/" if pupil == 1 else "O"} for pupil in (1, 2) for day in days(3)
        ]
        lessons = [{"pupil": pupil, "date": day, "code": "O"} for pupil in (1, 2) for day in days(3)]
        found = count(marks=marks, lesson_marks=lessons, enrolments=[enrolled(1), enrolled(2)]).pupils
        assert found["truanted"].tolist() == [1, 0]

    def test_who_left_is_counted_at_the_school_they_left_and_how(self):
        """1 left, 2 moved on, 3 was excluded, 4 left last summer, 5 has a newer row, 6 is a guest elsewhere."""
        leaving = date(2026, 2, 2)
        rows = [
            enrolled(1, leaving_date=leaving),
            enrolled(2, leaving_date=leaving),
            enrolled(2, school=OTHER, entry_date=date(2026, 2, 9)),
            enrolled(3, leaving_date=leaving),
            enrolled(4, leaving_date=date(2025, 7, 22)),
            enrolled(5, leaving_date=leaving),
            enrolled(5, entry_date=date(2026, 2, 3)),
            enrolled(6),
            enrolled(6, school=OTHER, entry_date=date(2026, 2, 3), status="G"),
        ]
        out = [{"pupil": 3, "start_date": date(2026, 1, 20), "category": "PERM"}]
        found = count(enrolments=rows, suspensions=out).pupils
        here = found[found["school"] == HERE].set_index("pupil")
        assert here.index.tolist() == [1, 2, 3, 5, 6]
        assert here["left"].tolist() == [1, 0, 0, 0, 0]
        assert here["moved"].tolist() == [0, 1, 0, 0, 1]
        assert here["excluded"].tolist() == [0, 0, 1, 0, 0]
        assert found[found["school"] == OTHER]["pupil"].tolist() == [2]

    def test_going_on_to_secondary_school_or_college_is_no_leaving(self):
        autumn = next(one for one in terms(calendar()) if one.name == "2025/26 Autumn")
        rows = [
            enrolled(1, year_group="11", leaving_date=date(2025, 7, 22)),
            enrolled(2, year_group="6", leaving_date=date(2025, 7, 22)),
            enrolled(3, year_group="10", leaving_date=date(2025, 7, 22)),
        ]
        made = history(calendars=term_calendar(), enrolments=rows)
        assert count_term(known(made, TODAY), autumn).pupils["pupil"].tolist() == [3]

    def test_whoever_a_later_census_lists_as_a_pupil_of_before_has_left_when_they_left(self):
        """Else only the newest term's leavers were there to be counted, and every network's roll seemed to empty."""
        left = enrolled(1, leaving_date=date(2026, 2, 2), status="P")
        found = count(enrolments=[left, enrolled(2), enrolled(3, status="P")]).pupils
        assert found["pupil"].tolist() == [1, 2], "when the third was there nobody says"
        assert found["left"].tolist() == [1, 0]

    def test_a_census_after_the_summer_has_who_left_a_year_further_on(self):
        autumn = next(one for one in terms(calendar()) if one.name == "2025/26 Autumn")
        rows = [
            enrolled(pupil, year_group=year, leaving_date=date(2025, 7, 22), status="P")
            for pupil, year in enumerate(("6", "7", "11"), start=1)
        ]
        made = history(calendars=term_calendar(), enrolments=rows)
        assert count_term(known(made, TODAY), autumn).pupils["pupil"].tolist() == [1, 3], "the second began in year 7"

    def test_what_a_school_did_not_record_is_not_known_and_not_nought(self):
        found = count(marks=[{"pupil": 1, "date": days(1)[0]}], enrolments=[enrolled(1)])
        rows = together([found, Counted(found.pupils.iloc[:0], frozenset())], spring())
        assert rows["removed"].isna().all()
        assert rows["suspended"].tolist() == [0]


def made_terms(schools, seed, *, terms=6, size=900, **rates):
    """Return drawn terms of schools: one frame a term, with a chance of each step, given by step or 20 in 1,000."""
    draws = np.random.default_rng(seed)
    found = []
    for at in range(terms):
        rows = pd.DataFrame(
            {"pupil": range(schools * size), SCHOOL: np.repeat([str(one) for one in range(schools)], size)}
        )
        steps = {
            name: draws.random(len(rows)) < rates.get(name, 0.02) * (1.3 if at % 3 == 2 else 1.0) for name in STEPS
        }
        found.append(rows.assign(**{PUPILS: 1}, **{name: column.astype("int64") for name, column in steps.items()}))
    return found


def moved_off_roll(terms, place, seed=5):
    """Of one school's pupils who were suspended in the last term, half leave the roll instead, and some before it."""
    draws = np.random.default_rng(seed)
    last = terms[-1].copy()
    here = (last[SCHOOL] == place) & (last["suspended"] == 1)
    gone = here & (draws.random(len(last)) < 0.6)
    last.loc[gone, ["suspended", "left"]] = [0, 1]
    return [*terms[:-1], last]


class TestDrift:
    def test_suspensions_that_fall_because_pupils_are_moved_off_roll_are_noticed(self):
        """One school of twelve moves 60 of each 100 whom it would have suspended off its roll; nothing else is told."""
        made = moved_off_roll(made_terms(12, 3, suspended=0.05, left=0.012), "4")
        found, compared = drifts(made, [SCHOOL])
        assert compared == 12 * 10
        assert Drift(cut=SCHOOL, place="4", step="left", way="up") in found
        assert Drift(cut=SCHOOL, place="4", step="suspended", way="down") in found
        assert {one.place for one in found} == {"4"}

    def test_where_nothing_drifts_few_networks_are_told_of_one(self):
        """A season of a third more, in every school alike, is no drift; of 12 networks, hardly one by design."""
        told = sum(bool(drifts(made_terms(8, seed, terms=4, size=400), [SCHOOL])[0]) for seed in range(12))
        assert told <= 2

    def test_a_school_that_always_differs_from_term_to_term_widens_the_limit(self):
        """Every school swings by half, up and down: the same rise that is told of among steady schools is not here."""
        steady = made_terms(10, 1, left=0.03)
        swinging = [
            term.assign(
                left=np.where(
                    (term[SCHOOL].astype(int) + at) % 2, term["left"], term["left"] * (term["pupil"] % 3 == 0)
                )
            )
            for at, term in enumerate(steady)
        ]

        def risen(made):
            last = made[-1].copy()
            here = (last[SCHOOL] == "3") & (last["pupil"] % 25 == 0)
            return [*made[:-1], last.assign(left=np.where(here, 1, last["left"]))]

        assert Drift(cut=SCHOOL, place="3", step="left", way="up") in drifts(risen(steady), [SCHOOL])[0]
        assert Drift(cut=SCHOOL, place="3", step="left", way="up") not in drifts(risen(swinging), [SCHOOL])[0]

    def test_one_earlier_term_is_no_past(self):
        assert drifts(made_terms(3, 1, terms=2), [SCHOOL]) == ((), 0)


class TestShown:
    def test_counts_are_rounded_small_ones_hidden_and_what_is_not_known_is_not_nought(self):
        made = made_terms(3, 2, terms=1, size=300, excluded=0.004, suspended=0.06)
        rows = made[0].assign(school=made[0][SCHOOL], phase="SS", year_group="9", deprivation="unknown")
        rows = rows.assign(**{one.columns[0]: "unknown" for one in read_policy().attributes if len(one.columns) == 1})
        rows["removed"] = rows["removed"].astype("Int64").mask(rows[SCHOOL] == "1")
        counts, _, compared = published([rows], read_policy())
        assert compared == 0
        shown = [count for count in counts.values() if count is not None]
        assert all(count == 0 or (count >= 10 and count % 5 == 0) for count in shown)
        assert counts[SCHOOL, "0", PUPILS] == 300
        assert counts[SCHOOL, "1", "removed"] is None
        assert counts[SCHOOL, "0", "excluded"] is None


class TestWords:
    @pytest.mark.parametrize(
        ("ratio", "words"),
        [
            (0.66, "fell by a third"),
            (0.5, "fell by half"),
            (1.0, "stayed as they were"),
            (1.5, "rose by half"),
            (2.1, "doubled"),
            (3.0, "trebled"),
            (4.2, "became 4 times as many"),
            (0.05, "fell by more than two thirds"),
        ],
    )
    def test_a_ratio_in_words(self, ratio, words):
        assert change_words(ratio) == words

    def test_the_sentence_begins_with_what_became_of_suspensions(self):
        days = [date(2025, 4, 22), date(2025, 9, 1), date(2026, 1, 5)]
        counts = [{PUPILS: 1000, "suspended": 30, "left": 15}] * 2 + [{PUPILS: 1000, "suspended": 20, "left": 30}]
        course = Course(cut=SCHOOL, place="1", terms=dict(zip(days, counts, strict=True)))
        assert said_of(course, ["left"], days) == (
            "Pupils suspended fell by a third; pupils leaving the roll doubled, from 15 to 30 in each 1,000."
        )
        hidden = Course(cut=SCHOOL, place="1", terms={**course.terms, days[-1]: {PUPILS: 1000, "left": None}})
        assert "too small to show" in said_of(hidden, ["left"], days)


@pytest.fixture
def told(casework_home):
    """Two schools' continuum, published."""
    with job_session(casework_home) as session:
        save_continuum(session, (NORTH, SOUTH), TODAY)
    return casework_home


class TestWhoSeesWhat:
    def test_the_networks_lead_reads_it_and_a_schools_lead_does_not(self, told):
        engine = connect(told, "app")
        lead = make_person(told, Role(name="network_lead"))
        with scoped(engine, lead.schools) as session:
            newest = terms_out(session)[0]
            assert newest.name == SPRING
            assert [one.step for one in drifts_of(session, lead, newest.term)] == ["left"]
            assert len(courses(session, lead)) == 6
        here = make_person(told, Role(name="school_lead", school=NORTH))
        with scoped(engine, here.schools) as session, pytest.raises(NotAllowed, match="exclusions continuum"):
            courses(session, here)
        engine.dispose()

    @pytest.mark.parametrize("role", ["app", "job", "owner"])
    def test_raw_sql_sees_nothing_of_it_but_with_every_school_in_scope(self, told, role):
        engine = connect(told, role)
        for schools in (frozenset({NORTH}), frozenset(), None):
            with scoped(engine, schools) as session:
                for table in ("continuum_counts", "continuum_drifts"):
                    rows = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                    assert (rows > 0) == (schools is None)
        engine.dispose()

    def test_a_term_is_published_once_never_changed_and_holds_no_small_count(self, told):
        with job_session(told) as session:
            newest = terms_out(session)[0]
        again = TermRelease(
            term=newest.term, name=newest.name, ends_on=newest.ends_on, known_on=newest.known_on, compared=0
        )
        with pytest.raises(TermPublished, match="published once"), job_session(told) as session:
            save_term(session, again, {}, ())
        for statement in (
            "UPDATE continuum_counts SET count = 10",
            "UPDATE continuum_drifts SET way = 'down'",
            "DELETE FROM continuum_drifts",
            "INSERT INTO continuum_counts SELECT term, 'school', '7', 'left', 3 FROM continuum_terms",
        ):
            with pytest.raises(DBAPIError), job_session(told) as session:
                session.execute(text(statement))
