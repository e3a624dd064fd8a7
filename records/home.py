"""The home: one folder with everything a network keeps, and the file that says how to read it."""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from records.refusal import Refusal

HOME_FILE = "home.toml"
_SAID: Mapping[str, type] = {"network": str, "demo": bool, "today": date, "shards": int, "pepper_version": int}
_WRITTEN = {str: "text in quotes", bool: "true or false", date: "YYYY-MM-DD", int: "a whole number"}


class NoHome(Refusal):
    """The folder is not a home yet, or its home.toml cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where a network's data lie and the few facts that every room must agree on.

    Attributes
    ----------
    path
        The folder, absolute.
    network
        The network's name, as pages show it.
    demo
        Whether trust roots, accounts and pupils are a demonstration's (docs/decisions.md, 19).
    today
        A frozen today for every as-of date, staleness and expiry; None: the real day.
    shards
        How many shards pupils' histories are divided into. Fixed for the life of the home.
    pepper_version
        Which key of `secrets/` makes pseudonyms.
    """

    path: Path
    network: str = "Schools network"
    demo: bool = False
    today: date | None = None
    shards: int = 8
    pepper_version: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 4096:
            raise ValueError(f"shards must be 1 to 4096, not {self.shards}")

    @property
    def history(self) -> Path:
        """Delta tables of what happened."""
        return self.path / "history"

    @property
    def protected(self) -> Path:
        """Delta tables of protected characteristics: a root of its own."""
        return self.path / "protected"

    @property
    def areas(self) -> Path:
        """Delta tables of open figures about places, and about no pupil."""
        return self.path / "areas"

    @property
    def held(self) -> Path:
        """Rows whose pupil cannot be proven: stored, never scored or joined."""
        return self.path / "held"

    @property
    def quarantine(self) -> Path:
        """Rows that break a rule, kept whole, with what is wrong and what to do."""
        return self.path / "quarantine"

    @property
    def landing(self) -> Path:
        """Export files dropped for the next `belong ingest`."""
        return self.path / "landing"

    @property
    def mappings(self) -> Path:
        """The network's own column mappings, one TOML file for each kind of export."""
        return self.path / "mappings"

    @property
    def nights(self) -> Path:
        """What a night's scoring worked out before it was stopped; removed once the week is published."""
        return self.path / "nights"

    @property
    def secrets(self) -> Path:
        """Keys; readable by the owner only."""
        return self.path / "secrets"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL cluster, when no other is named."""
        return self.path / "postgres"

    @property
    def candidates(self) -> Path:
        """Bundles that were trained, with their audits and signatures: `candidates/<digest>/`."""
        return self.path / "candidates"

    @property
    def deployed(self) -> Path:
        """Verified bundles with their signed envelopes: `deployed/<digest>/`, never changed."""
        return self.path / "deployed"

    @property
    def trust(self) -> Path:
        """Public keys and roles of those who may sign: `trust/trust.json`."""
        return self.path / "trust"


def create_home(
    path: Path, *, network: str = "Schools network", demo: bool = False, today: date | None = None, shards: int = 8
) -> Home:
    """Make the folder a home, or return the home it already is, with `today` brought up to date.

    Raises
    ------
    NoHome
        The folder holds a home of another kind (a demonstration where none was asked, or the reverse),
        or it cannot be written.
    """
    if (path / HOME_FILE).exists():
        old = open_home(path)
        if old.demo != demo:
            raise NoHome(f"{path} is already a home with demo = {str(old.demo).lower()}; choose another --home")
        home = Home(path=old.path, network=network, demo=demo, today=today, shards=old.shards)
    else:
        home = Home(path=path.resolve(), network=network, demo=demo, today=today, shards=shards)
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        home.secrets.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NoHome(f"{path} cannot be made a home ({error.strerror}); choose another --home") from error
    lines = [
        "# The facts every part of Belong must agree on. shards never changes once records have landed.",
        f"network = {json.dumps(home.network, ensure_ascii=False)}",
        f"demo = {str(home.demo).lower()}",
        f"shards = {home.shards}",
        f"pepper_version = {home.pepper_version}",
    ]
    if home.today is not None:
        lines.append(f"today = {home.today.isoformat()}")
    partial = home.path / f"{HOME_FILE}.partial"
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(partial, home.path / HOME_FILE)
    return home


def open_home(path: Path) -> Home:
    """Return the home in this folder.

    Raises
    ------
    NoHome
        There is no readable home.toml, or it says something a home does not have.
    """
    file = path / HOME_FILE
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        _check_said(said)
        return Home(path=path.resolve(), **said)
    except FileNotFoundError:
        raise NoHome(f"{path} is not a Belong home (no {HOME_FILE}); run `belong demo` or `belong ingest`") from None
    except OSError as error:
        raise NoHome(f"{file} cannot be read ({error.strerror}); check --home and its permissions") from error
    except (tomllib.TOMLDecodeError, ValueError, UnicodeDecodeError) as error:
        raise NoHome(f"{file} cannot be used: {error}") from error


def _check_said(said: Mapping[str, object]) -> None:
    # To the letter: demo = "false" would be true, and a moment is no day.
    unknown = sorted(set(said) - set(_SAID))
    if unknown:
        raise ValueError(f"it says {', '.join(unknown)}; a home may say {', '.join(_SAID)}")
    for name, value in said.items():
        if type(value) is not _SAID[name]:
            raise ValueError(f"{name} is {value!r}; write it as {_WRITTEN[_SAID[name]]}")
