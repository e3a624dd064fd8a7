"""The termly job on whether flags help: registered by its first week, looked at once, and answered in words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.deployments import record_deployment
from casework.impact import AlreadyRegistered, studies
from fairness.trust import create_demo_trust
from learning.impact import textbook
from learning.impact.registration import EXAMPLE, FILE, StudyRefused
from records.home import Home
from serving.jobs.impact import foreseen, publish_impact, register_study
from serving.jobs.nightly import score_network
from tests.deployed import clear, put_deployed
from tests.journey.api import as_job
from tests.unit.test_serving_nightly import BUNDLE, put_records

FIRST, LAST = date(2026, 4, 20), date(2026, 4, 24)


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of one school with 60 pupils, scored on 20 April 2026, the day on which a study is registered."""
    home = replace(casework_home, shards=2, today=FIRST)
    put_records(home, range(1, 61))
    put_deployed(home, BUNDLE, create_demo_trust(home))
    with as_job(home) as session:
        record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
    save(home)
    yield home
    (home.path / FILE).unlink(missing_ok=True)
    clear(casework_home)


def save(home: Home, *changes: tuple[str, str]) -> None:
    said = EXAMPLE.replace("2026-01-05", FIRST.isoformat()).replace("2026-03-27", LAST.isoformat())
    for old, new in changes:
        assert old in said
        said = said.replace(old, new)
    (home.path / FILE).write_text(said, "utf-8")


def test_a_study_is_registered_once_and_published_once_when_all_of_it_is_known(home, monkeypatch):
    register_study(home)
    with pytest.raises(AlreadyRegistered, match="each week belongs to one study, so begin after that"):
        register_study(home)
    assert score_network(replace(home, today=date(2026, 6, 22)), FIRST).published.scores == 60
    early, settled = replace(home, today=date(2026, 6, 1)), replace(home, today=date(2026, 6, 22))
    assert publish_impact(early) == (), "six school weeks and seven days have not passed"
    save(home, ("worth = 0.05", "worth = 0.01"))
    with pytest.raises(StudyRefused, match="was edited after it was registered"):
        publish_impact(settled)
    next_term = (FIRST.isoformat(), "2026-06-22"), (LAST.isoformat(), "2026-07-17"), ("spring term", "summer term")
    save(home, *next_term)
    monkeypatch.setattr(textbook, "_PACKAGES", ("a_package_that_nobody_has",))
    with pytest.raises(textbook.NotInstalled, match=r"pip install 'belong\[impact\]'"):
        publish_impact(settled)
    monkeypatch.undo()
    assert publish_impact(settled) == ("Does the flag help, spring term",), "the next term's study is in the file"
    assert publish_impact(settled) == ()
    with as_job(home) as session:
        [found] = studies(session)
        assert found.known_on == date(2026, 6, 22)
        assert found.payload["word"] == "too_few", "60 pupils of one school, each with a week of history"
        assert "are the least" in found.payload["sentence"]
    assert foreseen(settled, 0.05) is None


@pytest.mark.parametrize("table", ["impact_studies", "impact_results"])
def test_neither_a_study_nor_its_result_can_be_changed(home, table):
    register_study(home)
    with as_job(home) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(f"UPDATE {table} SET digest = digest"))


def test_a_week_without_a_list_is_said(home):
    register_study(home)
    with pytest.raises(StudyRefused, match="no list was published from 2026-04-20 to 2026-04-24"):
        publish_impact(replace(home, today=date(2026, 6, 22)))
