"""The job that counts by place: from the record store to what is published, once, and from no later reading of it."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sqlalchemy import text

from casework.database import connect, scoped
from casework.permissions import Role
from casework.places import NETWORK, SCHOOL, counts_of, releases
from casework.school_quality import quality_of
from records.agreements import Register, demonstration
from records.home import Home
from records.quality.counts import count_schools
from records.store import Store
from serving.jobs.places import publish_places
from serving.jobs.school_quality import ending, publish_quality, weeks
from tests.database import NORTH, TODAY, make_person
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


def test_how_a_schools_records_stand_is_counted_week_by_week_and_seen_by_nobody_elses_staff(home):
    """Sixty pupils are owed 600 marks a week of five days; the week of the May holiday is none."""
    assert publish_quality(home) == 1
    person = make_person(home, Role(name="school_lead", school=THERE))
    with as_job(home) as session:
        found = quality_of(session, person, THERE)
        assert quality_of(session, make_person(home, Role(name="school_lead", school=NORTH)), THERE) is None
    weeks = {row["week"]: row for row in found.payload["weeks"]}
    assert weeks["2026-06-15"] == {"week": "2026-06-15", "owed": 600, "marked": 600, "bare": 0, "unexplained": 0}
    assert "2026-05-25" not in weeks
    assert found.payload["weeks"][0]["week"] == max(weeks)
    engine = connect(home, "app")
    for schools, seen in ((frozenset({THERE}), 1), (frozenset({NORTH}), 0), (frozenset(), 0), (None, 1)):
        with scoped(engine, schools) as session:
            assert session.execute(text("SELECT count(*) FROM school_quality")).scalar_one() == seen
    engine.dispose()


def test_a_register_that_nobody_took_is_counted_and_an_agreement_that_ends_soon_is_named(home):
    """Year 9's register of one afternoon: 60 marks missing, one register without a mark."""
    counts = count_schools(Store(home), TODAY)[0]
    last = int(np.flatnonzero(counts.register.open)[-1])
    counts.register.marks[last, 1] = 0
    newest = next(weeks(counts))
    assert (newest["owed"] - newest["marked"], newest["bare"]) == (60, 1)
    register = Register.model_validate(tomllib.loads(demonstration()))
    assert ending(register, THERE, date(2020, 1, 1)) == []
    assert len(ending(register, THERE, date(2099, 1, 1))) == len(register.agreement)
