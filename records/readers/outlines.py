"""Outlines of wards and boroughs as the Office for National Statistics publishes them: GeoJSON (docs/areas.md).

A FeatureCollection (RFC 7946) in degrees of WGS 84. A feature that breaks a rule is put aside by its number; the others
land. Nothing is simplified here, which would part neighbours along their border: the publisher has a generalised file.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from records.area_tables import AREA_BOUNDARIES, LONGEST_OUTLINE
from records.codes import AREA_EDITION
from records.readers.area_codes import CODES, Listed, wrong_code
from records.readers.gathering import Rows, Wrong, batches
from records.readers.reading import Content, PassedOver
from records.text.delimited import digest_of, read_bytes
from records.text.json_text import PAGE_CAP_BYTES, Number, parse
from records.text.sheet import FileRefused

MOST_POSITIONS: Final = 2_000
# About a metre: a map of a borough has a pixel for each ten.
DECIMALS: Final = 5
EAST: Final = (-7.0, 2.5)
NORTH: Final = (49.0, 56.5)
OGL: Final = (
    "Office for National Statistics, Open Government Licence v3.0; contains OS data © Crown copyright and database "
    "right"
)
_CODE: Final = re.compile(r"(WD|LAD)(\d\d)CD")
# Codes of Wales, Scotland and Northern Ireland.
_BEYOND: Final = re.compile(r"[WSN]\d{8}")
_LEVELS: Final[Mapping[str, str]] = {"WD": "ward", "LAD": "borough"}
_WGS_84: Final = re.compile(r"(.*[:/])?(4326|CRS84)", re.IGNORECASE)
_GENERALISED: Final = "take the publisher's ultra generalised file (BUC)"
_WGS_REMEDY: Final = "download it as GeoJSON in WGS 84 (EPSG:4326); eastings and northings are not read"

Outline = list[list[list[tuple[float, float]]]]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Which places a file has: the properties with their code and their borough's ('' for none), level and year."""

    key: str
    borough_key: str
    level: str
    from_date: date


class _NoOutline(ValueError):
    """What is wrong with a geometry: the class of value, the rule, the remedy."""

    def __init__(self, value_class: str, rule: str, remedy: str) -> None:
        super().__init__(value_class)
        self.wrong = Wrong(column="outline", value_class=value_class, rule=rule, remedy=remedy)


def read_outlines(path: Path, listed: Listed, today: date) -> Content:
    """Return the outlines of a file as rows, known from today; a fault's line is the feature's number, from 1.

    The publisher's file is of the whole country. What is of boroughs that no list has lands too, and is there once
    their list is; what is beyond England is passed over.

    Raises
    ------
    FileRefused
        It is too large, no FeatureCollection, in other coordinates than WGS 84, or of neither wards nor boroughs.
    """
    if path.stat().st_size > PAGE_CAP_BYTES:
        raise _refusal(path, f"byte {PAGE_CAP_BYTES}", f"it is larger than {PAGE_CAP_BYTES >> 20} MB", _GENERALISED)
    whole = parse(read_bytes(path), path.name)
    features = _features(path, whole)
    kind = _kind(path, features)
    edition = next((one for one in reversed(AREA_EDITION.codes) if one in listed), AREA_EDITION.codes[-1])
    rows = Rows(AREA_BOUNDARIES, {"area": kind.key, "outline": "geometry", "known_on": "day of ingest"})
    fixed = {
        "level": kind.level,
        "from_date": kind.from_date.isoformat(),
        "publisher": _publisher(path, whole),
        "known_on": today.isoformat(),
    }
    met: set[str] = set()
    beyond = 0
    for number, feature in enumerate(features, start=1):
        area, borough = (_text(feature, key) for key in (kind.key, kind.borough_key))
        if _BEYOND.fullmatch(area):
            beyond += 1
            continue
        outline, wrong = _read(feature)
        said = None if _of_others(borough, listed) else wrong_code(area, kind.level, edition, listed, outline=True)
        if area in met:
            said = ("code met before", "a place must be one feature", "join its parts in one MultiPolygon")
        if said is not None:
            wrong.append(Wrong(column="area", value_class=said[0], rule=said[1], remedy=said[2]))
        met.add(area)
        rows.add(number, {**fixed, "area": area, "outline": outline}, wrong=wrong)
    passed = (PassedOver(path.name, f"{beyond:,} of its features are of places outside England"),) if beyond else ()
    return Content(batches(path.name, digest_of(path)[:16], (rows,)), passed)


def _refusal(path: Path, place: str, what: str, remedy: str) -> FileRefused:
    return FileRefused(file=path.name, place=place, what=what, remedy=remedy)


