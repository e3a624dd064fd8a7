"""The job that counts by place: from the record store to what is published, once, and from no later reading of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from casework.permissions import Role
from casework.places import NETWORK, SCHOOL, counts_of, releases
from records.home import Home
from serving.jobs.places import publish_places
from tests.database import make_person
from tests.deployed import clear
from tests.factories import SCHOOL as THERE
from tests.journey.api import as_job
from tests.unit.test_serving_nightly import MONDAYS, pupil_rows, put_records

SUMMER = "2025/26 Summer 1"


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of one school with 60 pupils in two shards; it is 22 June, two weeks into the sixth half-term."""
    home = replace(casework_home, shards=2)
    put_records(home, range(1, 61))
    yield home
    clear(home)


def counts(home: Home) -> dict[tuple[str, str], dict[str, int | None]]:
    person = make_person(home, Role(name="network_lead"))
    with as_job(home) as session:
        newest = releases(session)[0]
        assert newest.name == SUMMER
        return {(one.cut, one.place): dict(one.counts) for one in counts_of(session, person, newest.half_term)}


def test_every_half_term_with_records_is_published_once(home):
    """The newest that ended over a week ago is the last; what becomes known later changes nothing that is out."""
    done = publish_places(home)
    assert done[-1] == SUMMER
    assert len(done) == len(set(done))
    found = counts(home)
    whole, school = found[NETWORK, "all"], found[SCHOOL, str(THERE)]
    assert whole["pupils"] == school["pupils"] == 60
    missed, possible = _by_hand()
    assert school["sessions_missed"] == 5 * round(missed / 5)
    assert school["sessions_possible"] == 5 * round(possible / 5)
    assert school["suspensions"] == 0
    assert ("deprivation", "unknown") not in found, "a cut of which nothing is known is none"
    put_records(home, range(61, 90))
    assert publish_places(home) == ()
    assert counts(home) == found


def _by_hand() -> tuple[int, int]:
    """Marks from 13 April to 22 May, the first six of the pupils' Mondays, of everybody."""
    marks = [row for pupil in range(1, 61) for row in pupil_rows(pupil)["marks"] if row["date"] < MONDAYS[6]]
    return sum(row["code"] == "O" for row in marks), len(marks)
