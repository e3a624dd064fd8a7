"""One site for each file of journeys, with pupils enough that the walks of one file do not meet."""

import sys
from collections.abc import Iterator

import pytest

from serving import cli
from tests.command_line import Belong, Said
from tests.journey.client import Client
from tests.site import RunningSite, running_site


@pytest.fixture(scope="module")
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


@pytest.fixture
def belong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Belong:
    """Run one command in this process; no command that is under test here may show a traceback."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["belong", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return run
