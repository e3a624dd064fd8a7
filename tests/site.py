"""A whole site for tests: a demonstration's home, a deployed bundle under a waiver, two schools, a few pupils."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import FastAPI

from casework.database import connect, migrate, scoped
from casework.deployments import StoredAudit, record_deployment, save_audit
from casework.people import Identity, save_identities
from casework.publishing import Publication, publish
from casework.register import save_register
from fairness.audit import audit
from fairness.policy import read_policy
from fairness.report import view
from records.agreements import register_of
from records.home import Home, create_home
from serving.app import create_app
from serving.jobs.demo_identity import demo_identity, save_demo_people
from serving.scoring import Deployed, Refused, open_deployed
from tests.continuum_made_up import save_continuum
from tests.database import names_by_pupil, remove_home
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY, demo_home, put_deployed, tiny_bundle
from tests.impact_made_up import save_made_up_studies
from tests.journey.client import Client, running
from tests.lookbacks_made_up import save_lookbacks
from tests.model_made_up import save_made_up_model
from tests.places_made_up import save_made_up_areas, save_made_up_quality, save_places
from tests.themes_made_up import save_made_up_themes
from tests.unit.fairness_factory import comparison, made_network

NETWORK = "Riverside Schools"
SCHOOLS = {SCHOOL: "Riverside Example Academy", OTHER_SCHOOL: "Hillside Example School"}
WEEKS = [date(2026, 1, 5) + timedelta(weeks=at) for at in range(24)]
# Half-term, the Easter holiday and the May half-term: weeks without school.
HOLIDAYS = {date(2026, 2, 16), date(2026, 3, 30), date(2026, 4, 6), date(2026, 5, 25)}


@dataclass(frozen=True)
class Shape:
    """A made-up pupil: name, school, year, and counts of the last eight school weeks, oldest first."""

    forename: str
    school: int
    year: str
    late: tuple[int, ...]
    incidents: tuple[int, ...]
    missed: tuple[int, ...]
    removals: tuple[int, ...] = (0,) * 8
    positives: tuple[int, ...] = (1, 0, 1, 0, 0, 1, 0, 0)
    suspended: int | None = None
    flagged: bool = True


QUIET = (0,) * 8
PUPILS = (
    Shape("Aisha", SCHOOL, "9", (0, 1, 0, 0, 1, 2, 1, 2), (0, 0, 1, 0, 1, 1, 2, 3), QUIET, (0, 0, 0, 0, 0, 1, 1, 1)),
    Shape("Ben", SCHOOL, "8", QUIET, (1, 0, 0, 1, 2, 0, 1, 2), (0, 1, 0, 0, 2, 2, 4, 3), suspended=6),
    Shape("Chidi", SCHOOL, "10", (1, 0, 0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 1, 2, 2, 3), QUIET),
    Shape("Dylan", SCHOOL, "7", (0, 0, 0, 0, 1, 1, 2, 2), QUIET, (0, 0, 0, 1, 1, 2, 1, 3), positives=QUIET),
    Shape("Esme", SCHOOL, "7", (0, 0, 0, 0, 0, 2, 2, 1), (0, 0, 0, 0, 0, 1, 1, 1), QUIET),
    Shape("Farid", OTHER_SCHOOL, "9", (0, 0, 1, 0, 1, 1, 2, 1), (0, 0, 0, 0, 2, 1, 1, 2), QUIET),
    Shape("Grace", SCHOOL, "9", QUIET, QUIET, (0, 0, 1, 0, 0, 0, 0, 0), flagged=False),
)
# Not on a list now, so that the whole of a look-back shows.
_LOOKED_BACK_AT = PUPILS[-1]
ROLL = 40
_BASE = 5_000_000_000


class StillDoor:
    """A scoring door that stays as it was opened, until a test says what it should say."""

    def __init__(self, found: Deployed | Refused) -> None:
        self.found = found

    def deployed(self) -> Deployed | Refused:
        """Return what may serve."""
        return self.found


@dataclass(frozen=True)
class RunningSite:
    """A site being served, with its pupils' opaque ids by first name."""

    home: Home
    address: str
    digest: str
    ids: dict[str, str]
    door: StillDoor
    app: FastAPI

    def client(self) -> Client:
        """Return a new browser without scripts."""
        return Client(self.address)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def running_site() -> Iterator[RunningSite]:
    """Make the home, fill its database, and serve it with the demonstration's sign-in beside it."""
    folder = Path(tempfile.mkdtemp(prefix="belong-site-"))
    home, keys = demo_home(folder)
    home = create_home(folder, network=NETWORK, demo=True, today=TODAY)
    bundle = tiny_bundle()
    put_deployed(
        home,
        bundle,
        keys,
        monitoring_plan="The audit runs again each week as outcomes become known; the board sees it each half-term "
        "and ends the waiver at once if any group is outside a limit.",
        reason="The network is too small for the audit to settle every group within two terms.",
    )
    migrate(home)
    port, address = free_port(), ""
    address = f"http://127.0.0.1:{port}"
    try:
        with ExitStack() as open_parts:
            issuer = open_parts.enter_context(demo_identity(home, address=address, port=free_port()))
            fill(home, bundle.digest, issuer)
            door = StillDoor(approval(home))
            app = create_app(home, address=address, door=door)
            open_parts.enter_context(running(app, port))
            yield RunningSite(home=home, address=address, digest=bundle.digest, ids=_ids(home), door=door, app=app)
    finally:
        remove_home(home)
        shutil.rmtree(folder, ignore_errors=True)


