"""Counts by place: half-terms, what is counted of a pupil, what a release shows, who sees which of it."""

from datetime import date, timedelta

import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.database import connect, scoped
from casework.followed_up import followed_up
from casework.permissions import NotAllowed, Role
from casework.places import (
    MEASURES,
    NETWORK,
    SCHOOL,
    AlreadyPublished,
    PlaceRelease,
    attendance,
    counts_of,
    course_of,
    rate,
    releases,
    save_release,
)
from fairness.policy import read_policy
from learning.places.counting import pupil_counts
from learning.places.cuts import Cut, cuts_of, labelled
from learning.places.half_terms import due, half_terms, name_of
from learning.places.release import release_of
from records.calendar import calendar_from
from records.history import known
from tests.database import (
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    make_person,
    publication,
    publish_now,
    save_pupils,
    superuser,
)
from tests.factories import SCHOOL as THERE
from tests.factories import frame, history, term_calendar
from tests.places_made_up import save_places

SUMMER = "2025/26 Summer 1"


def calendar():
    return calendar_from(frame("calendars", term_calendar()))


def summer():
    return next(one for one in half_terms(calendar()) if one.name == SUMMER)


class TestHalfTerms:
    def test_a_half_term_is_told_by_the_day_it_begins_whatever_a_school_calls_it(self):
        begins = {
            (2025, 9, 1): "2025/26 Autumn 1",
            (2025, 8, 27): "2025/26 Autumn 1",
            (2025, 11, 3): "2025/26 Autumn 2",
            (2026, 1, 5): "2025/26 Spring 1",
            (2026, 2, 23): "2025/26 Spring 2",
            (2026, 3, 31): "2025/26 Summer 1",
            (2026, 4, 20): "2025/26 Summer 1",
            (2026, 6, 1): "2025/26 Summer 2",
        }
        assert {day: name_of(date(*day)) for day in begins} == begins

    def test_due_is_what_ended_over_a_week_ago_and_nothing_before_what_is_out(self):
        ends = summer().end
        assert due(calendar(), ends + timedelta(days=7), ())[-1].name == "2025/26 Spring 2"
        assert due(calendar(), ends + timedelta(days=8), ())[-1].name == SUMMER
        assert len(due(calendar(), ends + timedelta(days=8), ())) == 7
        out = [half_term.start for half_term in half_terms(calendar()) if half_term.name == "2025/26 Autumn 2"]
        assert [one.name[8:] for one in due(calendar(), TODAY, out)] == ["Spring 1", "Spring 2", "Summer 1"]

    def test_schools_with_other_days_share_one_half_term(self):
        other = [{**row, "school": 2, "start_date": row["start_date"] + timedelta(days=2)} for row in term_calendar()]
        rows = [*term_calendar(), *(row for row in other if row["kind"] == "half_term")]
        both = next(one for one in half_terms(calendar_from(frame("calendars", rows))) if one.name == SUMMER)
        assert both.days[2][0] == both.days[THERE][0] + timedelta(days=2)
        assert both.start == both.days[THERE][0]


class TestCounting:
    def test_each_pupil_of_the_last_day_is_counted_at_their_own_school_within_its_days(self):
        first, last = summer().days[THERE]
        in_term, before, after = first + timedelta(days=1), first - timedelta(days=20), last + timedelta(days=10)
        made = history(
            schools=[{"school": THERE, "known_on": date(2024, 7, 1)}],
            calendars=term_calendar(),
            enrolments=[
                {"pupil": 1},
                {"pupil": 2, "leaving_date": last - timedelta(days=1)},
                {"pupil": 3, "entry_date": last + timedelta(days=1)},
                {"pupil": 4, "entry_date": in_term},
            ],
            marks=[
                {"pupil": 1, "date": in_term, "session": "AM", "code": "O"},
                {"pupil": 1, "date": in_term, "session": "PM", "code": "/"},
                {"pupil": 1, "date": in_term + timedelta(days=1), "session": "AM", "code": "I"},
                {"pupil": 1, "date": before, "session": "AM", "code": "O"},
                {"pupil": 2, "date": in_term, "session": "AM", "code": "O"},
            ],
            behaviour=[
                {"pupil": 1, "event_id": "a", "date": in_term, "outcome": "Isolation"},
                {"pupil": 1, "event_id": "b", "date": in_term},
                {"pupil": 1, "event_id": "c", "date": in_term, "role": "Witness"},
                {"pupil": 1, "event_id": "d", "date": after, "outcome": "Isolation"},
                {"pupil": 4, "event_id": "e", "date": in_term, "school": 2},
            ],
            suspensions=[
                {"pupil": 1, "start_date": in_term, "known_on": in_term},
                {"pupil": 1, "start_date": last, "category": "LNCH", "known_on": last},
            ],
        )
        found = pupil_counts(known(made, TODAY), summer()).set_index("pupil")
        assert found.index.tolist() == [1, 4]
        counts = ["sessions_possible", "sessions_missed", "incidents", "removals", "suspensions"]
        assert found.loc[1, counts].tolist() == [2, 1, 2, 1, 1]
        assert found.loc[4, counts].tolist() == [0, 0, 0, 0, 0]
        assert not found["helped"].any()

    def test_a_school_without_this_half_term_has_nobody_in_it(self):
        made = history(calendars=term_calendar(), enrolments=[{"pupil": 1, "school": 2}])
        assert pupil_counts(known(made, TODAY), summer()).empty


