"""Other systems: granted, let in by a secret, rotated without a gap, and shut out at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from casework.audit_log import verify_chain
from casework.callers import authenticate, still_allowed
from casework.database import connect, looks_key, scoped
from casework.integrations import (
    NewIntegration,
    add_integration,
    integrations,
    revoke_integration,
    revoke_secret,
    rotate_integration,
)
from casework.people import ensure_schools
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken
from tests.database import NORTH, SOUTH, TODAY, make_person

GRANT = NewIntegration(
    client_id="north-mis",
    name="School system",
    scopes=frozenset({"lists:read", "scores:read"}),
    schools=frozenset({NORTH}),
    expires_on=TODAY + timedelta(days=30),
)


@pytest.fixture
def job(casework_home):
    engine = connect(casework_home, "job")
    yield engine
    engine.dispose()


@pytest.fixture
def app(casework_home):
    engine = connect(casework_home, "app")
    yield engine
    engine.dispose()


@pytest.fixture
def officer(casework_home, job):
    with scoped(job, None) as session:
        ensure_schools(session, {NORTH, SOUTH})
    return make_person(casework_home, Role(name="data_protection_officer"))


def let_in(app, secret, day=TODAY, client_id="north-mis"):
    with scoped(app, frozenset()) as session:
        return authenticate(session, client_id, secret, day)


def test_it_is_let_in_by_its_secret_until_its_last_day(job, app, officer):
    with scoped(job, None) as session:
        secret = add_integration(session, officer, GRANT, TODAY)
    found = let_in(app, secret, GRANT.expires_on)
    assert (found.scopes, found.schools, found.name) == (GRANT.scopes, GRANT.schools, "School system")
    assert let_in(app, secret, GRANT.expires_on + timedelta(days=1)) is None
    for wrong in ("wrong", "", secret[:-1], f"{secret}é", "a\x00", "x" * 300):
        assert let_in(app, wrong) is None
    assert let_in(app, secret, client_id="south-mis") is None
    assert let_in(app, secret, client_id="\x00") is None
    with scoped(job, None) as session:
        stored = session.execute(text("SELECT secret_hash FROM integration_secrets")).scalar_one()
    assert secret not in stored


def test_granting_again_replaces_the_secret(job, app, officer):
    with scoped(job, None) as session:
        first = add_integration(session, officer, GRANT, TODAY)
        second = add_integration(session, officer, replace(GRANT, scopes=frozenset({"lists:read"})), TODAY)
    assert let_in(app, first) is None
    assert let_in(app, second).scopes == {"lists:read"}


def test_two_secrets_live_while_a_system_changes_over(job, app, officer):
    with scoped(job, None) as session:
        first = add_integration(session, officer, GRANT, TODAY)
        second = rotate_integration(session, officer, "north-mis", TODAY, grace_days=7)
    before, after = let_in(app, first), let_in(app, second)
    assert before.secret != after.secret
    last = TODAY + timedelta(days=7)
    assert let_in(app, first, last) is not None
    assert let_in(app, first, last + timedelta(days=1)) is None
    assert let_in(app, second, last + timedelta(days=1)) is not None
    with scoped(job, None) as session:
        [one] = integrations(session, TODAY)
        assert [held.ends_on for held in one.secrets] == [last, None]
        assert [held.last_used_on for held in one.secrets] == [last, last + timedelta(days=1)]
        with pytest.raises(RuleBroken, match=f"The older ends after {last.isoformat()}"):
            rotate_integration(session, officer, "north-mis", TODAY)
        revoke_secret(session, officer, "north-mis", one.secrets[0].id, TODAY)
    with scoped(app, frozenset()) as session:
        # What was let in by the older secret is out at its next call, the other goes on.
        assert still_allowed(session, "north-mis", before.secret, TODAY) is None
        assert still_allowed(session, "north-mis", after.secret, TODAY) == after
    with scoped(job, None) as session:
        third = rotate_integration(session, officer, "north-mis", TODAY, grace_days=0)
    assert let_in(app, second) is None
    assert let_in(app, third) is not None


def test_taken_back_it_is_shut_out_at_once_and_can_be_granted_anew(job, app, officer):
    with scoped(job, None) as session:
        secret = add_integration(session, officer, GRANT, TODAY)
    inside = let_in(app, secret)
    with scoped(job, None) as session:
        revoke_integration(session, officer, "north-mis", TODAY)
        assert [one.live for one in integrations(session, TODAY)] == [False]
        with pytest.raises(RuleBroken, match="was taken back; grant it anew"):
            rotate_integration(session, officer, "north-mis", TODAY)
        with pytest.raises(RuleBroken, match="no integration of this id"):
            revoke_integration(session, officer, "nobody", TODAY)
    with scoped(app, frozenset()) as session:
        assert still_allowed(session, "north-mis", inside.secret, TODAY) is None
    with scoped(job, None) as session:
        assert let_in(app, secret) is None
        secret = add_integration(session, officer, GRANT, TODAY)
    assert let_in(app, secret) is not None


def test_every_change_of_access_stands_in_the_log(casework_home, job, officer):
    with scoped(job, None) as session:
        add_integration(session, officer, GRANT, TODAY)
        rotate_integration(session, officer, "north-mis", TODAY)
        revoke_secret(session, officer, "north-mis", integrations(session, TODAY)[0].secrets[0].id, TODAY)
        revoke_integration(session, officer, "north-mis", TODAY)
    with scoped(job, None) as session:
        rows = session.execute(text("SELECT action, person_id, detail FROM looks ORDER BY seq")).all()
        assert verify_chain(session, looks_key(casework_home)).ok
    assert [row.action for row in rows] == [
        "grant_integration",
        "rotate_integration",
        "revoke_secret",
        "revoke_integration",
    ]
    assert {row.person_id for row in rows} == {officer.id}
    assert rows[0].detail == "north-mis: lists:read, scores:read for 1 schools until 2026-07-22"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scopes": frozenset({"everything"})}, "Scopes must be among lists:read, scores:read, upns:read"),
        ({"scopes": frozenset()}, "Scopes must be among"),
        ({"schools": frozenset()}, "at least one school"),
        ({"schools": frozenset({NORTH, 999999})}, "There is no school 999999"),
        ({"client_id": "a.b"}, "letters, digits and hyphens"),
        ({"expires_on": TODAY - timedelta(days=1)}, "must end within"),
        ({"expires_on": TODAY + timedelta(days=367)}, "must end within"),
        ({"calls_per_minute": 0}, "times a minute"),
    ],
)
def test_a_grant_names_what_it_may_and_ends(job, officer, changes, words):
    with scoped(job, None) as session, pytest.raises(RuleBroken, match=words):
        add_integration(session, officer, replace(GRANT, **changes), TODAY)


def test_only_the_data_protection_officer_grants(job, officer, casework_home):
    administrator = make_person(casework_home, Role(name="administrator"))
    with scoped(job, None) as session:
        add_integration(session, officer, GRANT, TODAY)
    for change in (
        lambda session: add_integration(session, administrator, GRANT, TODAY),
        lambda session: rotate_integration(session, administrator, "north-mis", TODAY),
        lambda session: revoke_integration(session, administrator, "north-mis", TODAY),
    ):
        with scoped(job, None) as session, pytest.raises(NotAllowed, match="give another system access"):
            change(session)
