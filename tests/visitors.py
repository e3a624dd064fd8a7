"""Everyone who may come to a door: each role at its school and at another, in good standing and not, and other systems.

`people` says who they are; `come` lets them in by a session of their own, without walking through a sign-in service.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import httpx
from sqlalchemy import text

from casework.callers import SCOPES
from casework.database import connect, scoped
from casework.integrations import revoke_integration
from casework.partners import put_member
from casework.people import NewPerson, add_person, end_person, person_by_id
from casework.permissions import ROLES, SCHOOL_ROLES, Person, Role
from casework.sessions import end_session, start_session
from records.home import Home
from tests.database import job_session
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.journey.api import grant, officer

RECENTLY: Final = TODAY - timedelta(days=30)
HERE, THERE = "here", "there"


@dataclass(frozen=True, kw_only=True)
class Comes:
    """Someone with these roles; `ended` works here no more, `lapsed` holds roles that ran out yesterday."""

    roles: tuple[Role, ...]
    training_on: date | None = RECENTLY
    ended: bool = False
    lapsed: bool = False


def _each_role() -> dict[str, Comes]:
    network = {name: Comes(roles=(Role(name=name),)) for name in ROLES if name not in SCHOOL_ROLES}
    schools = {HERE: SCHOOL, THERE: OTHER_SCHOOL}
    return network | {
        f"{name} {place}": Comes(roles=(Role(name=name, school=school),))
        for name in sorted(SCHOOL_ROLES)
        for place, school in schools.items()
    }


_LEAD: Final = Role(name="school_lead", school=SCHOOL)
_STAFF: Final = Role(name="school_staff", school=SCHOOL)
PEOPLE: Final[Mapping[str, Comes]] = {
    **_each_role(),
    # A permission held at one school opens nothing at another where the same person is something else.
    "staff here, lead there": Comes(roles=(_STAFF, Role(name="school_lead", school=OTHER_SCHOOL))),
    "network lead, staff here": Comes(roles=(_STAFF, Role(name="network_lead"))),
    "board member, staff there": Comes(
        roles=(Role(name="board_member"), Role(name="school_staff", school=OTHER_SCHOOL))
    ),
    "never trained": Comes(roles=(_LEAD,), training_on=None),
    "trained a year ago": Comes(roles=(_STAFF,), training_on=TODAY - timedelta(days=365)),
    "lapsed": Comes(roles=(_LEAD, Role(name="network_lead")), lapsed=True),
    "ended": Comes(roles=(_LEAD,), ended=True),
}
# Nobody is signed in with these, whatever their browser brings.
NOBODY: Final = ("nobody", "signed out", "a made-up cookie")


@dataclass
class Visitor:
    """Someone at the doors with a browser; `person` is None where Belong lets nobody in."""

    name: str
    person: Person | None
    http: httpx.Client
    csrf: str = ""


@contextmanager
def visitors(home: Home, address: str) -> Iterator[dict[str, Visitor]]:
    """Add everyone to the database, and let each come in by a session of their own."""
    made: dict[str, Visitor] = {}
    with job_session(home) as session:
        for name, comes in PEOPLE.items():
            new = NewPerson(
                issuer="https://issuer.test",
                subject=name,
                name=f"Someone: {name}",
                roles=comes.roles,
                training_on=comes.training_on,
                roles_expire_on=TODAY - timedelta(days=1) if comes.lapsed else None,
            )
            person = person_by_id(session, add_person(session, new), TODAY)
            made[name] = Visitor(name, person, _browser(address))
    with job_session(home) as session:
        put_member(session, made["partner"].person.id, "youth-service", given_by=made["administrator"].person.id)
    for name in NOBODY:
        made[name] = Visitor(name, made["school_lead here"].person, _browser(address))
    for visitor in made.values():
        come(home, visitor)
    made["nobody"].http.cookies.clear()
    made["a made-up cookie"].http.cookies.set("belong_session", "a" * 43)
    with _as_app(home) as session:
        end_session(session, made["signed out"].http.cookies["belong_session"], datetime.now(UTC))
    with job_session(home) as session:
        for name, comes in PEOPLE.items():
            if comes.ended:
                end_person(session, made[name].person.id)
                made[name].person = None
    for name in NOBODY:
        made[name].person, made[name].csrf = None, ""
    yield made
    for visitor in made.values():
        visitor.http.close()


def come(home: Home, visitor: Visitor) -> None:
    """Begin a session for a visitor, as signing in does."""
    with _as_app(home) as session:
        started = start_session(session, visitor.person.id, datetime.now(UTC))
    visitor.csrf = started.csrf_secret
    visitor.http.cookies.clear()
    visitor.http.cookies.set("belong_session", started.token)


def _browser(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, trust_env=False, timeout=30)


@contextmanager
def _as_app(home: Home) -> Iterator[object]:
    engine = connect(home, "app")
    try:
        with scoped(engine, frozenset()) as session:
            yield session
    finally:
        engine.dispose()


@dataclass(frozen=True, kw_only=True)
class System:
    """Another system that calls: its token, and what it may; no schools at all where its token opens nothing."""

    token: str
    scopes: frozenset[str] = frozenset()
    schools: frozenset[int] = frozenset()
    known: bool = True


def systems(home: Home) -> dict[str, System]:
    """Grant access by each scope alone, by all and by none, here and there; and take some of it away again."""
    sets = {one: frozenset({one}) for one in SCOPES} | {"everything": frozenset(SCOPES)}
    made = {}
    for words, scopes in sets.items():
        for place, school in ((HERE, SCHOOL), (THERE, OTHER_SCHOOL)):
            schools = frozenset({school})
            token = grant(home, f"{words}-{place}".replace(":", "-"), scopes=scopes, schools=schools)
            made[f"{words} {place}"] = System(token=token, scopes=scopes, schools=schools)
    both = frozenset({SCHOOL, OTHER_SCHOOL})
    made["everything everywhere"] = System(
        token=grant(home, "everywhere", scopes=frozenset(SCOPES), schools=both), scopes=frozenset(SCOPES), schools=both
    )
    stripped = grant(home, "stripped", scopes=frozenset(SCOPES))
    made["nothing granted any more"] = System(token=stripped, schools=frozenset({SCHOOL}))
    made["run out"] = System(token=grant(home, "run-out", scopes=frozenset(SCOPES)), known=False)
    made["withdrawn"] = System(token=grant(home, "withdrawn", scopes=frozenset(SCOPES)), known=False)
    made["no token"] = System(token="", known=False)
    made["a made-up token"] = System(token="eyJhbGciOiJub25lIn0.e30.", known=False)
    with job_session(home) as session:
        session.execute(text("UPDATE integrations SET scopes = '{}' WHERE client_id = 'stripped'"))
        session.execute(
            text("UPDATE integrations SET expires_on = :day WHERE client_id = 'run-out'"),
            {"day": TODAY - timedelta(days=1)},
        )
        revoke_integration(session, officer(), "withdrawn", TODAY)
    return made
