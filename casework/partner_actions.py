"""Actions agreed with partners, on a pupil's case or on a place: who does what by when, and what each learned.

The partner is told of a pupil by its own reference only, which staff type: Belong gives it no name, no record and no
figure. Nothing is changed in place: each step is added.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.partners import Partner, partners
from casework.permissions import Person, check_may
from casework.rules import TEXT_LONGEST, RuleBroken, check_trained
from casework.tables_partners import PartnerActionRow, PartnerStepRow
from casework.voices import school_of

OWNERS: Final[Mapping[str, str]] = MappingProxyType({"ours": "The school or network", "theirs": "The partner"})
STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "done": "It is done",
        "learned": "What we learned",
        "put_off": "Another date is agreed",
        "withdraw": "It is not needed any more",
    }
)
# What a partner may say; dates and ends are agreed by whoever agreed the action.
PARTNER_STEPS: Final = ("done", "learned")
REFERENCE_LONGEST: Final = 40
WHAT_LONGEST: Final = 400
AHEAD_DAYS_MOST: Final = 366


class NoSuchAction(Exception):
    """There is no such action, or it is not theirs: answer 404."""


@dataclass(frozen=True, kw_only=True)
class NewAction:
    """An action as the form gives it: `reference` is how the partner itself knows the pupil."""

    partnership: str
    what: str
    owner: str
    due_on: date
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step that was taken."""

    step: str
    on: date
    said: str
    by_partner: bool
    person_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action with what became of it; `school` and `pupil_id` are of a pupil's case, `place` of a place."""

    id: uuid.UUID
    partnership: str
    pupil_id: uuid.UUID | None
    school: int | None
    place: str | None
    reference: str
    what: str
    owner: str
    due_on: date
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """'open', 'done' or 'withdrawn'."""
        taken = {one.step for one in self.steps}
        return "withdrawn" if "withdraw" in taken else "done" if "done" in taken else "open"

    def is_overdue(self, today: date) -> bool:
        """Whether it is open and its day is over."""
        return self.state == "open" and self.due_on < today


def agree_on_pupil(
    session: Session, person: Person, pupil_id: uuid.UUID, new: NewAction, key: str, today: date
) -> uuid.UUID:
    """Write down an action agreed on a pupil's case; the same form twice makes one. Raises RuleBroken, NotAllowed."""
    check_trained(person, today)
    school = school_of(session, pupil_id)
    check_may(person, "record_action", school)
    partner = _partner(session, new.partnership)
    if not partner.may_act_at(school, today):
        raise RuleBroken(
            "No agreement with this partner covers actions on pupils of this school today. Select another, or ask the "
            "data-protection officer.",
            "partnership",
        )
    reference = new.reference.strip()
    if not reference or len(reference) > REFERENCE_LONGEST or not reference.isprintable():
        raise RuleBroken(
            f"Enter how the partner knows the pupil, in at most {REFERENCE_LONGEST} characters.", "reference"
        )
    values = {"pupil_id": pupil_id, "school_urn": school, "reference": reference}
    made = _agree(session, person, new, values, key, today)
    look(session, person, "record_action", pupil_id=pupil_id, school=school, detail=partner.id)
    return made


def agree_on_place(session: Session, person: Person, place: str, new: NewAction, key: str, today: date) -> uuid.UUID:
    """Write down an action agreed on a place. Raises RuleBroken, NotAllowed."""
    check_may(person, "manage_place_actions")
    partner = _partner(session, new.partnership)
    if not partner.may_act_on_places(today):
        raise RuleBroken("No agreement with this partner covers places today. Select another.", "partnership")
    if not place.strip() or len(place) > REFERENCE_LONGEST or not place.isprintable():
        raise RuleBroken(f"Enter the place, in at most {REFERENCE_LONGEST} characters.", "place")
    made = _agree(session, person, new, {"place": place.strip(), "reference": ""}, key, today)
    look(session, person, "manage_place_actions", detail=partner.id)
    return made


def take_step(
    session: Session, person: Person, action: Action, said: tuple[str, str, date | None], key: str, today: date
) -> None:
    """Add a step, by whoever answers for the action on our side.

    Parameters
    ----------
    said
        The step, a few words and, where another date is agreed, the date.
    """
    if action.school is None:
        check_may(person, "manage_place_actions")
    else:
        check_trained(person, today)
        check_may(person, "record_action", action.school)
    _take(session, person, action, said, key, (today, False))
    look(session, person, "record_action", pupil_id=action.pupil_id, school=action.school, detail=said[0])


def take_partner_step(
    session: Session, person: Person, action: Action, said: tuple[str, str], key: str, today: date
) -> None:
    """Add what the partner says: that it is done, or what was learned. The session is the partner's own."""
    if said[0] not in PARTNER_STEPS:
        raise RuleBroken("Select what you want to say.", "step")
    _take(session, person, action, (*said, None), key, (today, True))
    look(session, person, "record_partner_step", detail=said[0])


def action_of(session: Session, action_id: uuid.UUID, partner: Partner | None = None) -> Action:
    """Return an action in scope; for a partner, its own alone. Raises NoSuchAction."""
    conditions = [PartnerActionRow.id == action_id]
    if partner is not None:
        conditions.append(PartnerActionRow.partnership == partner.id)
    found = _read(session, *conditions)
    if not found:
        raise NoSuchAction("no such action")
    return found[0]


