"""What every page of one process shares: home, clock, database, templates, providers, scoring door."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from jinja2 import Environment
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from casework.database import scoped
from records.clock import clock_of
from records.home import Home
from records.refusal import Refusal
from serving.emergency import Emergency
from serving.providers import Provider, read_providers
from serving.rates import Rates
from serving.scoring import Deployed, Refused

if TYPE_CHECKING:
    from features.machine import Machine

NO_SCHOOLS: frozenset[int] = frozenset()
WallClock = Callable[[], datetime]


class AddressRefused(Refusal, ValueError):
    """Browsers cannot reach a site at this address."""


class ScoringDoor(Protocol):
    """What pages ask of `serving.scoring.Door`: what may serve now, or why nothing may."""

    def deployed(self) -> Deployed | Refused:
        """Return the bundle that may serve now, or why there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Site:
    """The parts of one process that pages use; `address` is where browsers reach it, without a last slash.

    `loops` gives the engine's loops for a post of so many pupils; None: the plain ones for all.
    """

    home: Home
    address: str
    wall_clock: WallClock
    engine: Engine
    templates: Environment
    seal: Fernet
    door: ScoringDoor
    loops: "Callable[[int], Machine] | None" = None
    rates: Rates = field(default_factory=Rates)
    emergency: Emergency = field(default_factory=Emergency)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise AddressRefused(f"the site's address must be like https://belong.example.org, not {self.address!r}")

    @property
    def https(self) -> bool:
        """Whether browsers reach the site over https, so that cookies may demand it."""
        return self.address.startswith("https://")

    @property
    def host(self) -> str:
        """The host name browsers use."""
        return str(urlsplit(self.address).hostname)

    def today(self) -> date:
        """Return the home's today: as-of dates, staleness and expiry read it."""
        return clock_of(self.home).today()

    def now(self) -> datetime:
        """Return the wall clock, which only sign-in and sessions read."""
        return self.wall_clock()

    def providers(self) -> tuple[Provider, ...]:
        """Return who may sign people in, read afresh: an administrator's change holds at once."""
        return read_providers(self.home)

    def database(self, schools: frozenset[int] | None) -> AbstractContextManager[Session]:
        """Return one transaction that sees only these schools; None: the whole network."""
        return scoped(self.engine, schools)


def utc_now() -> datetime:
    """Return the real time, with its zone."""
    return datetime.now(UTC)
