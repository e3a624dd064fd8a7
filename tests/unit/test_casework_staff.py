"""People and roles: by another administrator only, noted by the database, and no case left to nobody."""

import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.audit_log import verify_chain
from casework.break_glass import make_account
from casework.database import connect, looks_key, scoped
from casework.invitations import LASTS, accept, invitations, invite, withdraw_invitation
from casework.people import end_person, ensure_schools, find_person, person_by_id
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken
from casework.sessions import find_session, start_session
from casework.staff import (
    Given,
    NewStaff,
    NoSuchPerson,
    add_staff,
    end_staff,
    give_role,
    let_back,
    save_details,
    say_who,
    take_role,
)
from casework.staff_read import AT_ONCE, StaffFilters, staff_changes, staff_list, staff_page
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

NOW = datetime(2026, 6, 22, 9, 0, tzinfo=UTC)
STAFF = Given(role="school_staff", school=NORTH, last_day=None)
LEAD = Given(role="school_lead", school=NORTH, last_day=None)
ADMINISTRATOR = Given(role="administrator", school=None, last_day=None)


@pytest.fixture
def app(casework_home):
    engine = connect(casework_home, "app")
    yield engine
    engine.dispose()


@pytest.fixture
def admin(casework_home):
    with job_session(casework_home) as session:
        ensure_schools(session, {NORTH, SOUTH})
    return make_person(casework_home, Role(name="administrator"), name="Ada Administrator")


@pytest.fixture
def amina(casework_home, admin):
    return make_person(casework_home, Role(name="school_staff", school=NORTH), name="Amina Staff")


def doing(app, change, *arguments, **given):
    """Run one change in a transaction of the web process for somebody who sees no pupil."""
    with scoped(app, frozenset()) as session:
        return change(session, *arguments, **given)


def role_of(app, admin, person, role):
    page = doing(app, staff_page, admin, person.id, TODAY)
    return next(one.id for one in page.line.roles if one.role == role)


def open_case(home, owner=None, school=NORTH, pseudonym=11):
    save_pupils(home, identity(pseudonym, school))
    publish_now(home, publication({pseudonym: school}, flagged=(pseudonym,)))
    with job_session(home) as session:
        session.execute(text("UPDATE cases SET owner_id = :owner"), {"owner": owner})


def test_a_person_is_added_with_a_role_and_found_at_their_next_sign_in(app, admin):
    new = NewStaff(issuer="https://a.test", subject=" 00u1 ", name="  Bo   Example ", email="bo@school.test")
    person_id = doing(app, add_staff, admin, new, STAFF, TODAY)
    with scoped(app, frozenset()) as session:
        found = find_person(session, "https://a.test", "00u1", TODAY)
    assert (found.id, found.name, found.roles) == (person_id, "Bo Example", (Role(name="school_staff", school=NORTH),))
    assert found.training_on is None
    with pytest.raises(RuleBroken, match="known here already"):
        doing(app, add_staff, admin, new, STAFF, TODAY)


@pytest.mark.parametrize(
    ("changes", "given", "sentence"),
    [
        ({"name": "  "}, {}, "Enter a name"),
        ({"name": "x" * 201}, {}, "Enter a name"),
        ({"name": "a\x00b"}, {}, "Enter a name"),
        ({"subject": ""}, {}, "Enter the subject"),
        ({"email": "no address"}, {}, "Enter an email address"),
        ({}, {"role": "headteacher"}, "Select a role"),
        ({}, {"school": None}, "Select the school"),
        ({}, {"role": "board_member"}, "Leave the school empty"),
        ({}, {"school": 999999}, "a school of this network"),
        ({}, {"last_day": TODAY - timedelta(days=1)}, "today or later"),
    ],
)
def test_what_will_not_do_is_refused_in_a_sentence(app, admin, changes, given, sentence):
    new = NewStaff(issuer="https://a.test", subject="1", name="Bo Example")
    with pytest.raises(RuleBroken, match=sentence):
        doing(app, add_staff, admin, replace(new, **changes), replace(STAFF, **given), TODAY)


def test_only_an_administrator_changes_people_and_nobody_themselves(app, admin, amina):
    for change, arguments in (
        (give_role, (amina.id, LEAD, TODAY)),
        (take_role, (amina.id, uuid.uuid4(), TODAY)),
        (end_staff, (amina.id, TODAY)),
        (let_back, (amina.id, TODAY)),
        (save_details, (amina.id, "Another", None, TODAY)),
    ):
        with pytest.raises(NotAllowed, match="manage people"):
            doing(app, change, amina, *arguments)
        with pytest.raises(RuleBroken, match="Nobody changes their own roles"):
            doing(app, change, admin, admin.id, *arguments[1:])
        with pytest.raises(NoSuchPerson):
            doing(app, change, admin, uuid.uuid4(), *arguments[1:])


