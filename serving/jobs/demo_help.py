"""What a demonstration's schools have written down of help: a programme, whom it reached, and a study that has begun.

Pupils are the simulated ones who missed most before the programme began; the programme, its money and who took it up
are made up. Everything goes through the rules of the forms it would be typed into, and a second run finds it there.
"""

import uuid
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.impact import studies
from casework.people import find_person
from casework.permissions import Person
from casework.programmes import ProgrammeSaid, add_programme, programmes
from casework.support import SupportSaid, offer_support
from casework.tables_flags import WeeklyFactsRow
from casework.tables_people import PupilRow
from learning.impact.registration import EXAMPLE, FILE
from records.home import Home
from serving.jobs.impact import register_study
from serving.jobs.programmes import publish_programmes

NAME: Final = "Mentors in the second half of spring"
START, END = date(2026, 2, 23), date(2026, 7, 17)
OFFERS_A_SCHOOL: Final = 45
# Of each ten offers: mostly taken up, two declined, one without an answer.
_STANDINGS: Final = ("taken_up",) * 4 + ("declined",) + ("taken_up",) * 3 + ("declined", "waiting")
_LEADS: Final = ("school-lead", "other-school-lead")
STUDY_WEEKS: Final = 8


def write_down_help(home: Home, issuer: str, schools: tuple[int, ...], today: date) -> int:
    """Enter the programme and its offers at the leads' schools, publish what is due of it, and register a study.

    Returns how many offers stand.
    """
    engine = connect(home, "app")
    try:
        programme = _programme(engine, _named(engine, issuer, "network-lead", today), schools, today)
        leads = [_named(engine, issuer, subject, today) for subject in _LEADS]
        offered = sum(_offer(engine, lead, programme, today) for lead in leads)
    finally:
        engine.dispose()
    publish_programmes(home)
    _begin_study(home, today)
    return offered


def _named(engine: Engine, issuer: str, subject: str, today: date) -> Person:
    with scoped(engine, frozenset()) as session:
        found = find_person(session, issuer, subject, today)
    assert found is not None, "the demonstration's people are added before"
    return found


def _programme(engine: Engine, lead: Person, schools: tuple[int, ...], today: date) -> uuid.UUID:
    with scoped(engine, None) as session:
        for one in programmes(session):
            if one.name == NAME:
                return one.id
        said = ProgrammeSaid(
            name=NAME,
            funder="A demonstration fund",
            start_on=START,
            end_on=END,
            kinds=("mentoring",),
            schools=schools,
            budget_pounds=24_000,
        )
        return add_programme(session, lead, said, today)


def _offer(engine: Engine, lead: Person, programme: uuid.UUID, today: date) -> int:
    with scoped(engine, lead.schools) as session:
        pupils = _who_missed_most(session)
        for at, pupil in enumerate(pupils):
            on = START + timedelta(days=7 * (at % 4) + at % 5)  # weekdays of four weeks
            offer = SupportSaid(
                kind="mentoring",
                provider="A demonstration youth charity",
                offered_on=on,
                standing=_STANDINGS[at % len(_STANDINGS)],
                programme_id=programme,
            )
            offer_support(session, lead, pupil, offer, f"demonstration-{pupil}", today)
    return len(pupils)


def _who_missed_most(session: Session) -> list[uuid.UUID]:
    """Return pupils of the schools in scope, those who missed most in the half-term before the programme first."""
    missed = func.sum(WeeklyFactsRow.sessions_missed)
    half_term = WeeklyFactsRow.week_start.between(START - timedelta(weeks=7), START - timedelta(days=1))
    rows = (
        select(PupilRow.id)
        .join(WeeklyFactsRow, WeeklyFactsRow.pupil_id == PupilRow.id)
        .where(half_term)
        .group_by(PupilRow.id, PupilRow.pseudonym)
        .order_by(missed.desc(), PupilRow.pseudonym)
        .limit(OFFERS_A_SCHOOL)
    )
    return list(session.scalars(rows))


def _begin_study(home: Home, today: date) -> None:
    """Register the example of a study, from today on, unless there is one."""
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            if studies(session):
                return
    finally:
        engine.dispose()
    last = today + timedelta(weeks=STUDY_WEEKS, days=4)
    said = EXAMPLE.replace("2026-01-05", today.isoformat()).replace("2026-03-27", last.isoformat())
    said = said.replace("Name and role of who answers for this study", "Demonstration data scientist")
    (home.path / FILE).write_text(said.replace("spring term", "second half of summer"), encoding="utf-8")
    register_study(home)
