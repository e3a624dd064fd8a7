"""Tables of every day: who covers for whom, term dates entered on a page, doubts about records, letters sent."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class CoverRow(Base):
    """Someone's cases at a school, looked after by a colleague from one day to another, both included.

    `ended_on` is the day from which it holds no more, where it was ended early.
    """

    __tablename__ = "covers"
    __table_args__ = (Index(None, "away_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    away_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    covering_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    arranged_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    arranged_at: Mapped[datetime]
    ended_on: Mapped[date | None]


class TermDateRow(Base):
    """A half-term, training day or closure as a school entered it. Append-only: a withdrawal is another row."""

    __tablename__ = "term_dates"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    start_on: Mapped[date]
    end_on: Mapped[date]
    withdrawn: Mapped[bool]
    entered_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    entered_on: Mapped[date]
    entered_at: Mapped[datetime]


class SchoolDoubtRow(Base):
    """What the nightly job doubts about a school's records, in words with figures; no pupil is in it."""

    __tablename__ = "school_doubts"

    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[date] = mapped_column(primary_key=True)
    sentence: Mapped[str]
    remedy: Mapped[str]
    holds: Mapped[bool]


class MondayLetterRow(Base):
    """A Monday's letter that went to a person, so that a second run sends none again."""

    __tablename__ = "monday_letters"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]
