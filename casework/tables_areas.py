"""Tables of open figures of places: published by the nightly job, about nobody, and of no school."""

from datetime import date
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class AreaRow(Base):
    """One place of the newest edition: a small area, a ward or a borough, and what it lies in."""

    __tablename__ = "areas"

    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]
    name: Mapped[str]
    ward: Mapped[str | None]
    borough: Mapped[str | None]


class AreaFigureRow(Base):
    """The newest figure of a place and measure: a count among so many, over days, as its publisher says it."""

    __tablename__ = "area_figures"

    code: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    from_on: Mapped[date]
    to_on: Mapped[date]
    count: Mapped[int]
    among: Mapped[int]
    publisher: Mapped[str]


class AreaStandingRow(Base):
    """How the lists stand: one row, replaced each night."""

    __tablename__ = "area_standing"

    edition: Mapped[str] = mapped_column(primary_key=True)
    known_on: Mapped[date]
    unlisted: Mapped[bool]
    figures_left_out: Mapped[int]


class AreaOutlineRow(Base):
    """The newest outline of a ward or borough: its polygons, each an outer ring and its holes, in degrees of WGS 84."""

    __tablename__ = "area_outlines"

    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]
    from_on: Mapped[date]
    publisher: Mapped[str]
    polygons: Mapped[list[Any]] = mapped_column(JSONB)
