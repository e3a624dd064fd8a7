"""Tables of what schools bring on a page: an upload and where it stands, and every step it took."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class UploadRow(Base):
    """One file that a school brought. Its bytes lie sealed in the home under `key`, until `key` is gone.

    No name of a file and no value of a row is here: `proposal` and `columns` hold headings, `findings` holds
    counts, lines and rules.
    """

    __tablename__ = "uploads"
    __table_args__ = (Index(None, "school_urn", "sent_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    sent_at: Mapped[datetime]
    system: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]
    key: Mapped[bytes | None]
    state: Mapped[str]
    moved_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(server_default=text("''"))
    proposal: Mapped[dict[str, Any] | None]
    columns: Mapped[dict[str, Any] | None]
    findings: Mapped[dict[str, Any] | None]
    sentence: Mapped[str] = mapped_column(server_default=text("''"))


class UploadStepRow(Base):
    """One step of an upload: to which state, when, and by whom (null: Belong itself). Append-only."""

    __tablename__ = "upload_steps"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    upload_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("uploads.id"), index=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"))
    state: Mapped[str]
    at: Mapped[datetime]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("people.id"))
