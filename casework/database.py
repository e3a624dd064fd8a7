"""The operational database: connect as one of three roles, migrate, and open a transaction in a scope of schools.

By default the database is an embedded PostgreSQL in the home. Where `BELONG_DATABASE_URL` names
another, it is the address for the web process's role `belong_app`; `BELONG_DATABASE_URL_OWNER` and
`BELONG_DATABASE_URL_JOB` are those of `belong_owner` and `belong_job`. Whoever runs that server makes the
three roles, none of them a superuser or free of row-level security, and gives the database to the
owner and TEMPORARY on it to the job (docs/decisions.md, 5).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from casework.embedded import DatabaseUnavailable, embedded_url, read_or_make_secret
from casework.names import KEY_BYTES
from records.clock import DATABASE_VARIABLE
from records.home import Home
from records.refusal import Refusal

__all__ = [
    "DatabaseUnavailable",
    "Role",
    "UnsafeRole",
    "check_role",
    "connect",
    "looks_key",
    "migrate",
    "scoped",
    "see_schools",
]

if TYPE_CHECKING:
    from alembic.config import Config

Role = Literal["owner", "app", "job"]
_VARIABLES: dict[str, str] = {
    "app": DATABASE_VARIABLE,
    "owner": f"{DATABASE_VARIABLE}_OWNER",
    "job": f"{DATABASE_VARIABLE}_JOB",
}
_LOOKS_KEY_FILE = "looks.key"
_IDENTITIES_KEY_FILE = "identities.key"
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
EVERY_SCHOOL = "*"
# Set by whoever turned the transaction's own wait for the disk off (casework/audit_log.py).
WAITS_FOR_DISK = "waits_for_disk"


class UnsafeRole(Refusal):
    """The web process's database role could see past row-level security."""


def connect(home: Home, role: Role = "app") -> Engine:
    """Return an engine for one of the three roles; the embedded database is started if need be.

    The engine carries the key of the log of looks and that of names (neither is ever in the database).
    For `app` the role is checked at once.

    Raises
    ------
    UnsafeRole
        `app` is a superuser, may pass row-level security, or owns a table.
    DatabaseUnavailable
        The database cannot be started, or its address is not given for this role.
    """
    if os.environ.get(DATABASE_VARIABLE):
        given = os.environ.get(_VARIABLES[role])
        if not given:
            raise DatabaseUnavailable(
                f"{DATABASE_VARIABLE} is set, so {_VARIABLES[role]} must give the address for the {role} role too"
            )
        url = make_url(given).set(drivername="postgresql+psycopg")
    else:
        url = embedded_url(home, role)
    # hide_parameters: a database error must not carry a pupil's name into a log.
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        execution_options={"looks_key": looks_key(home), "identities_key": identities_key(home)},
    )
    if role == "app":
        try:
            check_role(engine)
        except UnsafeRole:
            engine.dispose()
            raise
    return engine


def looks_key(home: Home) -> bytes:
    """Return the key that chains the log of looks, making it the first time."""
    return bytes.fromhex(read_or_make_secret(home.secrets, _LOOKS_KEY_FILE, secrets.token_hex(32)))


def identities_key(home: Home) -> bytes:
    """Return the master key under which the keys of pupils' names are wrapped, making it the first time."""
    return bytes.fromhex(read_or_make_secret(home.secrets, _IDENTITIES_KEY_FILE, secrets.token_hex(KEY_BYTES)))


def check_role(engine: Engine) -> None:
    """Refuse a role that row-level security would not bind.

    Raises
    ------
    UnsafeRole
        The role is a superuser, has BYPASSRLS, is or may become the tables' owner.
    """
    with engine.connect() as connection:
        role = connection.execute(
            text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()
        owned = connection.execute(
            text(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') "
                "AND pg_has_role(current_user, c.relowner, 'MEMBER')"
            )
        ).scalar_one()
    faults = [
        words
        for words, found in (
            ("is a SUPERUSER", role.rolsuper),
            ("has BYPASSRLS", role.rolbypassrls),
            ("owns tables, or is a member of the role that does", owned and not role.rolsuper),
        )
        if found
    ]
    if faults:
        raise UnsafeRole(
            f"the database role {role.rolname!r} {' and '.join(faults)}: school scope would not hold. "
            "Connect as belong_app, which owns nothing (docs/decisions.md, 5)"
        )


def migrate(home: Home) -> None:
    """Bring the database to the newest revision: all of it, or none of it."""
    # Half of what the web process would load otherwise, and it never migrates.
    from alembic import command  # noqa: PLC0415  # see above

    engine = connect(home, "owner")
    try:
        with engine.begin() as connection:
            # Two processes starting together must not both create the tables.
            connection.execute(text("SELECT pg_advisory_xact_lock(8463)"))
            command.upgrade(migration_config(connection), "head")
    finally:
        engine.dispose()


def migration_config(connection: object) -> "Config":
    """Return Alembic's configuration for an open connection of the owner."""
    from alembic.config import Config  # noqa: PLC0415  # as in `migrate`

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def see_schools(session: Session, schools: frozenset[int] | None) -> None:
    """Let the rest of this transaction see these schools, and no others that it saw before; None: every school."""
    value = EVERY_SCHOOL if schools is None else ",".join(str(int(school)) for school in sorted(schools))
    # true: the setting ends with the transaction, so a pooled connection never hands it on.
    session.execute(text("SELECT set_config('belong.schools', :schools, true)"), {"schools": value})


@contextmanager
def scoped(engine: Engine, schools: frozenset[int] | None) -> Iterator[Session]:
    """Open one transaction that sees these schools only; None sees every school, an empty set sees no pupil.

    Leaving the block commits; an exception rolls back, the log of looks with it.
    """
    # One connection for both transactions: taking one from the pool asks whether it still lives.
    with engine.connect() as connection, Session(connection, expire_on_commit=False) as session:
        with session.begin():
            see_schools(session, schools)
            yield session
        if session.info.pop(WAITS_FOR_DISK, False):
            # A commit that waits for the disk brings everything committed before it there too; those who
            # wait at once share one write. By itself, not in a block: begin, ask and commit are one journey.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("SELECT pg_logical_emit_message(true, 'belong', '')"))
