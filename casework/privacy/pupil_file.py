"""A pupil's own file: everything that is held about them, in plain words, as a page and as data."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine

from casework.audit_log import look
from casework.database import scoped
from casework.privacy.gathered import IN_THE_DATABASE, IN_THE_HOME
from casework.privacy.request import Asked, Found, find, officer
from records.home import Home
from records.refusal import Refusal
from records.rights.described import day_in_words
from records.rights.holding import Section

_TEMPLATE: Final = "pupil_file.html"
_PLAIN: Final = (
    "Belong is an early-warning system: it helps schools notice early that a pupil may need help to stay in school. "
    "People decide what to do; Belong only asks them to look, and what follows is an offer of help."
)
_RIGHTS: Final = (
    "Ask the school to correct what is wrong here: Belong copies what the school's own system says.",
    "Object to being scored: from the next week there is no score and no flag.",
    "Ask for all of it to be erased. The data-protection officer decides, and says why if the answer is no.",
    "Complain to the Information Commissioner's Office (ico.org.uk) if the answer does not satisfy you.",
)


class CannotExport(Refusal):
    """The file cannot be written where it was asked to be."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One holding's part of a pupil's file."""

    name: str
    purpose: str
    kept: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class PupilFile:
    """All that is held about one pupil on a day. Never printed: it is for the pupil and the family alone."""

    network: str
    made_on: date
    parts: tuple[Told, ...]

    @property
    def rows(self) -> int:
        """How many rows it tells of."""
        return sum(len(section.rows) for part in self.parts for section in part.sections)

    def to_json(self) -> dict[str, Any]:
        """Return the file as data: the same words under the same headings."""
        return {
            "network": self.network,
            "made_on": self.made_on.isoformat(),
            "what_this_is": _PLAIN,
            "your_rights": list(_RIGHTS),
            "holdings": [
                {
                    "name": part.name,
                    "purpose": part.purpose,
                    "kept": part.kept,
                    "sections": [
                        {"title": section.title, "says": section.says, "rows": [dict(row) for row in section.rows]}
                        for section in part.sections
                    ],
                }
                for part in self.parts
            ],
        }

    def to_html(self) -> str:
        """Return the file as one page that needs nothing beside it."""
        templates = Environment(
            loader=FileSystemLoader(Path(__file__).resolve().parent), autoescape=True, undefined=StrictUndefined
        )
        return templates.get_template(_TEMPLATE).render(
            file=self, made_on=day_in_words(self.made_on), plain=_PLAIN, rights=_RIGHTS
        )


def export(engine: Engine, home: Home, asked: Asked, *, by: str, out: Path, today: date) -> PupilFile:
    """Write a pupil's own file to `out` (HTML) and beside it as JSON, log the look, and return it.

    The look is kept even where the pupil's rows are gone and only copies are left; where it cannot be
    kept, nothing is written.

    Raises
    ------
    CannotAnswer, NoSuchPupil
        Whoever answers may not, or nobody is asked about.
    CannotExport
        There is already such a file, or it cannot be written.
    """
    data = out.with_suffix(".json")
    for path in (out, data):
        if path.exists() or not path.parent.is_dir():
            raise CannotExport(f"{path.name} exists already, or its folder does not; name a new file in a folder")
    with scoped(engine, None) as session:
        person = officer(session, by, today)
        found = find(session, home, asked)
        parts = list(_in_the_home(home, found))
        for holding in reversed(IN_THE_DATABASE):
            sections = _filled(holding.describe(session, found.subject))
            if sections:
                told = Told(name=holding.name, purpose=holding.purpose, kept=holding.kept, sections=sections)
                parts.insert(0 if holding.name == "identities" else len(parts), told)
        look(session, person, "export_pupil", pupil_id=found.pupil_id, school=found.school)
    made = PupilFile(network=home.network, made_on=today, parts=tuple(parts))
    _write(out, made.to_html())
    _write(data, json.dumps(made.to_json(), ensure_ascii=False, indent=1) + "\n")
    return made


def _in_the_home(home: Home, found: Found) -> Iterator[Told]:
    for holding in IN_THE_HOME:
        sections = _filled(holding.describe(home, found.subject))
        if sections:
            yield Told(name=holding.name, purpose=holding.purpose, kept=holding.kept, sections=sections)


def _filled(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    return tuple(section for section in sections if section.rows)


def _write(path: Path, words: str) -> None:
    # The owner's alone: it is the most personal file that Belong makes.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(words)
