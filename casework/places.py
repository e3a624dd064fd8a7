"""Counts by place: what the nightly job publishes once a half-term, and which rows of it a person sees.

Nothing here works a count out: what is stored is rounded and hidden already (`learning.places.release`), and the
database takes nothing else. A rate is worked out from the rounded counts, so it says nothing that they do not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Select, insert, select, text
from sqlalchemy.orm import Session

from casework.permissions import PERMISSIONS, SCHOOL_ROLES, Person, check_may
from casework.tables_places import PlaceCountRow, PlaceReleaseRow
from records.refusal import Refusal

NETWORK: Final = "network"
SCHOOL: Final = "school"
# Cuts by where pupils live, and the wards where so few do that they are counted together.
LEVELS: Final = ("ward", "borough")
ELSEWHERE: Final = "elsewhere"
# What partners see counted: no list, no flag, and no incident that a school wrote down.
FOR_PARTNERS: Final = ("pupils", "sessions_possible", "sessions_missed", "suspensions")
# Measure → what one of it is. Pupils are those on roll on the half-term's last day, Reception to Year 11.
MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pupils": "pupils on roll",
        "sessions_possible": "possible sessions, illness and other neutral codes aside",
        "sessions_missed": "sessions missed",
        "incidents": "recorded incidents",
        "removals": "removals from lessons",
        "suspensions": "suspensions and permanent exclusions",
        "flagged": "pupils who came on a list",
        "reviewed": "of those, pupils of whom a view is recorded",
        "supported": "of those on a list, pupils with support in place",
    }
)
# How many became of how many follows from the two, so what is left over counts as well (`learning.places.release`).
PARTS_OF: Final[Mapping[str, str]] = MappingProxyType({"reviewed": "flagged", "supported": "flagged"})


class AlreadyPublished(Refusal):
    """This half-term's counts are out: a second version could be laid beside the first."""


@dataclass(frozen=True, kw_only=True)
class PlaceRelease:
    """One half-term's publication: its first and last day in the network, and the day its counts were known."""

    half_term: date
    name: str
    ends_on: date
    known_on: date


@dataclass(frozen=True, kw_only=True)
class PlaceCounts:
    """One place's counts in one half-term, by measure; None where a count is not shown."""

    half_term: date
    cut: str
    place: str
    counts: Mapping[str, int | None]

    @property
    def school(self) -> int | None:
        """The school it is of, if it is one school's."""
        return int(self.place) if self.cut == SCHOOL else None


def save_release(session: Session, release: PlaceRelease, places: Iterable[PlaceCounts]) -> None:
    """Publish a half-term, once. Needs the job's role and every school in scope.

    Raises
    ------
    AlreadyPublished
        The half-term is out.
    """
    if session.get(PlaceReleaseRow, release.half_term) is not None:
        raise AlreadyPublished(f"counts of {release.name} are published, and are published once")
    session.add(
        PlaceReleaseRow(
            half_term=release.half_term,
            name=release.name,
            ends_on=release.ends_on,
            known_on=release.known_on,
            published_at=datetime.now(UTC),
        )
    )
    session.flush()
    rows = [
        {
            "half_term": release.half_term,
            "cut": one.cut,
            "place": one.place,
            "measure": measure,
            "school_urn": one.school,
            "count": count,
        }
        for one in places
        for measure, count in one.counts.items()
    ]
    if rows:
        session.execute(insert(PlaceCountRow), rows)


def releases(session: Session) -> tuple[PlaceRelease, ...]:
    """Return every half-term that is published, the newest first."""
    rows = session.scalars(select(PlaceReleaseRow).order_by(PlaceReleaseRow.half_term.desc()))
    return tuple(
        PlaceRelease(half_term=row.half_term, name=row.name, ends_on=row.ends_on, known_on=row.known_on) for row in rows
    )


def sees_every_place(person: Person) -> bool:
    """Whether a role held across the network lets them see every place; a school's lead sees their own school's."""
    allowed = PERMISSIONS["see_places"] - SCHOOL_ROLES
    return any(role.name in allowed and role.school is None for role in person.roles)


def counts_of(session: Session, person: Person, half_term: date) -> tuple[PlaceCounts, ...]:
    """Return the counts of a half-term that the person may see, in order of cut and place.

    Of someone at a school: the network's, and their own school's. What a cut of the whole network says is for those
    who answer for the network.
    """
    return _read(session, person, PlaceCountRow.half_term == half_term)


def course_of(session: Session, person: Person, cut: str, place: str) -> tuple[PlaceCounts, ...]:
    """Return one place's counts in every half-term that is published, the oldest first; empty where not theirs."""
    return _read(session, person, PlaceCountRow.cut == cut, PlaceCountRow.place == place)


def counts_for_partners(session: Session, half_term: date, level: str) -> tuple[PlaceCounts, ...]:
    """Return a half-term's counts by ward or borough as partners see them: nothing of lists, of groups or of schools.

    The session is a partner's own, to which the database gives no more than this either.
    """
    return _gathered(
        session,
        select(PlaceCountRow).where(
            PlaceCountRow.half_term == half_term,
            PlaceCountRow.cut == level,
            PlaceCountRow.cut.in_(LEVELS),
            PlaceCountRow.measure.in_(FOR_PARTNERS),
        ),
    )


def _read(session: Session, person: Person, *conditions: object) -> tuple[PlaceCounts, ...]:
    check_may(person, "see_places")
    query = select(PlaceCountRow).where(*conditions)  # type: ignore[arg-type]  # SQL conditions
    if sees_every_place(person):
        # Row-level security opens the counts of every school to be read, and nothing else.
        session.execute(text("SELECT set_config('belong.places', 'yes', true)"))
    else:
        own = sorted(role.school for role in person.roles if role.school is not None and role.name == "school_lead")
        query = query.where(
            (PlaceCountRow.cut == NETWORK) | (PlaceCountRow.cut == SCHOOL) & PlaceCountRow.school_urn.in_(own)
        )
    return _gathered(session, query)


def _gathered(session: Session, query: Select[PlaceCountRow]) -> tuple[PlaceCounts, ...]:
    found: dict[tuple[date, str, str], dict[str, int | None]] = {}
    for row in session.scalars(query.order_by(PlaceCountRow.half_term, PlaceCountRow.cut, PlaceCountRow.place)):
        found.setdefault((row.half_term, row.cut, row.place), {})[row.measure] = row.count
    return tuple(
        PlaceCounts(half_term=half_term, cut=cut, place=place, counts=counts)
        for (half_term, cut, place), counts in found.items()
    )


def rate(counts: Mapping[str, int | None], measure: str, base: str) -> float | None:
    """Return one rounded count over another; None where either is not shown, or there is nothing to divide by."""
    above, below = counts.get(measure), counts.get(base)
    return None if above is None or not below else above / below


def attendance(counts: Mapping[str, int | None]) -> float | None:
    """Return the share of possible sessions attended, from rounded counts."""
    missed = rate(counts, "sessions_missed", "sessions_possible")
    return None if missed is None else 1 - missed
