"""Templates: one environment that escapes everything, and the words dates and numbers are written in."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader

_TEMPLATES = Path(__file__).parent / "templates"


def environment(assets: Mapping[str, str]) -> Environment:
    """Return the templates' environment.

    Autoescape is set outright: a bare environment has it off, and then every component of
    govuk-frontend-jinja lets a pupil's name through as markup. `StrictUndefined` breaks its macros, so
    a house test looks for the traces of an undefined value instead.
    """
    made = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(_TEMPLATES),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["day"] = day_words
    made.filters["full_day"] = full_day_words
    made.filters["count"] = count_words
    made.globals["asset"] = lambda name: f"/assets/{assets[name]}"
    return made


def day_words(day: date | datetime | str | None) -> str:
    """Return '22 June 2026'; dates of stored payloads arrive as ISO text."""
    known = _day(day)
    return "" if known is None else f"{known.day} {known:%B %Y}"


def full_day_words(day: date | datetime | str | None) -> str:
    """Return 'Monday 22 June 2026'."""
    known = _day(day)
    return "" if known is None else f"{known:%A} {day_words(known)}"


def count_words(number: int, one: str, many: str) -> str:
    """Return '1 pupil' or '1,842 pupils'."""
    return f"{number:,} {one if number == 1 else many}"


def year_words(year_group: str) -> str:
    """Return 'Year 9'; 'Reception' and 'Nursery' for the codes R, N1 and N2 of the School Census."""
    if year_group.isdecimal():
        return f"Year {int(year_group)}"
    known = {"R": "Reception", "N1": "Nursery", "N2": "Nursery", "X": "No year group"}
    return known.get(year_group.upper(), year_group)


def _day(day: date | datetime | str | None) -> date | None:
    if not day:
        return None
    return datetime.fromisoformat(day) if isinstance(day, str) else day