def actions_on(session: Session, pupil_id: uuid.UUID) -> tuple[Action, ...]:
    """Return the actions agreed on a pupil in scope, the next due first and what is over last."""
    return _read(session, PartnerActionRow.pupil_id == pupil_id)


def actions_of_partner(session: Session, partner: Partner, today: date) -> tuple[Action, ...]:
    """Return what is agreed with the partner, as far as its agreement covers it; the session is the partner's own."""
    found = _read(session, PartnerActionRow.partnership == partner.id)
    return tuple(
        one
        for one in found
        if (partner.may_act_on_places(today) if one.school is None else partner.may_act_at(one.school, today))
    )


def every_action(session: Session, person: Person) -> tuple[Action, ...]:
    """Return every action of the network, for its lead. Raises NotAllowed."""
    check_may(person, "manage_place_actions")
    return _read(session)


def _partner(session: Session, asked: str) -> Partner:
    found = next((one for one in partners(session) if one.id == asked), None)
    if found is None:
        raise RuleBroken("Select the partner with whom this is agreed.", "partnership")
    return found


def _agree(
    session: Session, person: Person, new: NewAction, values: Mapping[str, Any], key: str, today: date
) -> uuid.UUID:
    repeated = _repeated(session, person, key)
    if repeated is not None:
        return repeated
    what = new.what.strip()
    if not what or len(what) > WHAT_LONGEST or "\x00" in what:
        raise RuleBroken(f"Enter what is to be done, in at most {WHAT_LONGEST} characters.", "what")
    if new.owner not in OWNERS:
        raise RuleBroken("Select who does it.", "owner")
    _check_due(new.due_on, today)
    made: uuid.UUID = session.execute(
        insert(PartnerActionRow)
        .values(partnership=new.partnership, what=what, owner=new.owner, **values)
        .returning(PartnerActionRow.id)
    ).scalar_one()
    _insert(session, person, (made, 1), ("agree", "", new.due_on), key, (today, False))
    return made


def _take(
    session: Session,
    person: Person,
    action: Action,
    said: tuple[str, str, date | None],
    key: str,
    when: tuple[date, bool],
) -> None:
    if _repeated(session, person, key) is not None:
        return
    # Of two who say something at once the second waits, and is told if the action is over by then.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(action.id)})
    action = action_of(session, action.id)
    step, words, due_on = said
    if step not in STEPS:
        raise RuleBroken("Select what you want to say.", "step")
    if action.state != "open" and step != "learned":
        raise RuleBroken("This action is over. What was learned from it can still be written down.", "step")
    words = words.strip()
    if len(words) > TEXT_LONGEST or "\x00" in words or (step == "learned" and not words):
        raise RuleBroken(f"Write down what was learned, in at most {TEXT_LONGEST} characters.", "said")
    if step == "put_off":
        if due_on is None:
            raise RuleBroken("Enter the date that is agreed now.", "due_on")
        _check_due(due_on, when[0])
    number = len(action.steps) + 1
    _insert(session, person, (action.id, number), (step, words, due_on if step == "put_off" else None), key, when)


def _insert(
    session: Session,
    person: Person,
    at: tuple[uuid.UUID, int],
    said: tuple[str, str, date | None],
    key: str,
    when: tuple[date, bool],
) -> None:
    session.execute(
        insert(PartnerStepRow).values(
            action_id=at[0],
            number=at[1],
            step=said[0],
            said=said[1],
            due_on=said[2],
            person_id=person.id,
            by_partner=when[1],
            taken_on=when[0],
            recorded_at=datetime.now(UTC),
            idempotency_key=key,
        )
    )


def _check_due(day: date, today: date) -> None:
    if not today <= day <= today + timedelta(days=AHEAD_DAYS_MOST):
        raise RuleBroken("Enter a day from today on, within a year.", "due_on")


def _repeated(session: Session, person: Person, key: str) -> uuid.UUID | None:
    """Return the action that this form was saved for before. Of two at once, the second waits for the first."""
    if not 1 <= len(key) <= 80 or "\x00" in key:
        raise RuleBroken("The form has lost its number. Go back and try again.")
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    row = session.execute(
        select(PartnerStepRow.action_id, PartnerStepRow.person_id).where(PartnerStepRow.idempotency_key == key)
    ).one_or_none()
    if row is not None and row.person_id != person.id:
        raise RuleBroken("The form has lost its number. Go back and try again.")
    return None if row is None else row.action_id


def _read(session: Session, *conditions: Any) -> tuple[Action, ...]:
    rows: Sequence[PartnerActionRow] = session.scalars(select(PartnerActionRow).where(*conditions)).all()
    steps: dict[uuid.UUID, list[PartnerStepRow]] = {}
    wanted = select(PartnerStepRow).where(PartnerStepRow.action_id.in_([row.id for row in rows]))
    for step in session.scalars(wanted.order_by(PartnerStepRow.action_id, PartnerStepRow.number)):
        steps.setdefault(step.action_id, []).append(step)
    found = [
        Action(
            id=row.id,
            partnership=row.partnership,
            pupil_id=row.pupil_id,
            school=row.school_urn,
            place=row.place,
            reference=row.reference,
            what=row.what,
            owner=row.owner,
            due_on=max((one for one in steps[row.id] if one.due_on), key=lambda one: one.number).due_on or date.min,
            steps=tuple(
                Step(
                    step=one.step,
                    on=one.taken_on,
                    said=one.said,
                    by_partner=one.by_partner,
                    person_id=one.person_id,
                )
                for one in steps[row.id]
            ),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.state != "open", one.due_on, str(one.id))))
