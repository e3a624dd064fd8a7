"""Tables of support: what was offered and what came of it, the programmes that pay, and what is published of them."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, ForeignKey, ForeignKeyConstraint, Identity, Integer, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class ProgrammeRow(Base):
    """A programme that pays for support. What it is stands in its versions."""

    __tablename__ = "programmes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime]


class ProgrammeVersionRow(Base):
    """What a programme is, as it was entered; the newest version holds. Append-only."""

    __tablename__ = "programme_versions"

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    funder: Mapped[str]
    start_on: Mapped[date]
    end_on: Mapped[date]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    schools: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    budget_pounds: Mapped[int | None]
    hour_pence: Mapped[int | None]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]


class SupportRow(Base):
    """One offer of support to a pupil, on a case or without one. What became of it stands in its versions."""

    __tablename__ = "supports"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)


class SupportVersionRow(Base):
    """How an offer stands; the newest version holds. Append-only; `seq` is its number among the records too."""

    __tablename__ = "support_versions"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    support_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("supports.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    kind: Mapped[str]
    provider: Mapped[str]
    programme_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("programmes.id"), index=True)
    offered_on: Mapped[date]
    standing: Mapped[str]
    start_on: Mapped[date | None]
    end_on: Mapped[date | None]
    hours: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    review: Mapped[str | None]
    note: Mapped[str]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class ProgrammeReleaseRow(Base):
    """One period of a programme whose counts were published, once and for good."""

    __tablename__ = "programme_releases"

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    start_on: Mapped[date]
    end_on: Mapped[date]
    known_on: Mapped[date]
    cost_pounds: Mapped[int | None]
    published_at: Mapped[datetime]


class ProgrammeCountRow(Base):
    """One count of a programme in a period, rounded; None where it is not shown."""

    __tablename__ = "programme_counts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["programme_id", "period"],
            ["programme_releases.programme_id", "programme_releases.period"],
            name="programme_counts_programme_id_period_fkey",
        ),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int | None]


class ProgrammeEffectRow(Base):
    """What a programme did to an outcome, as it was estimated and published: with its interval and what it rests on."""

    __tablename__ = "programme_effects"

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    published_on: Mapped[date] = mapped_column(primary_key=True)
    design: Mapped[str]
    estimate: Mapped[float]
    lower: Mapped[float]
    upper: Mapped[float]
    unit: Mapped[str]
    pupils: Mapped[int]
    rests_on: Mapped[str]
