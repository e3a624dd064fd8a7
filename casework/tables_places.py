"""Tables without a pupil in them: counts by place, what models were tested on, how a school's records stand."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class PlaceReleaseRow(Base):
    """One half-term whose counts were published, once and for good; named by its first day."""

    __tablename__ = "place_releases"

    half_term: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    ends_on: Mapped[date]
    known_on: Mapped[date]
    published_at: Mapped[datetime]


class PlaceCountRow(Base):
    """One count of a place in a half-term, rounded; None where it is not shown."""

    __tablename__ = "place_counts"
    __table_args__ = (Index(None, "cut", "place"),)

    half_term: Mapped[date] = mapped_column(ForeignKey("place_releases.half_term"), primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    school_urn: Mapped[int | None] = mapped_column(ForeignKey("schools.urn"))
    count: Mapped[int | None]


class ModelRow(Base):
    """What a model was trained on and tested against, as its page shows it."""

    __tablename__ = "models"

    bundle_digest: Mapped[str] = mapped_column(primary_key=True)
    trained_on: Mapped[date]
    payload: Mapped[dict[str, Any]]


class SchoolQualityRow(Base):
    """How a school's records stood when the last nightly job looked: counts and words, no pupil."""

    __tablename__ = "school_quality"

    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), primary_key=True)
    as_of: Mapped[date]
    payload: Mapped[dict[str, Any]]
