"""The data-sharing register: which fields may be taken from which source, why, by whose authority, until when.

Nothing is read that no valid agreement covers. A field without cover is dropped before it is checked or
kept anywhere; a source whose agreements have all ended is refused whole.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from records.area_tables import AREA_TABLES
from records.home import Home
from records.identity.identities import IDENTITIES
from records.partnerships import Partnership
from records.refusal import Refusal
from records.table import Column, Table
from records.tables import TABLES
from records.transfers import Shares, Standing, Transfer, check_days, standing_of

REGISTER_FILE = "agreements.toml"
EVERY_SOURCE = "*"
REGISTERED: dict[str, Table] = {**TABLES, IDENTITIES.name: IDENTITIES, **AREA_TABLES}

Words = Annotated[str, Field(min_length=3)]


class RegisterRefused(Refusal):
    """The register is missing or says something it cannot; the message names the place and the remedy."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Controller(_Part):
    """Who answers for the network's records."""

    name: Words
    contact: Words
    data_protection_officer: Words


class Agreement(_Part):
    """One agreement to share records.

    Attributes
    ----------
    sources
        Names of export formats or mappings, as `belong ingest` says them; '*' is every one.
    schools
        Unique reference numbers; 'all' is every school.
    lawful_basis, condition
        UK GDPR Article 6, and Article 9 with the Data Protection Act 2018 where a protected table is covered.
    starts, ends
        First and last day; both included.
    assessed_on, impact_assessment
        The day the impact assessment was signed and where it is. Without one nothing is covered.
    fields
        'table.column' or 'table.*'.
    retention_years
        Table → years, where the agreement allows fewer than the table's own.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Words
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    schools: Literal["all"] | Annotated[tuple[int, ...], Field(min_length=1)] = "all"
    purpose: Words
    lawful_basis: Words
    condition: str = ""
    controller: Words
    recipients: tuple[str, ...] = ()
    starts: date
    ends: date
    impact_assessment: str = ""
    assessed_on: date | None = None
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    retention_years: dict[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_days(self.starts, self.ends, self.impact_assessment, self.assessed_on)
        unknown = [field for field in self.fields if not _columns_of(field)]
        unknown += [table for table in self.retention_years if table not in REGISTERED]
        if unknown:
            raise ValueError(f"no such field: {', '.join(unknown)}; write 'table.column' or 'table.*' (docs: tables)")
        longer = [name for name, years in self.retention_years.items() if years > REGISTERED[name].retention_years]
        if longer:
            raise ValueError(f"retention_years of {', '.join(longer)} is longer than the table's own")
        protected = sorted({name for name, _ in self.covered if name in TABLES and TABLES[name].protected})
        if protected and not self.condition:
            raise ValueError(
                f"condition is needed for {', '.join(protected)}: the one under Article 9, or why none applies"
            )
        return self

    def standing(self, today: date) -> Standing:
        """Return whether the agreement covers anything on a day, and if not why."""
        return standing_of(self.starts, self.ends, self.assessed_on, today)

    def about(self, source: str) -> bool:
        """Return whether the agreement is about this source."""
        return EVERY_SOURCE in self.sources or source in self.sources

    @cached_property
    def covered(self) -> frozenset[tuple[str, str]]:
        """Every (table, column) the agreement names."""
        return frozenset((field.split(".")[0], column) for field in self.fields for column in _columns_of(field))


class Register(_Part):
    """The whole register, as `agreements.toml` says it."""

    network: Controller
    agreement: tuple[Agreement, ...]
    transfer: tuple[Transfer, ...] = ()
    partner: tuple[Partnership, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        named: tuple[Agreement | Transfer | Partnership, ...] = (*self.agreement, *self.transfer, *self.partner)
        ids = [one.id for one in named]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"agreement id stands twice: {', '.join(twice)}")
        return self

    def cover(self, source: str, today: date) -> "Cover":
        """Return what may be read from a source on a day."""
        return Cover(source, tuple(one for one in self.agreement if one.about(source)), today)

    def shares(self, today: date) -> Shares:
        """Return what the staff of a pupil's school may read of what an earlier school recorded."""

        def shared(table: str, earlier: int, present: int) -> bool:
            return any(table in one.tables and one.between(earlier, present, today) for one in self.transfer)

        return shared

    def passes_on(self, earlier: int, present: int, today: date) -> bool:
        """Whether an open case goes with a pupil from the one school to the other."""
        return any(one.cases and one.between(earlier, present, today) for one in self.transfer)

    def uncovered(self, today: date) -> tuple[str, ...]:
        """Return 'table.column' of every declared field that no valid agreement covers, whatever the source."""
        valid = [one.covered for one in self.agreement if one.standing(today) == "valid"]
        found = frozenset().union(*valid)
        return tuple(
            f"{table.name}.{column.name}"
            for table in REGISTERED.values()
            for column in _asked(table)
            if (table.name, column.name) not in found
        )

    def retention_years(self, table: Table) -> int:
        """Return how long a table's rows may be kept: the shortest that any agreement on it allows."""
        allowed = [one.retention_years[table.name] for one in self.agreement if table.name in one.retention_years]
        return min([table.retention_years, *allowed])


