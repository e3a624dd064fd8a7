"""Tables of what people do: cases, own views, decisions; the log of looks; what is deployed and audited."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class CaseRow(Base):
    """A flag in front of people. `version` grows with every change, so that a second reviewer is told."""

    __tablename__ = "cases"
    __table_args__ = (
        Index(
            "cases_one_at_a_time_idx",
            "pupil_id",
            unique=True,
            postgresql_where=text("state <> 'closed' AND state <> 'expired'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    flag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("flags.id"), unique=True)
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"))
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    state: Mapped[str]
    opened_on: Mapped[date]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    review_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    snoozed_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))


class ViewRow(Base):
    """A person's own view, recorded before the score and reasons are shown. Append-only.

    `recorded_on` is the home's day, which people read; `recorded_at` the moment, which orders and counts minutes.
    """

    __tablename__ = "views"
    __table_args__ = (Index(None, "case_id", "person_id", "week"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    week: Mapped[date]
    opinion: Mapped[str]
    why: Mapped[str]
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class DecisionRow(Base):
    """What a person decided after the reasons were shown. Append-only; days and moments as in `ViewRow`."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "case_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    reasons_changed_view: Mapped[bool]
    reasons_that_do_not_fit: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    action: Mapped[str]
    note: Mapped[str]
    review_on: Mapped[date | None]
    recorded_on: Mapped[date]
    recorded_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class LookRow(Base):
    """One look at a pupil, a list or an audit, chained to the look before it. Nobody may change or delete one."""

    __tablename__ = "looks"
    __table_args__ = (Index(None, "pupil_id", "seq"), Index(None, "person_id", "seq"), Index(None, "at"))

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None]
    integration_id: Mapped[str | None]
    action: Mapped[str]
    pupil_id: Mapped[uuid.UUID | None]
    school_urn: Mapped[int | None]
    detail: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class LookHeadRow(Base):
    """The last look's number and hash (one row, kept by a trigger): what the next look is chained to."""

    __tablename__ = "look_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]


class DeploymentRow(Base):
    """A bundle that may serve, by which approval, and whether that was taken back.

    `ledger_number` and `ledger_head` are the newest entry of the home's ledger that the jobs told of: a ledger
    that no longer holds it was cut off.
    """

    __tablename__ = "deployments"

    digest: Mapped[str] = mapped_column(primary_key=True)
    approval_id: Mapped[str]
    deployed_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]
    ledger_number: Mapped[int] = mapped_column(server_default=text("0"))
    ledger_head: Mapped[str] = mapped_column(server_default=text("repeat('0', 64)"))


class WatchRow(Base):
    """One look at a deployed model after its deployment, as the board's pages show it. Figures by group, no pupil."""

    __tablename__ = "watches"

    bundle_digest: Mapped[str] = mapped_column(primary_key=True)
    approval_id: Mapped[str] = mapped_column(primary_key=True)
    looked_on: Mapped[date] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    payload: Mapped[dict[str, Any]]


class AuditRow(Base):
    """The audit of a bundle as the board saw it, with the signed envelope once there is one."""

    __tablename__ = "audits"

    bundle_digest: Mapped[str] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]]
    verdict: Mapped[str]
    created_on: Mapped[date]
    envelope: Mapped[dict[str, Any] | None]
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
