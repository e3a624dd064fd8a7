"""Published figures the simulation is held against: `published.json`, with its sources and licence."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

BANDS = ("PS", "SS", "SP")
"""Bands of published figures: primary years (reception to 6), secondary years (7 and up), special schools.

A pupil of an all-through school counts in the band of their year group.
"""
Figures = Mapping[str, float]


@cache
def figures() -> dict[str, Any]:
    """Return everything that is published, as it stands in the file."""
    text = files("records.synthetic").joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def attendance(band: str) -> Figures:
    """Return attendance code → percentage of possible sessions; `absence` is the whole rate."""
    found: Figures = figures()["attendance"][band]
    return found


def suspensions(band: str) -> Figures:
    """Return `rate` and `permanent` per 100 pupils in a year and `one_or_more`, the percentage suspended."""
    found: Figures = figures()["suspensions"][band]
    return found


def shares(name: str, band: str) -> Figures:
    """Return the distribution of `length_days`, `recurrence` or `reasons` in a band; shares sum to about 1."""
    found: Figures = figures()[name][band]
    return found


def by_characteristic(band: str, attribute: str) -> Mapping[str, Figures]:
    """Return group → `rate`, `one_or_more` and `permanent`; empty where nothing is published."""
    found: Mapping[str, Figures] = figures()["by_characteristic"][band].get(attribute, {})
    return found


@cache
def log_ratios(band: str, attribute: str) -> Figures:
    """Return group → natural logarithm of its rate of suspensions to that of the band.

    A kind of need is held against the pupils with SEN: the provision carries the rest. A rate of 0 or one that
    is not published counts as a tenth of the band's, or as the band's.
    """
    rates = {group: figures["rate"] for group, figures in by_characteristic(band, attribute).items()}
    whole = by_characteristic(band, "all")["all"]["rate"]
    if attribute == "need" and band != "SP":
        whole = by_characteristic(band, "sen")["K"]["rate"]
    return {group: float(np.log(max(rate, 0.1 * whole) / whole)) for group, rate in rates.items()}


def borough(authority: str, band: str) -> Figures:
    """Return a borough's figures by its local authority number; empty where none are published."""
    found: Figures = figures()["boroughs"].get(authority, {}).get(band, {})
    return found


def boroughs() -> Mapping[str, str]:
    """Return local authority number → the borough's name."""
    return {number: row["name"] for number, row in figures()["boroughs"].items()}


def sources() -> Mapping[str, str]:
    """Return figure → the publication it was copied from."""
    found: Mapping[str, str] = figures()["_sources"]
    return found
