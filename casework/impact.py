"""Does it help: registered studies and what came of each, as pages show them. Nothing is worked out here.

A study is registered once and never changed; its result is published once. What is stored holds no pupil: words,
intervals, and counts of pupil-terms that are rounded already (`learning.impact.payload`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.tables_impact import ImpactResultRow, ImpactStudyRow
from records.refusal import Refusal


class AlreadyRegistered(Refusal):
    """This very study is registered, or another is that looks at some of the same weeks."""


@dataclass(frozen=True, kw_only=True)
class StoredStudy:
    """A study as it was registered; `text` is its file, word for word."""

    digest: str
    title: str
    registered_on: date
    registered_by: str
    first_week: date
    last_week: date
    text: str


@dataclass(frozen=True, kw_only=True)
class StoredResult:
    """A study with what came of it; `known_on` and `payload` None until then."""

    study: StoredStudy
    known_on: date | None = None
    payload: Mapping[str, Any] | None = None


def register(session: Session, study: StoredStudy) -> None:
    """Keep a study. Needs the job's role.

    Raises
    ------
    AlreadyRegistered
        It is kept already, or one of the kept ones looks at some of its weeks: two studies of one term are two chances.
    """
    for row in session.scalars(select(ImpactStudyRow)):
        if row.first_week <= study.last_week and study.first_week <= row.last_week:
            raise AlreadyRegistered(
                f"'{row.title}' was registered on {row.registered_on.isoformat()} for weeks up to "
                f"{row.last_week.isoformat()}; each week belongs to one study, so begin after that"
            )
    session.add(ImpactStudyRow(**study.__dict__, registered_at=datetime.now(UTC)))


def studies(session: Session) -> tuple[StoredResult, ...]:
    """Return every registered study with what came of it, the newest first."""
    rows = session.execute(
        select(ImpactStudyRow, ImpactResultRow)
        .outerjoin(ImpactResultRow, ImpactResultRow.digest == ImpactStudyRow.digest)
        .order_by(ImpactStudyRow.first_week.desc())
    )
    return tuple(
        StoredResult(
            study=StoredStudy(
                digest=study.digest,
                title=study.title,
                registered_on=study.registered_on,
                registered_by=study.registered_by,
                first_week=study.first_week,
                last_week=study.last_week,
                text=study.text,
            ),
            known_on=None if result is None else result.known_on,
            payload=None if result is None else result.payload,
        )
        for study, result in rows
    )


def studies_for(session: Session, person: Person) -> tuple[StoredResult, ...]:
    """Return the studies as a person may see them: those who answer for the network or its models."""
    check_may(person, "see_impact")
    return studies(session)


def save_result(session: Session, digest: str, known_on: date, payload: Mapping[str, Any]) -> None:
    """Publish what came of a study, once. Needs the job's role."""
    session.add(
        ImpactResultRow(digest=digest, known_on=known_on, published_at=datetime.now(UTC), payload=dict(payload))
    )
