"""What only people can write in the governance documents: the fields of `documents.toml`, and which are missing.

The file lies in the home. Every field is text; one that nobody filled is listed as missing in each document that
needs it, and stands there as missing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from records.home import Home
from records.refusal import Refusal

DOCUMENTS_FILE = "documents.toml"


class FieldsRefused(Refusal):
    """documents.toml says something that it cannot; the message names the key and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that people write: 'part.name' as the file has it, and what is asked."""

    name: str
    asks: str


FIELDS: tuple[Field, ...] = (
    Field(name="owner.team", asks="The team that answers for the use of Belong"),
    Field(name="owner.senior_responsible_owner", asks="The office of the person who answers for it in the end"),
    Field(name="owner.contact", asks="An address for questions about it, of an office and not of a person"),
    Field(name="owner.website", asks="Where it is explained to the public"),
    Field(name="third_party.involvement", asks="Who outside the network built or runs any of it, or that nobody does"),
    Field(name="third_party.role", asks="What they do, under which contract, and what they may see"),
    Field(name="why.need", asks="Why the network needs it, and what it expects to become better"),
    Field(name="why.before", asks="How pupils were noticed before, and what was tried"),
    Field(name="why.alternatives", asks="What else was considered, and why it was not enough"),
    Field(name="use.process", asks="How a flag fits into each school's pastoral work, step by step"),
    Field(name="use.training", asks="What training staff must have had, by whom, how often"),
    Field(name="use.help", asks="What help can be offered after a flag, and whether there is enough of it"),
    Field(name="use.challenge", asks="How a pupil or parent can question a flag, of whom, and how soon it is answered"),
    Field(name="assessment.necessity", asks="Why this use of pupils' records is needed, and nothing less would do"),
    Field(name="assessment.proportionality", asks="Why what it does to pupils is in proportion to what it gives them"),
    Field(name="assessment.consulted", asks="Which pupils, parents, staff and unions were consulted, and what changed"),
    Field(name="assessment.officer_advice", asks="What the data-protection officer advised, and what was done"),
    Field(name="assessment.remaining_risk", asks="Which risks remain, how grave they are, and who accepts them"),
    Field(name="assessment.completed_on", asks="The day the assessment was completed and where it is kept"),
    Field(name="equality.due_regard", asks="How the equality duty was weighed, by whom, and where that is written"),
    Field(name="notice.where", asks="Where pupils and parents are given the notice, and in which languages"),
    Field(name="notice.ask", asks="Whom pupils and parents can ask, and how, without writing"),
    Field(name="arrangement.parties", asks="Every controller who takes part, by its legal name"),
    Field(name="arrangement.informs", asks="Who gives pupils and parents the notice"),
    Field(name="arrangement.answers", asks="Who answers requests about rights, whoever receives them"),
    Field(name="arrangement.breaches", asks="Who does what when something goes wrong with the data"),
    Field(name="arrangement.ends", asks="What happens to the records when a school leaves"),
    Field(name="arrangement.signed", asks="Who signed the arrangement, and when"),
)
_KNOWN = {field.name: field for field in FIELDS}


@dataclass(frozen=True)
class Human:
    """What people wrote, by field."""

    said: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return what was written, or that it is missing."""
        return self.said.get(name) or f"Missing: {_KNOWN[name].asks}."

    def missing(self, *names: str) -> tuple[str, ...]:
        """Return which of these fields nobody has written, in words."""
        return tuple(f"{_KNOWN[name].asks} ({DOCUMENTS_FILE}: {name})" for name in names if not self.said.get(name))


def human_of(home: Home) -> Human:
    """Return what people wrote in the home's documents.toml; nothing where there is no such file.

    Raises
    ------
    FieldsRefused
        It cannot be read, or holds a key that is no field, or something that is not text.
    """
    file = home.path / DOCUMENTS_FILE
    return read_human(file) if file.exists() else Human({})


def read_human(file: Path) -> Human:
    """Return what people wrote in a file. Raises FieldsRefused as `human_of`."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FieldsRefused(f"{file} cannot be read as TOML: {error}") from error
    found: dict[str, str] = {}
    for part, inner in said.items():
        if not isinstance(inner, dict):
            raise FieldsRefused(f"{file}: {part!r} stands outside a [part]; see `belong documents --template`")
        found |= {f"{part}.{key}": value for key, value in inner.items()}
    unknown = sorted(set(found) - set(_KNOWN))
    if unknown:
        raise FieldsRefused(
            f"{file}: no document has {', '.join(unknown)}, so it would silently do nothing; "
            "`belong documents --template` shows every field"
        )
    wrong = sorted(name for name, value in found.items() if not isinstance(value, str))
    if wrong:
        raise FieldsRefused(f"{file}: {', '.join(wrong)} must be text in quotes")
    return Human({name: " ".join(value.split()) for name, value in found.items()})


def template() -> str:
    """Return an empty documents.toml with every field and what it asks."""
    lines = ["# What only people can write in the governance documents. Save it as documents.toml in the home.", ""]
    part = ""
    for field in FIELDS:
        here, name = field.name.split(".")
        if here != part:
            lines += [*([""] if part else []), f"[{here}]"]
            part = here
        lines += [f"# {field.asks}.", f'{name} = ""']
    return "\n".join(lines) + "\n"
