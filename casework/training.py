"""The training in reading the list: until when it holds, when it may be taken, and the record that it was."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.rules import TRAINING_DAYS, RuleBroken
from casework.tables_staff import TrainingRow

# The name of the course as it stands in the record; another text is another course.
COURSE: Final = "reading-the-list-1"
RENEW_DAYS: Final = 30


def last_day(training_on: date) -> date:
    """Return the last day on which training taken on a day still holds."""
    return training_on + timedelta(days=TRAINING_DAYS - 1)


def opens_on(training_on: date | None) -> date | None:
    """Return from which day it may be taken again: within a month of its last day; None where it never was."""
    return None if training_on is None else last_day(training_on) - timedelta(days=RENEW_DAYS)


def check_take(person: Person, today: date) -> None:
    """Raise unless the training is missing, over, or ends within a month."""
    check_may(person, "take_training")
    opens = opens_on(person.training_on)
    if opens is not None and today < opens:
        raise RuleBroken(f"Your training still holds. You can take it again from {opens:%-d %B %Y}.")


def may_take(person: Person, today: date) -> bool:
    """Twin of `check_take`."""
    try:
        check_take(person, today)
    except RuleBroken:
        return False
    return True


def record_training(session: Session, person: Person, today: date) -> None:
    """Record that the person took the training today; the database moves their day with the record.

    Raises
    ------
    RuleBroken
        Their training holds for more than a month still.
    """
    check_take(person, today)
    session.execute(
        insert(TrainingRow).values(person_id=person.id, taken_on=today, recorded_at=datetime.now(UTC), course=COURSE)
    )
