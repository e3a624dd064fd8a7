"""The rules of casework. Every `check_` raises a sentence for people; its `may_` twin answers yes or no."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from casework import states
from casework.permissions import NotAllowed, Person, check_may

WHY_SHORTEST: Final = 20
TEXT_LONGEST: Final = 4000
TRAINING_DAYS: Final = 365
REVIEW_DAYS_MOST: Final = 120


class RuleBroken(Exception):
    """What was asked for goes against a rule; `sentence` may be shown, and `field` names the form's field."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class TrainingNeeded(NotAllowed):
    """The person has no current training in reading flags: show the training page instead."""


class StaleCase(RuleBroken):
    """Someone saved first. The page keeps the text that was typed and shows what is there now."""


def check_trained(person: Person, today: date) -> None:
    """Raise unless the person was trained in the last 365 days: an untrained reader takes a flag for a verdict."""
    if person.training_on is None:
        raise TrainingNeeded("Before you see pupils here, please take the ten-minute training in reading flags.")
    if person.training_on + timedelta(days=TRAINING_DAYS) <= today:
        raise TrainingNeeded(
            f"Your training in reading flags ran out a year after {person.training_on:%-d %B %Y}. Please take it again."
        )


def may_see_pupils(person: Person, today: date) -> bool:
    """Twin of `check_trained`."""
    return _holds(lambda: check_trained(person, today))


def check_view(opinion: str, why: str) -> None:
    """Raise unless the view is one of ours and says why in 20 characters or more."""
    if opinion not in states.OPINIONS:
        raise RuleBroken("Select your view of how things are going for this pupil.", "opinion")
    length = len(why.strip())
    if length < WHY_SHORTEST:
        raise RuleBroken(f"Say why in at least {WHY_SHORTEST} characters; you have written {length}.", "why")
    _check_length(why, "why")


def may_view(opinion: str, why: str) -> bool:
    """Twin of `check_view`."""
    return _holds(lambda: check_view(opinion, why))


def check_record_view(person: Person, state: str, school: int) -> None:
    """Raise unless the person may record a view on a case in this state at this school."""
    check_may(person, "record_view", school)
    if state in states.FINAL:
        raise RuleBroken(
            "This case is closed, so no view can be added. If the pupil is flagged again, a new case opens."
        )


def may_record_view(person: Person, state: str, school: int) -> bool:
    """Twin of `check_record_view`."""
    return _holds(lambda: check_record_view(person, state, school))


def check_record_decision(person: Person, state: str, school: int, *, own_view: bool) -> None:
    """Raise unless the person may decide: own view of this week first, and the case not closed."""
    check_may(person, "record_decision", school)
    if state in states.FINAL:
        raise RuleBroken("This case is closed, so nothing can be decided on it.")
    if not own_view:
        raise RuleBroken("Record your own view first. The reasons, and the decision, come after it.")


def may_record_decision(person: Person, state: str, school: int, *, own_view: bool) -> bool:
    """Twin of `check_record_decision`."""
    return _holds(lambda: check_record_decision(person, state, school, own_view=own_view))


def check_decision(action: str, note: str, review_on: date | None, today: date) -> None:
    """Raise unless the action is an offer of help (or nothing for now) with a date to look again.

    Every action needs a review date within 120 days; 'nothing for now' may go without.
    """
    if action not in states.ACTIONS:
        raise RuleBroken("Select what you will offer, or nothing for now.", "action")
    _check_length(note, "note")
    if review_on is None:
        if action != "none_now":
            raise RuleBroken("Enter the date when you will look at this again.", "review_on")
    elif not today < review_on <= today + timedelta(days=REVIEW_DAYS_MOST):
        raise RuleBroken(f"The review date must be after today and within {REVIEW_DAYS_MOST} days.", "review_on")


def may_decide(action: str, note: str, review_on: date | None, today: date) -> bool:
    """Twin of `check_decision`."""
    return _holds(lambda: check_decision(action, note, review_on, today))


def _check_length(words: str, field: str) -> None:
    if len(words) > TEXT_LONGEST:
        raise RuleBroken(f"Use at most {TEXT_LONGEST} characters; you have written {len(words)}.", field)
    if "\x00" in words:
        raise RuleBroken("Remove the character that cannot be stored (a null character).", field)


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (RuleBroken, NotAllowed):
        return False
    return True
