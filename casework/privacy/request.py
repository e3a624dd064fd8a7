"""Who a request is about, and who answers it."""

import re
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.names import master_key, unseal
from casework.people import person_by_id
from casework.permissions import NotAllowed, Person, check_may
from casework.tables_people import PersonRow, PupilKeyRow, PupilRow
from records.home import Home
from records.identity import link_log
from records.pseudonym import PROVEN, canonical, doubt, pseudonyms, read_pepper
from records.refusal import Refusal
from records.rights.holding import Subject

NOTE_SHORTEST: Final = 20


class NoSuchPupil(Refusal):
    """Nobody here has this number. The message never repeats it."""


class CannotAnswer(Refusal):
    """Whoever was named may not answer requests about pupils' rights, or what they wrote will not do."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request's pupil: by the opaque id of addresses, or by UPN, which is never shown again."""

    pupil_id: uuid.UUID | None = None
    upn: str | None = None

    def __post_init__(self) -> None:
        if (self.pupil_id is None) == (self.upn is None):
            raise CannotAnswer("name the pupil by --pupil or by --upn-file, one of the two")

    def __repr__(self) -> str:
        return "Asked(...)"


@dataclass(frozen=True, kw_only=True, repr=False)
class Found:
    """The pupil of a request: the opaque id (None: only records are left), and who they are."""

    pupil_id: uuid.UUID | None
    school: int | None
    subject: Subject


def find(session: Session, home: Home, asked: Asked) -> Found:
    """Return the pupil whom a request names.

    A proven UPN that the database does not hold is still answered: the records may hold what an
    erasure that was cut off left, or nothing.

    Raises
    ------
    NoSuchPupil
        The database holds no such id, or what was given is no proven UPN.
    """
    pseudonym = None
    if asked.upn is not None:
        number = canonical(asked.upn)
        if doubt(number) != PROVEN:
            raise NoSuchPupil("what was given is not a permanent UPN; read it from the school's register and try again")
        pseudonym = int(pseudonyms([number], read_pepper(home))[0])
    row = session.execute(
        select(PupilRow, PupilKeyRow.wrapped)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(PupilRow.id == asked.pupil_id if pseudonym is None else PupilRow.pseudonym.in_(members(home, pseudonym)))
        # Two rows where numbers were linked lately: the one still on roll, then the one known last.
        .order_by(PupilRow.left_on.is_not(None), PupilRow.known_on.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        if pseudonym is None:
            raise NoSuchPupil("no pupil has this id; take it from the address of the pupil's page, or give the UPN")
        return Found(
            pupil_id=None,
            school=None,
            subject=Subject(pseudonyms=members(home, pseudonym), numbers=(canonical(asked.upn or ""),)),
        )
    pupil, key = row
    return Found(pupil_id=pupil.id, school=pupil.school_urn, subject=subject_of(session, home, pupil, key, asked.upn))


def members(home: Home, pseudonym: int) -> tuple[int, ...]:
    """Return the pseudonyms of every number of the pupil whom this one belongs to, the pupil's own first."""
    settled, said = link_log.settled(home), link_log.from_log(home)
    found = (*settled.members(pseudonym), *said.members(pseudonym), pseudonym)
    return tuple(dict.fromkeys(found))


def subject_of(session: Session, home: Home, pupil: PupilRow, key: bytes | None, given: str | None = None) -> Subject:
    """Return who a pupil's row is, with the number they were asked for by."""
    named = unseal(master_key(session), pupil.pseudonym, pupil.identity, key)
    numbers = [canonical(number) for number in (given, named and named.upn) if number]
    return Subject(
        pseudonyms=members(home, pupil.pseudonym),
        numbers=tuple(dict.fromkeys(numbers)),
        forename=named.forename if named else "",
        surname=named.surname if named else "",
        date_of_birth=named.date_of_birth if named else None,
    )


def officer(session: Session, subject: str, today: date) -> Person:
    """Return the data-protection officer who answers, by the subject that the sign-in service knows them by.

    Raises
    ------
    CannotAnswer
        Nobody active, or more than one, has this subject, or their roles do not include it.
    """
    ids = session.scalars(select(PersonRow.id).where(PersonRow.subject == subject, PersonRow.active)).all()
    person = person_by_id(session, ids[0], today) if len(ids) == 1 else None
    if person is None:
        raise CannotAnswer(
            f"{len(ids) or 'no'} active people are known as {subject!r}; give the one subject under which the "
            "data-protection officer signs in"
        )
    try:
        check_may(person, "answer_rights")
    except NotAllowed as no:
        raise CannotAnswer(no.sentence) from no
    return person


def check_note(note: str, subject: Subject) -> str:
    """Return the note of a decision, which is kept for good, so it must say something and name nobody.

    Raises
    ------
    CannotAnswer
        It is shorter than 20 characters, or has the pupil's number or a name of theirs in it.
    """
    said = note.strip()
    if len(said) < NOTE_SHORTEST:
        raise CannotAnswer(f"the note has {len(said)} characters; say why in at least {NOTE_SHORTEST}")
    # By word: a pupil named Will must not forbid 'will'. Capitals tell the two apart.
    spelt = set(re.findall(r"\w[\w'-]*?\b", said))
    together = canonical(said)
    if {subject.forename, subject.surname} & spelt or any(number in together for number in subject.numbers):
        raise CannotAnswer("the note names the pupil; it is kept for good, so say 'the pupil' instead")
    return said
