"""What support a pupil was offered, as it stands now: for their page, the next review, paper and the letter."""

import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.programmes import Programme, programmes
from casework.support_kinds import KIND_OF_ACTION, KINDS, Kind
from casework.tables_cases import DecisionRow
from casework.tables_people import PersonRow
from casework.tables_support import SupportRow, SupportVersionRow


@dataclass(frozen=True, kw_only=True)
class Support:
    """One offer as its newest version has it.

    Attributes
    ----------
    programme
        What pays for it; None where nothing does, or where the reader does not see it.
    review
        '' where nobody said how it goes.
    by, by_id, recorded_on
        Who wrote the newest version down, and when.
    version
        Goes into the form, and back with it.
    """

    id: uuid.UUID
    pupil_id: uuid.UUID
    case_id: uuid.UUID | None
    version: int
    kind: Kind
    provider: str
    programme_id: uuid.UUID | None
    programme: Programme | None
    offered_on: date
    standing: str
    start_on: date | None
    end_on: date | None
    hours: Decimal | None
    review: str
    note: str
    by: str
    by_id: uuid.UUID
    recorded_on: date

    def is_in_place(self, today: date) -> bool:
        """Whether it is waited for, or was taken up and is not over."""
        return self.standing == "waiting" or (
            self.standing == "taken_up" and (self.end_on is None or self.end_on >= today)
        )


def supports_of(session: Session, pupil_id: uuid.UUID) -> tuple[Support, ...]:
    """Return what the pupil was offered, the newest offer first; what was entered by mistake is left out."""
    return tuple(one for one in _all(session, pupil_id) if one.standing != "mistaken")


def support_of(session: Session, pupil_id: uuid.UUID, support_id: uuid.UUID) -> Support | None:
    """Return one offer to the pupil, one entered by mistake too; None where there is no such offer."""
    return next((one for one in _all(session, pupil_id) if one.id == support_id), None)


def decided_kind(session: Session, case_id: uuid.UUID) -> Kind | None:
    """Return the kind of support with which the case's last decision begins; None where it offered nothing."""
    action = session.execute(
        select(DecisionRow.action)
        .where(DecisionRow.case_id == case_id)
        .order_by(DecisionRow.recorded_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return KIND_OF_ACTION.get(action or "")


def is_owed(session: Session, case_id: uuid.UUID) -> bool:
    """Whether support was decided on for a case, and nobody has written down what was offered since."""
    decided = session.execute(
        select(func.max(DecisionRow.recorded_at)).where(
            DecisionRow.case_id == case_id, DecisionRow.action.in_(KIND_OF_ACTION)
        )
    ).scalar_one()
    written = session.execute(
        select(func.max(SupportVersionRow.recorded_at))
        .join(SupportRow, SupportRow.id == SupportVersionRow.support_id)
        .where(SupportRow.case_id == case_id)
    ).scalar_one()
    return decided is not None and (written is None or written < decided)


def hours_words(hours: Decimal) -> str:
    """Return hours as people write them: 6, 6.5."""
    return f"{hours.normalize():f}"


def _all(session: Session, pupil_id: uuid.UUID) -> tuple[Support, ...]:
    rows = session.execute(
        select(SupportRow, SupportVersionRow, PersonRow.name)
        .join(SupportVersionRow, SupportVersionRow.support_id == SupportRow.id)
        .join(PersonRow, PersonRow.id == SupportVersionRow.person_id)
        .where(SupportRow.pupil_id == pupil_id)
        .order_by(SupportVersionRow.version)
    ).all()
    newest = {support.id: (support, version, by) for support, version, by in rows}
    paying = {one.id: one for one in programmes(session)} if any(v.programme_id for _, v, _ in newest.values()) else {}
    found = [
        Support(
            id=support.id,
            pupil_id=pupil_id,
            case_id=support.case_id,
            version=row.version,
            kind=KINDS[row.kind],
            provider=row.provider,
            programme_id=row.programme_id,
            programme=paying.get(row.programme_id) if row.programme_id else None,
            offered_on=row.offered_on,
            standing=row.standing,
            start_on=row.start_on,
            end_on=row.end_on,
            hours=row.hours,
            review=row.review or "",
            note=row.note,
            by=by,
            by_id=row.person_id,
            recorded_on=row.recorded_on,
        )
        for support, row, by in newest.values()
    ]
    return tuple(sorted(found, key=lambda one: (one.offered_on, one.recorded_on), reverse=True))
