"""What a mapping file may say: one TOML file that turns a school system's CSV exports into record tables.

Nothing is guessed. The mapping names the encoding, the way dates are written and every heading; it is
proved when it is read, so that a slip in it shows before any export does.
"""

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from records.identity.identities import IDENTITIES
from records.readers.mapping_proof import (
    EXAMPLE,
    declared,
    prove_dates,
    prove_day,
    prove_encoding,
    prove_pattern,
    prove_text,
)
from records.refusal import Refusal
from records.table import Table
from records.tables import ENROLMENTS, FLAGS_GIVEN, FRESH_STARTS, MARKS, MISSED, OBJECTIONS, TABLES
from records.text.unpacking import GZIP

# Casework writes these itself.
OURS = frozenset({FLAGS_GIVEN.name, OBJECTIONS.name, FRESH_STARTS.name, MISSED.name})
READABLE: Mapping[str, Table] = {name: table for name, table in TABLES.items() if name not in OURS}
WEEK_COLUMNS = ("school", "week_start", "marks", "known_on")

Text = Annotated[str, Field(min_length=1)]
Encoding = Annotated[str, AfterValidator(prove_encoding)]
Dates = Annotated[Text, AfterValidator(prove_dates)]


class MappingRefused(Refusal):
    """A mapping cannot be used; the message names the file, the key and the remedy."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Filling(_Part):
    """Where one declared column comes from: exactly one of a heading, a constant or the file's name.

    Attributes
    ----------
    heading
        The export's own heading.
    constant
        The same text in every row, for what the export does not say.
    file_name
        A regular expression with one group, searched in the file's name: the school's URN, as a rule.
    words
        The system's own words → ours. It is a closed list: another word quarantines its row.
    dates
        A `strptime` format, where this column is not written like the others.
    times
        What a number is multiplied by: 2 where the system counts days and the table sessions.
    """

    heading: Text | None = None
    constant: str | None = None
    file_name: Text | None = None
    words: dict[str, str] | None = None
    dates: Dates | None = None
    times: Annotated[int, Field(ge=2, le=10)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(given is not None for given in (self.heading, self.constant, self.file_name)) != 1:
            raise ValueError("say exactly one of heading, constant and file_name")
        if self.heading is None and (self.words or self.dates or self.times):
            raise ValueError("words, dates and times change what stands under a heading; name the heading")
        if self.file_name is not None:
            prove_pattern(self.file_name)
        return self


def _of_heading(said: object) -> object:
    # The common case is written short: date = "Date of incident".
    return {"heading": said} if isinstance(said, str) else said


class Export(_Part):
    """One kind of export file and the table it fills.

    Attributes
    ----------
    files
        A glob on the file's name, in any case; '.gz' after it is read too.
    table
        The record table. 'enrolments' carries the pupils' names and numbers as well.
    columns
        Declared column → a heading, or a `Filling`. 'upn' is the pupil's number, 'known_on' the day of
        record, 'deleted' says with true or false whether the row was taken back.
    known_on
        'file': the export does not say when a row was recorded, so it is known from the day of ingest.
    passed_over
        Headings knowingly not read. Any other heading refuses the file.
    form, width
        'week': a row is a pupil's week, its `marks` a string of `width` characters for each session.
    encoding, dates, delimiter
        Instead of the mapping's own.
    decimal_zeros
        Whether whole numbers may be written '10.0'.
    """

    name: Text
    files: Text
    table: str
    columns: dict[str, Annotated[Filling, BeforeValidator(_of_heading)]]
    known_on: Literal["file"] | None = None
    passed_over: tuple[str, ...] = ()
    form: Literal["rows", "week"] = "rows"
    width: Annotated[int, Field(ge=1, le=4)] = 2
    encoding: Encoding | None = None
    dates: Dates | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal_zeros: bool = False

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that a row goes to."""
        return (ENROLMENTS, IDENTITIES) if self.table == ENROLMENTS.name else (READABLE[self.table],)

    @property
    def pupils(self) -> bool:
        """Whether the rows are about pupils."""
        return READABLE[self.table].sharded

    def claims(self, file: str) -> bool:
        """Return whether a file of this name is this export."""
        return fnmatchcase(file.lower().removesuffix(GZIP), self.files.lower())

    @model_validator(mode="after")
    def _proved(self) -> Self:
        if self.table not in READABLE:
            raise ValueError(f"table is {self.table!r}; name one of {', '.join(READABLE)}")
        if self.form == "week" and self.table != MARKS.name:
            raise ValueError("form = 'week' is for the table marks")
        wanted = _wanted(self)
        unknown = [name for name in self.columns if name not in wanted]
        if unknown:
            raise ValueError(f"columns has {', '.join(unknown)}; {self.table} has {', '.join(wanted)}")
        missing = [name for name, required in wanted.items() if required and name not in self.columns]
        if missing:
            raise ValueError(f"columns does not say where {', '.join(missing)} come from; name a heading or a constant")
        if self.known_on is not None and "known_on" in self.columns:
            raise ValueError("known_on is said twice: drop known_on = 'file' or the column")
        read = [filling.heading for filling in self.columns.values() if filling.heading is not None]
        both = sorted(set(read) & set(self.passed_over))
        if both:
            raise ValueError(f"{', '.join(both)} is both read and passed over")
        for name, filling in self.columns.items():
            column = declared(name, self.tables)
            said = [*(filling.words or {}).values(), *(() if filling.constant is None else (filling.constant,))]
            for text in said:
                prove_text(text, name, column)
            if filling.times is not None and (column is None or column.kind != "integer"):
                raise ValueError(f"columns.{name}: times is for a whole number")
        return self


