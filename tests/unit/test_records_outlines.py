"""Outlines of wards and boroughs: taken in as the publisher has them, a bad one put aside and told in words."""

import json
import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from records.areas import known_areas, known_outlines
from records.home import Home
from records.readers.outlines import MOST_POSITIONS, OGL
from records.synthetic.outlines import collections_of
from tests.export_files import make_home
from tests.unit.test_records_areas import GOLDEN, TODAY, take_in, told

SQUARE = [[-0.1, 51.5], [-0.08, 51.5], [-0.08, 51.52], [-0.1, 51.52], [-0.1, 51.5]]
EASTINGS = [[530000, 180000], [530100, 180000], [530100, 180100], [530000, 180000]]


def feature(
    code: object, coordinates: object, *, kind: str = "Polygon", key: str = "WD22CD", **said: str
) -> dict[str, Any]:
    properties = {key: code, **said}
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def collection(folder: Path, *features: object, **members: object) -> Path:
    path = folder / "Wards_BUC.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}), encoding="utf-8")
    return path


def outlines(home: Home, day: date = TODAY) -> pd.DataFrame:
    return known_outlines(home, known_areas(home, day), day)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with the golden lists and no outline."""
    made = make_home(tmp_path / "home")
    for name in ("areas_2011.csv", "areas_2021.csv"):
        take_in(made, GOLDEN / name)
    return made


def test_the_publishers_own_files_land_whole_and_once(home):
    summary = take_in(home, GOLDEN)
    assert summary.tables["areaboundaries"].landed == 3
    there = outlines(home)
    assert there["area"].tolist() == ["E05000901", "E05000902", "E09000091"]
    assert there["level"].astype(str).tolist() == ["ward", "ward", "borough"], "a ward's feature names its borough too"
    assert json.loads(there["outline"][0])[0][0][0] == [-0.12346, 51.5], "to about a metre"
    assert len(json.loads(there["outline"][1])) == 2, "both parts of a ward of two"
    assert set(there["publisher"]) == {OGL}
    assert take_in(home, GOLDEN).quarantined == ()
    assert len(take_in(home, GOLDEN).already) == 5


@pytest.mark.parametrize(
    ("coordinates", "kind", "value_class", "remedy"),
    [
        ([EASTINGS], "Polygon", "position outside England", "eastings and northings are not read"),
        ([[at[::-1] for at in SQUARE]], "Polygon", "position outside England", "EPSG:4326"),
        ([[["-0.1", "51.5"]] * 4], "Polygon", "position outside England", "EPSG:4326"),
        ([SQUARE[:-1]], "Polygon", "open ring", "download it"),
        ([SQUARE[:2] + SQUARE[:1]], "Polygon", "open ring", "download it"),
        ([], "MultiPolygon", "coordinates of another shape", "download it"),
        (SQUARE, "LineString", "no polygon", "boundaries, not its points"),
        ([SQUARE[:1] * (MOST_POSITIONS + 1)], "Polygon", "more than 2,000 positions", "(BUC)"),
    ],
)
def test_a_bad_outline_is_put_aside_and_the_good_one_lands(home, tmp_path, coordinates, kind, value_class, remedy):
    bad = feature("E05000902", coordinates, kind=kind)
    summary = take_in(home, collection(tmp_path, feature("E05000901", [SQUARE]), bad))
    assert summary.tables["areaboundaries"].landed == 1
    assert outlines(home)["area"].tolist() == ["E05000901"]
    (fault,) = told(summary).to_dict("records")
    assert (fault["line"], fault["column"], fault["value_class"]) == (2, "geometry", value_class)
    assert remedy in fault["remedy"]


def test_codes_are_held_against_the_list_of_the_newest_edition(tmp_path):
    home = make_home(tmp_path / "home")
    take_in(home, GOLDEN / "areas_2021.csv")
    shutil.copy(GOLDEN / "areas_2011.csv", tmp_path)
    old = (tmp_path / "areas_2011.csv").read_text(encoding="utf-8").replace("E05000901,Riverside", "E05000801,Gone")
    (tmp_path / "areas_2011.csv").write_text(old, encoding="utf-8")
    take_in(home, tmp_path / "areas_2011.csv")
    codes = ("E05000901", "E05000801", "E05777777", "Riverside", 7, "E05000901")
    summary = take_in(home, collection(tmp_path, *(feature(code, [SQUARE]) for code in codes)))
    assert summary.tables["areaboundaries"].landed == 1
    faults = told(summary).set_index("line")
    assert faults["column"].unique().tolist() == ["WD22CD"]
    assert faults["value_class"].to_dict() == {
        2: "code of edition 2011",
        3: "code of no list",
        4: "another kind of code",
        5: "another kind of code",
        6: "code met before",
    }
    assert faults.loc[2, "remedy"] == "take the publisher's boundaries of 2021"


def test_of_a_whole_countrys_file_other_boroughs_wait_and_other_countries_are_passed_over(home, tmp_path):
    """Nothing of it is put aside but a ward of our own borough that no list has."""
    boroughs = {"E05000901": "E09000091", "E05000777": "E09000091", "E05000555": "E06000001", "W05000555": "W06000001"}
    made = (feature(code, [SQUARE], LAD22CD=borough) for code, borough in boroughs.items())
    summary = take_in(home, collection(tmp_path, *made, feature("S13000001", [], LAD22CD="S12000001")))
    assert summary.tables["areaboundaries"].landed == 2
    assert told(summary)["line"].tolist() == [2]
    assert [one.why for one in summary.passed_over] == ["2 of its features are of places outside England"]
    assert outlines(home)["area"].tolist() == ["E05000901"]
    listed = "E01000555,2021,2022-05-05,Elsewhere 001A,E05000555,Far,E06000001,Elsewhere,2022-11-30"
    heading = (GOLDEN / "areas_2021.csv").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "areas_more.csv").write_text(f"{heading}\n{listed}\n", encoding="utf-8")
    take_in(home, tmp_path / "areas_more.csv")
    assert outlines(home)["area"].tolist() == ["E05000555", "E05000901"]
    beyond = take_in(home, collection(tmp_path, feature("W05000555", [SQUARE])))
    assert (len(beyond.refused), len(beyond.quarantined), len(beyond.passed_over)) == (0, 0, 1)


def test_outlines_without_a_list_wait_for_it_and_newer_ones_are_shown(home, tmp_path):
    empty = make_home(tmp_path / "empty")
    path = collection(tmp_path, feature("E05000901", [SQUARE]))
    assert "bring areas_2021.csv" in told(take_in(empty, path))["remedy"][0]
    assert outlines(empty).empty
    take_in(empty, GOLDEN / "areas_2021.csv")
    assert take_in(empty, path).tables["areaboundaries"].landed == 1, "the same file, read again"
    moved = [[[east + 0.01, north] for east, north in SQUARE]]
    newer = collection(tmp_path, feature("E05000901", moved, key="WD24CD"), publisher="Example Borough")
    assert take_in(empty, newer).tables["areaboundaries"].landed == 1
    assert outlines(empty)["from_date"].dt.year.tolist() == [2024]
    assert outlines(empty)["publisher"].tolist() == ["Example Borough"]
    ahead = told(take_in(empty, collection(tmp_path, feature("E05000901", moved, key="WD31CD"))))
    assert "date after the row was recorded" in ahead["value_class"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "Topology"}', "it is no FeatureCollection"),
        ('{"type": "FeatureCollection", "features": []}', "it has no features"),
        ('{"type": "FeatureCollection", "features": [{"properties": {"code": "E05000901"}}]}', "such as WD22CD"),
        ('{"type": "FeatureCollection", "features": [3], "crs": {"properties": {"name": "EPSG:27700"}}}', "WGS 84"),
        ('{"type": "FeatureCollection", "features": [{"properties": {"WD22CD": 1}}], "publisher": 3}', "publisher"),
        ("[" * 100, "nested more than"),
        ("{", "it is not JSON"),
    ],
)
def test_a_file_that_is_no_such_file_is_refused(home, tmp_path, text, words):
    path = tmp_path / "Wards.geojson"
    path.write_text(text, encoding="utf-8")
    (refused,) = take_in(home, path).refused
    assert words in str(refused)
    assert "Wards.geojson" in str(refused)


def test_made_up_outlines_fill_a_square_and_are_the_same_for_a_seed():
    """Wards without gap or overlap, and around each borough exactly its wards."""
    boroughs = {"E09990001": "Exampleham", "E09990002": "Testborough"}
    wards = {f"E0599{at:04}": list(boroughs)[at % 2] for at in range(11)}
    made, again, other = (collections_of(boroughs, wards, dict.fromkeys(wards, "X"), seed) for seed in (1, 1, 2))
    assert made == again
    assert made != other

    def size(of: dict[str, Any]) -> float:
        rings = [ring for polygon in of["geometry"]["coordinates"] for ring in polygon]
        pairs = [pair for ring in rings for pair in pairwise(ring)]
        return sum(start[0] * end[1] - end[0] * start[1] for start, end in pairs) / 2

    by_borough = dict.fromkeys(boroughs, 0.0)
    for one in made["wards"]["features"]:
        assert size(one) > 0
        by_borough[one["properties"]["LAD22CD"]] += size(one)
    assert sum(by_borough.values()) == pytest.approx(0.16 * 0.096, rel=1e-4)
    found = {one["properties"]["LAD22CD"]: size(one) for one in made["boroughs"]["features"]}
    assert found == pytest.approx(by_borough, rel=1e-3)
