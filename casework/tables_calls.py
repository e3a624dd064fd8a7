"""Tables of what other systems bring and are told: their secrets, keys of repeated posts, changes of the lists."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class IntegrationSecretRow(Base):
    """A secret of an integration, only as its hash. `ends_on` is its last day; null: the integration's own."""

    __tablename__ = "integration_secrets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id"), index=True)
    secret_hash: Mapped[str]
    made_on: Mapped[date]
    ends_on: Mapped[date | None]
    last_used_on: Mapped[date | None]


class PostedKeyRow(Base):
    """What was posted and answered under an `Idempotency-Key`, as keyed hashes only: nothing of a pupil is kept."""

    __tablename__ = "posted_keys"

    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    answer_hash: Mapped[str]
    posted_at: Mapped[datetime]


class ListChangeRow(Base):
    """A pupil came on a list ('joined'), was flagged on it 'again', has newer 'facts', or 'left' it.

    Numbers grow in the order of commits. The school is the list's: another, to which the pupil moves, reads nothing of
    it.
    """

    __tablename__ = "list_changes"
    __table_args__ = (Index(None, "case_id", "number"), Index(None, "school_urn", "number"))

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"))
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    what: Mapped[str]
