"""Reading export files: records into the store, names into the operational database, and nowhere else."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from casework.database import connect, migrate, scoped
from casework.linked import retire_linked
from casework.people import Identity, save_identities
from records.clock import clock_of
from records.home import Home
from records.identity.identities import Identities
from records.intake.ingest import ingest
from records.intake.landing import SaveIdentities
from records.intake.summary import IngestSummary
from serving.jobs.term_dates import land_term_dates


def read_exports(home: Home, source: Path, say: Callable[[str], None]) -> IngestSummary:
    """Ingest a folder of export files, with names saved before the load that brought them counts as done.

    What schools entered on their pages since is landed first.
    """
    migrate(home)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            land_term_dates(home, session)
        return ingest(
            home,
            source,
            clock=clock_of(home),
            save_identities=saving(engine, clock_of(home).today()),
            progress=lambda name, done, whole: say(f"{name} ({done} of {whole})"),
        )
    finally:
        engine.dispose()


def saving(engine: Engine, today: date) -> SaveIdentities:
    """Return what saves names, and takes off the pages whoever turned out to be another pupil, in one transaction."""

    def save(identities: Identities) -> None:
        with scoped(engine, None) as session:
            save_identities(session, _rows(identities.rows))
            retire_linked(session, identities.links.itertuples(index=False, name=None), today)

    return save


def _rows(frame: pd.DataFrame) -> Iterator[Identity]:
    columns = (
        "pupil",
        "upn",
        "forename",
        "surname",
        "date_of_birth",
        "year_group",
        "school",
        "leaving_date",
        "known_on",
    )
    for pupil, upn, forename, surname, born, year_group, school, left, known in zip(
        *(frame[name].tolist() for name in columns), strict=True
    ):
        yield Identity(
            pseudonym=pupil,
            upn=upn,
            forename=forename,
            surname=surname,
            date_of_birth=None if pd.isna(born) else born.date(),
            year_group=year_group,
            school=school,
            left_on=None if pd.isna(left) else left.date(),
            known_on=known.date(),
        )
