"""Whether the break-glass account was used lately, which every page tells everyone."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from casework.break_glass import TOLD_FOR, last_used

ASKED_EVERY_SECONDS: Final = 30.0
Database = Callable[[frozenset[int]], AbstractContextManager[Session]]


class Emergency:
    """The last use, as this process knows it: of its own uses at once, of another process's within half a minute."""

    def __init__(self) -> None:
        self._used_at: datetime | None = None
        self._asked_at: float | None = None

    def used(self, now: datetime) -> None:
        """Note a use."""
        self._used_at = now

    def lately(
        self, database: Callable[[frozenset[int]], AbstractContextManager[Session]], now: datetime
    ) -> datetime | None:
        """Return when the account was used within the last day, else None."""
        if self._asked_at is None or time.monotonic() >= self._asked_at + ASKED_EVERY_SECONDS:
            self._asked_at = time.monotonic()
            try:
                with database(frozenset()) as session:
                    self._used_at = last_used(session) or self._used_at
            except SQLAlchemyError:
                pass  # a page that says that the database is gone must not fail over this
        return self._used_at if self._used_at is not None and now < self._used_at + TOLD_FOR else None
