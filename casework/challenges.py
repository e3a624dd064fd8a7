"""Corrections and challenges that a pupil or parent asks for: states and steps as data, and a clock of one month.

UK GDPR, Article 12(3): without undue delay and at the latest within one month of receipt; by two further months
where the request is complex, and then the person is told within the first. Article 16: what is wrong is put right.
"""

import uuid
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, insert, select, text, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework.audit_log import Looked, look, look_at_all
from casework.permissions import PERMISSIONS, Person, check_may, may
from casework.rules import RuleBroken, StaleCase
from casework.setting_aside import check_reason
from casework.tables_people import PersonRow, SchoolRow
from casework.tables_said import ChallengeRow, ChallengeStepRow
from casework.voices import WHOSE, check_past, check_said, is_repeated, school_of

ABOUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "records": "What the records say",
        "list": "Being on the list",
        "decision": "What was decided",
    }
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "asked": "Waiting for an answer",
        "extended": "Waiting: more time was taken",
        "corrected": "Put right",
        "partly_corrected": "Put right in part",
        "refused": "Not changed, with the reason",
        "withdrawn": "Taken back by those who asked",
    }
)
OPEN: Final = frozenset({"asked", "extended"})
ANSWER_MONTHS: Final = 1
EXTENDED_MONTHS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of an answer: from which states, to which, and what the button says."""

    starts: frozenset[str]
    end: str
    says: str


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "correct": Step(starts=OPEN, end="corrected", says="Yes: it was put right"),
        "correct_in_part": Step(starts=OPEN, end="partly_corrected", says="In part: some of it was put right"),
        "refuse": Step(starts=OPEN, end="refused", says="No: it stays as it is"),
        "extend": Step(
            starts=frozenset({"asked"}), end="extended", says="Not yet: it is complex, and takes up to two months more"
        ),
        "withdraw": Step(starts=OPEN, end="withdrawn", says="They have taken it back"),
    }
)


class NoSuchChallenge(Exception):
    """Nothing of this id was asked at this person's schools: answer 404."""


@dataclass(frozen=True, kw_only=True)
class NewChallenge:
    """What is asked for, as the form gives it."""

    pupil_id: uuid.UUID
    whose: str
    about: str
    said: str
    received_on: date
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One step that was taken."""

    step: str
    says: str
    answer: str
    on: date
    by: str


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What was asked, where it stands, and by when it must be answered."""

    id: uuid.UUID
    pupil_id: uuid.UUID
    school: int
    school_name: str
    whose_words: str
    about: str
    about_words: str
    said: str
    received_on: date
    by: str
    steps: tuple[Answered, ...]
    state: str

    @property
    def state_words(self) -> str:
        """The state in words."""
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state in OPEN

    @property
    def due_on(self) -> date:
        """The last day for an answer."""
        return months_after(self.received_on, EXTENDED_MONTHS if self.state == "extended" else ANSWER_MONTHS)


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day where it is shorter (ICO: the corresponding date)."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def record_challenge(session: Session, person: Person, new: NewChallenge, today: date) -> None:
    """Write down what a pupil or parent asks for; the clock runs from the day it was received.

    The same form sent twice makes one entry. Raises RuleBroken, NotAllowed.
    """
    school = school_of(session, new.pupil_id)
    check_may(person, "record_challenge", school)
    if is_repeated(session, ChallengeRow, person, new.pupil_id, new.idempotency_key):
        return
    if new.whose not in WHOSE:
        raise RuleBroken("Select who asks.", "whose")
    if new.about not in ABOUT:
        raise RuleBroken("Select what it is about.", "about")
    said = check_said(new.said, "Write down what they say is wrong, in their words.")
    check_past(new.received_on, today, "received_on")
    session.execute(
        insert(ChallengeRow).values(
            pupil_id=new.pupil_id,
            school_urn=school,
            person_id=person.id,
            whose=new.whose,
            about=new.about,
            said=said,
            received_on=new.received_on,
            recorded_at=datetime.now(UTC),
            idempotency_key=new.idempotency_key,
        )
    )
    look(session, person, "record_challenge", pupil_id=new.pupil_id, school=school)


def challenges_of(session: Session, pupil_id: uuid.UUID) -> tuple[Challenge, ...]:
    """Return what was asked about a pupil, the newest first. The page that shows them logs the look."""
    return _challenges(session, ChallengeRow.pupil_id == pupil_id)


