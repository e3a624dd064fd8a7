"""Fields that several forms have: a date typed in three parts, a choice among a few, ids and numbers of schools."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from casework.rules import RuleBroken
from serving.page import Visit

_PARTS = ("day", "month", "year")
_URN_DIGITS = 9


def typed_date(visit: Visit, name: str, reading: Callable[[str], str] | None = None) -> date | None:
    """Return the date typed in three parts; None where all are empty.

    `reading` is what gives a part: the form, unless it is the address (`visit.asked`).

    Raises
    ------
    RuleBroken
        The three parts are no date.
    """
    parts = [(reading or visit.value)(f"{name}-{part}").strip() for part in _PARTS]
    if not any(parts):
        return None
    try:
        day, month, year = (int(part) if part.isdecimal() and len(part) < 5 else 0 for part in parts)
        return date(year, month, day)
    except ValueError:
        raise RuleBroken("Enter a real date, for example 13 7 2026.", name) from None


def needed_date(visit: Visit, name: str, sentence: str) -> date:
    """Return the date typed; raise RuleBroken with the sentence where there is none, or as `typed_date` does."""
    found = typed_date(visit, name)
    if found is None:
        raise RuleBroken(sentence, name)
    return found


def date_field(
    visit: Visit, name: str, legend: str, hint: str = "", reading: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """Return a date input that keeps what was typed; `reading` as in `typed_date`."""
    items = [
        {
            "name": part,
            "value": (reading or visit.value)(f"{name}-{part}"),
            "classes": f"govuk-input--width-{4 if part == 'year' else 2}",
        }
        for part in _PARTS
    ]
    field: dict[str, Any] = {
        "id": name,
        "namePrefix": name,
        "items": items,
        "fieldset": {"legend": {"text": legend, "classes": "govuk-fieldset__legend--s"}},
    }
    return {**field, "hint": {"text": hint}} if hint else field


def select_field(
    name: str, label: str, choices: Iterable[tuple[str, str]], chosen: str = "", empty: str = ""
) -> dict[str, Any]:
    """Return a select of values with their words; `empty` is what stands for no choice, '' leaves none."""
    items = [{"value": "", "text": empty, "selected": not chosen}] if empty else []
    items += [{"value": value, "text": words, "selected": value == chosen} for value, words in choices]
    return {"id": name, "name": name, "label": {"text": label}, "items": items}


def told_errors(fields: Mapping[str, dict[str, Any]], error: RuleBroken | None) -> list[dict[str, str]]:
    """Put the sentence beside the field it is about, and return the list for the top of the page."""
    if error is None:
        return []
    field = fields.get(error.field)
    if field is None:
        return [{"text": error.sentence}]
    field["errorMessage"] = {"text": error.sentence}
    at = f"#{error.field}-day" if "namePrefix" in field else f"#{error.field}"
    return [{"text": error.sentence, "href": at}]


def id_of(text: str) -> uuid.UUID | None:
    """Return the opaque id that a form or an address gives, None where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def urn_of(text: str) -> int | None:
    """Return the school's number that a form or an address gives, None where it is none."""
    return int(text) if text.isdecimal() and len(text) <= _URN_DIGITS else None
