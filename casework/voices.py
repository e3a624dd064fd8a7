"""What a pupil and their family say: asked by someone of the school, written down in their words."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.permissions import Person, check_may
from casework.rules import TEXT_LONGEST, RuleBroken, check_trained
from casework.tables_people import PersonRow, PupilRow
from casework.tables_said import ChallengeRow, VoiceRow

WHOSE: Final[Mapping[str, str]] = MappingProxyType({"pupil": "The pupil", "family": "A parent or carer"})
PAST_DAYS_MOST: Final = 365


@dataclass(frozen=True, kw_only=True)
class NewVoice:
    """What was said, as the form gives it; `support_id` where it is about a support of this pupil."""

    pupil_id: uuid.UUID
    whose: str
    said: str
    asked_on: date
    idempotency_key: str
    support_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What the pupil or a parent said, who asked, and when."""

    whose: str
    whose_words: str
    said: str
    asked_on: date
    by: str
    support_id: uuid.UUID | None = None


def record_voice(session: Session, person: Person, new: NewVoice, today: date) -> None:
    """Write down what was said; the same form sent twice makes one entry. Raises RuleBroken, NotAllowed."""
    check_trained(person, today)
    school = school_of(session, new.pupil_id)
    check_may(person, "record_voice", school)
    if is_repeated(session, VoiceRow, person, new.pupil_id, new.idempotency_key):
        return
    if new.whose not in WHOSE:
        raise RuleBroken("Select who said it.", "whose")
    said = check_said(new.said, "Write down what they said, in their words.")
    check_past(new.asked_on, today, "asked_on")
    session.execute(
        insert(VoiceRow).values(
            pupil_id=new.pupil_id,
            school_urn=school,
            person_id=person.id,
            whose=new.whose,
            said=said,
            asked_on=new.asked_on,
            recorded_at=datetime.now(UTC),
            idempotency_key=new.idempotency_key,
            support_id=new.support_id,
        )
    )
    look(session, person, "record_voice", pupil_id=new.pupil_id, school=school)


def voices_of(session: Session, pupil_id: uuid.UUID) -> tuple[Voice, ...]:
    """Return what the pupil and their family said, the newest first."""
    rows = session.execute(
        select(VoiceRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == VoiceRow.person_id)
        .where(VoiceRow.pupil_id == pupil_id)
        .order_by(VoiceRow.asked_on.desc(), VoiceRow.recorded_at.desc())
    )
    return tuple(
        Voice(
            whose=row.whose,
            whose_words=WHOSE[row.whose],
            said=row.said,
            asked_on=row.asked_on,
            by=by,
            support_id=row.support_id,
        )
        for row, by in rows
    )


def school_of(session: Session, pupil_id: uuid.UUID) -> int:
    """Return the school of a pupil in scope."""
    return session.execute(select(PupilRow.school_urn).where(PupilRow.id == pupil_id)).scalar_one()


def is_repeated(
    session: Session, table: type[VoiceRow] | type[ChallengeRow], person: Person, pupil_id: uuid.UUID, key: str
) -> bool:
    """Whether this form was saved before. Raises RuleBroken where its number is missing or was another form's."""
    if not 1 <= len(key) <= 100 or "\x00" in key:
        raise RuleBroken("The form has lost its number. Go back to the pupil's page and try again.")
    row = session.execute(select(table.pupil_id, table.person_id).where(table.idempotency_key == key)).one_or_none()
    if row is not None and tuple(row) != (pupil_id, person.id):
        raise RuleBroken("This form was already used for another pupil. Go back to the pupil's page and try again.")
    return row is not None


def check_said(said: str, sentence: str) -> str:
    """Return the words, trimmed; raise RuleBroken with the sentence where there are none."""
    said = said.strip()
    if not said:
        raise RuleBroken(sentence, "said")
    if len(said) > TEXT_LONGEST or "\x00" in said:
        raise RuleBroken(f"Use at most {TEXT_LONGEST} characters, and plain text.", "said")
    return said


def check_past(day: date, today: date, field: str) -> None:
    """Raise RuleBroken unless the day lies within the last year, today included."""
    if not today - timedelta(days=PAST_DAYS_MOST) <= day <= today:
        raise RuleBroken("Enter a day within the last year, today at the latest.", field)