def open_challenges(session: Session, person: Person) -> tuple[Challenge, ...]:
    """Return what waits for an answer at the person's schools, the first due first; the look is logged."""
    check_may(person, "see_challenges")
    schools = _reach(session, person)
    inside = true() if schools is None else ChallengeRow.school_urn.in_(schools)
    found = sorted((one for one in _challenges(session, inside) if one.is_open), key=lambda one: one.due_on)
    listed = [Looked(action="listed_challenge", pupil_id=one.pupil_id, school=one.school) for one in found]
    look_at_all(session, person, [Looked(action="see_challenges", detail=f"{len(found)} open"), *listed])
    return tuple(found)


def challenge(session: Session, person: Person, challenge_id: uuid.UUID) -> Challenge:
    """Return one, and log the look at its pupil. Raises NotAllowed, NoSuchChallenge."""
    check_may(person, "see_challenges")
    _reach(session, person)
    found = _challenges(session, ChallengeRow.id == challenge_id)
    if not found or not may(person, "see_challenges", found[0].school):
        raise NoSuchChallenge("nothing of this id was asked at this person's schools")
    look(session, person, "see_challenge", pupil_id=found[0].pupil_id, school=found[0].school)
    return found[0]


def answer_challenge(
    session: Session, person: Person, asked: Challenge, step: str, answer: str, today: date, *, steps_seen: int
) -> None:
    """Take a step: an answer with its reason, which the pupil and family can read.

    Raises
    ------
    RuleBroken, NotAllowed
        No such step leads from where it stands, no reason is given, or the person may not answer.
    StaleCase
        Someone answered since the form was shown (`steps_seen` steps ago).
    """
    check_may(person, "answer_challenge", asked.school)
    _reach(session, person)
    if steps_seen != len(asked.steps):
        raise StaleCase("Someone answered while you were writing. Your text is kept below: read theirs first.")
    if step not in STEPS or asked.state not in STEPS[step].starts:
        raise RuleBroken("Select what was done.", "step")
    why = check_reason(answer)
    try:
        with session.begin_nested():
            session.execute(
                insert(ChallengeStepRow).values(
                    challenge_id=asked.id,
                    number=len(asked.steps) + 1,
                    school_urn=asked.school,
                    person_id=person.id,
                    step=step,
                    answer=why,
                    taken_on=today,
                    recorded_at=datetime.now(UTC),
                )
            )
    except IntegrityError as error:
        raise StaleCase("Someone answered at the same moment. Your text is kept below: read theirs first.") from error
    look(session, person, "answer_challenge", pupil_id=asked.pupil_id, school=asked.school, detail=step)


def _reach(session: Session, person: Person) -> frozenset[int] | None:
    """Return the schools whose corrections the person answers for, None: every one; the transaction sees those."""
    roles = [role for role in person.roles if role.name in PERMISSIONS["see_challenges"]]
    if all(role.school is not None for role in roles):
        return frozenset(role.school for role in roles if role.school is not None)
    # The officer's transaction sees no pupil; for what is asked of them, and nothing else, row-level security opens.
    session.execute(text("SELECT set_config('belong.answers', 'yes', true)"))
    return None


def _challenges(session: Session, which: ColumnElement[bool]) -> tuple[Challenge, ...]:
    asked = session.execute(
        select(ChallengeRow, PersonRow.name, SchoolRow.name)
        .join(PersonRow, PersonRow.id == ChallengeRow.person_id)
        .join(SchoolRow, SchoolRow.urn == ChallengeRow.school_urn)
        .where(which)
        .order_by(ChallengeRow.received_on.desc(), ChallengeRow.recorded_at.desc())
    ).all()
    steps: dict[uuid.UUID, list[Answered]] = {}
    taken = session.execute(
        select(ChallengeStepRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == ChallengeStepRow.person_id)
        .where(ChallengeStepRow.challenge_id.in_([row.id for row, _, _ in asked]))
        .order_by(ChallengeStepRow.challenge_id, ChallengeStepRow.number)
    )
    for row, by in taken:
        said = Answered(step=row.step, says=STEPS[row.step].says, answer=row.answer, on=row.taken_on, by=by)
        steps.setdefault(row.challenge_id, []).append(said)
    return tuple(_challenge(row, by, school, tuple(steps.get(row.id, ()))) for row, by, school in asked)


def _challenge(row: ChallengeRow, by: str, school: str, steps: tuple[Answered, ...]) -> Challenge:
    return Challenge(
        id=row.id,
        pupil_id=row.pupil_id,
        school=row.school_urn,
        school_name=school,
        whose_words=WHOSE[row.whose],
        about=row.about,
        about_words=ABOUT[row.about],
        said=row.said,
        received_on=row.received_on,
        by=by,
        steps=steps,
        state=STEPS[steps[-1].step].end if steps else "asked",
    )
