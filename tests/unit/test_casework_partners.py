"""Partnership: each partner sees what its agreement covers on the day, held by the database as well as by code."""

import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.partner_actions import (
    NewAction,
    NoSuchAction,
    action_of,
    actions_of_partner,
    actions_on,
    agree_on_place,
    agree_on_pupil,
    every_action,
    take_partner_step,
    take_step,
)
from casework.partners import come_as_partner, members, put_member, save_partners, set_member
from casework.permissions import NotAllowed, Person, Role
from casework.places import counts_for_partners, releases
from casework.rules import RuleBroken
from records.agreements import Register, RegisterRefused, demonstration, read_register
from records.home import Home
from records.partnerships import Partnership
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
from tests.places_made_up import save_places

NEW = NewAction(
    partnership="youth", what="Two Thursdays at the club.", owner="theirs", due_on=TODAY, reference="YS-2041"
)


def agreed(name: str, kind: str = "youth", **changes: Any) -> Partnership:
    said = {
        "id": name,
        "title": f"Example {name}",
        "kind": kind,
        "purpose": "work together",
        "lawful_basis": "public task",
        "starts": date(2025, 9, 1),
        "ends": date(2026, 8, 31),
        "impact_assessment": "kept in the office",
        "assessed_on": date(2025, 8, 1),
        "actions": kind != "police",
        "places": True,
    }
    return Partnership.model_validate(said | changes)


AGREED = (agreed("youth", schools=(NORTH,)), agreed("health", "health"), agreed("police", "police"))


@pytest.fixture
def home(casework_home: Home) -> Home:
    """Two schools with a pupil each, three partners, and counts by place."""
    save_pupils(casework_home, identity(1, school=NORTH), identity(2, school=SOUTH))
    publish_now(casework_home, publication({1: NORTH, 2: SOUTH}))
    with job_session(casework_home) as session:
        save_partners(session, AGREED)
        save_places(session, (NORTH, SOUTH), TODAY)
    return casework_home


def partner_person(home: Home, partnership: str = "") -> Person:
    made = make_person(home, Role(name="partner"))
    if partnership:
        by = make_person(home, Role(name="administrator"))
        with job_session(home) as session:
            put_member(session, made.id, partnership, given_by=by.id)
    return made


@contextmanager
def app(home: Home, schools: frozenset[int] | None = frozenset()) -> Iterator[Session]:
    engine = connect(home, "app")
    try:
        with scoped(engine, schools) as session:
            yield session
    finally:
        engine.dispose()


def staff(home: Home, school: int = NORTH) -> Person:
    return replace(make_person(home, Role(name="school_staff", school=school)), training_on=TODAY)


def agree(home: Home, school: int = NORTH, **changes: Any) -> uuid.UUID:
    """Agree an action on the school's pupil, by its staff."""
    with app(home, frozenset({school})) as session:
        pupil = session.execute(text("SELECT id FROM pupils WHERE school_urn = :s"), {"s": school}).scalar_one()
        return agree_on_pupil(session, staff(home, school), pupil, replace(NEW, **changes), uuid.uuid4().hex, TODAY)


def seen(session: Session) -> set[str]:
    """Every action that the database gives to this session, whatever code would ask for."""
    return {
        str(row) for row in session.execute(text("SELECT partnership || ' ' || what FROM partner_actions")).scalars()
    }


