"""What another system reads of one pupil: recorded weeks and events, times on a list, and scores with their scope."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import facts
from casework.audit_log import look
from casework.callers import SCORES_READ, UPNS_READ, Integration
from casework.freshness import Withheld, freshness
from casework.names import master_key, unseal
from casework.pupils import Event
from casework.tables_cases import CaseRow
from casework.tables_flags import IncidentRow, ScoreRow
from casework.tables_people import PupilKeyRow, PupilRow, SchoolRow


@dataclass(frozen=True, kw_only=True)
class OnList:
    """A time on the list: first day, and last (None: still on it)."""

    since: date
    left_on: date | None


@dataclass(frozen=True, kw_only=True)
class PastScore:
    """The score of one list. `abstain` says why there is none; `withheld` why it is not shown."""

    as_of: date
    bundle_digest: str
    probability: float | None
    rising: bool | None
    rising_since: date | None
    abstain: str | None
    withheld: Withheld | None


@dataclass(frozen=True, kw_only=True)
class History:
    """One pupil's recorded past, oldest first. `scores` is None without the scope for it."""

    pupil_id: uuid.UUID
    upn: str | None
    school: int
    year_group: str
    left_on: date | None
    data_to: date | None
    weeks: tuple[facts.Week, ...]
    events: tuple[Event, ...]
    on_list: tuple[OnList, ...]
    scores: tuple[PastScore, ...] | None
    notice: str | None


def read_history(
    session: Session, caller: Integration, pupil_id: uuid.UUID, today: date, refused: Withheld | None = None
) -> History | None:
    """Return the pupil's history and log the look; None where there is no such pupil at the caller's schools.

    A look that found nothing is logged too: leave the transaction's block before answering 404.
    """
    row = session.execute(
        select(PupilRow, SchoolRow, PupilKeyRow.wrapped)
        .join(SchoolRow, SchoolRow.urn == PupilRow.school_urn)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(PupilRow.id == pupil_id, PupilRow.school_urn.in_(caller.schools))
    ).one_or_none()
    if row is None:
        look(session, caller, "see_history", pupil_id=pupil_id, detail="no such pupil in scope")
        return None
    pupil, school, key = row
    fresh = freshness(session, today)
    cases = session.scalars(
        select(CaseRow)
        .where(CaseRow.pupil_id == pupil_id, CaseRow.school_urn.in_(caller.schools))
        .order_by(CaseRow.opened_on)
    )
    named = None
    if UPNS_READ in caller.scopes:
        named = unseal(master_key(session), pupil.pseudonym, pupil.identity, key)
    with_scores = SCORES_READ in caller.scopes
    scores = (
        session.scalars(
            select(ScoreRow)
            .where(ScoreRow.pupil_id == pupil_id, ScoreRow.school_urn.in_(caller.schools))
            .order_by(ScoreRow.as_of)
        )
        if with_scores
        else ()
    )
    found = History(
        pupil_id=pupil_id,
        upn=named.upn if named else None,
        school=school.urn,
        year_group=pupil.year_group,
        left_on=pupil.left_on,
        data_to=school.data_to,
        weeks=facts.weeks_of(session, [pupil_id]).get(pupil_id, ()),
        events=_events(session, pupil_id),
        on_list=tuple(OnList(since=case.opened_on, left_on=case.closed_on) for case in cases),
        scores=tuple(
            _score(one, refused or fresh.withheld(one.bundle_digest, up_to_date=school.up_to_date)) for one in scores
        )
        if with_scores
        else None,
        notice=fresh.notice,
    )
    detail = "with scores" if with_scores else "facts only"
    look(session, caller, "see_history", pupil_id=pupil_id, school=school.urn, detail=detail)
    return found


def _score(row: ScoreRow, withheld: Withheld | None) -> PastScore:
    rising = None if row.rise_margin is None else row.rise_margin >= 0
    return PastScore(
        as_of=row.as_of,
        bundle_digest=row.bundle_digest,
        probability=None if withheld else row.probability,
        rising=None if withheld else rising,
        rising_since=row.rising_since if rising and not withheld else None,
        abstain=row.abstain,
        withheld=withheld,
    )


def _events(session: Session, pupil_id: uuid.UUID) -> tuple[Event, ...]:
    names = (IncidentRow.happened_on, IncidentRow.kind, IncidentRow.what, IncidentRow.place, IncidentRow.sessions)
    rows = session.execute(
        select(*names).where(IncidentRow.pupil_id == pupil_id).order_by(IncidentRow.happened_on, IncidentRow.id)
    )
    return tuple(Event(**row) for row in rows.mappings())
