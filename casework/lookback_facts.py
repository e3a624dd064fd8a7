"""Look-backs as the nightly job counts them: what Belong did, what was offered, what was coded. No name, no words."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.lookback_opening import Standing, lists_before, standings
from casework.support_read import supports_of
from casework.tables_cases import CaseRow, DecisionRow
from casework.tables_lookbacks import LookbackNoteRow

# Help that was offered longer before the event belongs to something else.
HELP_BEFORE = timedelta(weeks=26)


@dataclass(frozen=True, kw_only=True)
class LookedBack:
    """One look-back.

    Attributes
    ----------
    state
        As `lookback_words.STATES`.
    themes
        What its last conclusion was coded by; empty unless it stands concluded.
    lists
        Day of each list before the event → what Belong did with the pupil, as `lookback_words.LISTS` has it.
    offered
        Days on which help was decided on or offered, from half a year before the event, ascending.
    """

    pupil: int
    school: int
    kind: str
    on: date
    state: str
    themes: frozenset[str]
    lists: Mapping[date, str]
    offered: tuple[date, ...]


def looked_back(session: Session, first: date, last: date) -> tuple[LookedBack, ...]:
    """Return the look-backs of events from `first` to `last`, both included; what the records withdrew is left out.

    Needs the job's role and every school in scope.
    """
    mine = [one for one in standings(session) if first <= one.on <= last and one.state != "withdrawn"]
    return tuple(_facts(session, one) for one in mine)


def _facts(session: Session, one: Standing) -> LookedBack:
    return LookedBack(
        pupil=one.pupil,
        school=one.row.school_urn,
        kind=one.row.kind,
        on=one.on,
        state=one.state,
        themes=_themes(session, one.row.id) if one.state == "concluded" else frozenset(),
        lists=lists_before(session, one.pupil, one.on),
        offered=_offered(session, one.row.pupil_id, one.on - HELP_BEFORE),
    )


def _themes(session: Session, lookback_id: uuid.UUID) -> frozenset[str]:
    row = LookbackNoteRow
    last = session.scalars(
        select(row.themes)
        .where(row.lookback_id == lookback_id, row.kind == "needed")
        .order_by(row.recorded_at.desc())
        .limit(1)
    ).one()
    return frozenset(last)


def _offered(session: Session, pupil_id: uuid.UUID, since: date) -> tuple[date, ...]:
    decided = session.scalars(
        select(DecisionRow.recorded_on)
        .join(CaseRow, CaseRow.id == DecisionRow.case_id)
        .where(CaseRow.pupil_id == pupil_id, DecisionRow.recorded_on >= since, DecisionRow.action != "none_now")
    )
    offered = (one.offered_on for one in supports_of(session, pupil_id))
    return tuple(sorted({*decided, *(day for day in offered if day >= since)}))