class TestWhatAPartnerSees:
    def test_its_own_actions_where_its_agreement_is_with_the_school_and_no_pupil(self, home):
        agree(home)
        agree(home, partnership="health", what="See the nurse.")
        agree(home, SOUTH, partnership="health", what="See the nurse there.")
        with app(home) as session:
            mine = come_as_partner(session, partner_person(home, "youth"), TODAY)
            found = actions_of_partner(session, mine, TODAY)
            assert [(one.what, one.reference, one.school) for one in found] == [(NEW.what, "YS-2041", NORTH)]
            assert seen(session) == {f"youth {NEW.what}"}
            for table in ("pupils", "pupil_keys", "cases", "flags", "scores", "weekly_facts", "views", "supports"):
                assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table

    @pytest.mark.parametrize(
        "changes",
        [
            {"ends": TODAY - timedelta(days=1)},
            {"starts": TODAY + timedelta(days=1)},
            {"impact_assessment": "", "assessed_on": None},
            None,
        ],
        ids=["ended", "not yet", "not assessed", "not in the register"],
    )
    def test_without_an_agreement_that_stands_nothing_and_the_attempt_is_logged(self, home, changes):
        agree(home)
        someone = partner_person(home, "youth")
        with job_session(home) as session:
            save_partners(session, [] if changes is None else [agreed("youth", schools=(NORTH,), **changes)])
        with app(home) as session:
            assert come_as_partner(session, someone, TODAY) is None
        with app(home) as session:
            # Even code that forgot to ask would be given nothing.
            session.execute(text("SELECT set_config('belong.partner', 'youth', true)"))
            session.execute(text("SELECT set_config('belong.day', :day, true)"), {"day": TODAY.isoformat()})
            assert seen(session) == set()
            assert session.execute(text("SELECT count(*) FROM partner_steps")).scalar_one() == 0
            assert session.execute(text("SELECT count(*) FROM place_counts")).scalar_one() == 0
        with job_session(home) as session:
            logged = session.execute(text("SELECT detail FROM looks WHERE person_id = :id"), {"id": someone.id})
            assert logged.scalars().all() == ["no agreement covers actions: youth"]

    def test_somebody_who_signs_in_for_no_partner_sees_nothing(self, home):
        with app(home) as session:
            assert come_as_partner(session, partner_person(home), TODAY) is None
            with pytest.raises(NotAllowed, match="see what is agreed with a partner"):
                come_as_partner(session, make_person(home, Role(name="network_lead")), TODAY)

    def test_a_school_that_leaves_the_agreement_takes_its_actions_along(self, home):
        agree(home)
        with job_session(home) as session:
            save_partners(session, [agreed("youth", schools=(SOUTH,))])
        with app(home) as session:
            mine = come_as_partner(session, partner_person(home, "youth"), TODAY)
            assert actions_of_partner(session, mine, TODAY) == ()
            assert seen(session) == set()

    def test_staff_who_work_for_a_partner_too_are_the_partner_on_its_pages(self, home):
        agree(home, partnership="health", what="See the nurse.")
        someone = partner_person(home, "youth")
        with app(home, frozenset({NORTH})) as session:
            come_as_partner(session, someone, TODAY)
            assert seen(session) == set()
            assert session.execute(text("SELECT count(*) FROM pupils")).scalar_one() == 0


class TestPolicing:
    def test_no_agreement_can_give_it_an_action_on_a_pupil(self, home, tmp_path):
        with pytest.raises(ValueError, match="counts by place only"):
            agreed("police", "police", actions=True)
        said = demonstration().replace('kind = "youth"', 'kind = "police"')
        (tmp_path / "agreements.toml").write_text(said, encoding="utf-8")
        with pytest.raises(RegisterRefused, match=r"partner\.0: a partner in policing sees counts by place only"):
            read_register(tmp_path / "agreements.toml")
        with superuser(home) as database, pytest.raises(CheckViolation):
            database.execute("UPDATE partnerships SET actions = true WHERE kind = 'police'")

    def test_staff_cannot_agree_one_with_it_nor_would_it_see_one(self, home):
        with pytest.raises(RuleBroken, match="No agreement with this partner covers actions on pupils of this school"):
            agree(home, partnership="police")
        with app(home, frozenset({NORTH})) as session:
            session.execute(
                text(
                    "INSERT INTO partner_actions (partnership, pupil_id, school_urn, reference, what, owner) "
                    "SELECT 'police', id, school_urn, 'x', 'Slipped in.', 'ours' FROM pupils"
                )
            )
        with app(home) as session:
            come_as_partner(session, partner_person(home, "police"), TODAY)
            assert seen(session) == set()

    def test_it_sees_counts_by_ward_and_borough_and_of_them_nothing_about_lists(self, home):
        with app(home) as session:
            come_as_partner(session, partner_person(home, "police"), TODAY, for_places=True)
            (half_term, *_) = (one.half_term for one in releases(session))
            found = counts_for_partners(session, half_term, "ward")
            assert {one.cut for one in found} == {"ward"}
            assert counts_for_partners(session, half_term, "school") == ()
            given = session.execute(text("SELECT DISTINCT cut, measure FROM place_counts")).all()
        assert {cut for cut, _ in given} == {"ward", "borough"}
        assert {measure for _, measure in given} == {"pupils", "sessions_possible", "sessions_missed", "suspensions"}
        assert all(set(one.counts) == {measure for _, measure in given} for one in found)


