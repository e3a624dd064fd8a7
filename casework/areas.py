"""Open figures of places beside counts of our own: where need is, and where support does not reach it.

For planning alone. The open figures are as their publishers have them; ours are rounded and hidden already
(`casework.places`). Neither stands beside a pupil, and nothing that scores a pupil may import this room.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.places import ELSEWHERE, LEVELS, PlaceCounts, attendance, rate
from casework.tables_areas import AreaFigureRow, AreaRow, AreaStandingRow

MOST_DEPRIVED_TENTHS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Need:
    """One sign of need in a place.

    Attributes
    ----------
    words, short
        As a sentence and as a heading have it.
    unit
        What one of its number is.
    open
        Whether it is an open figure; else it is of our pupils, from rounded counts.
    """

    name: str
    words: str
    short: str
    unit: str
    open: bool


NEEDS: Final[Mapping[str, Need]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Need(
                name="deprivation",
                words="Small areas among the three most deprived tenths of England",
                short="Deprived areas",
                unit="for each 100 small areas",
                open=True,
            ),
            Need(
                name="violence",
                words="Recorded violence and sexual offences",
                short="Recorded violence",
                unit="for each 1,000 residents",
                open=True,
            ),
            Need(
                name="admissions",
                words="Hospital admissions after an assault",
                short="Assault admissions",
                unit="for each 100,000 residents",
                open=True,
            ),
            Need(
                name="unsafe",
                words="People who do not feel safe outside after dark",
                short="Do not feel safe",
                unit="for each 100 people asked",
                open=True,
            ),
            Need(
                name="missed",
                words="Sessions missed by our pupils",
                short="Sessions missed",
                unit="for each 100 possible sessions",
                open=False,
            ),
            Need(
                name="home",
                words="Suspensions and permanent exclusions of our pupils",
                short="Suspensions",
                unit="for each 100 pupils",
                open=False,
            ),
            Need(
                name="listed",
                words="Our pupils who came on a list",
                short="On a list",
                unit="for each 100 pupils",
                open=False,
            ),
        )
    }
)
# Measure as it is published → the need it is of, and how many its rate is for.
_PER: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {"violence": ("violence", 1_000), "admissions": ("admissions", 100_000), "safety": ("unsafe", 100)}
)


@dataclass(frozen=True, kw_only=True)
class Area:
    """One place of the newest edition."""

    code: str
    level: str
    name: str
    ward: str | None = None
    borough: str | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One open figure of a place, as its publisher has it."""

    code: str
    measure: str
    from_on: date
    to_on: date
    count: int
    among: int
    publisher: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the lists stand: the newest edition, and whether something is left out for want of an older one's list."""

    edition: str
    known_on: date
    unlisted: bool
    figures_left_out: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A ward or borough with its signs of need and how far support reaches.

    Attributes
    ----------
    needs
        Name of a need → its rate, None where it is not published for this place or not shown.
    high
        The needs in which it is among the highest third of the places.
    pupils
        Our pupils who live there, rounded; None where not shown.
    reach
        Of each 100 of them on a list, how many have support in place; None where not shown.
    """

    code: str
    name: str
    borough: str
    needs: Mapping[str, float | None]
    pupils: int | None
    reach: float | None
    high: frozenset[str] = field(default_factory=frozenset)

    @property
    def known(self) -> int:
        """How many of the needs are known."""
        return sum(value is not None for value in self.needs.values())


def save_areas(session: Session, standing: Standing, areas: Iterable[Area], figures: Iterable[Figure]) -> None:
    """Publish what is known of places, in the place of what was. Needs the job's role."""
    for table in (AreaFigureRow, AreaRow, AreaStandingRow):
        session.execute(delete(table))
    for row, said in (
        (AreaRow, [vars(one) for one in areas]),
        (AreaFigureRow, [vars(one) for one in figures]),
        (AreaStandingRow, [vars(standing)]),
    ):
        if said:
            session.execute(insert(row), said)


def standing_of(session: Session) -> Standing | None:
    """Return how the lists stand, None before any was brought."""
    row = session.scalars(select(AreaStandingRow)).first()
    if row is None:
        return None
    return Standing(
        edition=row.edition, known_on=row.known_on, unlisted=row.unlisted, figures_left_out=row.figures_left_out
    )


def areas_of(session: Session, person: Person) -> tuple[Area, ...]:
    """Return every place, by name."""
    check_may(person, "see_need")
    rows = session.scalars(select(AreaRow).order_by(AreaRow.name, AreaRow.code))
    return tuple(
        Area(code=row.code, level=row.level, name=row.name, ward=row.ward, borough=row.borough) for row in rows
    )


