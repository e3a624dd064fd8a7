"""Tables of schools, pupils (the only place that holds names, sealed), staff, sign-in sessions and integrations."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from casework.base import Base


class SchoolRow(Base):
    """A school of the network and how fresh its records are."""

    __tablename__ = "schools"

    urn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    phase: Mapped[str]
    data_to: Mapped[date | None]
    up_to_date: Mapped[bool] = mapped_column(server_default=text("true"))
    note: Mapped[str] = mapped_column(server_default=text("''"))


class PupilRow(Base):
    """A pupil: the opaque id of addresses, the pseudonym of the record store, and who it is, sealed.

    `identity` opens under the pupil's key in `pupil_keys` alone (casework/names.py).
    """

    __tablename__ = "pupils"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pseudonym: Mapped[int] = mapped_column(BigInteger, unique=True)
    identity: Mapped[bytes]
    year_group: Mapped[str]
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), index=True)
    left_on: Mapped[date | None]
    known_on: Mapped[date]


class PupilKeyRow(Base):
    """The key of one pupil's identity, wrapped under the home's master key; gone, the identity is gone."""

    __tablename__ = "pupil_keys"

    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    wrapped: Mapped[bytes]


class RightsDecisionRow(Base):
    """A decision on a pupil's objection or on an erasure, refusals too. Append-only; it names nobody."""

    __tablename__ = "rights_decisions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(index=True)
    asked: Mapped[str]
    ground: Mapped[str]
    outcome: Mapped[str]
    note: Mapped[str]
    decided_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    decided_on: Mapped[date]
    recorded_at: Mapped[datetime]


class PersonRow(Base):
    """A member of staff or of the board. Identity is issuer and subject, never an email address."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    training_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class PersonRoleRow(Base):
    """One role of a person, at one school or (school null) across the network, until it expires."""

    __tablename__ = "person_roles"
    __table_args__ = (UniqueConstraint("person_id", "role", "school_urn", postgresql_nulls_not_distinct=True),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    school_urn: Mapped[int | None] = mapped_column(ForeignKey("schools.urn"))
    expires_on: Mapped[date | None]


class SignInSessionRow(Base):
    """A sign-in, kept on the server; the cookie's value is here only as its hash."""

    __tablename__ = "sign_in_sessions"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    csrf_secret: Mapped[str]
    ended_at: Mapped[datetime | None]


class BreakGlassRow(Base):
    """The administrator of last resort, if there is one: the password as its hash, the key of the codes sealed.

    `last_step` is the half-minute of the last code that was used; `used_at` when it last let somebody in.
    """

    __tablename__ = "break_glass"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"))
    password_hash: Mapped[str]
    code_key: Mapped[bytes]
    made_at: Mapped[datetime]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    paused_until: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class IntegrationRow(Base):
    """A system that calls the API; its secrets are in `integration_secrets`."""

    __tablename__ = "integrations"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_on: Mapped[date]
    granted_by: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    calls_per_minute: Mapped[int] = mapped_column(server_default=text("600"))


class IntegrationSchoolRow(Base):
    """A school whose pupils an integration may ask about."""

    __tablename__ = "integration_schools"

    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id"), primary_key=True)
    school_urn: Mapped[int] = mapped_column(ForeignKey("schools.urn"), primary_key=True)
