"""Access for other systems, from the command line: by the officer's decision, the secret into a file of its own."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.integrations import (
    Granted,
    NewIntegration,
    add_integration,
    integrations,
    revoke_integration,
    revoke_secret,
    rotate_integration,
)
from casework.permissions import NotAllowed, Person
from casework.privacy.request import officer
from casework.rules import RuleBroken
from records.clock import clock_of
from records.home import Home
from records.refusal import Refusal


class NotGranted(Refusal):
    """The officer may not, or what was asked for goes against a rule."""


@dataclass(frozen=True, kw_only=True)
class _Asking:
    session: Session
    officer: Person
    today: date


def add(home: Home, new: NewIntegration, *, by: str, file: Path) -> None:
    """Grant access, and write id and secret into the new file."""
    _with_secret(home, by, file, new.client_id, lambda ask: add_integration(ask.session, ask.officer, new, ask.today))


def rotate(home: Home, client_id: str, *, by: str, file: Path, grace_days: int) -> None:
    """Make a second secret and write it into the new file; the first lives on for the days of grace."""

    def change(ask: _Asking) -> str:
        return rotate_integration(ask.session, ask.officer, client_id, ask.today, grace_days)

    _with_secret(home, by, file, client_id, change)


def revoke(home: Home, client_id: str, *, by: str, older_secret: bool = False) -> None:
    """Take access away at once; or only the older of two secrets, once the system uses the newer."""
    with _asking(home, by) as ask:
        if not older_secret:
            revoke_integration(ask.session, ask.officer, client_id, ask.today)
            return
        held = next((one.secrets for one in integrations(ask.session, ask.today) if one.client_id == client_id), ())
        if len(held) < 2:  # an older one needs a newer one
            raise NotGranted(f"{client_id} has no second secret; without --older-secret its whole access is taken away")
        revoke_secret(ask.session, ask.officer, client_id, held[0].id, ask.today)


def listed(home: Home) -> tuple[Granted, ...]:
    """Return every integration as it stands."""
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            return integrations(session, clock_of(home).today())
    finally:
        engine.dispose()


def write_credentials(file: Path, client_id: str, secret: str) -> None:
    """Write id and secret as JSON into a new file that only its owner may read.

    Raises
    ------
    NotGranted
        The file is there already.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotGranted(f"{file} is there already; name a new file for the secret") from None
    except FileNotFoundError:
        raise NotGranted(f"there is no folder {file.parent} to write {file.name} in") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump({"client_id": client_id, "client_secret": secret}, opened, indent=2)
        opened.write("\n")


def _with_secret(home: Home, by: str, file: Path, client_id: str, change: Callable[[_Asking], str]) -> None:
    # Inside the transaction: a secret that could not be written down was never given out.
    with _asking(home, by) as ask:
        write_credentials(file, client_id, change(ask))


@contextmanager
def _asking(home: Home, by: str) -> Iterator[_Asking]:
    engine = connect(home, "job")
    today = clock_of(home).today()
    try:
        with scoped(engine, None) as session:
            yield _Asking(session=session, officer=officer(session, by, today), today=today)
    except (RuleBroken, NotAllowed) as no:
        raise NotGranted(no.sentence) from None
    finally:
        engine.dispose()
