"""Tables of what is said and asked for a pupil: cases set aside, fresh starts, their voice, corrections asked for."""

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class SnoozeRow(Base):
    """A case set aside until a day, with the reason. Append-only; `cases.snoozed_until` says what holds now."""

    __tablename__ = "snoozes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    until_on: Mapped[date]
    why: Mapped[str]
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]


class FreshStartRow(Base):
    """A fresh start that a person granted. Append-only; the nightly job lands it among the records."""

    __tablename__ = "fresh_starts"
    __table_args__ = (UniqueConstraint("pupil_id", "from_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"))
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    from_on: Mapped[date]
    why: Mapped[str]
    recorded_at: Mapped[datetime]


class VoiceRow(Base):
    """What a pupil or their family said when they were asked. Append-only: a correction is another row."""

    __tablename__ = "voices"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    whose: Mapped[str]
    said: Mapped[str]
    asked_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    # Where they said it about one support (casework/support.py).
    support_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("supports.id"), index=True)


class ChallengeRow(Base):
    """A correction or a challenge that a pupil or parent asked for, as they put it. Append-only."""

    __tablename__ = "challenges"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    whose: Mapped[str]
    about: Mapped[str]
    said: Mapped[str]
    received_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class ChallengeStepRow(Base):
    """One step of an answer, numbered from 1: two people cannot both take the same one. Append-only."""

    __tablename__ = "challenge_steps"

    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    step: Mapped[str]
    answer: Mapped[str]
    taken_on: Mapped[date]
    recorded_at: Mapped[datetime]
