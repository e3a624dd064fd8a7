"""Files that a school brings: received, columns confirmed, checked, taken in; each step by the state table, logged."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.permissions import Person, check_may, may
from casework.rules import RuleBroken
from casework.tables_people import PersonRow, SchoolRow
from casework.tables_uploads import UploadRow, UploadStepRow
from casework.upload_states import OVER, UPLOAD_STATES, WAITING_FOR_A_PERSON, WAITING_FOR_BELONG, may_step

FILES_WAITING_MOST: Final = 40
KEPT_DAYS: Final = 7
SHOWN: Final = 60
SYSTEM_LONGEST: Final = 60


class NoSuchUpload(Exception):
    """No upload of a school at which this person brings data: answer 404."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A file whose bytes lie sealed in the home; sizes in bytes, `key` wrapped."""

    id: uuid.UUID
    size: int
    digest: str
    key: bytes


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One upload as pages and the job read it. `findings` is the preview as plain values (serving/jobs/uploads.py)."""

    id: uuid.UUID
    school: int
    sent_by: str
    sent_at: datetime
    moved_at: datetime
    system: str
    size: int
    digest: str
    key: bytes | None
    state: str
    kind: str
    proposal: Mapping[str, Any]
    columns: Mapping[str, Any]
    findings: Mapping[str, Any]
    sentence: str

    @property
    def state_words(self) -> str:
        """Where it stands, in words."""
        return UPLOAD_STATES[self.state]


def schools_to_bring(session: Session, person: Person) -> tuple[tuple[int, str], ...]:
    """Return URN and name of the schools at which this person brings data, by name."""
    rows = session.execute(select(SchoolRow.urn, SchoolRow.name).order_by(SchoolRow.name, SchoolRow.urn))
    return tuple((row.urn, row.name) for row in rows if may(person, "bring_data", row.urn))


def check_brings(session: Session, person: Person, school: int) -> None:
    """Raise NoSuchUpload unless the person brings this school's data: another school's page is not there for them."""
    check_may(person, "bring_data")
    if school not in {urn for urn, _ in schools_to_bring(session, person)}:
        raise NoSuchUpload


def uploads_of(session: Session, person: Person, school: int) -> tuple[Upload, ...]:
    """Return the school's newest uploads, newest first, and log the look."""
    check_brings(session, person, school)
    rows = session.execute(
        _uploads().where(UploadRow.school_urn == school).order_by(UploadRow.sent_at.desc(), UploadRow.id).limit(SHOWN)
    )
    found = tuple(_upload(row, name) for row, name in rows)
    look(session, person, "see_uploads", school=school)
    return found


def upload_of(session: Session, person: Person, upload_id: uuid.UUID) -> Upload:
    """Return one upload of a school at which this person brings data, and log the look.

    Raises
    ------
    NoSuchUpload
        There is none, or it is another school's.
    """
    found = session.execute(_uploads().where(UploadRow.id == upload_id)).one_or_none()
    if found is None:
        check_may(person, "bring_data")
        raise NoSuchUpload
    check_brings(session, person, found[0].school_urn)
    look(session, person, "see_upload", school=found[0].school_urn, detail=str(upload_id))
    return _upload(*found)


def check_room(session: Session, person: Person, school: int, files: int) -> None:
    """Raise RuleBroken where so many files wait already that more would fill the home's disk."""
    check_brings(session, person, school)
    waiting = session.execute(
        select(func.count()).where(UploadRow.school_urn == school, UploadRow.state.not_in(OVER))
    ).scalar_one()
    if waiting + files > FILES_WAITING_MOST:
        raise RuleBroken(
            f"{waiting} files of this school are waiting, and no more than {FILES_WAITING_MOST} may. "
            "Take in or withdraw some first.",
            "files",
        )


