"""How Alembic runs a migration here: on the owner's open connection, all of it in one transaction."""

from alembic import context

from casework import (
    tables_areas,
    tables_calls,
    tables_cases,
    tables_continuum,
    tables_daily,
    tables_flags,
    tables_impact,
    tables_lookbacks,
    tables_partners,
    tables_people,
    tables_places,
    tables_said,
    tables_staff,
    tables_support,
    tables_themes,
    tables_uploads,
)
from casework.base import Base

# Imported so that every table is registered; a table whose module is missing here would look dropped.
TABLES = (
    tables_people,
    tables_areas,
    tables_partners,
    tables_flags,
    tables_impact,
    tables_cases,
    tables_continuum,
    tables_lookbacks,
    tables_daily,
    tables_calls,
    tables_said,
    tables_uploads,
    tables_places,
    tables_staff,
    tables_support,
    tables_themes,
)


def run() -> None:
    """Bring the database named by the caller's connection to the revision asked for."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
    context.run_migrations()


run()
