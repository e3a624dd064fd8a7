"""No case without someone who looks after it: whose a case is, handing over, cover, taking on."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from casework.cases import Filters, Reading, caseload
from casework.database import connect, scoped
from casework.handover import (
    NewCover,
    NotHere,
    arrange_cover,
    colleagues,
    covers,
    end_cover,
    hand_over,
    take_case,
)
from casework.people import end_person
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken
from casework.tables_cases import CaseRow
from casework.tables_people import PupilRow
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

STAFF, LEAD = Role(name="school_staff", school=NORTH), Role(name="school_lead", school=NORTH)
PUPILS = {11: NORTH, 12: NORTH, 13: NORTH, 22: SOUTH}


@pytest.fixture
def home(casework_home):
    """Pupils 11, 12 and 13 of the north and 22 of the south, all on the list."""
    save_pupils(casework_home, *(identity(pupil, school) for pupil, school in PUPILS.items()))
    publish_now(casework_home, publication(PUPILS, flagged=tuple(PUPILS)))
    return casework_home


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


@pytest.fixture
def lead(home):
    return make_person(home, LEAD, name="Leila Lead")


@pytest.fixture
def amina(home):
    return make_person(home, STAFF, name="Amina Example")


@pytest.fixture
def bola(home):
    return make_person(home, STAFF, name="Bola Example")


def listed(app, person, today=TODAY, **filters):
    with scoped(app, person.schools) as session:
        return caseload(session, person, Filters(**filters), today).lines


def mine(app, person, today=TODAY):
    return sorted(line.name.split()[0] for line in listed(app, person, today, mine=True))


def case_of(app, pupil):
    with scoped(app, None) as session:
        rows = select(CaseRow.id).join(PupilRow, PupilRow.id == CaseRow.pupil_id).where(PupilRow.pseudonym == pupil)
        return session.execute(rows).scalar_one()


def give(app, person, pupils, to, today=TODAY):
    with scoped(app, person.schools) as session:
        return hand_over(session, person, [case_of(app, pupil) for pupil in pupils], to.id, today)


def cover(app, person, away, covering, days=(0, 4), today=TODAY, school=NORTH):
    first, last = (TODAY + timedelta(days=day) for day in days)
    new = NewCover(school=school, away=away.id, covering=covering.id, from_on=first, until_on=last)
    with scoped(app, person.schools) as session:
        arrange_cover(session, person, new, today)


def test_a_case_that_nobody_owns_is_the_leads_until_someone_takes_it_on(app, lead, amina, bola):
    assert mine(app, lead) == ["Pupil11", "Pupil12", "Pupil13"]
    assert mine(app, amina) == []
    assert {line.owner for line in listed(app, lead)} == {None}
    with scoped(app, amina.schools) as session:
        take_case(session, amina, case_of(app, 11), TODAY)
    assert (mine(app, amina), mine(app, lead)) == (["Pupil11"], ["Pupil12", "Pupil13"])
    with pytest.raises(RuleBroken, match="before you"), scoped(app, bola.schools) as session:
        take_case(session, bola, case_of(app, 11), TODAY)
    with scoped(app, None) as session:
        assert session.execute(text("SELECT count(*) FROM looks WHERE action = 'take_case'")).scalar_one() == 1


def test_whoever_leaves_leaves_their_cases_to_the_lead_and_the_list_says_who_it_was(app, home, lead, amina, bola):
    give(app, lead, [11, 12], amina)
    assert mine(app, amina) == ["Pupil11", "Pupil12"]
    with job_session(home) as session:
        end_person(session, amina.id)
    assert mine(app, lead) == ["Pupil11", "Pupil12", "Pupil13"]
    assert {line.left for line in listed(app, lead, ownerless=True)} == {"Amina Example", None}
    assert give(app, lead, [11, 12, 13], bola) == 3
    assert mine(app, bola) == ["Pupil11", "Pupil12", "Pupil13"]
    assert mine(app, lead) == []


def test_a_role_that_ran_out_or_moved_school_owns_nothing_here(app, home, lead, amina):
    give(app, lead, [11], amina)
    with job_session(home) as session:
        session.execute(
            text("UPDATE person_roles SET expires_on = :day WHERE person_id = :who"), {"day": TODAY, "who": amina.id}
        )
    assert mine(app, lead, TODAY) == ["Pupil12", "Pupil13"]
    assert mine(app, lead, TODAY + timedelta(days=1)) == ["Pupil11", "Pupil12", "Pupil13"]


def test_cover_puts_the_cases_on_the_colleagues_list_for_its_days_and_takes_them_from_nobody(app, lead, amina, bola):
    give(app, lead, [11], amina)
    cover(app, lead, amina, bola, days=(1, 3))
    shown = {day: (mine(app, bola, TODAY + timedelta(days=day)), mine(app, amina, TODAY)) for day in range(5)}
    assert shown == {day: (["Pupil11"] if day in (1, 2, 3) else [], ["Pupil11"]) for day in range(5)}
    (line,) = listed(app, amina, TODAY + timedelta(days=2), mine=True)
    assert (line.owner, line.covered_by) == ("Amina Example", "Bola Example")
    with scoped(app, lead.schools) as session:
        (known,) = covers(session, lead, NORTH, TODAY)
        end_cover(session, lead, known.id, TODAY + timedelta(days=2))
        assert covers(session, lead, NORTH, TODAY + timedelta(days=2)) == ()
    assert mine(app, bola, TODAY + timedelta(days=1)) == ["Pupil11"]
    assert mine(app, bola, TODAY + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("days", "same", "sentence"),
    [
        ((3, 1), False, "first day or later"),
        ((-9, -2), False, "today or later"),
        ((0, 366), False, "at most 365 days"),
        ((0, 1), True, "not the person who is away"),
    ],
)
def test_a_cover_that_cannot_be_is_refused(app, lead, amina, bola, days, same, sentence):
    with pytest.raises(RuleBroken, match=sentence):
        cover(app, lead, amina, amina if same else bola, days=days)


def test_cases_go_only_to_people_of_the_school_and_all_or_none(app, home, lead, amina):
    elsewhere = make_person(home, Role(name="school_staff", school=SOUTH), name="Someone South")
    with pytest.raises(RuleBroken, match="works with pupils at the school"):
        give(app, lead, [11], elsewhere)
    with pytest.raises(RuleBroken, match="works with pupils at this school"):
        cover(app, lead, amina, elsewhere)
    with pytest.raises(NotHere):
        give(app, lead, [11, 22], amina)
    assert mine(app, amina) == []
    for cases, to, sentence in (([], amina.id, "Select the cases"), ([uuid.uuid4()] * 1, None, "who will look")):
        with pytest.raises(RuleBroken, match=sentence), scoped(app, lead.schools) as session:
            hand_over(session, lead, cases, to, TODAY)


def test_staff_hand_nothing_over_and_a_lead_does_so_at_their_own_school(app, home, lead, amina, bola):
    with pytest.raises(NotAllowed, match="hand cases over"):
        give(app, amina, [11], bola)
    south = make_person(home, Role(name="school_lead", school=SOUTH))
    with pytest.raises(NotHere), scoped(app, south.schools) as session:
        colleagues(session, south, NORTH, TODAY)
    network = make_person(home, Role(name="network_lead"))
    assert give(app, network, [11], amina) == 1
    with scoped(app, lead.schools) as session:
        assert {one.name: one.cases for one in colleagues(session, lead, NORTH, TODAY)} == {
            "Amina Example": 1,
            "Bola Example": 0,
            "Leila Lead": 0,
        }


def test_handing_over_is_logged_for_each_pupil_and_leaves_the_version_alone(app, lead, amina):
    give(app, lead, [11, 12], amina)
    with scoped(app, None) as session:
        rows = session.execute(text("SELECT detail FROM looks WHERE action = 'hand_over'")).all()
        versions = set(session.scalars(select(CaseRow.version)))
    assert [row.detail for row in rows] == [f"to {amina.id}"] * 2
    assert versions == {1}


def test_the_list_comes_in_pages_and_one_past_the_last_is_the_last(app, lead):
    with scoped(app, lead.schools) as session:
        pages = [caseload(session, lead, Filters(), TODAY, Reading(page=at, lines=2)) for at in (1, 2, 9)]
        none = caseload(session, lead, Filters(year_group="13"), TODAY, Reading(page=9, lines=2))
    assert [(page.page, page.pages, page.found, len(page.lines)) for page in pages] == [
        (1, 2, 3, 2),
        (2, 2, 3, 1),
        (2, 2, 3, 1),
    ]
    assert len({line.case_id for page in pages[:2] for line in page.lines}) == 3
    assert (none.lines, none.found, none.page, none.pages) == ((), 0, 1, 1)
    assert (pages[0].listed, pages[0].new, pages[0].ownerless) == (3, 3, 3)


def test_changed_since_keeps_what_was_reviewed_or_listed_again_since(app, home, lead, amina):
    """All came on the list on 1 May; since then 12 was reviewed, and 13 was listed again."""
    with superuser(home) as connection:
        connection.execute("UPDATE cases SET opened_on = '2026-05-01'")
        connection.execute(
            "UPDATE flags SET as_of = '2026-05-01' FROM pupils p WHERE p.id = flags.pupil_id AND p.pseudonym <> 13"
        )
        connection.execute(
            "INSERT INTO views (case_id, person_id, week, opinion, why, recorded_on, recorded_at, idempotency_key) "
            "VALUES (%s, %s, '2026-06-15', 'no_concern', 'a reason long enough', '2026-06-16', now(), 'k')",
            [case_of(app, 12), amina.id],
        )
    changed = {
        day: {line.name for line in listed(app, lead, changed_since=TODAY - timedelta(days=day))} for day in (3, 7)
    }
    assert changed == {3: {"Pupil13 Example"}, 7: {"Pupil12 Example", "Pupil13 Example"}}
