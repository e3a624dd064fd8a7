"""What lists and open figures say of places, published whenever the night runs: about nobody, so nothing is hidden."""

import json
from datetime import date

from sqlalchemy import Engine

from casework.areas import Area, Figure, Standing, save_areas
from casework.database import connect, scoped
from casework.outlines import Outline, save_outlines
from learning.places.neighbourhoods import unlisted
from records.areas import Areas, known_areas, known_outlines
from records.clock import clock_of
from records.home import Home


def publish_areas(home: Home) -> int:
    """Publish the newest edition's places, the newest figure and outline of each; return how many, 0 without a list."""
    today = clock_of(home).today()
    areas = known_areas(home, today)
    if not areas.edition:
        return 0
    places, figures, outlines = _places(areas), _figures(areas), _outlines(home, areas, today)
    standing = Standing(
        edition=areas.edition,
        known_on=today,
        unlisted=unlisted(home, areas, today),
        figures_left_out=len(areas.left_out()),
    )
    engine: Engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            save_areas(session, standing, places, figures)
            save_outlines(session, outlines)
    finally:
        engine.dispose()
    return len(places)


def _places(areas: Areas) -> list[Area]:
    rows = areas.places
    found = [
        Area(code=row["area"], level="area", name=row["name"], ward=row["ward"], borough=row["borough"])
        for row in rows.to_dict("records")
    ]
    found += [
        Area(code=row["ward"], level="ward", name=row["ward_name"], borough=row["borough"])
        for row in rows.drop_duplicates("ward").to_dict("records")
    ]
    return found + [
        Area(code=row["borough"], level="borough", name=row["borough_name"])
        for row in rows.drop_duplicates("borough").to_dict("records")
    ]


def _figures(areas: Areas) -> list[Figure]:
    return [
        Figure(
            code=row["area"],
            measure=str(row["measure"]),
            from_on=row["from_date"].date(),
            to_on=row["to_date"].date(),
            count=int(row["count"]),
            among=int(row["among"]),
            publisher=row["publisher"],
        )
        for row in areas.current().to_dict("records")
    ]


def _outlines(home: Home, areas: Areas, today: date) -> list[Outline]:
    return [
        Outline(
            code=row["area"],
            level=str(row["level"]),
            from_on=row["from_date"].date(),
            publisher=row["publisher"],
            polygons=json.loads(row["outline"]),
        )
        for row in known_outlines(home, areas, today).to_dict("records")
    ]
