"""Tables of the exclusions continuum: counts by school and group, rounded, and what drifted. No pupil in them."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class ContinuumTermRow(Base):
    """One term whose counts were published, once and for good; named by its first day."""

    __tablename__ = "continuum_terms"

    term: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    ends_on: Mapped[date]
    known_on: Mapped[date]
    compared: Mapped[int]
    published_at: Mapped[datetime]


class ContinuumCountRow(Base):
    """One count of a place in a term, rounded; None where it is not shown."""

    __tablename__ = "continuum_counts"

    term: Mapped[date] = mapped_column(ForeignKey("continuum_terms.term"), primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int | None]


class ContinuumDriftRow(Base):
    """One step that went beyond what a place's own past and chance allow."""

    __tablename__ = "continuum_drifts"

    term: Mapped[date] = mapped_column(ForeignKey("continuum_terms.term"), primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    way: Mapped[str]
