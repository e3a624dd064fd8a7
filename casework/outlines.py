"""Outlines of wards and boroughs, for the map after the table of need and reach: open data, about nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.tables_areas import AreaOutlineRow

# Polygons of rings of positions: degrees east and north, WGS 84; of each polygon the first ring is the outer one.
Polygons = Sequence[Sequence[Sequence[Sequence[float]]]]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """The outline of one place, as it was on a day, and who publishes it."""

    code: str
    level: str
    from_on: date
    publisher: str
    polygons: Polygons


def save_outlines(session: Session, outlines: Iterable[Outline]) -> None:
    """Publish the outlines, in the place of what was. Needs the job's role."""
    session.execute(delete(AreaOutlineRow))
    said = [vars(one) for one in outlines]
    if said:
        session.execute(insert(AreaOutlineRow), said)


def outlines_of(session: Session, person: Person) -> tuple[Outline, ...]:
    """Return every outline, by code."""
    check_may(person, "see_need")
    return tuple(
        Outline(code=row.code, level=row.level, from_on=row.from_on, publisher=row.publisher, polygons=row.polygons)
        for row in session.scalars(select(AreaOutlineRow).order_by(AreaOutlineRow.code))
    )
