"""Tables of partnership: agreements as the register says them, who signs in for whom, actions and their steps."""

import uuid
from datetime import date, datetime

from sqlalchemy import ARRAY, ForeignKey, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class PartnershipRow(Base):
    """One agreement with a partner, as a job last read it in the register; `schools` null is every school."""

    __tablename__ = "partnerships"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    kind: Mapped[str]
    actions: Mapped[bool]
    places: Mapped[bool]
    schools: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    assessed_on: Mapped[date | None]


class PartnerMemberRow(Base):
    """For which partner somebody signs in."""

    __tablename__ = "partner_members"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    partnership: Mapped[str]
    given_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    given_at: Mapped[datetime]


class PartnerActionRow(Base):
    """What was agreed with a partner: on a pupil's case, or on a place. What became of it stands in its steps."""

    __tablename__ = "partner_actions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    partnership: Mapped[str]
    pupil_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int | None] = mapped_column(ForeignKey("schools.urn"), index=True)
    place: Mapped[str | None]
    reference: Mapped[str]
    what: Mapped[str]
    owner: Mapped[str]


class PartnerStepRow(Base):
    """One step of an action: agreed, put off, done, withdrawn, or what was learned. Append-only."""

    __tablename__ = "partner_steps"

    action_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("partner_actions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str]
    due_on: Mapped[date | None]
    said: Mapped[str]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    by_partner: Mapped[bool]
    taken_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
