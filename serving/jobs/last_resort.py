"""Making and removing the break-glass account, from the command line alone."""

from datetime import UTC, datetime

from casework.break_glass import Made, make_account, remove_account
from casework.database import connect, scoped
from records.home import Home
from records.refusal import Refusal


class NotForADemonstration(Refusal):
    """A demonstration's accounts have no passwords, and this one would."""


class NoSuchAccount(Refusal):
    """There is no break-glass account to remove."""


def make(home: Home) -> Made:
    """Make the account, or make it anew with another password and key, and return what opens it.

    Raises
    ------
    NotForADemonstration
        The home is a demonstration's.
    """
    if home.demo:
        raise NotForADemonstration(f"{home.path} is a demonstration, where nobody needs a break-glass account")
    engine = connect(home, "job")
    try:
        with scoped(engine, frozenset()) as session:
            return make_account(session, datetime.now(UTC))
    finally:
        engine.dispose()


def remove(home: Home) -> None:
    """Take the account away; raise NoSuchAccount where there is none."""
    engine = connect(home, "job")
    try:
        with scoped(engine, frozenset()) as session:
            removed = remove_account(session, datetime.now(UTC))
    finally:
        engine.dispose()
    if not removed:
        raise NoSuchAccount(f"{home.path} has no break-glass account")
