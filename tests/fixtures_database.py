"""Fixtures of the operational database, registered through pytest_plugins."""

from collections.abc import Iterator

import pytest

from records.home import Home
from tests import database


@pytest.fixture(scope="session")
def database_home() -> Iterator[Home]:
    """A home whose embedded PostgreSQL runs, migrated, for the whole run. Use `casework_home` to write in it."""
    home = database.make_home()
    database.prepare(home)
    yield home
    database.remove_home(home)


@pytest.fixture
def casework_home(database_home: Home) -> Home:
    """The home with an empty database of the newest revision."""
    database.reset(database_home)
    return database_home


@pytest.fixture
def tampered_home(casework_home: Home) -> Iterator[Home]:
    """The same for a test that changes grants or triggers: the database is made anew afterwards."""
    yield casework_home
    database.rebuild(casework_home)
