"""Tables of 'does it help': studies as they were registered, and what came of each. No pupil is in them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class ImpactStudyRow(Base):
    """One registered study: what would be looked at, said before it could be known. Never changed."""

    __tablename__ = "impact_studies"

    digest: Mapped[str] = mapped_column(primary_key=True)
    registered_on: Mapped[date]
    registered_by: Mapped[str]
    title: Mapped[str]
    first_week: Mapped[date]
    last_week: Mapped[date]
    text: Mapped[str]
    registered_at: Mapped[datetime]


class ImpactResultRow(Base):
    """What a study showed, once and for good: words, rounded counts and intervals."""

    __tablename__ = "impact_results"

    digest: Mapped[str] = mapped_column(ForeignKey("impact_studies.digest"), primary_key=True)
    known_on: Mapped[date]
    published_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
