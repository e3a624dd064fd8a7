"""The one clock. As-of dates, staleness and expiry read it; only sign-in sessions use the wall clock."""

import os
from dataclasses import dataclass
from datetime import date

from records.home import Home
from records.refusal import Refusal

DATABASE_VARIABLE = "BELONG_DATABASE_URL"


class FrozenClockRefused(Refusal):
    """A frozen today was given together with a database that is not the demonstration's."""


@dataclass(frozen=True)
class Clock:
    """Today, as the home says it.

    `frozen` is None in a real network. A frozen clock is refused where BELONG_DATABASE_URL is set:
    a real network whose today stands still would never expire an approval (docs/decisions.md, 1).
    """

    frozen: date | None = None

    def today(self) -> date:
        """Return the frozen day, or the real one."""
        return self.frozen or date.today()


def clock_of(home: Home) -> Clock:
    """Return the home's clock.

    Raises
    ------
    FrozenClockRefused
        The home has a frozen today and is no demonstration, or BELONG_DATABASE_URL names a database of its own.
    """
    if home.today is not None and (not home.demo or os.environ.get(DATABASE_VARIABLE)):
        raise FrozenClockRefused(
            f"home.toml freezes today at {home.today.isoformat()}, which only the demonstration may do; "
            f"remove `today` from home.toml or unset {DATABASE_VARIABLE}"
        )
    return Clock(home.today)
