"""The scoring interface, running: a real database, a real signed bundle, a token for one school."""

import json
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from jinja2 import Environment
from sqlalchemy import Engine

from casework.callers import SCOPES, authenticate
from casework.database import connect, migrate, scoped
from casework.deployments import record_deployment
from casework.integrations import NewIntegration, add_integration
from casework.people import ensure_schools, save_identities
from casework.permissions import Person, Role
from casework.publishing import publish
from records.home import Home
from serving.api import router
from serving.api.tokens import issue
from serving.app import closing
from serving.jobs.loops import LoadedLoops
from serving.scoring import POINTER, Door
from serving.site import Site
from tests.database import identity, publication, remove_home
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY, demo_home, put_deployed, tiny_bundle
from tests.journey.client import running

SCORES = "/api/v1/scores"
SECRET_VALUE = "Q882100000001"


@dataclass(frozen=True)
class Api:
    """A running interface, its home, and a token for one school."""

    client: httpx.Client
    home: Home
    engine: Engine
    token: str

    def post(self, body: object, *, token: str | None = None) -> httpx.Response:
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": "application/json"}
        answer: httpx.Response = self.client.post(SCORES, content=content, headers=headers)
        return answer

    def get(self, path: str, *, token: str | None = None, **parameters: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.token}"}
        answer: httpx.Response = self.client.get(f"/api/v1/{path}", params=parameters, headers=headers)  # type: ignore[arg-type]  # plain values
        return answer

    def folder(self) -> Path:
        return self.home.deployed / (self.home.deployed / POINTER).read_text().strip()


@contextmanager
def running_api() -> Iterator[Api]:
    """Give a running interface with a signed bundle deployed; stop it and delete its home at the end."""
    # A short folder that the database's own user can enter, unlike pytest's.
    home, keys = demo_home(Path(tempfile.mkdtemp(prefix="belong-")))
    put_deployed(home, tiny_bundle(), keys)
    migrate(home)
    token = grant(home, "timetable")
    with as_job(home) as session:
        record_deployment(session, tiny_bundle().digest, "a" * 64, datetime.now(UTC))
    engine = connect(home, "app")
    with serving(home, engine) as client:
        yield Api(client, home, engine, token)
    engine.dispose()
    remove_home(home)


@dataclass(frozen=True)
class Listing:
    """The interface with three pupils on lists, one of another school and one drawn at random, and two tokens."""

    api: Api
    facts: str
    scores: str


@contextmanager
def running_lists() -> Iterator[Listing]:
    """Give a running interface whose database holds a published week."""
    pupils = {1: SCHOOL, 2: SCHOOL, 3: OTHER_SCHOOL, 4: SCHOOL}
    with running_api() as api:
        made = publication(pupils, flagged=(1, 2, 3), bundle_digest=tiny_bundle().digest)
        made = replace(made, flags=made.flags.assign(check_sample=made.flags["pupil"] == 2))
        with as_job(api.home) as session:
            save_identities(session, [identity(number, school) for number, school in pupils.items()])
            publish(session, made)
        facts = grant(api.home, "mis", scopes=frozenset({"lists:read"}))
        yield Listing(api, facts, grant(api.home, "whole", scopes=frozenset(SCOPES)))


@contextmanager
def serving(home: Home, engine: Engine) -> Iterator[httpx.Client]:
    """Serve the interface alone on a loopback port and give a client of it."""
    app = app_of(home, engine)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running(app, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client


def app_of(home: Home, engine: Engine) -> FastAPI:
    app = FastAPI(lifespan=closing)
    app.include_router(router)
    app.state.site = site_of(home, engine)
    return app


def site_of(home: Home, engine: Engine) -> Site:
    return Site(
        home=home,
        address="http://127.0.0.1:8000",
        wall_clock=lambda: datetime.now(UTC),
        engine=engine,
        templates=Environment(autoescape=True),
        seal=Fernet(Fernet.generate_key()),
        door=Door(home),
        loops=LoadedLoops(),
    )


@contextmanager
def as_job(home: Home) -> Iterator[Any]:
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            yield session
    finally:
        engine.dispose()


def officer() -> Person:
    return Person(id=uuid.uuid4(), name="Demo officer", roles=(Role(name="data_protection_officer"),))


def grant(home: Home, client_id: str, **changes: Any) -> str:
    """Grant the integration access, and return an access token for it."""
    said = {"scopes": frozenset({"scores:read"}), "schools": frozenset({SCHOOL}), "expires_on": TODAY + timedelta(30)}
    said |= {"calls_per_minute": 6000}
    new = NewIntegration(client_id=client_id, name="A timetable", **{**said, **changes})
    with as_job(home) as session:
        ensure_schools(session, {SCHOOL, OTHER_SCHOOL})
        secret = add_integration(session, officer(), new, TODAY)
        caller = authenticate(session, client_id, secret, TODAY)
    assert caller is not None
    return issue(home, caller, datetime.now(UTC))


def week_of_marks(code: str = "/\\") -> str:
    return code * 5


def pupil(**changes: Any) -> dict[str, Any]:
    """Return a pupil with ten weeks of full attendance in the summer term of 2026, and nothing else."""
    half = {"start_date": "2026-04-13", "marks": week_of_marks() * 6 + "-" * 10 + week_of_marks() * 3}
    return {
        "id": "row-1",
        "school": SCHOOL,
        "year_group": "9",
        "entry_date": "2024-09-03",
        "marks_string": half,
        **changes,
    }


def request(*pupils: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"as_of": TODAY.isoformat(), "pupils": list(pupils) or [pupil()], **more}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert (said["status"], said["code"]) == (status, code)
    assert said["detail"].endswith(".")
    return said