def receive(session: Session, person: Person, school: int, system: str, files: Sequence[Received]) -> None:
    """Note files that lie sealed in the home.

    Raises
    ------
    NoSuchUpload
        The person does not bring this school's data.
    RuleBroken
        No file, no system, an empty file, or too many waiting.
    """
    check_room(session, person, school, len(files))
    if not system or len(system) > SYSTEM_LONGEST:
        raise RuleBroken("Select the system that the files come from.", "system")
    if not files:
        raise RuleBroken("Choose one or more files.", "files")
    if any(not one.size for one in files):
        raise RuleBroken("One of the files is empty. Export it again.", "files")
    now = datetime.now(UTC)
    for one in files:
        session.add(
            UploadRow(
                id=one.id,
                school_urn=school,
                sent_by=person.id,
                sent_at=now,
                system=system,
                size=one.size,
                digest=one.digest,
                key=one.key,
                state="sent",
                moved_at=now,
            )
        )
    session.flush()
    for one in files:
        session.add(UploadStepRow(upload_id=one.id, school_urn=school, state="sent", at=now, person_id=person.id))
        look(session, person, "bring_data", school=school, detail=f"sent {one.id}")


def step(session: Session, person: Person, upload: Upload, end: str, **values: object) -> None:
    """Take an upload a step further, as a person.

    Raises
    ------
    RuleBroken
        It stands elsewhere by now, or people do not take this step.
    """
    check_brings(session, person, upload.school)
    if not move(session, upload, end, person, **values):
        raise RuleBroken("This file has moved on since the page was opened. Look again.")
    look(session, person, "bring_data", school=upload.school, detail=f"{end} {upload.id}")


def move(session: Session, upload: Upload, end: str, person: Person | None = None, **values: object) -> bool:
    """Take an upload from the state it was read in to another; return False where somebody was quicker.

    Raises
    ------
    ValueError
        The state table has no such step for the job.
    """
    if not may_step(upload.state, end, person=person is not None):
        if person is None:
            raise ValueError(f"the job takes no upload from {upload.state!r} to {end!r}: casework/upload_states.py")
        return False
    now = datetime.now(UTC)
    gone = {"key": None} if end in OVER else {}
    done: Any = session.execute(
        update(UploadRow)
        .where(UploadRow.id == upload.id, UploadRow.state == upload.state)
        .values(state=end, moved_at=now, **values, **gone)
    )
    if done.rowcount != 1:
        return False
    session.add(
        UploadStepRow(
            upload_id=upload.id, school_urn=upload.school, state=end, at=now, person_id=person.id if person else None
        )
    )
    session.flush()
    return True


def uploads_in(session: Session, state: str) -> tuple[Upload, ...]:
    """Return every upload in a state, oldest first. Needs the job's role and every school in scope."""
    rows = session.execute(_uploads().where(UploadRow.state == state).order_by(UploadRow.sent_at, UploadRow.id))
    return tuple(_upload(row, name) for row, name in rows)


def any_waiting(session: Session) -> bool:
    """Return whether any upload waits for the job."""
    return session.execute(select(func.count()).where(UploadRow.state.in_(WAITING_FOR_BELONG))).scalar_one() > 0


def left_lying(session: Session, now: datetime) -> tuple[Upload, ...]:
    """Return uploads with which no person went on for `KEPT_DAYS` days."""
    rows = session.execute(
        _uploads().where(
            UploadRow.state.in_(WAITING_FOR_A_PERSON), UploadRow.moved_at < now - timedelta(days=KEPT_DAYS)
        )
    )
    return tuple(_upload(row, name) for row, name in rows)


def needed_files(session: Session) -> Iterator[tuple[uuid.UUID, bool]]:
    """Yield every upload, and whether its bytes are still needed."""
    for row in session.execute(select(UploadRow.id, UploadRow.state)):
        yield row.id, row.state not in OVER


def _uploads() -> Any:
    return select(UploadRow, PersonRow.name).join(PersonRow, PersonRow.id == UploadRow.sent_by)


def _upload(row: UploadRow, name: str) -> Upload:
    return Upload(
        id=row.id,
        school=row.school_urn,
        sent_by=name,
        sent_at=row.sent_at,
        moved_at=row.moved_at,
        system=row.system,
        size=row.size,
        digest=row.digest,
        key=row.key,
        state=row.state,
        kind=row.kind,
        proposal=row.proposal or {},
        columns=row.columns or {},
        findings=row.findings or {},
        sentence=row.sentence,
    )
