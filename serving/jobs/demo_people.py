"""Who works in the demonstration's network: accounts to sign in with, a lead at every school, and a program."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from casework.callers import SCOPES
from casework.database import connect, scoped
from casework.integrations import NewIntegration, add_integration
from casework.lookback_opening import first_list
from casework.people import find_person
from casework.tables_flags import ScoreRow
from casework.tables_people import SchoolRow
from records.home import Home
from serving.jobs.demo_days import TODAY
from serving.jobs.demo_identity import issuer_of, save_demo_colleagues, save_demo_leads, save_demo_people
from serving.jobs.granting import write_credentials

CREDENTIALS_FILE: Final = "demo_api.json"
CLIENT: Final = "demo-school-system"
IDENTITY_PORT: Final = 8001


def save_people(home: Home, began: date) -> None:
    """Add the accounts at the two schools whose first lists were longest, and a lead at each of the others.

    They were trained before their network `began`.
    """
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            schools = schools_by_first_list(session)
            save_demo_people(session, issuer_of(IDENTITY_PORT), schools, began)
            names = {row.urn: row.name for row in session.execute(select(SchoolRow.urn, SchoolRow.name))}
            save_demo_leads(session, issuer_of(IDENTITY_PORT), {urn: names[urn] for urn in schools[2:]}, began)
    finally:
        engine.dispose()


def save_colleagues_and_program(home: Home) -> None:
    """Add colleagues as they are today, and one system that asks for scores with a new secret."""
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            schools = schools_by_first_list(session)
            save_demo_colleagues(session, issuer_of(IDENTITY_PORT), schools, TODAY)
            officer = find_person(session, issuer_of(IDENTITY_PORT), "data-protection-officer", TODAY)
            assert officer is not None, "the demonstration's people are added before"
            program = NewIntegration(
                client_id=CLIENT,
                name="Demonstration school system",
                scopes=frozenset(SCOPES),
                schools=frozenset(schools[:2]),
                expires_on=TODAY + timedelta(days=90),
            )
            secret = add_integration(session, officer, program, TODAY)
    finally:
        engine.dispose()
    credentials = home.secrets / CREDENTIALS_FILE
    credentials.unlink(missing_ok=True)
    write_credentials(credentials, CLIENT, secret)


def schools_by_first_list(session: Session) -> list[int]:
    """Return the schools, those with most flags on the first list first: the accounts should have work."""
    flags = func.sum(func.coalesce(cast(ScoreRow.flagged, Integer), 0))
    counted = (
        select(SchoolRow.urn)
        .outerjoin(ScoreRow, (ScoreRow.school_urn == SchoolRow.urn) & (ScoreRow.as_of == first_list(session)))
        .group_by(SchoolRow.urn)
        .order_by(flags.desc().nulls_last(), SchoolRow.urn)
    )
    return list(session.scalars(counted))
