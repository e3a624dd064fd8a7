"""Tables that the nightly job publishes: facts, the allocation log, flags and why they were given."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class PublicationRow(Base):
    """One publication of one bundle's scores for one day: what pages need to explain a probability."""

    __tablename__ = "publications"

    bundle_digest: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    published_at: Mapped[datetime]
    horizon_weeks: Mapped[int]
    outcome_words: Mapped[str]
    base_rates: Mapped[dict[str, Any]]
    feature_names: Mapped[list[str]] = mapped_column(ARRAY(Text))


class WeeklyFactsRow(Base):
    """Counts of one pupil's school week (it begins on a Monday)."""

    __tablename__ = "weekly_facts"

    pupil_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    week_start: Mapped[date] = mapped_column(primary_key=True)
    sessions_possible: Mapped[int] = mapped_column(SmallInteger)
    sessions_missed: Mapped[int] = mapped_column(SmallInteger)
    late_marks: Mapped[int] = mapped_column(SmallInteger)
    incidents: Mapped[int] = mapped_column(SmallInteger)
    removals: Mapped[int] = mapped_column(SmallInteger)
    positives: Mapped[int] = mapped_column(SmallInteger)
    suspended: Mapped[bool]


class IncidentRow(Base):
    """One recorded incident, achievement or suspension, in words."""

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "pupil_id", "happened_on"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    pupil_id: Mapped[uuid.UUID]
    happened_on: Mapped[date]
    kind: Mapped[str]
    what: Mapped[str]
    place: Mapped[str | None]
    sessions: Mapped[int | None] = mapped_column(SmallInteger)


class FeatureRow(Base):
    """The last feature row of a pupil; the names' order is the publication's."""

    __tablename__ = "feature_rows"

    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    bundle_digest: Mapped[str]
    as_of: Mapped[date]
    features: Mapped[dict[str, Any]]


class ScoreRow(Base):
    """The allocation log: one row per pupil scored, whether flagged or not. Append-only (docs/decisions.md, 17)."""

    __tablename__ = "scores"
    __table_args__ = (
        ForeignKeyConstraint(["bundle_digest", "as_of"], ["publications.bundle_digest", "publications.as_of"]),
    )

    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    bundle_digest: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    year_group: Mapped[str]
    probability: Mapped[float | None]
    rise: Mapped[float | None]
    rise_margin: Mapped[float | None]
    rank: Mapped[int | None]
    cut_off: Mapped[float | None]
    eligible: Mapped[bool]
    snoozed: Mapped[bool]
    flagged: Mapped[bool]
    rising_since: Mapped[date | None]
    capacity: Mapped[int]
    abstain: Mapped[str | None]


class FlagRow(Base):
    """A pupil came on the week's list; `check_sample` pupils are drawn at random and look the same.

    `eased_on` is the as-of date at which the pupil was last at ease, `eased` the probability then; both or neither.
    """

    __tablename__ = "flags"
    __table_args__ = (UniqueConstraint("pupil_id", "bundle_digest", "as_of"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"))
    bundle_digest: Mapped[str]
    as_of: Mapped[date]
    rising_since: Mapped[date | None]
    expires_on: Mapped[date]
    check_sample: Mapped[bool]
    eased_on: Mapped[date | None]
    eased: Mapped[float | None]


class ReasonRow(Base):
    """One reason of a flag in words; `share` says how much of the pattern it is, in words too."""

    __tablename__ = "reasons"

    flag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("flags.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    side: Mapped[str]
    group: Mapped[str]
    sentence: Mapped[str]
    share: Mapped[str]
    changeable: Mapped[bool]


class ChangeRow(Base):
    """One change since the pupil was last at ease, in words, with the way in which it moved the figure."""

    __tablename__ = "changes"

    flag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("flags.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    way: Mapped[str]
    group: Mapped[str]
    sentence: Mapped[str]
    share: Mapped[str]
    changeable: Mapped[bool]


class LeverRow(Base):
    """One group put back to the pupil's own level at ease, in words, and the probability that the model then gives."""

    __tablename__ = "levers"

    flag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("flags.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    group: Mapped[str]
    sentence: Mapped[str]
    probability: Mapped[float]
