"""An erasure cut off before any of its steps goes through to the end when it is run again."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from casework.permissions import Role
from casework.privacy.erasure import Decision, erase
from casework.privacy.gathered import IN_THE_HOME
from casework.privacy.request import Asked
from records.home import Home
from records.identity.erased import LEDGER_FILE
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from serving.jobs.intake import read_exports
from tests.database import TODAY, job_session, make_person
from tests.export_files import ANN
from tests.journey.test_erasure import everything_forced_to_disk, found_in, needles_of, put_exports

NOTE = "The family asked, and nothing obliges us to keep the records."
STEPS = (*(holding.name for holding in IN_THE_HOME), "the operational database", "making the database forget")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A home whose pupil is accepted, held, quarantined, in a census and in a packed file."""
    there = set(casework_home.path.iterdir())
    home = replace(casework_home, shards=2)
    create_pepper(home)
    put_exports(home.landing)
    assert not read_exports(home, home.landing, lambda words: None).refused
    yield home
    for made in set(casework_home.path.iterdir()) - there:
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    for secret in ("pepper-v1", "erasures.key"):
        (home.secrets / secret).unlink()


def test_cut_off_before_each_step_in_turn_it_ends_where_an_undisturbed_one_does(home: Home) -> None:
    number = int(pseudonyms([ANN], read_pepper(home))[0])
    officer = make_person(home, Role(name="data_protection_officer"))
    with job_session(home) as session:
        who = session.execute(text("SELECT subject FROM people WHERE id = :id"), {"id": officer.id}).scalar_one()
    decision = Decision(asked=Asked(upn=ANN), ground="objection_upheld", decided_by=who, note=NOTE)
    for step in STEPS:

        def dying(place: str, step: str = step) -> None:
            if place == step:
                raise Killed(step)

        with pytest.raises(Killed, match=step):
            erase(home, decision, TODAY, dying)
        # From the first step on, what schools send again is dropped.
        assert len((home.path / LEDGER_FILE).read_text().splitlines()) == 1
    everything_forced_to_disk(home)
    before = found_in(home, needles_of(number))
    assert any(before.values())
    assert erase(home, decision, TODAY, lambda place: None) is not None
    assert found_in(home, needles_of(number)) == {name: set() for name in before}