def test_the_database_itself_refuses_ones_own_and_what_nobody_asked_for(app, admin, amina):
    """A page that forgot the rule, or a web process that was taken over, meets the same answer."""
    insert = text("INSERT INTO person_roles (person_id, role) VALUES (:who, 'network_lead')")
    with pytest.raises(DBAPIError, match="must say who"), scoped(app, frozenset()) as session:
        session.execute(insert, {"who": amina.id})
    with scoped(app, frozenset()) as session:
        say_who(session, amina.id)
        with pytest.raises(DBAPIError, match="nobody changes their own"), session.begin_nested():
            session.execute(insert, {"who": amina.id})
    for statement in (
        "INSERT INTO staff_changes (at, person_id, what) SELECT now(), id, 'added' FROM people",
        "UPDATE people SET subject = 'another'",
        "UPDATE people SET training_on = '2026-06-22'",
        "DELETE FROM people",
        "UPDATE person_roles SET role = 'administrator'",
        "UPDATE trainings SET taken_on = '2026-06-22'",
        "DELETE FROM staff_changes",
    ):
        with pytest.raises(DBAPIError, match=r"permission denied|append-only"), scoped(app, None) as session:
            session.execute(text(statement))


def test_every_change_is_noted_with_who_and_when_and_seen_by_those_who_look_after_people(
    casework_home, app, admin, amina
):
    last = TODAY + timedelta(days=90)
    doing(app, give_role, admin, amina.id, replace(LEAD, last_day=last), TODAY)
    doing(app, give_role, admin, amina.id, LEAD, TODAY)
    doing(app, take_role, admin, amina.id, role_of(app, admin, amina, "school_staff"), TODAY)
    doing(app, save_details, admin, amina.id, "Amina Other", "amina@school.test", TODAY)
    doing(app, end_staff, admin, amina.id, TODAY)
    doing(app, let_back, admin, amina.id, TODAY)
    page = doing(app, staff_page, admin, amina.id, TODAY)
    school = f"School {NORTH}"
    assert [(one.what, one.about, one.by, one.last_day) for one in page.changes] == [
        ("Let back in", "", "Ada Administrator", None),
        ("Left", "", "Ada Administrator", None),
        ("Role taken away", f"School lead, {school}", "Ada Administrator", None),
        ("Name or address changed", "", "Ada Administrator", None),
        ("Role taken away", f"School staff, {school}", "Ada Administrator", None),
        ("Last day of a role changed", f"School lead, {school}", "Ada Administrator", None),
        ("Role given", f"School lead, {school}", "Ada Administrator", last),
        ("Role given", f"School staff, {school}", None, None),
        ("Added", "", None, None),
    ]
    assert page.line.active
    assert page.line.roles == ()
    # Nobody else's transaction sees them, not even one that sees a school.
    with scoped(app, frozenset({NORTH})) as session:
        assert session.execute(text("SELECT count(*) FROM staff_changes")).scalar_one() == 0
        assert verify_chain(session, looks_key(casework_home)).ok is False  # most looks are out of this scope
    with scoped(app, None) as session:
        assert verify_chain(session, looks_key(casework_home)).ok
        actions = session.execute(text("SELECT action FROM looks ORDER BY seq")).scalars().all()
    assert actions == ["give_role", "give_role", "take_role", "save_details", "end_person", "let_back"]


def test_sessions_end_with_a_change_of_roles(app, admin, amina):
    for change in (
        lambda session: give_role(session, admin, amina.id, LEAD, TODAY),
        lambda session: take_role(session, admin, amina.id, role_of(app, admin, amina, "school_lead"), TODAY),
        lambda session: end_staff(session, admin, amina.id, TODAY),
    ):
        token = doing(app, start_session, amina.id, datetime.now(UTC)).token
        doing(app, change)
        assert doing(app, find_session, token, datetime.now(UTC)) is None
    assert doing(app, person_by_id, amina.id, TODAY) is None


