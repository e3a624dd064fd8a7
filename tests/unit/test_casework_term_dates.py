"""Term dates entered on a page: what is refused, what is corrected, and how they land among the records."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from casework.database import connect, scoped
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken
from casework.term_dates import NoSuchSchool, TermDate, enter, term_dates, withdraw
from records import delta
from records.calendar import calendar_from
from records.history import latest
from records.tables import CALENDARS
from serving.jobs.term_dates import land_term_dates
from tests.database import NORTH, SOUTH, TODAY, job_session, make_person
from tests.deployed import clear

SUMMER = TermDate(kind="half_term", name="Summer 2", start=date(2026, 6, 1), end=date(2026, 7, 21))
AUTUMN = TermDate(kind="half_term", name="Autumn 1", start=date(2026, 9, 1), end=date(2026, 10, 23))
INSET = TermDate(kind="inset", name="", start=date(2026, 6, 26), end=date(2026, 6, 26))


@pytest.fixture
def home(casework_home):
    yield replace(casework_home, shards=2)
    clear(casework_home)


@pytest.fixture
def lead(home):
    return make_person(home, Role(name="school_lead", school=NORTH))


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


def entering(app, person, new, school=NORTH, recorded=(SUMMER,), today=TODAY):
    with scoped(app, person.schools) as session:
        enter(session, person, school, new, recorded, today)


def withdrawing(app, person, what, recorded=(SUMMER,), today=TODAY):
    with scoped(app, person.schools) as session:
        withdraw(session, person, NORTH, what, recorded, today)


def shown(app, person, recorded=(SUMMER,)):
    with scoped(app, person.schools) as session:
        return [(one.name, one.start, one.waiting) for one in term_dates(session, person, NORTH, recorded)]


def test_what_is_entered_stands_beside_what_was_recorded_and_waits_until_it_is_recorded_too(app, lead):
    entering(app, lead, INSET)
    entering(app, lead, AUTUMN)
    assert shown(app, lead) == [
        ("Summer 2", date(2026, 6, 1), False),
        ("Training day", date(2026, 6, 26), True),
        ("Autumn 1", date(2026, 9, 1), True),
    ]
    assert [waits for _, _, waits in shown(app, lead, (SUMMER, replace(INSET, name="Training day"), AUTUMN))] == [
        False
    ] * 3


def test_entered_again_from_the_same_day_it_is_corrected_and_taken_back_it_is_gone(app, lead):
    entering(app, lead, replace(SUMMER, end=date(2026, 7, 17)))
    with scoped(app, lead.schools) as session:
        (one,) = term_dates(session, lead, NORTH, (SUMMER,))
    assert (one.end, one.waiting) == (date(2026, 7, 17), True)
    withdrawing(app, lead, ("half_term", SUMMER.start))
    assert shown(app, lead) == []
    with pytest.raises(RuleBroken, match="withdrawn before"):
        withdrawing(app, lead, ("half_term", SUMMER.start))


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (replace(AUTUMN, kind="party"), "Select what it is"),
        (replace(AUTUMN, name="  "), "Enter a name"),
        (replace(AUTUMN, name="A" * 61), "at most 60"),
        (replace(AUTUMN, end=date(2026, 8, 31)), "first day or later"),
        (replace(AUTUMN, start=date(2025, 6, 21), end=date(2025, 7, 1)), "within the last year"),
        (replace(AUTUMN, start=date(2028, 6, 20), end=date(2028, 6, 30)), "within two years"),
        (replace(AUTUMN, end=date(2026, 12, 18)), "at most 84 days"),
        (replace(INSET, end=date(2026, 7, 27)), "at most 31 days"),
        (replace(INSET, start=date(2026, 6, 27), end=date(2026, 6, 28)), "no Monday to Friday"),
        (replace(AUTUMN, start=date(2026, 7, 20), end=date(2026, 9, 4)), "overlaps with Summer 2"),
        (replace(INSET, start=date(2026, 8, 3), end=date(2026, 8, 3)), "lies in no half-term"),
    ],
)
def test_days_that_cannot_be_are_refused_in_words(app, lead, new, sentence):
    with pytest.raises(RuleBroken, match=sentence):
        entering(app, lead, new)
    assert shown(app, lead) == [("Summer 2", SUMMER.start, False)]


def test_a_lead_enters_at_their_own_school_only(app, home, lead):
    with pytest.raises(NoSuchSchool):
        entering(app, lead, AUTUMN, school=SOUTH)
    staff = make_person(home, Role(name="school_staff", school=NORTH))
    with pytest.raises(NotAllowed, match="enter a school's term dates"):
        entering(app, staff, AUTUMN)


def test_it_lands_once_known_from_the_day_it_was_entered_and_a_withdrawal_takes_it_away_again(app, home, lead):
    """Entered on the 22nd, a training day on the 26th is known on the 23rd; withdrawn on the 24th, gone on the 25th."""
    entering(app, lead, SUMMER, recorded=())
    entering(app, lead, INSET)

    def land():
        with job_session(home) as session:
            return land_term_dates(home, session)

    def is_open(as_of):
        rows = latest(delta.read(home.history, CALENDARS, None)[0], CALENDARS, as_of)
        return calendar_from(rows).open_between(NORTH, INSET.start, INSET.start + timedelta(days=1))

    assert (land(), land()) == (2, 0)
    withdrawing(
        app,
        lead,
        ("inset", INSET.start),
        recorded=(SUMMER, replace(INSET, name="Training day")),
        today=date(2026, 6, 24),
    )
    assert (land(), land()) == (1, 0)
    rows = delta.read(home.history, CALENDARS, None)[0]
    assert set(rows["source"]) == {"belong"}
    with pytest.raises(KeyError):
        calendar_from(latest(rows, CALENDARS, date(2026, 6, 22))).open_days[NORTH]
    assert [is_open(date(2026, 6, day)) for day in (23, 24, 25)] == [0, 0, 1]
