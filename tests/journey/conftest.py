"""One site for every journey: started once, with pupils enough that walks do not meet."""

from collections.abc import Iterator

import pytest

from tests.journey.client import Client
from tests.site import RunningSite, running_site


@pytest.fixture(scope="session")
def site() -> Iterator[RunningSite]:
    """The site, served on loopback with the demonstration's sign-in beside it."""
    with running_site() as running:
        yield running


@pytest.fixture
def client(site: RunningSite) -> Iterator[Client]:
    """A browser without scripts, signed in to nothing."""
    made = site.client()
    yield made
    made.close()