def figures_of(session: Session, person: Person) -> tuple[Figure, ...]:
    """Return every open figure, by place and measure."""
    check_may(person, "see_need")
    rows = session.scalars(select(AreaFigureRow).order_by(AreaFigureRow.code, AreaFigureRow.measure))
    return tuple(
        Figure(
            code=row.code,
            measure=row.measure,
            from_on=row.from_on,
            to_on=row.to_on,
            count=row.count,
            among=row.among,
            publisher=row.publisher,
        )
        for row in rows
    )


def need_and_reach(
    level: str, areas: Sequence[Area], figures: Sequence[Figure], counts: Iterable[PlaceCounts]
) -> tuple[Place, ...]:
    """Return the places of a level in which our pupils live: most need with least support first.

    A place comes before another where more of its signs of need are among the highest third of the places; of two with
    the same number, the one where support reaches fewer. What is not shown or not published is no sign of anything.

    Parameters
    ----------
    level
        'ward' or 'borough'.
    counts
        One half-term's counts by place, of any cut.
    """
    by_code = {one.code: one for one in areas}
    rates = open_rates(areas, figures)
    found = []
    for one in counts:
        if one.cut != level or one.place not in by_code:
            continue  # where pupils live whose place is not known, or too few to count a ward by itself
        area = by_code[one.place]
        ours = {"missed": _missed(one), "home": rate(one.counts, "suspensions", "pupils")}
        ours["listed"] = rate(one.counts, "flagged", "pupils")
        needs = {name: rates.get((area.code, name)) for name, need in NEEDS.items() if need.open}
        needs |= {name: None if share is None else 100 * share for name, share in ours.items()}
        reach = rate(one.counts, "supported", "flagged")
        found.append(
            Place(
                code=area.code,
                name=area.name,
                borough=by_code[area.borough].name if area.borough in by_code else "",
                needs={name: needs[name] for name in NEEDS},
                pupils=one.counts.get("pupils"),
                reach=None if reach is None else 100 * min(reach, 1.0),
            )
        )
    return tuple(sorted(_with_high(found), key=_order))


def left_over(level: str, counts: Iterable[PlaceCounts]) -> tuple[PlaceCounts, ...]:
    """Return the counts of pupils whose place is not known, or in whose ward too few live."""
    return tuple(one for one in counts if one.cut == level and one.place in ("unknown", ELSEWHERE))


def open_rates(areas: Sequence[Area], figures: Iterable[Figure]) -> dict[tuple[str, str], float]:
    """Return (place, need) → its rate. A ward's and borough's deprivation is the share of its deprived small areas."""
    found: dict[tuple[str, str], float] = {}
    tenths: dict[str, int] = {}
    for one in figures:
        if one.measure == "deprivation":
            tenths[one.code] = one.count
            continue
        need, per = _PER[one.measure]
        share = one.count / one.among
        found[one.code, need] = per * (1 - share if one.measure == "safety" else share)
    for level in LEVELS:
        inside: dict[str, list[int]] = {}
        for area in areas:
            place = area.ward if level == "ward" else area.borough
            if area.level == "area" and place is not None and area.code in tenths:
                inside.setdefault(place, []).append(tenths[area.code])
        for place, known in inside.items():
            found[place, "deprivation"] = 100 * sum(tenth <= MOST_DEPRIVED_TENTHS for tenth in known) / len(known)
    return found


def _missed(one: PlaceCounts) -> float | None:
    attended = attendance(one.counts)
    return None if attended is None else 1 - attended


def _with_high(places: Sequence[Place]) -> list[Place]:
    """Return the places with the needs in which each is among the highest third of those of which it is known.

    Alike at the border of the third, none of them is: of places that are all alike nobody's is high.
    """
    known = {name: [value for one in places if (value := one.needs[name]) is not None] for name in NEEDS}

    def high(one: Place, name: str) -> bool:
        value = one.needs[name]
        return value is not None and sum(other >= value for other in known[name]) <= len(known[name]) // 3

    return [replace(one, high=frozenset(name for name in NEEDS if high(one, name))) for one in places]


def _order(one: Place) -> tuple[int, float, str]:
    # Where reach is not shown nothing is said of it: such a place stands after those that are known to be short of it.
    return (-len(one.high), 101.0 if one.reach is None else one.reach, one.name.casefold())
