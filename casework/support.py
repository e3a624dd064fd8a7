"""Support offered to a pupil: what, by whom, whether it was taken up, and what came of it. It is what a flag leads to.

Nothing is changed in place: each time somebody says how it stands, a version is added. Support may also begin without
a flag. What was taken up lands among the records (`serving.jobs.support`).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.permissions import Person, check_may
from casework.programmes import Programme, programmes_for
from casework.pupils import active_case
from casework.rules import TEXT_LONGEST, RuleBroken, StaleCase, check_trained
from casework.support_kinds import KINDS
from casework.support_read import Support, support_of
from casework.tables_support import SupportRow, SupportVersionRow
from casework.voices import NewVoice, check_past, record_voice, school_of

STANDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "taken_up": "Taken up",
        "waiting": "Waiting for an answer",
        "declined": "Declined",
        "mistaken": "Entered by mistake",
    }
)
REVIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "too_early": "Too early to say",
        "helps": "It helps",
        "helps_in_part": "It helps in part",
        "no_change": "No change that we can see",
        "harder": "Things got harder",
    }
)
PROVIDER_LONGEST: Final = 80
AHEAD_DAYS_MOST: Final = 366
HOURS_MOST: Final = 2000


class NoSuchSupport(Exception):
    """There is no such support of this pupil: answer 404."""


@dataclass(frozen=True, kw_only=True)
class SupportSaid:
    """How an offer stands, as the form gives it.

    Attributes
    ----------
    provider
        Who gives it, in a few words: a role or a partner.
    offered_on, start_on, end_on
        Days; taken up without a first day, it began on the day of the offer.
    hours
        Hours given so far.
    review, note
        One of `REVIEWS` or '', and a few words.
    pupil_said, family_said
        What they say of it, in their words; kept with everything else that they said.
    """

    kind: str
    provider: str
    offered_on: date
    standing: str
    programme_id: uuid.UUID | None = None
    start_on: date | None = None
    end_on: date | None = None
    hours: Decimal | None = None
    review: str = ""
    note: str = ""
    pupil_said: str = ""
    family_said: str = ""


def offer_support(
    session: Session, person: Person, pupil_id: uuid.UUID, said: SupportSaid, key: str, today: date
) -> uuid.UUID:
    """Write down an offer of support, on the pupil's open case where there is one; the same form twice makes one.

    Raises
    ------
    RuleBroken, NotAllowed
        What is wrong, with the form's field; or the person does not work with pupils of this school.
    """
    school = _check_person(session, person, pupil_id, today)
    if (repeated := _repeated(session, person, pupil_id, key)) is not None:
        return repeated
    said = check_support(said, programmes_for(session, school, today), today)
    case = active_case(session, pupil_id)
    made: uuid.UUID = session.execute(
        insert(SupportRow)
        .values(pupil_id=pupil_id, school_urn=school, case_id=case.id if case else None)
        .returning(SupportRow.id)
    ).scalar_one()
    _save(session, person, (pupil_id, school, made, 1), said, key, today)
    return made


def change_support(
    session: Session, person: Person, support: Support, version: int, said: SupportSaid, key: str, today: date
) -> None:
    """Write down how an offer stands now, as its next version.

    Raises
    ------
    StaleCase
        Someone wrote something down since the form was shown.
    RuleBroken, NotAllowed
        As `offer_support`.
    """
    school = _check_person(session, person, support.pupil_id, today)
    if _repeated(session, person, support.pupil_id, key) is not None:
        return
    now = support_of(session, support.pupil_id, support.id)
    if now is None:
        raise NoSuchSupport("no such support of this pupil")
    if now.version != version:
        raise StaleCase("Someone wrote about this support while you were writing. Read it, then save again.")
    paying = programmes_for(session, school, today)
    if said.programme_id == now.programme_id:
        # What paid for it so far may be over by now.
        paying = (*paying, *(one for one in (now.programme,) if one is not None))
    said = check_support(said, paying, today, offered_before=now.offered_on)
    _save(session, person, (support.pupil_id, school, support.id, version + 1), said, key, today)


def check_support(
    said: SupportSaid, paying: Sequence[Programme], today: date, offered_before: date | None = None
) -> SupportSaid:
    """Return what was said, trimmed and with its first day; raise RuleBroken unless it can be.

    `offered_before`: the day of the offer as it stands, which may lie further back than a new one.
    """
    if said.kind not in KINDS:
        raise RuleBroken("Select what is offered.", "kind")
    if said.offered_on != offered_before:
        check_past(said.offered_on, today, "offered_on")
    if said.standing not in STANDINGS:
        raise RuleBroken("Select how it stands.", "standing")
    if len(said.provider) > PROVIDER_LONGEST or "\x00" in said.provider:
        raise RuleBroken(f"Use at most {PROVIDER_LONGEST} characters, and plain text.", "provider")
    for field, words in (("note", said.note), ("pupil_said", said.pupil_said), ("family_said", said.family_said)):
        if len(words) > TEXT_LONGEST or "\x00" in words:
            raise RuleBroken(f"Use at most {TEXT_LONGEST} characters, and plain text.", field)
    _check_programme(said, paying)
    if said.standing == "taken_up":
        said = replace(said, start_on=said.start_on or said.offered_on)
        _check_course(said, today)
    elif said.start_on or said.end_on or said.hours is not None or said.review:
        raise RuleBroken(
            "Days, hours and how it goes are of support that was taken up. Select 'Taken up', or leave them empty.",
            "standing",
        )
    return replace(said, provider=said.provider.strip(), note=said.note.strip())


def _check_programme(said: SupportSaid, paying: Sequence[Programme]) -> None:
    if said.programme_id is None:
        return
    programme = next((one for one in paying if one.id == said.programme_id), None)
    if programme is None:
        raise RuleBroken("Select a programme that this school is in, or none.", "programme")
    if said.kind not in programme.kinds:
        pays_for = ", ".join(KINDS[kind].words.lower() for kind in programme.kinds)
        raise RuleBroken(f"{programme.name} pays for other help: {pays_for}. Select another, or none.", "programme")
    if not programme.start_on <= said.offered_on <= programme.end_on:
        raise RuleBroken(
            f"{programme.name} runs from {programme.start_on:%-d %B %Y} to {programme.end_on:%-d %B %Y}, "
            "and this was offered on another day. Select another, or none.",
            "programme",
        )


def _check_course(said: SupportSaid, today: date) -> None:
    assert said.start_on is not None
    ahead = today + timedelta(days=AHEAD_DAYS_MOST)
    if not said.offered_on <= said.start_on <= ahead:
        raise RuleBroken("Enter a first day on or after the day of the offer, and within a year.", "start_on")
    if said.end_on is not None and not said.start_on <= said.end_on <= ahead:
        raise RuleBroken("Enter a last day on or after the first, and within a year from today.", "end_on")
    if said.hours is not None and not 0 <= said.hours <= HOURS_MOST:
        raise RuleBroken(f"Enter hours from 0 to {HOURS_MOST}, for example 6 or 6.5.", "hours")
    if said.review and said.review not in REVIEWS:
        raise RuleBroken("Select how it goes.", "review")


def _check_person(session: Session, person: Person, pupil_id: uuid.UUID, today: date) -> int:
    check_trained(person, today)
    school = school_of(session, pupil_id)
    check_may(person, "record_support", school)
    return school


def _repeated(session: Session, person: Person, pupil_id: uuid.UUID, key: str) -> uuid.UUID | None:
    """Return the support that this form saved before, if it did. Of two at once, the second waits for the first."""
    if not 1 <= len(key) <= 80 or "\x00" in key:
        raise RuleBroken("The form has lost its number. Go back to the pupil's page and try again.")
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    row = session.execute(
        select(SupportRow.id, SupportRow.pupil_id, SupportVersionRow.person_id)
        .join(SupportVersionRow, SupportVersionRow.support_id == SupportRow.id)
        .where(SupportVersionRow.idempotency_key == key)
    ).one_or_none()
    if row is not None and (row.pupil_id, row.person_id) != (pupil_id, person.id):
        raise RuleBroken("This form was already used for another pupil. Go back to the pupil's page and try again.")
    return row.id if row is not None else None


def _save(
    session: Session,
    person: Person,
    of: tuple[uuid.UUID, int, uuid.UUID, int],
    said: SupportSaid,
    key: str,
    today: date,
) -> None:
    pupil_id, school, support_id, version = of
    session.execute(
        insert(SupportVersionRow).values(
            support_id=support_id,
            version=version,
            school_urn=school,
            kind=said.kind,
            provider=said.provider,
            programme_id=said.programme_id,
            offered_on=said.offered_on,
            standing=said.standing,
            start_on=said.start_on,
            end_on=said.end_on,
            hours=said.hours,
            review=said.review or None,
            note=said.note,
            person_id=person.id,
            recorded_on=today,
            recorded_at=datetime.now(UTC),
            idempotency_key=key,
        )
    )
    for whose, words in (("pupil", said.pupil_said), ("family", said.family_said)):
        if words.strip():
            new = NewVoice(
                pupil_id=pupil_id,
                whose=whose,
                said=words,
                asked_on=today,
                idempotency_key=f"{key}-{whose}",
                support_id=support_id,
            )
            record_voice(session, person, new, today)
    look(session, person, "record_support", pupil_id=pupil_id, school=school, detail=said.kind)