def fill(home: Home, digest: str, issuer: str) -> None:
    """Save people, pupils, two publications a fortnight apart, the deployment and its audit."""
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        save_demo_people(session, issuer, list(SCHOOLS), TODAY)
        save_identities(session, [_identity(at) for at in range(ROLL)])
        early = {"Chidi"}
        publish(session, publication(digest, TODAY - timedelta(days=14), early))
        publish(session, publication(digest, TODAY, {shape.forename for shape in PUPILS if shape.flagged} - early))
        save_made_up_model(session, digest)
        save_made_up_quality(session, tuple(SCHOOLS), TODAY)
        save_register(session, register_of(home), TODAY)
        save_places(session, tuple(SCHOOLS), TODAY)
        save_made_up_areas(session, TODAY)
        save_lookbacks(session, _BASE + PUPILS.index(_LOOKED_BACK_AT), SCHOOL, TODAY)
        save_made_up_themes(session)
        save_made_up_studies(session, TODAY)
        save_continuum(session, tuple(SCHOOLS), TODAY)
        save_audit(session, stored_audit(home, digest))
        record_deployment(session, digest, approval(home).approval.id, datetime(2026, 6, 19, 9, 0, tzinfo=UTC))
    engine.dispose()


def approval(home: Home) -> Deployed:
    """Return what this home serves."""
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed), found
    return found


def stored_audit(home: Home, digest: str) -> StoredAudit:
    """Return an audit of made-up flags as it would be stored: real findings, real words."""
    evaluation, groups = made_network(pupils=3000, base_rate=0.05)
    found = audit(
        evaluation,
        groups,
        read_policy(),
        bundle_digest=digest,
        comparison=comparison(),
        created_on=date(2026, 6, 15),
    )
    said: dict[str, Any] = view(found, approval=approval(home).approval)
    return StoredAudit(
        bundle_digest=digest,
        verdict=said["verdict"],
        created_on=date(2026, 6, 15),
        is_current=True,
        payload={"view": said},
        envelope=None,
    )


def _shape(at: int) -> Shape:
    if at < len(PUPILS):
        return PUPILS[at]
    school = SCHOOL if at % 2 else OTHER_SCHOOL
    return Shape(f"Pupil{at}", school, str(7 + at % 5), QUIET, QUIET, QUIET, flagged=False)


def _identity(at: int) -> Identity:
    shape = _shape(at)
    return Identity(
        pseudonym=_BASE + at,
        upn=f"T{at:012d}",
        forename=shape.forename,
        surname="Example",
        date_of_birth=date(2012, 1, 1),
        year_group=shape.year,
        school=shape.school,
        left_on=None,
        known_on=date(2025, 9, 1),
    )


def _weeks(at: int) -> pd.DataFrame:
    shape, early = _shape(at), len(WEEKS) - len(HOLIDAYS) - 8
    earlier = {name: [*([0, 0, 1, 0] * 5)[:early]] for name in ("late", "incidents", "missed", "positives")}
    school = [week for week in WEEKS if week not in HOLIDAYS]
    counts = {
        "sessions_missed": earlier["missed"] + list(shape.missed),
        "late_marks": earlier["late"] + list(shape.late),
        "incidents": earlier["incidents"] + list(shape.incidents),
        "removals": [0] * early + list(shape.removals),
        "positives": earlier["positives"] + list(shape.positives),
        "suspended": [place - early == shape.suspended for place in range(len(school))],
    }
    frame = pd.DataFrame({"week_start": school, "sessions_possible": 10, **counts})
    shut = pd.DataFrame({"week_start": sorted(HOLIDAYS), "sessions_possible": 0, **dict.fromkeys(counts, 0)})
    frame = pd.concat([frame, shut.astype({"suspended": bool})], ignore_index=True).sort_values("week_start")
    return frame.assign(pupil=_BASE + at, week_start=pd.to_datetime(frame["week_start"]))