def made_pupils(**counts):
    """Forty pupils of two schools, half in each."""
    rows = pd.DataFrame({"pupil": range(40), "school": [NORTH] * 20 + [SOUTH] * 20, "year_group": ["7", "8"] * 20})
    return rows.assign(**{**dict.fromkeys(MEASURES, 0), "pupils": 1, **counts})


class TestReleases:
    def test_counts_by_hand(self):
        """Of 20 and 20 pupils: 12 incidents of 12; 9 of 2, which are hidden, and so is what would give them away."""
        incidents = [1] * 12 + [0] * 8 + [5, 4] + [0] * 18
        pupils = made_pupils(incidents=incidents).assign(school=lambda p: p["school"].astype(str))
        cuts = (Cut(name=SCHOOL, places=(str(NORTH), str(SOUTH))),)
        shown = release_of(pupils, cuts)
        assert (shown[SCHOOL, str(NORTH), "pupils"], shown[NETWORK, "all", "pupils"]) == (20, 40)
        assert shown[SCHOOL, str(SOUTH), "incidents"] is None
        assert shown[SCHOOL, str(NORTH), "incidents"] is None, "21 in all, which anybody may know, less 12"
        assert shown[NETWORK, "all", "incidents"] is None, "a total of hidden cells is no sum of shown ones"
        assert shown[SCHOOL, str(SOUTH), "suspensions"] == 0

    def test_nothing_is_told_of_a_handful_of_pupils_not_even_that_nothing_happened(self):
        pupils = made_pupils(incidents=1).assign(school=["1"] * 37 + ["2"] * 3)
        shown = release_of(pupils, (Cut(name=SCHOOL, places=("1", "2")),))
        assert {shown[SCHOOL, "2", name] for name in ("pupils", "incidents", "suspensions", "flagged")} == {None}

    def test_what_is_left_of_those_flagged_is_a_count_too(self):
        flagged = [1] * 15 + [0] * 25
        pupils = made_pupils(flagged=flagged, reviewed=[1] * 12 + [0] * 28).assign(school="1")
        shown = release_of(pupils, (Cut(name=SCHOOL, places=("1",)),))
        assert shown[SCHOOL, "1", "reviewed"] is None, "15 less 12 leaves 3 of whom nobody has recorded a view"
        everyone = release_of(pupils.assign(reviewed=flagged), (Cut(name=SCHOOL, places=("1",)),))
        assert (everyone[SCHOOL, "1", "flagged"], everyone[SCHOOL, "1", "reviewed"]) == (15, 15)

    def test_cuts_are_fixed_and_groups_say_nothing_of_flags(self):
        pupils = made_pupils()
        groups = pd.DataFrame({"sex": ["female"] * 39, "care": ["unknown"] * 39}, index=range(39))
        deciles = pd.Series([1, 3], index=[0, 1])
        made = labelled(pupils, {NORTH: "PS", SOUTH: "SS"}, deciles, groups.reindex(columns=_columns()))
        cuts = {cut.name: cut for cut in cuts_of(made, read_policy())}
        assert cuts["deprivation"].places == ("1", "3", "unknown")
        assert cuts["phase"].places == ("PS", "SS")
        assert cuts["sex"].places == ("female", "unknown")
        assert "care" not in cuts
        assert "flagged" in cuts[SCHOOL].measures
        assert "flagged" not in cuts["sex"].measures

    def test_a_rate_is_of_rounded_counts_and_dropped_with_either(self):
        counts = {"pupils": 40, "removals": 10, "suspensions": None, "sessions_possible": 200, "sessions_missed": 20}
        assert rate(counts, "removals", "pupils") == 0.25
        assert rate(counts, "suspensions", "pupils") is None
        assert rate({"removals": 0, "pupils": 0}, "removals", "pupils") is None
        assert attendance(counts) == 0.9


