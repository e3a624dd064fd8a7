"""What was said and asked for a pupil, in plain words, for the pupil's own file."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.challenges import ABOUT, STEPS
from casework.tables_said import ChallengeRow, ChallengeStepRow, FreshStartRow, SnoozeRow, VoiceRow
from casework.told import pupil_ids, roles_of
from casework.voices import WHOSE
from records.rights.described import day_in_words
from records.rights.holding import Section, Subject

_FORMER = "a former member of staff"


def sections(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return the pupil's and family's words, corrections asked for and answered, fresh starts, cases set aside."""
    pupils, roles = pupil_ids(session, subject), roles_of(session)

    def rows(table: Any, order: Any) -> Sequence[Any]:
        return session.scalars(select(table).where(table.pupil_id.in_(pupils)).order_by(order)).all()

    def by(row: Any) -> str:
        return roles.get(row.person_id, _FORMER)

    voices = [
        {
            "day": day_in_words(row.asked_on),
            "who said it": WHOSE[row.whose],
            "what they said": row.said,
            "asked by": by(row),
        }
        for row in rows(VoiceRow, VoiceRow.recorded_at)
    ]
    asked = rows(ChallengeRow, ChallengeRow.recorded_at)
    challenges = [
        {
            "received on": day_in_words(row.received_on),
            "asked by": WHOSE[row.whose],
            "about": ABOUT[row.about],
            "what they said": row.said,
            "written down by": by(row),
        }
        for row in asked
    ]
    steps = session.scalars(
        select(ChallengeStepRow)
        .where(ChallengeStepRow.challenge_id.in_([row.id for row in asked]))
        .order_by(ChallengeStepRow.recorded_at)
    )
    answers = [
        {"day": day_in_words(row.taken_on), "by": by(row), "answer": STEPS[row.step].says, "why": row.answer}
        for row in steps
    ]
    fresh = [
        {"from": day_in_words(row.from_on), "granted by": by(row), "why": row.why}
        for row in rows(FreshStartRow, FreshStartRow.from_on)
    ]
    aside = [
        {"on": day_in_words(row.recorded_on), "until": day_in_words(row.until_on), "by": by(row), "why": row.why}
        for row in rows(SnoozeRow, SnoozeRow.recorded_at)
    ]
    made = (
        ("What the pupil and family said", "Written down by whoever asked.", voices),
        ("Corrections asked for", "What the pupil or a parent said was wrong.", challenges),
        ("Answers to corrections", "What was done about it, and why.", answers),
        ("Fresh starts", "From this day on, what was done before no longer counts for a score.", fresh),
        ("Set aside", "Weeks in which nobody was asked to look.", aside),
    )
    return tuple(
        Section(title=title, says=says, rows=tuple({k: v for k, v in row.items() if v} for row in found))
        for title, says, found in made
    )