def test_no_case_is_left_to_nobody(casework_home, app, admin, amina):
    """Amina owns a case at a school without a lead: she can go once somebody leads there, and it falls to them."""
    open_case(casework_home, amina.id)
    with pytest.raises(RuleBroken, match="North Example School has 1 open case that nobody would look after"):
        doing(app, end_staff, admin, amina.id, TODAY)
    with pytest.raises(RuleBroken, match="1 open case"):
        doing(app, take_role, admin, amina.id, role_of(app, admin, amina, "school_staff"), TODAY)
    lead = make_person(casework_home, Role(name="school_lead", school=NORTH))
    page = doing(app, staff_page, admin, amina.id, TODAY)
    assert page.cases == (("North Example School", 1),)
    doing(app, end_staff, admin, amina.id, TODAY)
    # Now they all fall to the lead, who cannot go in turn.
    with pytest.raises(RuleBroken, match="1 open case"):
        doing(app, end_staff, admin, lead.id, TODAY)
    make_person(casework_home, Role(name="school_lead", school=SOUTH))
    with pytest.raises(RuleBroken, match="1 open case"):
        doing(app, end_staff, admin, lead.id, TODAY)


def test_counting_the_cases_shows_the_administrator_no_pupil(casework_home, app, admin, amina):
    open_case(casework_home, amina.id)
    with scoped(app, frozenset()) as session:
        assert staff_page(session, admin, amina.id, TODAY).cases
        for table in ("pupils", "cases", "flags", "weekly_facts"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    with scoped(app, frozenset()) as session:
        assert (
            session.execute(text("SELECT count(*) FROM belong_open_cases(:who)"), {"who": amina.id}).scalar_one() == 0
        )


def test_whoever_leaves_covers_for_nobody(casework_home, app, admin, amina):
    lead = make_person(casework_home, Role(name="school_lead", school=NORTH))
    with superuser(casework_home) as connection:
        connection.execute(
            "INSERT INTO covers (school_urn, away_id, covering_id, from_on, until_on, arranged_by, arranged_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, now())",
            [NORTH, lead.id, amina.id, TODAY - timedelta(days=1), TODAY + timedelta(days=5), lead.id],
        )
    doing(app, end_staff, admin, amina.id, TODAY)
    with scoped(app, frozenset({NORTH})) as session:
        assert session.execute(text("SELECT ended_on FROM covers")).scalar_one() == TODAY


def test_the_network_keeps_an_administrator_who_stays_a_month(casework_home, app, admin):
    other = make_person(casework_home, Role(name="administrator"))
    with superuser(casework_home) as connection:
        connection.execute(
            "UPDATE person_roles SET expires_on = %s WHERE person_id = %s", [TODAY + timedelta(days=29), admin.id]
        )
    with pytest.raises(RuleBroken, match="would have no administrator"):
        doing(app, end_staff, admin, other.id, TODAY)
    with pytest.raises(RuleBroken, match="would have no administrator"):
        doing(app, take_role, admin, other.id, role_of(app, admin, other, "administrator"), TODAY)
    soon = replace(ADMINISTRATOR, last_day=TODAY + timedelta(days=29))
    with pytest.raises(RuleBroken, match="would have no administrator"):
        doing(app, give_role, admin, other.id, soon, TODAY)
    doing(app, give_role, admin, other.id, replace(soon, last_day=TODAY + timedelta(days=30)), TODAY)


def test_two_administrators_who_end_each_other_do_not_both_succeed(casework_home, app, admin):
    other = make_person(casework_home, Role(name="administrator"))
    both, refused = threading.Barrier(2), []

    def end(by, whom):
        both.wait()
        try:
            doing(app, end_staff, by, whom.id, TODAY)
        except NotAllowed as no:
            refused.append(no.sentence)

    running = [threading.Thread(target=end, args=pair) for pair in ((admin, other), (other, admin))]
    for one in running:
        one.start()
    for one in running:
        one.join()
    assert refused == ["You are no administrator any more."]


def test_whoever_gives_out_roles_sees_no_pupil(casework_home, app, admin, amina):
    with pytest.raises(RuleBroken, match="sees no pupil"):
        doing(app, give_role, admin, amina.id, ADMINISTRATOR, TODAY)
    other = make_person(casework_home, Role(name="administrator"))
    with pytest.raises(RuleBroken, match="sees no pupil"):
        doing(app, give_role, admin, other.id, STAFF, TODAY)
    doing(app, give_role, admin, other.id, Given(role="board_member", school=None, last_day=None), TODAY)


def test_the_list_is_filtered_and_paged_by_name(casework_home, app, admin):
    with job_session(casework_home) as session:
        session.execute(
            text(
                "INSERT INTO people (issuer, subject, name) SELECT 'i', 's' || n, 'Person ' || lpad(n::text, 3, '0') "
                "FROM generate_series(1, 60) AS n"
            )
        )
    lines, more = doing(app, staff_list, admin, StaffFilters(name="person"), TODAY)
    assert (len(lines), more, lines[0].name) == (AT_ONCE, True, "Person 001")
    rest, more = doing(app, staff_list, admin, StaffFilters(name="person"), TODAY, lines[-1].id)
    assert ([one.name for one in rest], more) == ([f"Person {n:03}" for n in range(51, 61)], False)
    assert len(doing(app, staff_list, admin, StaffFilters(name="%"), TODAY)[0]) == 0
    by_role, _ = doing(app, staff_list, admin, StaffFilters(role="administrator"), TODAY)
    assert [one.id for one in by_role] == [admin.id]
    at_north, _ = doing(app, staff_list, admin, StaffFilters(school=NORTH), TODAY)
    assert at_north == ()
    without, _ = doing(app, staff_list, admin, StaffFilters(without_role=True, name="060"), TODAY)
    assert [one.name for one in without] == ["Person 060"]
    changes, more = doing(app, staff_changes, admin)
    assert (len(changes), more) == (AT_ONCE, True)
    assert len(doing(app, staff_changes, admin, changes[-1].seq)[0]) == 62 - AT_ONCE  # 60, the administrator, a role


def test_an_invitation_binds_the_account_that_signed_in_once(casework_home, app, admin):
    code = doing(app, invite, admin, "Chidi Example", "chidi@school.test", STAFF, TODAY, NOW)
    assert len(code) == 23
    waiting = doing(app, invitations, admin, NOW)
    assert [(one.name, one.role_words) for one in waiting] == [("Chidi Example", f"School staff, School {NORTH}")]
    with scoped(app, None) as session:
        assert code not in str(session.execute(text("SELECT * FROM invitations")).all())
    person = doing(app, accept, "https://a.test", "pairwise-1", code.lower().replace("-", " "), TODAY, NOW)
    assert (person.name, person.roles) == ("Chidi Example", (Role(name="school_staff", school=NORTH),))
    assert doing(app, find_person, "https://a.test", "pairwise-1", TODAY).id == person.id
    page = doing(app, staff_page, admin, person.id, TODAY)
    assert [(one.what, one.by) for one in page.changes] == [
        ("Role given", "Ada Administrator"),
        ("Added", "Ada Administrator"),
    ]
    with pytest.raises(RuleBroken, match="is not known, was used, or is over"):
        doing(app, accept, "https://a.test", "pairwise-2", code, TODAY, NOW)


@pytest.mark.parametrize("why", ["over", "withdrawn", "another code", "the inviter left"])
def test_an_invitation_that_is_over_binds_nobody(casework_home, app, admin, why):
    code = doing(app, invite, admin, "Chidi Example", "", STAFF, TODAY, NOW)
    now = NOW + LASTS if why == "over" else NOW
    if why == "withdrawn":
        doing(app, withdraw_invitation, admin, doing(app, invitations, admin, NOW)[0].id, TODAY, NOW)
    if why == "another code":
        code = code[:-1] + ("A" if code[-1] != "A" else "B")
    if why == "the inviter left":
        with job_session(casework_home) as session:
            end_person(session, admin.id)
    with pytest.raises(RuleBroken, match="is not known, was used, or is over"):
        doing(app, accept, "https://a.test", "pairwise-1", code, TODAY, now)
    assert doing(app, find_person, "https://a.test", "pairwise-1", TODAY) is None


def test_an_account_that_left_comes_back_by_no_code(casework_home, app, admin):
    new = NewStaff(issuer="https://a.test", subject="1", name="Bo Example")
    gone = doing(app, add_staff, admin, new, STAFF, TODAY)
    doing(app, end_staff, admin, gone, TODAY)
    code = doing(app, invite, admin, "Bo Example", "", STAFF, TODAY, NOW)
    with pytest.raises(RuleBroken, match="let it back in"):
        doing(app, accept, "https://a.test", "1", code, TODAY, NOW)


def test_the_account_of_last_resort_is_changed_by_no_page_and_counts_as_nobodys_administrator(
    casework_home, app, admin
):
    with job_session(casework_home) as session:
        make_account(session, NOW)
        last_resort = session.execute(text("SELECT id FROM people WHERE issuer = 'break-glass'")).scalar_one()
    with scoped(app, frozenset()) as session:
        in_emergency = person_by_id(session, last_resort, TODAY)
    with pytest.raises(RuleBroken, match="on the server only"):
        doing(app, end_staff, admin, last_resort, TODAY)
    with pytest.raises(RuleBroken, match="would have no administrator"):
        doing(app, end_staff, in_emergency, admin.id, TODAY)
