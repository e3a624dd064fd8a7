"""Tables of what learning reviews say once a term: rounded counts of pupils. No pupil and no school in them."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class ThemeTermRow(Base):
    """One term whose counts were published, once and for good; named by its first day."""

    __tablename__ = "theme_terms"

    term: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    ends_on: Mapped[date]
    known_on: Mapped[date]
    published_at: Mapped[datetime]


class ThemeCountRow(Base):
    """One count of pupils in a term, rounded; None where it is not shown."""

    __tablename__ = "theme_counts"

    term: Mapped[date] = mapped_column(ForeignKey("theme_terms.term"), primary_key=True)
    cut: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int | None]
