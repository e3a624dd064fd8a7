"""Tables of those who look after people: training taken, every change of staff, invitations, checks of the log."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class TrainingRow(Base):
    """Someone took the training on a day, by which course. Append-only; it sets the day in `people`."""

    __tablename__ = "trainings"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), index=True)
    taken_on: Mapped[date]
    recorded_at: Mapped[datetime]
    course: Mapped[str]


class StaffChangeRow(Base):
    """One change of a person or of a role of theirs, written by the database itself; `by_id` null: a command."""

    __tablename__ = "staff_changes"
    __table_args__ = (Index(None, "person_id", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("people.id"))
    what: Mapped[str]
    role: Mapped[str | None]
    school_urn: Mapped[int | None] = mapped_column(ForeignKey("schools.urn"))
    expires_on: Mapped[date | None]


class InvitationRow(Base):
    """A place kept for someone whose subject is not known yet, taken with a code at their first sign-in."""

    __tablename__ = "invitations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    code_hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    role: Mapped[str]
    school_urn: Mapped[int | None] = mapped_column(ForeignKey("schools.urn"))
    role_expires_on: Mapped[date | None]
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("people.id"))


class LookCheckRow(Base):
    """One check of the whole log of looks: whether the chain held, up to which entry, and that entry's hash."""

    __tablename__ = "look_checks"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    checked_at: Mapped[datetime]
    holds: Mapped[bool]
    looks: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str]
    sentence: Mapped[str]


class ShownRegisterRow(Base):
    """The register of agreements as the last job read it: one row."""

    __tablename__ = "shown_register"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    read_on: Mapped[date]
    register: Mapped[dict[str, Any]]