@dataclass(frozen=True)
class Cover:
    """What one source's agreements allow on a day."""

    source: str
    agreements: tuple[Agreement, ...]
    today: date

    @cached_property
    def valid(self) -> tuple[Agreement, ...]:
        """The agreements that stand on the day."""
        return tuple(one for one in self.agreements if one.standing(self.today) == "valid")

    def refusal(self) -> str:
        """Return why the source may not be read at all, in a sentence; '' where some of it may."""
        if self.valid:
            return ""
        if not self.agreements:
            return f"no agreement is about the source '{self.source}'"
        newest = max(self.agreements, key=lambda one: one.ends)
        said = {
            "ended": f"ended on {newest.ends.isoformat()}",
            "not yet": f"starts on {newest.starts.isoformat()}",
            "not assessed": "has no signed impact assessment",
        }[str(newest.standing(self.today))]
        return f"agreement '{newest.id}' {said}"

    def columns(self, table: Table) -> frozenset[str]:
        """Return the table's columns that a valid agreement covers."""
        return frozenset(column for one in self.valid for name, column in one.covered if name == table.name)

    def missing(self, table: Table) -> tuple[str, ...]:
        """Return the columns without cover among those a row cannot do without; none: the table may be read."""
        covered = self.columns(table)
        needed = [column for column in _asked(table) if column.required or column.name in table.key]
        return tuple(column.name for column in needed if column.name not in covered)

    def dropped(self, table: Table) -> tuple[str, ...]:
        """Return the columns that are left empty, because rows can do without them and nothing covers them."""
        covered = self.columns(table)
        return tuple(column.name for column in _asked(table) if column.name not in covered)

    def schools(self, table: Table) -> frozenset[int] | None:
        """Return the schools whose rows of a table may be read; None: those of every school."""
        mine = [one for one in self.valid if any(name == table.name for name, _ in one.covered)]
        if any(one.schools == "all" for one in mine):
            return None
        return frozenset(school for one in mine if one.schools != "all" for school in one.schools)


def register_of(home: Home) -> Register:
    """Return the home's register; a demonstration without one has the demonstration's.

    Raises
    ------
    RegisterRefused
        There is none, or it says something that it cannot.
    """
    path = home.path / REGISTER_FILE
    if path.exists():
        return read_register(path)
    if home.demo:
        return _register(demonstration(), f"the demonstration's {REGISTER_FILE}")
    raise RegisterRefused(
        f"{path} is missing: nothing may be read before the network has said by what agreement; "
        "`belong agreements --template` prints one to fill in"
    )


def read_register(path: Path) -> Register:
    """Return the register in a file.

    Raises
    ------
    RegisterRefused
        It cannot be read, or says something that it cannot.
    """
    try:
        return _register(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RegisterRefused(f"{path} cannot be read as UTF-8 text: {error}") from error


def demonstration() -> str:
    """Return the demonstration's register: simulated pupils, so nobody's agreement is needed."""
    return files("records").joinpath("agreements.toml").read_text(encoding="utf-8")


def _register(text: str, where: str) -> Register:
    try:
        return Register.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RegisterRefused(f"{where} is not TOML: {error}") from error
    except ValidationError as error:
        raise RegisterRefused("\n".join([f"{where} cannot be used:", *_told(error)])) from error


def _told(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in one["loc"]) or "the register"
        yield f"  {place}: {one['msg'].removeprefix('Value error, ')}"


def _columns_of(field: str) -> tuple[str, ...]:
    name, _, column = field.partition(".")
    if name not in REGISTERED:
        return ()
    names = tuple(one.name for one in _asked(REGISTERED[name]))
    return names if column == "*" else tuple(one for one in names if one == column)


def _asked(table: Table) -> tuple[Column, ...]:
    # The pseudonym is ours: no source sends it, so no agreement covers it.
    return tuple(column for column in table.columns if column.kind != "pupil")
