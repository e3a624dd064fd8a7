"""Setting a case aside until a day, and a fresh start: what a person may do so that a flag does not last for ever."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from casework import states
from casework.audit_log import look
from casework.permissions import Person, check_may
from casework.pupils import own_view
from casework.rules import TEXT_LONGEST, WHY_SHORTEST, RuleBroken, StaleCase, check_trained
from casework.tables_cases import CaseRow
from casework.tables_people import PersonRow, PupilRow
from casework.tables_said import FreshStartRow, SnoozeRow

SNOOZE_DAYS_MOST: Final = 42


@dataclass(frozen=True, kw_only=True)
class NewSnooze:
    """A case to set aside, as the form gives it. `version` is that of the case when the form was shown."""

    pupil_id: uuid.UUID
    until_on: date
    why: str
    version: int


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """A case that waits, or a fresh start: since or until which day, by whom, and why."""

    on: date
    by: str
    why: str


def snooze(session: Session, person: Person, new: NewSnooze, today: date) -> None:
    """Set a case aside until a day: it leaves the list, and the nightly job gives the pupil no new flag.

    Raises
    ------
    RuleBroken
        No case is open, no own view of this week is recorded, the day is out of reach or the reason too short.
    StaleCase
        Someone saved since the form was shown.
    NotAllowed
        The person decides nothing at this school.
    """
    check_trained(person, today)
    case = session.execute(
        select(CaseRow).where(CaseRow.pupil_id == new.pupil_id, CaseRow.state.not_in(states.FINAL))
    ).scalar_one_or_none()
    if case is None:
        raise RuleBroken("This case was closed, so there is nothing to set aside.")
    check_may(person, "set_aside", case.school_urn)
    if own_view(session, person, case.id, today) is None:
        raise RuleBroken("Record your own view first: nobody is set aside without a look.")
    if not today < new.until_on <= today + timedelta(days=SNOOZE_DAYS_MOST):
        last = today + timedelta(days=SNOOZE_DAYS_MOST)
        raise RuleBroken(f"Enter a day after today, and {last:%-d %B %Y} at the latest: six weeks.", "until_on")
    why = check_reason(new.why)
    done = session.execute(
        update(CaseRow)
        .where(CaseRow.id == case.id, CaseRow.version == new.version)
        .values(snoozed_until=new.until_on, version=new.version + 1)
        .returning(CaseRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not done:
        raise StaleCase("Someone saved something on this case while you were writing. Read it, then save again.")
    session.execute(
        insert(SnoozeRow).values(
            pupil_id=case.pupil_id,
            school_urn=case.school_urn,
            case_id=case.id,
            person_id=person.id,
            until_on=new.until_on,
            why=why,
            recorded_on=today,
            recorded_at=datetime.now(UTC),
        )
    )
    look(session, person, "set_aside", pupil_id=case.pupil_id, school=case.school_urn)


def grant_fresh_start(session: Session, person: Person, pupil_id: uuid.UUID, why: str, today: date) -> None:
    """Grant a pupil a fresh start from today: what they did before no longer counts for a score.

    Granted twice on one day, it is granted once. Raises NotAllowed, or RuleBroken where the reason is too short.
    """
    check_trained(person, today)
    school = session.execute(select(PupilRow.school_urn).where(PupilRow.id == pupil_id)).scalar_one()
    check_may(person, "grant_fresh_start", school)
    why = check_reason(why)
    standing = fresh_start(session, pupil_id)
    if standing is not None and standing.on == today:
        return
    session.execute(
        insert(FreshStartRow).values(
            pupil_id=pupil_id,
            school_urn=school,
            person_id=person.id,
            from_on=today,
            why=why,
            recorded_at=datetime.now(UTC),
        )
    )
    look(session, person, "grant_fresh_start", pupil_id=pupil_id, school=school)


def fresh_start(session: Session, pupil_id: uuid.UUID) -> SetAside | None:
    """Return the pupil's last fresh start, or None."""
    row = session.execute(
        select(FreshStartRow.from_on, PersonRow.name, FreshStartRow.why)
        .join(PersonRow, PersonRow.id == FreshStartRow.person_id)
        .where(FreshStartRow.pupil_id == pupil_id)
        .order_by(FreshStartRow.from_on.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else SetAside(on=row[0], by=row[1], why=row[2])


def snoozed(session: Session, case_id: uuid.UUID, today: date) -> SetAside | None:
    """Return until when, by whom and why a case is set aside, or None where it is not today."""
    row = session.execute(
        select(SnoozeRow.until_on, PersonRow.name, SnoozeRow.why)
        .join(PersonRow, PersonRow.id == SnoozeRow.person_id)
        .where(SnoozeRow.case_id == case_id)
        .order_by(SnoozeRow.recorded_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None or row[0] <= today else SetAside(on=row[0], by=row[1], why=row[2])


def check_reason(why: str) -> str:
    """Return the reason, trimmed. Raises RuleBroken where it is shorter than 20 characters, or cannot be kept."""
    said = why.strip()
    if len(said) < WHY_SHORTEST:
        raise RuleBroken(f"Say why in at least {WHY_SHORTEST} characters; you have written {len(said)}.", "why")
    if len(said) > TEXT_LONGEST or "\x00" in said:
        raise RuleBroken(f"Use at most {TEXT_LONGEST} characters, and plain text.", "why")
    return said