def _columns():
    return [one.columns[0] for one in read_policy().attributes if len(one.columns) == 1]


@pytest.fixture
def published(casework_home):
    """Two schools, their pupils' facts and their counts by place."""
    save_pupils(casework_home, identity(11, NORTH), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 22: SOUTH}, flagged=(11,)))
    with job_session(casework_home) as session:
        save_places(session, (NORTH, SOUTH), TODAY)
    return casework_home


class TestWhoSeesWhat:
    def test_network_roles_see_every_place_and_a_lead_their_own_school_beside_the_network(self, published):
        engine = connect(published, "app")
        for role, sees_all in (
            ("network_lead", True),
            ("board_member", True),
            ("data_protection_officer", True),
            ("school_lead", False),
        ):
            person = make_person(published, Role(name=role, school=None if sees_all else NORTH))
            with scoped(engine, person.schools) as session:
                newest = releases(session)[0].half_term
                seen = {(one.cut, one.place) for one in counts_of(session, person, newest)}
                course = course_of(session, person, SCHOOL, str(SOUTH))
            assert (len(seen) > 20) == sees_all
            assert ((SCHOOL, str(SOUTH)) in seen) == bool(course) == sees_all
            assert {(NETWORK, "all"), (SCHOOL, str(NORTH))} <= seen
        staff = make_person(published, Role(name="school_staff", school=NORTH))
        with scoped(engine, staff.schools) as session, pytest.raises(NotAllowed, match="counts by place"):
            counts_of(session, staff, newest)
        engine.dispose()

    @pytest.mark.parametrize("role", ["app", "job", "owner"])
    def test_raw_sql_sees_its_own_schools_rows_and_the_networks(self, published, role):
        engine = connect(published, role)
        for schools, there in ((frozenset({NORTH}), {NORTH}), (frozenset(), set()), (None, {NORTH, SOUTH})):
            with scoped(engine, schools) as session:
                rows = session.execute(text("SELECT DISTINCT school_urn FROM place_counts")).scalars().all()
            assert set(rows) == there | {None}
        engine.dispose()

    @pytest.mark.parametrize("count", ["3", "7", "12", "5", "-5"])
    def test_the_database_takes_no_count_that_is_small_or_not_rounded(self, published, count):
        with pytest.raises(DBAPIError, match="place_counts_count_check"), job_session(published) as session:
            session.execute(
                text(
                    "INSERT INTO place_counts SELECT half_term, 'phase', 'XX', 'pupils', NULL, "
                    f"{count} FROM place_releases"
                )
            )

    def test_a_half_term_is_published_once_and_never_changed(self, published):
        with job_session(published) as session:
            newest = releases(session)[0]
        again = PlaceRelease(
            half_term=newest.half_term, name=newest.name, ends_on=newest.ends_on, known_on=newest.known_on
        )
        with pytest.raises(AlreadyPublished, match="published once"), job_session(published) as session:
            save_release(session, again, ())
        for statement in ("UPDATE place_counts SET count = 10", "DELETE FROM place_counts"):
            with pytest.raises(DBAPIError), job_session(published) as session:
                session.execute(text(statement))


def test_what_followed_each_flag(casework_home):
    """Flagged and seen, flagged and helped, flagged and not looked at; a view recorded after the day does not count."""
    schools = dict.fromkeys((11, 12, 13, 14), NORTH)
    save_pupils(casework_home, *(identity(pupil, NORTH) for pupil in schools))
    publish_now(casework_home, publication(schools, flagged=(11, 12, 13)))
    person = make_person(casework_home, Role(name="school_lead", school=NORTH))
    with superuser(casework_home) as connection:
        for pupil, day, opinion in ((11, "2026-06-23", "no_concern"), (12, "2026-06-23", "known_support_in_place")):
            connection.execute(
                "INSERT INTO views (case_id, person_id, week, opinion, why, recorded_on, recorded_at, idempotency_key) "
                "SELECT c.id, %s, '2026-06-22', %s, 'a reason long enough', %s, now(), c.id::text FROM cases c "
                "JOIN pupils p ON p.id = c.pupil_id WHERE p.pseudonym = %s",
                [person.id, opinion, day, pupil],
            )
    with job_session(casework_home) as session:
        found = followed_up(session, TODAY, TODAY, TODAY + timedelta(days=7)).set_index("pupil")
        early = followed_up(session, TODAY, TODAY, TODAY)
    assert found.index.tolist() == [11, 12, 13]
    assert found["reviewed"].tolist() == [True, True, False]
    assert found["supported"].tolist() == [False, True, False]
    assert not early["reviewed"].any()
