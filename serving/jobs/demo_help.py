"""What a demonstration's network sets up when it begins: two programmes of support, and studies of whether flags help.

The programmes and their money are made up. Everything goes through the rules of the forms it would be typed into.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from casework.database import connect, scoped
from casework.impact import studies
from casework.people import find_person
from casework.programmes import ProgrammeSaid, add_programme, programmes
from casework.tables_people import SchoolRow
from learning.impact.registration import EXAMPLE, FILE
from records.home import Home
from serving.jobs.impact import register_study


@dataclass(frozen=True, kw_only=True)
class DemoProgramme:
    """A programme, and how many pupils of each school it is offered to in each of its weeks, the first ones only."""

    name: str
    kind: str
    end_on: date
    budget_pounds: int
    a_school: int
    weeks: int


PROGRAMMES: Final = (
    DemoProgramme(
        name="Mentors until summer",
        kind="mentoring",
        end_on=date(2026, 7, 17),
        budget_pounds=48_000,
        a_school=2,
        weeks=5,
    ),
    # Over by now, and the six school weeks after it too: what it did is known, and in truth it did nothing.
    DemoProgramme(
        name="Three weeks of youth work",
        kind="youth_work",
        end_on=date(2026, 3, 13),
        budget_pounds=9_000,
        a_school=3,
        weeks=3,
    ),
)
FIRST_STUDY_WEEKS, NEXT_STUDY_WEEKS = 4, 8


def write_down_programmes(home: Home, issuer: str, day: date) -> None:
    """Enter the programmes that are not over by then at every school, from the day on, unless they are there."""
    engine = connect(home, "app")
    try:
        with scoped(engine, None) as session:
            lead = find_person(session, issuer, "network-lead", day)
            assert lead is not None, "the demonstration's people are added before"
            there = {one.name for one in programmes(session)}
            schools = tuple(session.scalars(select(SchoolRow.urn).order_by(SchoolRow.urn)))
            for one in PROGRAMMES:
                if one.name not in there and one.end_on > day:
                    add_programme(session, lead, _said(one, schools, day), day)
    finally:
        engine.dispose()


def _said(one: DemoProgramme, schools: tuple[int, ...], day: date) -> ProgrammeSaid:
    return ProgrammeSaid(
        name=one.name,
        funder="A demonstration fund",
        start_on=day,
        end_on=one.end_on,
        kinds=(one.kind,),
        schools=schools,
        budget_pounds=one.budget_pounds,
    )


def register_first_study(home: Home, before_today: int) -> None:
    """Register a study of the first lists, two to four: where there are eleven, its outcomes are settled today."""
    if before_today > 1:
        _register(home, "Does the flag help, first lists", min(FIRST_STUDY_WEEKS, before_today))


def register_next_study(home: Home) -> None:
    """Register a study of the weeks to come, whose answer nobody has yet."""
    _register(home, "Does the flag help, second half of summer", NEXT_STUDY_WEEKS)


def _register(home: Home, title: str, weeks: int) -> None:
    today = home.today
    assert today is not None, "a demonstration's today stands still"
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            if any(one.study.title == title for one in studies(session)):
                return
    finally:
        engine.dispose()
    last = today + timedelta(weeks=weeks - 1)
    said = EXAMPLE.replace("2026-01-05", today.isoformat()).replace("2026-03-27", last.isoformat())
    said = said.replace("Name and role of who answers for this study", "Demonstration data scientist")
    (home.path / FILE).write_text(said.replace("Does the flag help, spring term", title), encoding="utf-8")
    register_study(home)
