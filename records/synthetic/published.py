"""Published figures the simulation is held against: `published.json`, with its sources and licence."""

import json
from functools import cache
from importlib.resources import files
from typing import cast

BANDS = ("PS", "SS", "SP")
"""Bands of published figures: primary years (reception to 6), secondary years (7 to 11), special schools.

A pupil of an all-through school counts in the band of their year group.
"""


@cache
def _figures() -> dict[str, dict[str, object]]:
    text = files("records.synthetic").joinpath("published.json").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, object]]", json.loads(text))


def attendance(band: str) -> dict[str, float]:
    """Return attendance code → percentage of possible sessions; `absence` is the whole rate."""
    return cast("dict[str, float]", _figures()["attendance"][band])


def persistent_absence(band: str) -> float:
    """Return the percentage of pupils who missed at least 10 % of their possible sessions."""
    return cast("float", _figures()["persistent_absence"][band])


def suspensions(band: str) -> dict[str, float]:
    """Return `rate` and `permanent` per 100 pupils in a year and `one_or_more`, the percentage suspended."""
    return cast("dict[str, float]", _figures()["suspensions"][band])


def shares(name: str) -> dict[str, float]:
    """Return the `length_days` or `recurrence` distribution; shares sum to 1."""
    return cast("dict[str, float]", _figures()[name])


def by_characteristic(band: str, attribute: str) -> dict[str, float]:
    """Return group → suspensions per 100 pupils; special schools follow the secondary figures."""
    phase = "primary" if band == "PS" else "secondary"
    return cast("dict[str, float]", _figures()[f"{phase}_by_characteristic"][attribute])


def sources() -> dict[str, str]:
    """Return figure → the publication it was copied from."""
    return cast("dict[str, str]", _figures()["_sources"])