def _features(path: Path, whole: object) -> Sequence[object]:
    if not isinstance(whole, dict) or whole.get("type") != "FeatureCollection":
        raise _refusal(path, "type", "it is no FeatureCollection", "download it from the publisher as GeoJSON")
    features = whole.get("features")
    if not isinstance(features, list) or not features:
        raise _refusal(path, "features", "it has no features", "download it from the publisher again")
    crs = whole.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if crs is not None and not (isinstance(name, str) and _WGS_84.fullmatch(name)):
        raise _refusal(path, "crs", "its coordinates are not said to be of WGS 84", _WGS_REMEDY)
    return features


def _publisher(path: Path, whole: object) -> str:
    said = whole.get("publisher", OGL) if isinstance(whole, dict) else OGL
    if type(said) is not str or not 0 < len(said) <= AREA_BOUNDARIES.column("publisher").longest:
        remedy = "say who publishes it and under which licence, or leave publisher out"
        raise _refusal(path, "publisher", "it is no text of 1 to 200 characters", remedy)
    return said


def _kind(path: Path, features: Sequence[object]) -> _Kind:
    """Return of which places and year a file is. A ward's feature may name its borough too: then it is of wards."""
    keys = {key for one in features for key in _properties(one) if _CODE.fullmatch(key)}
    if not keys:
        what = "no feature has a code in WDyyCD or LADyyCD, such as WD22CD"
        raise _refusal(path, "properties", what, "take the publisher's file of wards or local authority districts")
    key = max(keys, key=lambda one: (one.startswith("WD"), one))
    borough_key = max((one for one in keys if one.startswith("LAD")), default="")
    return _Kind(
        key=key, borough_key=borough_key, level=_LEVELS[key[:-4]], from_date=date(2000 + int(key[-4:-2]), 1, 1)
    )


def _properties(feature: object) -> Mapping[str, object]:
    found = feature.get("properties") if isinstance(feature, dict) else None
    return found if isinstance(found, dict) else {}


def _text(feature: object, key: str) -> str:
    found = _properties(feature).get(key)
    return found if type(found) is str else ""


def _of_others(borough: str, listed: Listed) -> bool:
    """Return whether it is a borough's code, there are lists, and none of them has it."""
    has = any(borough in levels.get("borough", ()) for levels in listed.values())
    return bool(listed) and not has and CODES["borough"].fullmatch(borough) is not None


def _read(feature: object) -> tuple[str, list[Wrong]]:
    """Return a feature's outline as text and what is wrong with it."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    try:
        outline = _outline(geometry)
    except _NoOutline as error:
        return json.dumps(geometry, ensure_ascii=False)[:LONGEST_OUTLINE], [error.wrong]
    return json.dumps(outline, separators=(",", ":")), []


def _outline(geometry: object) -> Outline:
    """Return the polygons of a geometry, each an outer ring and its holes, rounded to `DECIMALS`."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    given = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        rule = "a geometry must be a Polygon or MultiPolygon"
        raise _NoOutline("no polygon", rule, "take the publisher's boundaries, not its points")
    polygons = [given] if kind == "Polygon" else given
    found: Outline = []
    positions = 0
    for polygon in _list(polygons):
        rings = []
        for ring in _list(polygon):
            positions += len(_list(ring))
            if positions > MOST_POSITIONS:
                rule = f"an outline may have {MOST_POSITIONS:,} positions at most"
                raise _NoOutline(f"more than {MOST_POSITIONS:,} positions", rule, _GENERALISED)
            rings.append(_ring(_list(ring)))
        found.append(rings)
    return found


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or not value:
        rule = "polygons must be lists of rings, and rings lists of positions"
        raise _NoOutline("coordinates of another shape", rule, "download it from the publisher again")
    return value


def _ring(given: Sequence[object]) -> list[tuple[float, float]]:
    ring = [_position(one) for one in given]
    if len(ring) < 4 or ring[0] != ring[-1]:
        rule = "a ring must have four positions at least, and end where it begins"
        raise _NoOutline("open ring", rule, "download it from the publisher again")
    return ring


def _position(given: object) -> tuple[float, float]:
    east, north, *_ = [*_numbers(given), math.nan, math.nan]
    # Nothing lies between limits that is no number.
    if not (EAST[0] <= east <= EAST[1] and NORTH[0] <= north <= NORTH[1]):
        rule = (
            f"a position must be a longitude from {EAST[0]:g} to {EAST[1]:g} and a latitude from {NORTH[0]:g} to "
            f"{NORTH[1]:g}, in this order"
        )
        raise _NoOutline("position outside England", rule, _WGS_REMEDY)
    return round(east, DECIMALS), round(north, DECIMALS)


def _numbers(given: object) -> Iterator[float]:
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, Number):
            return
        yield float(one)
