"""Open figures of places: published beside counts by ward, and nowhere near a pupil's features or score."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from casework.areas import NEEDS, areas_of, figures_of, need_and_reach, standing_of
from casework.outlines import outlines_of
from casework.permissions import NotAllowed, Role
from casework.places import counts_of, releases
from features.engine import build
from features.matrix import KEYS
from features.measure import Forbidden, Measure
from records import delta, pseudonym
from records.area_tables import AREA_TABLES
from records.clock import Clock
from records.history import known
from records.home import Home
from records.intake.ingest import ingest
from records.protected_tables import NEIGHBOURHOODS
from records.store import Store
from serving.jobs.areas import publish_areas
from serving.jobs.places import publish_places
from tests.database import TODAY, make_person
from tests.deployed import clear
from tests.factories import SCHOOL
from tests.journey.api import as_job
from tests.unit.test_serving_nightly import landing, put_records

GOLDEN = Path(__file__).parent.parent / "golden" / "areas"
# Of 120 pupils 50 live in Riverside, 45 at Hilltop, 15 in an area that 2011 alone has, 10 in one of no list.
LIVE = ["E01000901"] * 50 + ["E01033902"] * 45 + ["E01000902"] * 15 + ["E01999999"] * 10


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of one school with 120 pupils, of whom it is not known yet where they live."""
    home = replace(casework_home, shards=2)
    pseudonym.create_pepper(home)
    put_records(home, range(1, 121))
    yield home
    clear(home)


def bring_areas(home: Home) -> None:
    """Land where the pupils live, and ingest the golden lists and figures."""
    rows = [
        {"pupil": at + 1, "start_date": date(2024, 9, 2), "area": area, "deprivation": 1, "known_on": date(2024, 9, 9)}
        for at, area in enumerate(LIVE)
    ]
    delta.append(home.protected, NEIGHBOURHOODS, [landing(NEIGHBOURHOODS.name, rows)], home.shards)
    ingest(home, GOLDEN, clock=Clock(TODAY), save_identities=None)


def test_no_figure_of_a_place_reaches_a_pupils_features(home):
    """Every feature of every pupil is what it was, to the byte, and no feature can be declared that would read one."""
    before = [build(Store(home).history(shard), [TODAY]) for shard in range(2)]
    bring_areas(home)
    for shard, matrix in enumerate(before):
        after = build(Store(home).history(shard), [TODAY])
        pd.testing.assert_frame_equal(after.keys[list(KEYS)], matrix.keys[list(KEYS)])
        assert after.values.tobytes() == matrix.values.tobytes()
        assert not set(AREA_TABLES) & set(known(Store(home).history(shard), TODAY).tables)
    for table in AREA_TABLES:
        with pytest.raises(Forbidden, match=f"reads table '{table}'"):
            Measure(name="violence", means="recorded violence where the pupil lives", table=table)


def test_counts_by_ward_are_published_by_the_one_rule_beside_the_figures(home):
    """Ten pupils' area is in no list; the fifteen of an area that is no more count where its ward is today."""
    bring_areas(home)
    assert publish_areas(home) == 6
    publish_places(home)
    lead = make_person(home, Role(name="network_lead"))
    with as_job(home) as session:
        standing = standing_of(session)
        assert (standing.edition, standing.unlisted, standing.figures_left_out) == ("2021", True, 0)
        counts = counts_of(session, lead, releases(session)[0].half_term)
        by_ward = {one.place: dict(one.counts) for one in counts if one.cut == "ward"}
        areas, figures = areas_of(session, lead), figures_of(session, lead)
        outlines = {one.code: one for one in outlines_of(session, lead)}
        for read in (figures_of, outlines_of):
            with pytest.raises(NotAllowed, match="look at need and support by place"):
                read(session, make_person(home, Role(name="school_lead", school=SCHOOL)))
    assert {place: one["pupils"] for place, one in by_ward.items()} == {
        "E05000901": 65,
        "E05000902": 45,
        "unknown": 10,
    }
    assert set(by_ward["E05000901"]) == {"pupils", *by_ward["unknown"]}
    assert {code: one.level for code, one in outlines.items()} == {
        "E05000901": "ward",
        "E05000902": "ward",
        "E09000091": "borough",
    }
    assert [len(polygon) for polygon in outlines["E05000902"].polygons] == [1, 1]
    assert outlines["E05000901"].polygons[0][0][0] == [-0.12346, 51.5]
    riverside = next(one for one in need_and_reach("ward", areas, figures, counts) if one.code == "E05000901")
    assert riverside.needs["violence"] == pytest.approx(1000 * 412 / 9815)
    assert riverside.needs["deprivation"] == pytest.approx(100 * 1 / 2), "of tenths 2 and 4 one is among the three"
    assert riverside.needs["admissions"] is None, "the borough's figure says nothing of its wards"
    assert riverside.needs.keys() == NEEDS.keys()
