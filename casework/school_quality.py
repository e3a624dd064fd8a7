"""How a school's records stand, in counts: what the last nightly job found of registers, rows and agreements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may, may
from casework.tables_places import SchoolQualityRow


@dataclass(frozen=True, kw_only=True)
class SchoolQuality:
    """One school's records as of a day; `payload` is `serving.jobs.school_quality`'s: weeks, aside, agreements."""

    school: int
    as_of: date
    payload: Mapping[str, Any]


def save_quality(session: Session, found: SchoolQuality) -> None:
    """Keep what was found of a school, in place of what was found before. Needs the job's role."""
    values = {"as_of": found.as_of, "payload": dict(found.payload)}
    statement = upsert(SchoolQualityRow).values(school_urn=found.school, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["school_urn"], set_=values))


def quality_of(session: Session, person: Person, school: int) -> SchoolQuality | None:
    """Return what was last found of a school of this person's; None where nothing was, or it is none of theirs."""
    check_may(person, "see_records")
    if not may(person, "see_records", school):
        return None
    row = session.execute(select(SchoolQualityRow).where(SchoolQualityRow.school_urn == school)).scalar_one_or_none()
    return None if row is None else SchoolQuality(school=school, as_of=row.as_of, payload=row.payload)