class TestActions:
    def test_agreed_done_and_learned_by_both_sides_and_nothing_after_the_end_but_learning(self, home):
        made = agree(home)
        with app(home) as session:
            someone = partner_person(home, "youth")
            mine = come_as_partner(session, someone, TODAY)
            action = action_of(session, made, mine)
            take_partner_step(session, someone, action, ("done", "They came twice."), "k1", TODAY)
            take_partner_step(session, someone, action, ("done", "They came twice."), "k1", TODAY)
            with pytest.raises(RuleBroken, match="Select what you want to say"):
                take_partner_step(session, someone, action, ("withdraw", ""), "k2", TODAY)
        with app(home, frozenset({NORTH})) as session:
            (found,) = actions_on(session, action.pupil_id)
            assert found.state == "done"
            with pytest.raises(RuleBroken, match="This action is over"):
                take_step(session, staff(home), found, ("put_off", "", TODAY), "k3", TODAY)
            take_step(session, staff(home), found, ("learned", "Ask the club first.", None), "k4", TODAY)
            assert [(one.step, one.by_partner) for one in actions_on(session, action.pupil_id)[0].steps] == [
                ("agree", False),
                ("done", True),
                ("learned", False),
            ]

    def test_another_school_and_another_partner_find_no_such_action(self, home):
        made = agree(home)
        with app(home, frozenset({SOUTH})) as session, pytest.raises(NoSuchAction):
            action_of(session, made)
        with app(home) as session:
            mine = come_as_partner(session, partner_person(home, "health"), TODAY)
            with pytest.raises(NoSuchAction):
                action_of(session, made, mine)

    def test_a_step_is_written_as_who_one_is(self, home):
        made = agree(home)
        row = (
            "INSERT INTO partner_steps (action_id, number, step, said, person_id, by_partner, taken_on, recorded_at, "
            "idempotency_key) VALUES (:action, 2, 'done', '', :person, :partner, :day, now(), 'k')"
        )
        for schools, by_partner in ((frozenset({NORTH}), True), (frozenset({SOUTH}), False)):
            values = {"action": made, "person": staff(home).id, "partner": by_partner, "day": TODAY}
            with pytest.raises(DBAPIError, match="row-level security"), app(home, schools) as session:
                session.execute(text(row), values)

    def test_overdue_is_what_is_open_after_its_day_and_a_new_date_puts_it_off(self, home):
        lead = make_person(home, Role(name="network_lead"))
        with app(home, None) as session:
            made = agree_on_place(session, lead, "Old Dock", replace(NEW, reference=""), "p1", TODAY)
            (found,) = every_action(session, lead)
            assert (found.id, found.place, found.pupil_id) == (made, "Old Dock", None)
            assert not found.is_overdue(TODAY)
            assert found.is_overdue(TODAY + timedelta(days=1))
            later = TODAY + timedelta(days=14)
            take_step(session, lead, found, ("put_off", "", later), "p2", TODAY)
            assert not every_action(session, lead)[0].is_overdue(later)
        with app(home, frozenset({NORTH})) as session:
            assert seen(session) == set(), "actions on places are the network lead's and the partner's"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"what": " "}, "what"),
            ({"owner": "nobody"}, "owner"),
            ({"due_on": TODAY - timedelta(days=1)}, "due_on"),
            ({"reference": ""}, "reference"),
            ({"partnership": "somebody"}, "partnership"),
        ],
    )
    def test_what_is_missing_is_asked_for_at_its_field(self, home, changes, field):
        with pytest.raises(RuleBroken) as broken:
            agree(home, **changes)
        assert broken.value.field == field


def test_an_administrator_says_who_signs_in_for_whom_and_nobody_for_themselves(home):
    someone, by = partner_person(home), make_person(home, Role(name="administrator"))
    with app(home) as session:
        set_member(session, by, someone.id, "health", TODAY)
        assert [one.partnership for one in members(session, by) if one.person_id == someone.id] == ["health"]
        with pytest.raises(RuleBroken, match="Select a partner of the data-sharing register"):
            set_member(session, by, someone.id, "nobody", TODAY)
        with pytest.raises(RuleBroken, match="Give the role first"):
            set_member(session, by, staff(home).id, "health", TODAY)
        with pytest.raises(RuleBroken, match="Nobody changes their own"):
            set_member(session, by, by.id, "health", TODAY)
        set_member(session, by, someone.id, "", TODAY)
        assert [one.partnership for one in members(session, by) if one.person_id == someone.id] == [""]


def test_the_demonstrations_register_names_its_partners():
    register = Register.model_validate(tomllib.loads(demonstration()))
    assert [(one.id, one.actions) for one in register.partner] == [
        ("youth-service", True),
        ("neighbourhood-police", False),
    ]