def publication(digest: str, as_of: date, flagged: set[str]) -> Publication:
    """Return one night's work: these pupils newly on the list."""
    everyone = list(range(ROLL))
    pupils, shapes = [_BASE + at for at in everyone], [_shape(at) for at in everyone]
    on = [shape.forename in flagged for shape in shapes]
    listed = [pupil for pupil, is_on in zip(pupils, on, strict=True) if is_on]
    scores = pd.DataFrame(
        {
            "pupil": pupils,
            "school": [shape.school for shape in shapes],
            "year_group": [shape.year for shape in shapes],
            "probability": [0.29 if is_on else 0.01 for is_on in on],
            "rise": [1.4 if is_on else 0.0 for is_on in on],
            "rise_margin": [0.6 if is_on else -0.8 for is_on in on],
            "rank": range(1, ROLL + 1),
            "cut_off": 0.15,
            "eligible": on,
            "snoozed": False,
            "flagged": on,
            "rising_since": pd.Timestamp("2026-06-01"),
            "capacity": 5,
            "abstain": None,
        }
    )
    return Publication(
        bundle_digest=digest,
        as_of=as_of,
        horizon_weeks=6,
        outcome_words="suspended or excluded",
        base_rates={"SS": 0.021},
        schools=_schools(),
        roll=scores[["pupil", "school", "year_group"]],
        weekly_facts=pd.concat([_weeks(at) for at in everyone], ignore_index=True),
        incidents=_incidents(),
        scores=scores,
        flags=pd.DataFrame(
            {
                "pupil": listed,
                "rising_since": pd.Timestamp("2026-06-01"),
                "expires_on": pd.Timestamp(as_of + timedelta(days=42)),
                "check_sample": False,
                "eased_on": pd.Timestamp("2026-04-20"),
                "eased": 0.08,
            }
        ),
        reasons=_reasons(listed),
        changes=_changes(listed),
        levers=_levers(listed),
        feature_rows=pd.DataFrame({"pupil": pupils, "late_4w": 1.0}),
    )


def _schools() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "urn": list(SCHOOLS),
            "name": list(SCHOOLS.values()),
            "phase": "SS",
            "data_to": pd.to_datetime(["2026-06-19", "2026-06-12"]),
            "up_to_date": [True, False],
            "note": ["", "no attendance file since 12 June 2026"],
        }
    )


def _incidents() -> pd.DataFrame:
    rows = [
        ("2026-06-18", "incident", "Removed from a lesson", "Classroom", None),
        ("2026-06-11", "incident", "Late to lesson", "Corridor", None),
        ("2026-06-09", "positive", "Kindness", None, None),
        ("2026-06-02", "suspension", "Suspension", None, 3),
    ]
    frame = pd.DataFrame(rows, columns=["happened_on", "kind", "what", "place", "sessions"])
    mine = [frame.assign(pupil=_BASE + at) for at, shape in enumerate(PUPILS) if shape.flagged]
    made = pd.concat(mine, ignore_index=True)
    return made.assign(happened_on=pd.to_datetime(made["happened_on"]), sessions=made["sessions"].astype("Int16"))


def _reasons(listed: list[int]) -> pd.DataFrame:
    rows = (
        (
            1,
            "for",
            "Time in lessons",
            "Removed from 3 lessons in the last 4 school weeks, from none before",
            "most",
            True,
        ),
        (2, "for", "Punctuality", "Late 6 times in the last 4 school weeks, once in the 4 before", "some", True),
        (3, "against", "Attendance", "In school for 39 of 40 sessions in the last 4 school weeks", "some", True),
    )
    columns = ["pupil", "position", "side", "group", "sentence", "share", "changeable"]
    return pd.DataFrame([(pupil, *row) for pupil in listed for row in rows], columns=columns)


def _changes(listed: list[int]) -> pd.DataFrame:
    rows = (
        (
            1,
            "up",
            "Time in lessons",
            "Removals from lessons: 3 in the last 4 school weeks, 0 in the 4 before 20 April",
            "most",
            True,
        ),
        (
            2,
            "up",
            "Year group and time of year",
            "It is half-term 6 of 6. Before 20 April: it is half-term 5 of 6",
            "some",
            False,
        ),
    )
    columns = ["pupil", "position", "way", "group", "sentence", "share", "changeable"]
    return pd.DataFrame([(pupil, *row) for pupil in listed for row in rows], columns=columns)


def _levers(listed: list[int]) -> pd.DataFrame:
    rows = (
        (1, "Time in lessons", "If time in lessons (removals from lessons) were again as before 20 April", 0.14),
        (2, "Punctuality", "If punctuality (late marks) were again as before 20 April", 0.25),
    )
    columns = ["pupil", "position", "group", "sentence", "probability"]
    return pd.DataFrame([(pupil, *row) for pupil in listed for row in rows], columns=columns)


def _ids(home: Home) -> dict[str, str]:
    return {named.forename: str(pupil) for pupil, named in names_by_pupil(home).items()}
