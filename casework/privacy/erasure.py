"""Erasing a pupil: on a recorded ground, by the data-protection officer's decision, everywhere, and never back."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.privacy import vacuum
from casework.privacy.certificate import Certificate, Line, keep
from casework.privacy.gathered import IN_THE_DATABASE, IN_THE_HOME
from casework.privacy.request import Asked, CannotAnswer, Found, check_note, find, officer, subject_of
from casework.tables_people import PupilKeyRow, PupilRow, RightsDecisionRow
from records.home import Home
from records.identity.erased import enter, read_erased
from records.intake.lock import only_ingest
from records.rights.holding import Gone, Subject
from records.rights.present import pseudonyms_present

GROUNDS: Final = MappingProxyType(
    {
        "retention_ended": "the data are past the time for which they may be kept",
        "unlawful_processing": "there was no lawful basis for keeping them",
        "wrong_person": "the records are about someone else, or never were about a pupil of the network",
        "objection_upheld": "an objection to keeping them was upheld",
    }
)
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the officer decided about a request to erase: on which ground, granted or refused, and why."""

    asked: Asked
    ground: str
    decided_by: str
    note: str
    refused: bool = False

    def __post_init__(self) -> None:
        if self.ground not in GROUNDS:
            raise CannotAnswer(f"{self.ground!r} is no ground; it is one of {', '.join(GROUNDS)}")


def erase(home: Home, decision: Decision, today: date, say: Progress) -> Certificate | None:
    """Erase the pupil, and return the certificate; None where the request was refused, which is written too.

    Cut off at any moment, run again with the same request it goes through to the end: who the pupil is
    goes last. From the first step on, ingest drops what schools still send about them.

    Raises
    ------
    CannotAnswer, NoSuchPupil
        The officer may not, the note will not do, or nobody is asked about.
    IngestRunning
        An ingest is writing; the decision is kept, and the command is to be run again.
    """
    engine = connect(home, "owner")
    try:
        with scoped(engine, None) as session:
            found = _decided(session, home, decision, today)
        if decision.refused:
            return None
        with only_ingest(home):
            # A token for each of the pupil's numbers: under none of them do they come back.
            token, *_ = [enter(home, number, decision.ground, today) for number in found.subject.pseudonyms]
            lines = _erase_everywhere(engine, home, found.subject, say)
        say("making the database forget")
        left = vacuum.forget(engine, home)
    finally:
        engine.dispose()
    certificate = Certificate(
        token=token, ground=GROUNDS[decision.ground], day=today, lines=tuple(lines), operator=left
    )
    keep(home, certificate)
    return certificate


def reapply(home: Home, say: Progress) -> int:
    """Erase again every pupil of the ledger whom a restored backup, or a file, brought back; return how many.

    Found by working out the token of every pseudonym that there is; the ledger itself names nobody.
    """
    erased = read_erased(home)
    engine = connect(home, "owner")
    back: dict[int, Subject] = {}
    try:
        with scoped(engine, None) as session:
            rows = session.execute(
                select(PupilRow, PupilKeyRow.wrapped).outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
            ).all()
            mine = erased.among(pupil.pseudonym for pupil, _ in rows)
            for (pupil, key), gone in zip(rows, mine.tolist(), strict=True):
                if gone:
                    back[pupil.pseudonym] = subject_of(session, home, pupil, key)
        present = sorted(pseudonyms_present(home))
        for pseudonym, gone in zip(present, erased.among(present).tolist(), strict=True):
            if gone:
                back.setdefault(pseudonym, Subject(pseudonyms=(pseudonym,)))
        with only_ingest(home):
            for number, subject in enumerate(back.values(), start=1):
                say(f"pupil {number} of {len(back)}")
                _erase_everywhere(engine, home, subject, lambda place: None)
        vacuum.forget(engine, home)
    finally:
        engine.dispose()
    return len(back)


def _decided(session: Session, home: Home, decision: Decision, today: date) -> Found:
    person = officer(session, decision.decided_by, today)
    found = find(session, home, decision.asked)
    note = check_note(decision.note, found.subject)
    session.execute(
        insert(RightsDecisionRow).values(
            # A pupil whose row is gone already has no id: a new one keeps the decision, and stands for nobody.
            pupil_id=found.pupil_id or uuid.uuid4(),
            asked="erasure",
            ground=decision.ground,
            outcome="refused" if decision.refused else "granted",
            note=note,
            decided_by=person.id,
            decided_on=today,
            recorded_at=datetime.now(UTC),
        )
    )
    return found


def _erase_everywhere(engine: Engine, home: Home, subject: Subject, say: Progress) -> list[Line]:
    lines = []
    for in_the_home in IN_THE_HOME:
        say(in_the_home.name)
        lines.append(_line(in_the_home.name, in_the_home.erase(home, subject)))
    say("the operational database")
    # One transaction: the key and all that it opens go together, or not at all.
    with scoped(engine, None) as session:
        lines += [_line(holding.name, holding.erase(session, subject)) for holding in IN_THE_DATABASE]
    return lines


def _line(name: str, gone: Gone) -> Line:
    return Line(holding=name, rows=gone.rows, left=gone.left)
