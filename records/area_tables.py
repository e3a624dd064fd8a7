"""Tables about places and about nobody in them: open figures, for planning where help is needed.

Not in `records.tables.TABLES`, and in a root of their own: what goes over the records of pupils, for a feature, an
export or an erasure, cannot come across them. `records.areas` is the only door (docs/decisions.md, 108).
"""

from collections.abc import Mapping

from records import codes
from records.table import Column, Table

# Room for 2,000 positions of five decimals (records/readers/outlines.py).
LONGEST_OUTLINE = 45_000
_LEVEL = Column(name="level", kind="code", means="what kind of place", codes=codes.AREA_LEVEL)
_PUBLISHER = Column(name="publisher", kind="text", means="who publishes it, and under which licence")

AREAS = Table(
    name="areas",
    means="one small area of an edition of the census geography, and the ward and borough that it lies in",
    root="areas",
    key=("area", "edition"),
    happened_on="from_date",
    retention_years=20,
    sharded=False,
    columns=(
        Column(name="area", kind="text", means="lower-layer super output area", unit="LSOA code"),
        Column(name="edition", kind="code", means="the geography's edition", codes=codes.AREA_EDITION),
        Column(name="from_date", kind="date", means="the day from which ward and borough are these"),
        Column(name="name", kind="text", means="what the area is called"),
        Column(name="ward", kind="text", means="electoral ward, by best fit", unit="ward code"),
        Column(name="ward_name", kind="text", means="what the ward is called"),
        Column(name="borough", kind="text", means="local authority district", unit="district code"),
        Column(name="borough_name", kind="text", means="what the borough is called"),
    ),
)

AREA_FIGURES = Table(
    name="areafigures",
    means="one open figure of a place: a count, and what it is a count of",
    root="areas",
    key=("area", "level", "measure", "from_date", "to_date"),
    happened_on="to_date",
    retention_years=20,
    sharded=False,
    columns=(
        Column(name="area", kind="text", means="the place", unit="LSOA, ward or district code"),
        _LEVEL,
        Column(name="edition", kind="code", means="of which edition its code is", codes=codes.AREA_EDITION),
        Column(name="measure", kind="code", means="what is counted", codes=codes.AREA_MEASURE),
        Column(name="from_date", kind="date", means="first day of what is counted"),
        Column(name="to_date", kind="date", means="last day of it"),
        Column(name="count", kind="integer", means="how many, or the tenth", lowest=0),
        Column(name="among", kind="integer", means="of how many residents, people asked or tenths", lowest=1),
        _PUBLISHER,
    ),
)

AREA_BOUNDARIES = Table(
    name="areaboundaries",
    means="the outline of a ward or borough, for a map",
    root="areas",
    key=("area", "from_date"),
    happened_on="from_date",
    retention_years=20,
    sharded=False,
    columns=(
        Column(name="area", kind="text", means="the place", unit="ward or district code"),
        _LEVEL,
        Column(name="from_date", kind="date", means="1 January of the year whose boundaries these are"),
        Column(
            name="outline",
            kind="text",
            means="its polygons, as GeoJSON writes a MultiPolygon's coordinates",
            unit="degrees east and north, WGS 84",
            longest=LONGEST_OUTLINE,
        ),
        _PUBLISHER,
    ),
)

AREA_TABLES: Mapping[str, Table] = {table.name: table for table in (AREAS, AREA_FIGURES, AREA_BOUNDARIES)}
