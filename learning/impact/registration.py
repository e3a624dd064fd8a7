"""What will be looked at, said before it can be known: the registered study.

A file names the outcomes, the smallest effect worth knowing and the weeks that will count, and is registered by the
day on which the first of those weeks begins. Nobody can then choose, among many outcomes, the one that looks well.
"""

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from records.refusal import Refusal

FILE: Final = "impact.toml"
Kind = Literal["suspended", "missed", "incidents"]
# Outcome → what it is, its unit in words, and whether less of it is better: all of them are better when less.
OUTCOMES: Final[dict[str, tuple[str, str]]] = {
    "suspended": ("A suspension or permanent exclusion starts within the horizon", "pupils in a hundred"),
    "missed": ("Share of possible sessions missed over the horizon", "sessions in a hundred"),
    "incidents": ("Recorded behaviour incidents over the horizon, for each pupil", "incidents for each 100 pupils"),
}


class StudyRefused(Refusal):
    """The study's file cannot be used; the sentence says why and what to do."""


class Outcome(BaseModel):
    """One outcome, and the smallest effect on it that is worth knowing, in its own unit (a share, or a count)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Kind
    worth: float = Field(gt=0, le=10)


class Study(BaseModel):
    """What is registered. The first outcome is the one on which the verdict rests."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=1, max_length=120)
    registered_by: str = Field(min_length=1, max_length=120)
    registered_on: date
    first_week: date
    last_week: date
    outcome: tuple[Outcome, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> "Study":
        if not self.registered_on <= self.first_week < self.last_week:
            raise ValueError(
                f"registered_on {self.registered_on}, first_week {self.first_week} and last_week {self.last_week} must "
                "follow one another: outcomes of weeks before the registration are known already; begin with a later "
                "week"
            )
        if len({one.name for one in self.outcome}) < len(self.outcome):
            raise ValueError("an outcome is named twice; name each once, the one that decides first")
        return self

    @property
    def main(self) -> Outcome:
        """The outcome on which the verdict rests."""
        return self.outcome[0]

    @property
    def digest(self) -> str:
        """What the registration is known by: it changes with anything the file says, not with how it is laid out."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()


def read_study(path: Path) -> Study:
    """Return the study that a file describes.

    Raises
    ------
    StudyRefused
        The file is missing, is not TOML, holds an unknown key or lacks one, or its days do not follow one another.
    """
    try:
        return study_of(path.read_text("utf-8"), path.name)
    except FileNotFoundError:
        raise StudyRefused(
            f"{path.name} is not there; `belong impact --example` prints one to fill in, then `belong impact "
            "--register` registers it"
        ) from None
    except UnicodeDecodeError as error:
        raise StudyRefused(f"{path.name} is not text in UTF-8: {error.reason}; save it as UTF-8") from error


def study_of(text: str, name: str = FILE) -> Study:
    """Return the study that a text describes; `name` is what a refusal calls it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyRefused(f"{name} cannot be read as TOML: {error}; compare it with `--example`") from error
    try:
        return Study.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise StudyRefused(f"{name}: {where}: {first['msg']}; compare it with `belong impact --example`") from error


def check_in_time(study: Study, today: date) -> None:
    """Raise `StudyRefused` where a week that would count has begun already, or the file names another day."""
    if study.registered_on != today:
        raise StudyRefused(
            f"registered_on says {study.registered_on.isoformat()} and today is {today.isoformat()}; a study is "
            "registered on the day it says"
        )


def check_unchanged(study: Study, registered_digest: str) -> None:
    """Raise `StudyRefused` where the file is no longer what was registered."""
    if study.digest != registered_digest:
        raise StudyRefused(
            f"{FILE} was edited after it was registered (registered {registered_digest[:12]}, now "
            f"{study.digest[:12]}); put the registered text back with `belong impact --restore`, or register a new "
            "study whose first week is still to come"
        )


EXAMPLE: Final = """\
# What will be looked at, said before it can be known. Save it in the home as impact.toml,
# then register it by the first week that counts: belong impact --register
title = "Does the flag help, spring term"
registered_by = "Name and role of who answers for this study"
registered_on = 2026-01-05
first_week = 2026-01-05
last_week = 2026-03-27

# The first outcome decides. `worth` is the smallest effect worth knowing, in the outcome's own unit:
# a share of pupils (0.05 is five in a hundred), a share of sessions, or incidents for each pupil.
[[outcome]]
name = "suspended"
worth = 0.05

[[outcome]]
name = "missed"
worth = 0.02

[[outcome]]
name = "incidents"
worth = 0.5
"""
