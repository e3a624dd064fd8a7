"""Tables of learning reviews: what opened one, the record as it was known, steps, and what people say."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class LookbackRow(Base):
    """One look-back: the event, and the weeks before it as they were known. Append-only; steps say what came of it."""

    __tablename__ = "lookbacks"
    __table_args__ = (UniqueConstraint("pupil_id", "school_urn", "event_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    kind: Mapped[str]
    event_on: Mapped[date]
    opened_on: Mapped[date]
    due_on: Mapped[date]
    payload: Mapped[dict[str, Any]]


class LookbackStepRow(Base):
    """One step of a look-back, by a person or (person None) the nightly job. Append-only."""

    __tablename__ = "lookback_steps"

    lookback_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lookbacks.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("people.id"))
    step: Mapped[str]
    event_on: Mapped[date | None]
    taken_on: Mapped[date]
    recorded_at: Mapped[datetime]


class LookbackNoteRow(Base):
    """What an adult says, or what would have been needed with its themes. Append-only: a correction is another row."""

    __tablename__ = "lookback_notes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    lookback_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lookbacks.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    said: Mapped[str]
    themes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
