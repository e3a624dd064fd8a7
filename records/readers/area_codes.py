"""Codes of places: their shapes, the lists that name them, and what is said of one that no list has."""

import re
from collections.abc import Mapping
from typing import Final

from records.rows.row_rules import NO_LIST_SAYS

CODES: Final[Mapping[str, re.Pattern[str]]] = {
    "area": re.compile(r"E01\d{6}"),
    "ward": re.compile(r"E05\d{6}"),
    "borough": re.compile(r"E0[6-9]\d{6}"),
}
_SHAPES: Final = {"area": "E01 and six digits", "ward": "E05 and six digits", "borough": "E06 to E09 and six digits"}

# Edition → level → the codes that its list has.
Listed = Mapping[str, Mapping[str, set[str]]]
# What kind of value stands there, the rule that it breaks and what to do.
Why = tuple[str, str, str]


def wrong_code(area: str, level: str, edition: str, listed: Listed, *, outline: bool = False) -> Why | None:
    """Return what is wrong with the code of a figure, or an outline, of this edition; None where it is in order."""
    if CODES[level].fullmatch(area) is None:
        return misshapen(level)
    if area in listed.get(edition, {}).get(level, ()):
        return None
    rule = f"a code of edition {edition} {NO_LIST_SAYS}"
    if edition not in listed:
        remedy = f"bring areas_{edition}.csv (docs/areas.md) and ingest this file again"
        return "code of an edition without a list", rule, remedy
    others = [other for other in listed if other != edition and area in listed[other].get(level, ())]
    if others:
        remedy = f"take the publisher's {'boundaries' if outline else 'file by areas'} of {edition}"
        if not outline:
            remedy += f"; a figure of {others[0]} is of another place, so write {others[0]} as its edition only where "
            remedy += f"the whole file is of {others[0]}"
        return f"code of edition {others[0]}", rule, remedy
    return "code of no list", rule, f"correct the code, or bring the whole list of {edition}, with its {level}"


def misshapen(level: str) -> Why:
    """Return what is said of a code that is not of its level's kind."""
    remedy = "give the code of the Office for National Statistics, not the name"
    return "another kind of code", f"the code of a place of level {level} must be {_SHAPES[level]}", remedy
