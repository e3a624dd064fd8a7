"""The exclusions continuum: what the nightly job publishes once a term, and what the network's lead reads of it.

Suspensions can fall because pupils are helped, or because they are out of lessons in another way that nobody
counts. So all of them are counted together, as pupils of a school in a term, rounded and hidden before they are
stored (`learning.continuum.publishing`). Nothing here leads to a pupil.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.tables_continuum import ContinuumCountRow, ContinuumDriftRow, ContinuumTermRow
from records.refusal import Refusal

PUPILS: Final = "pupils"
SUSPENDED: Final = "suspended"
UP, DOWN = "up", "down"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the continuum.

    Attributes
    ----------
    words
        Who is counted, as a sentence begins with it: 'Pupils leaving the roll'.
    means
        What makes a pupil one of them in a term.
    """

    name: str
    words: str
    means: str


# From a lesson missed to a roll left, in the order in which a page shows them.
STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Step(
                name="truanted",
                words="Pupils missing lessons while in school",
                means="three or more days with a lesson missed while in school, by report or by lesson register",
            ),
            Step(
                name="removed",
                words="Pupils removed from lessons",
                means="three or more incidents answered by removal from a lesson or isolation",
            ),
            Step(
                name="part_time",
                words="Pupils on a part-time timetable",
                means="ten or more sessions marked C2",
            ),
            Step(
                name="off_site",
                words="Pupils taught off site",
                means="ten or more sessions marked B, K or D",
            ),
            Step(
                name="severe",
                words="Pupils absent half the time or more",
                means="absent for at least half of twenty or more possible sessions",
            ),
            Step(
                name=SUSPENDED,
                words="Pupils suspended",
                means="a suspension that began in the term; lunchtimes are left out",
            ),
            Step(
                name="excluded",
                words="Pupils permanently excluded",
                means="a permanent exclusion that began in the term",
            ),
            Step(
                name="moved",
                words="Pupils moving to another school of the network",
                means="left this roll for another of the network's, or a guest there; managed moves are among them, "
                "since records do not tell them from others",
            ),
            Step(
                name="left",
                words="Pupils leaving the roll",
                means="left this roll for no other of the network's and not by permanent exclusion; Year 6 and Year 11 "
                "going on at the end of the year are left out",
            ),
        )
    }
)


class TermPublished(Refusal):
    """This term is out: a second version could be laid beside the first."""


@dataclass(frozen=True, kw_only=True)
class TermRelease:
    """One term's publication; `compared` is how many comparisons its drifts were found among, 0 without a past."""

    term: date
    name: str
    ends_on: date
    known_on: date
    compared: int


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A step that went beyond what its own past and chance allow; `way` is `UP` or `DOWN`."""

    cut: str
    place: str
    step: str
    way: str


@dataclass(frozen=True, kw_only=True)
class Course:
    """One place over the terms: term → measure → rounded count, None where it is not shown."""

    cut: str
    place: str
    terms: Mapping[date, Mapping[str, int | None]]


Counts = Mapping[tuple[str, str, str], int | None]


def save_term(session: Session, release: TermRelease, counts: Counts, drifts: Iterable[Drift]) -> None:
    """Publish a term, once. Needs the job's role and every school in scope.

    Parameters
    ----------
    counts
        (cut, place, measure) → the rounded count, None where it is not shown.

    Raises
    ------
    TermPublished
        The term is out.
    """
    if session.get(ContinuumTermRow, release.term) is not None:
        raise TermPublished(f"the continuum of {release.name} is published, and is published once")
    session.add(
        ContinuumTermRow(
            term=release.term,
            name=release.name,
            ends_on=release.ends_on,
            known_on=release.known_on,
            compared=release.compared,
            published_at=datetime.now(UTC),
        )
    )
    session.flush()
    rows = [
        {"term": release.term, "cut": cut, "place": place, "measure": measure, "count": count}
        for (cut, place, measure), count in counts.items()
    ]
    if rows:
        session.execute(insert(ContinuumCountRow), rows)
    found = [
        {"term": release.term, "cut": one.cut, "place": one.place, "measure": one.step, "way": one.way}
        for one in drifts
    ]
    if found:
        session.execute(insert(ContinuumDriftRow), found)


def terms_out(session: Session) -> tuple[TermRelease, ...]:
    """Return every term that is published, the newest first."""
    rows = session.scalars(select(ContinuumTermRow).order_by(ContinuumTermRow.term.desc()))
    return tuple(
        TermRelease(term=row.term, name=row.name, ends_on=row.ends_on, known_on=row.known_on, compared=row.compared)
        for row in rows
    )


def courses(session: Session, person: Person) -> tuple[Course, ...]:
    """Return every place's counts in every term that is published, in order of cut and place."""
    check_may(person, "see_continuum")
    found: dict[tuple[str, str], dict[date, dict[str, int | None]]] = {}
    rows = session.scalars(
        select(ContinuumCountRow).order_by(ContinuumCountRow.cut, ContinuumCountRow.place, ContinuumCountRow.term)
    )
    for row in rows:
        found.setdefault((row.cut, row.place), {}).setdefault(row.term, {})[row.measure] = row.count
    return tuple(Course(cut=cut, place=place, terms=terms) for (cut, place), terms in found.items())


def drifts_of(session: Session, person: Person, term: date) -> tuple[Drift, ...]:
    """Return what drifted in a term, in order of cut and place and as `STEPS` stand."""
    check_may(person, "see_continuum")
    rows = session.scalars(select(ContinuumDriftRow).where(ContinuumDriftRow.term == term)).all()
    order = list(STEPS)
    found = [Drift(cut=row.cut, place=row.place, step=row.measure, way=row.way) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.cut, one.place, order.index(one.step))))