class MappingFile(_Part):
    """One mapping file: a school system and its exports.

    Attributes
    ----------
    system
        The system's name: the source that the data-sharing register knows these files by.
    encoding
        What the files are written in; never guessed.
    dates
        The `strptime` format of dates; only this one is read.
    """

    system: Annotated[str, Field(min_length=2, max_length=60)]
    encoding: Encoding
    dates: Dates
    delimiter: Literal[",", ";", "\t", "|"] = ","
    export: tuple[Export, ...]

    @property
    def example_day(self) -> str:
        """A day as the mapping's files write it."""
        return EXAMPLE.strftime(self.dates)

    @model_validator(mode="after")
    def _proved(self) -> Self:
        if not self.export:
            raise ValueError("there is no [[export]]: say at least one kind of file")
        names = [one.name for one in self.export]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two exports are called {', '.join(twice)}; give each its own name")
        for one in self.export:
            for name, filling in one.columns.items():
                column = declared(name, one.tables)
                if filling.constant and (name == "known_on" or (column is not None and column.kind == "date")):
                    prove_day(filling.constant, f"{one.name}.columns.{name}", one.dates or self.dates)
        return self


def mapping_from(text: str, file: str) -> MappingFile:
    """Return the mapping that a TOML text says.

    Raises
    ------
    MappingRefused
        It is not TOML, or says something that a mapping cannot; every such key is named.
    """
    said: dict[str, object] = {}
    try:
        said = tomllib.loads(text)
        return MappingFile.model_validate(_with_tuples(said))
    except tomllib.TOMLDecodeError as error:
        raise MappingRefused(f"{file} is not TOML: {error}") from error
    except ValidationError as error:
        raise MappingRefused("\n".join([f"{file} cannot be used:", *_told(error, said)])) from error


def _with_tuples(said: object) -> object:
    # TOML has lists where a frozen mapping has tuples, and strict validation takes one for no other.
    if isinstance(said, dict):
        return {name: _with_tuples(value) for name, value in said.items()}
    return tuple(_with_tuples(value) for value in said) if isinstance(said, list) else said


def _told(error: ValidationError, said: Mapping[str, object]) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False):
        place = [str(part) for part in one["loc"]]
        if place[:1] == ["export"] and len(place) > 1:
            place[1] = _name_of(said, int(place[1]))
        what = one["msg"].removeprefix("Value error, ")
        remedy = "; take it out, or correct its name" if one["type"] == "extra_forbidden" else ""
        yield f"  {'.'.join(place) or 'the mapping'}: {what}{remedy}"


def _name_of(said: Mapping[str, object], number: int) -> str:
    exports = said["export"]
    export = exports[number] if isinstance(exports, list) else None
    return str(export["name"]) if isinstance(export, dict) and "name" in export else str(number + 1)


def _wanted(export: Export) -> dict[str, bool]:
    """Return each column that the export may fill, and whether it must."""
    wanted = {"upn": True} if export.pupils else {}
    if export.form == "week":
        wanted |= dict.fromkeys(WEEK_COLUMNS, True)
    else:
        for table in export.tables:
            wanted |= {column.name: column.required for column in table.columns if column.kind != "pupil"}
        wanted |= {"known_on": True, "deleted": False}
        wanted |= {"upn": True} if export.pupils else {}
    return wanted | {"known_on": export.known_on is None}
