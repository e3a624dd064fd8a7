"""What Monday's letter says to each person: how many pupils are theirs to look after. Counts, and nobody's name."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework import states
from casework.duties import LEADS, is_late, is_mine, is_ownerless
from casework.listed import is_awake
from casework.permissions import SCHOOL_ROLES
from casework.rules import TRAINING_DAYS
from casework.tables_cases import CaseRow
from casework.tables_daily import MondayLetterRow
from casework.tables_people import PersonRoleRow, PersonRow


@dataclass(frozen=True, kw_only=True, repr=False)
class Letter:
    """One person's letter. Never printed: it has no repr that could put an address into a log.

    Attributes
    ----------
    trained
        Whether their training is current: without it no list opens, and the letter says that instead.
    mine, new, overdue
        Open cases that are theirs to look after, those new since Monday, those past their review.
    ownerless
        Cases that nobody looks after at the schools that they lead.
    """

    person_id: uuid.UUID
    email: str
    trained: bool
    mine: int
    new: int
    overdue: int
    ownerless: int


def letters(session: Session, today: date) -> tuple[Letter, ...]:
    """Return the letters of everyone who works with pupils at a school and has an address. Needs the job's role."""
    counts = _counts(session, today)
    people = session.execute(
        select(PersonRow.id, PersonRow.email, PersonRow.training_on)
        .where(PersonRow.active, PersonRow.email.is_not(None), PersonRow.id.in_(select(_at_work(today).c.person_id)))
        .order_by(PersonRow.id)
    )
    none = dict.fromkeys(("mine", "new", "overdue", "ownerless"), 0)
    oldest = today - timedelta(days=TRAINING_DAYS)
    return tuple(
        Letter(
            person_id=row.id,
            email=row.email,
            trained=row.training_on is not None and row.training_on > oldest,
            **counts.get(row.id, none),
        )
        for row in people
    )


def without_address(session: Session, today: date) -> int:
    """Return how many people work with pupils at a school and have no address to write to."""
    rows = select(func.count()).where(
        PersonRow.active, PersonRow.email.is_(None), PersonRow.id.in_(select(_at_work(today).c.person_id))
    )
    return session.execute(rows).scalar_one()


def note_letter(session: Session, person_id: uuid.UUID, today: date, now: datetime) -> bool:
    """Note that this week's letter goes to the person; False where it went before."""
    week = today - timedelta(days=today.weekday())
    noted: Any = session.execute(
        upsert(MondayLetterRow)
        .values(person_id=person_id, week=week, sent_at=now)
        .on_conflict_do_nothing()
        .returning(MondayLetterRow.person_id)
    )
    return noted.first() is not None


def _at_work(today: date) -> Any:
    return (
        select(PersonRoleRow.person_id, PersonRoleRow.school_urn, PersonRoleRow.role)
        .where(
            PersonRoleRow.role.in_(sorted(SCHOOL_ROLES)),
            or_(PersonRoleRow.expires_on.is_(None), PersonRoleRow.expires_on >= today),
        )
        .subquery("at_work")
    )


def _counts(session: Session, today: date) -> dict[uuid.UUID, dict[str, int]]:
    """Return each person's counts, in one query over the open cases of the schools where they work."""
    at_work, monday = _at_work(today), today - timedelta(days=today.weekday())
    mine = is_mine(at_work.c.person_id, today)
    cases = func.count(CaseRow.id.distinct())
    rows = session.execute(
        select(
            at_work.c.person_id,
            cases.filter(mine).label("mine"),
            cases.filter(mine, CaseRow.opened_on >= monday).label("new"),
            cases.filter(mine, is_late(today)).label("overdue"),
            cases.filter(at_work.c.role == LEADS, is_ownerless(today)).label("ownerless"),
        )
        .join(CaseRow, CaseRow.school_urn == at_work.c.school_urn)
        .where(CaseRow.state.not_in(states.FINAL), is_awake(today))
        .group_by(at_work.c.person_id)
    )
    return {
        row["person_id"]: {name: row[name] for name in ("mine", "new", "overdue", "ownerless")}
        for row in rows.mappings()
    }
