"""The letter to a pupil and their family: what is held, that a computer made a list, what people decided, their rights.

Plain words and short sentences, for a reader of nine to eleven. No score is in it, and no reason of a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.challenges import challenges_of
from casework.permissions import Person, check_may
from casework.pupils import PupilPage
from casework.setting_aside import fresh_start
from casework.support_kinds import KINDS
from casework.tables_cases import CaseRow, DecisionRow
from fairness.documents.document import Block, Document, head, points, words

# As said to the pupil; casework/states.py has the words for staff.
OFFERED: Final = {kind.action: kind.told for kind in KINDS.values() if kind.action} | {
    "none_now": "We decided that nothing is needed for now."
}
_LIST: Final = (
    "A computer program helps us make a list each week. The list says: please look at how this pupil is doing.",
    "Some pupils are on the list because of a pattern in their records. Some are picked by chance.",
    "The program can be wrong. It does not know you. It cannot decide anything. People decide.",
    "Being on the list is not a punishment. It can only lead to an offer of help.",
)
_HELD: Final = (
    "if you were in school, and if you were late",
    "what staff wrote down when something went wrong in school",
    "what staff wrote down when something went well",
    "if you were ever suspended",
    "what you and your family told us, when we asked",
)
_RIGHTS: Final = (
    "You can ask to see all that we hold about you. It is free.",
    "You can tell us if something is wrong. We will look into it and answer within one month.",
    "You can say that you do not want the program to look at your records.",
    "You can ask a person to think again about what was decided.",
    "A parent or carer can do all of this with you, or for you.",
)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a person decided, in the words of the list of actions, and when."""

    on: date
    action: str


def letter(session: Session, person: Person, pupil: PupilPage, *, network: str, today: date) -> Document:
    """Return the letter about a pupil's page that this person has open; that it was taken is logged.

    It is the same for pupils whom the model flagged and those of the check sample, so it betrays nothing before
    an own view. Raises NotAllowed.
    """
    check_may(person, "write_letter", pupil.school)
    decided = [
        Decided(on=day, action=action)
        for day, action in session.execute(
            select(DecisionRow.recorded_on, DecisionRow.action)
            .join(CaseRow, CaseRow.id == DecisionRow.case_id)
            .where(CaseRow.pupil_id == pupil.pupil_id)
            .order_by(DecisionRow.recorded_at)
        )
    ]
    listed = session.scalars(
        select(CaseRow.opened_on).where(CaseRow.pupil_id == pupil.pupil_id).order_by(CaseRow.opened_on)
    ).all()
    fresh = fresh_start(session, pupil.pupil_id)
    asked = [one.received_on for one in challenges_of(session, pupil.pupil_id) if one.is_open]
    look(session, person, "take_letter", pupil_id=pupil.pupil_id, school=pupil.school)
    return Document(
        title=f"A letter for {pupil.name} and family",
        subtitle=f"{pupil.school_name}, {network}",
        on=today,
        blocks=(
            *words(
                f"Dear {pupil.name},", "This letter tells you what we write down about you, and what we use it for."
            ),
            head("What we hold"),
            *words("Our school keeps records about you. These are:"),
            *points(_HELD),
            head("The list"),
            *words(*_LIST, _listed(listed)),
            head("What people decided"),
            *_decided(decided),
            *words(_fresh(fresh.on if fresh else None)),
            head("What you can do"),
            *points(_RIGHTS),
            *words(
                *(f"You asked us to put something right on {_day(day)}. We are looking into it." for day in asked),
                "Tell any adult at school, or ask for the data-protection officer.",
                "If you are not happy with our answer, you can write to the Information Commissioner: ico.org.uk.",
            ),
        ),
    )


def _listed(days: Sequence[date]) -> str:
    if not days:
        return "You have not been on this list."
    return f"You came on the list on {' and on '.join(_day(day) for day in days)}."


def _decided(decided: Sequence[Decided]) -> tuple[Block, ...]:
    if not decided:
        return words("Nobody has decided anything yet.")
    return points([f"{_day(one.on)}: {OFFERED[one.action]}" for one in decided])


def _fresh(since: date | None) -> str:
    if since is None:
        return ""
    return f"You were given a fresh start on {_day(since)}. What you did before that day does not count any more."


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
