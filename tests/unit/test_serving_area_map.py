"""The map of need and reach: steps at round limits, shapes in their places, and never more than the table shows."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.areas import NEEDS, Area, Figure, Place, need_and_reach
from casework.outlines import Polygons
from serving.area_map import STEPS, Shape, area_map, steps
from serving.pages.need import in_order
from serving.pages.need_map import NOT_BY_ITSELF, figure_words, high_words, need_map, reach_words
from tests.places_made_up import BOROUGHS, CORNERS, LEFT_OUT, WARDS, figure, made_by_home, made_outline

TODAY = date(2026, 7, 1)
OUTLINES = tuple(made_outline(code) for code in CORNERS)
AREAS = (
    *(Area(code=code, level="borough", name=name) for code, name in BOROUGHS.items()),
    *(Area(code=code, level="ward", name=name, borough=borough) for code, (name, borough, *_) in WARDS.items()),
    Area(code=LEFT_OUT[0], level="ward", name=LEFT_OUT[1], borough=LEFT_OUT[2]),
)


def figures() -> list[Figure]:
    of_wards = [figure(code, "violence", 10 * said[4], 10_000, TODAY) for code, said in WARDS.items()]
    return [*of_wards, figure(LEFT_OUT[0], "violence", 990, 10_000, TODAY)]


def places() -> tuple[Place, ...]:
    return need_and_reach("ward", AREAS, figures(), made_by_home(date(2026, 6, 1)))


def titles(picture: str) -> dict[str, str]:
    """Return name → figure of every shape."""
    found = re.findall(r"<title>(.*?): (.*?)</title>", picture)
    return {name.replace("&#39;", "'"): said for name, said in found}


def kinds(picture: str) -> dict[str, str]:
    """Return name → how its shape is shaded."""
    found = re.findall(r'class="map-shape ([\w-]+)".*?<title>(.*?):', picture)
    return {name.replace("&#39;", "'"): kind for kind, name in found}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((), ()),
        ((3,), ("3",)),
        ((0, 1, 3), ("0", "1", "2", "3")),
        ((0, 5, 7), ("0 or 1", "2 or 3", "4 or 5", "6 or 7")),
        ((12.0, 71.0), ("0 to under 20", "20 to under 40", "40 to under 60", "60 to under 80")),
        ((25.0, 71.0, 100.0), ("20 to under 40", "40 to under 60", "60 to under 80", "80 to 100")),
        ((0.0, 80.0), ("0 to under 20", "20 to under 40", "40 to under 60", "60 to 80")),
        ((0.0,), ("0",)),
        ((12.5,), ("12.5 to under 12.6",)),
        ((43.1, 44.9), ("43 to under 43.5", "43.5 to under 44", "44 to under 44.5", "44.5 to under 45")),
        (
            (1_200.5, 4_300.0),
            ("1,000 to under 2,000", "2,000 to under 3,000", "3,000 to under 4,000", "4,000 to under 5,000"),
        ),
    ],
)
def test_steps_are_as_wide_as_one_another_at_round_limits(values, said):
    assert steps(values)[1] == said


@given(st.lists(st.integers(0, 10_000_000).map(lambda tenths: tenths / 10), min_size=1))
def test_no_more_than_four_steps_and_a_higher_figure_is_never_lighter(values):
    step_of, said = steps(values)
    found = [step_of(value) for value in sorted(values)]
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < len(said) <= STEPS


@pytest.mark.parametrize("order", ["need", "reach", "name", *NEEDS])
def test_the_map_shows_what_the_table_shows_of_a_place_and_no_more(order):
    """Each figure hidden from the table is hidden from the map; so is every place that the table leaves out."""
    whole = in_order(places(), order)
    hidden = [replace(one, needs=dict.fromkeys(NEEDS), reach=None, high=frozenset()) for one in whole[:2]]
    table = [*hidden, *whole[2:]]
    drawn = need_map("ward", order, table, AREAS, OUTLINES)
    assert drawn is not None
    words = {"reach": reach_words, "need": high_words, "name": high_words}
    said = words[order] if order in words else lambda one: figure_words(NEEDS[order], one)
    picture = str(drawn["picture"])
    assert titles(picture) == {one.name: said(one) for one in table} | {LEFT_OUT[1]: NOT_BY_ITSELF}
    blank = {one.name for one in table if not re.match(r"\d", said(one)) or one.known == 0} | {LEFT_OUT[1]}
    assert {name for name, kind in kinds(picture).items() if kind == "map-hatched"} == blank
    numbers = re.findall(r'class="map-number".*?>(\d+)<', picture)
    assert drawn["left_out"] == [LEFT_OUT[1]]
    assert sorted(numbers, key=int) == [str(number) for number in range(1, 7)], "as the table's rows, none left over"


def test_places_without_an_outline_are_told_of_and_without_any_there_is_no_map():
    drawn = need_map("ward", "need", places(), AREAS, OUTLINES[1:])
    assert drawn is not None
    assert drawn["without"] == ["Riverside"]
    assert need_map("ward", "need", places(), AREAS, [one for one in OUTLINES if one.level == "borough"]) is None
    assert need_map("ward", "need", (), AREAS, OUTLINES) is None


def square(east: float, north: float, *, hole: bool = False) -> Polygons:
    def ring(size: float, off: float = 0.0) -> list[tuple[float, float]]:
        corners = ((0, 0), (size, 0), (size, size), (0, size), (0, 0))
        return [(east + off + x, north + off + y) for x, y in corners]

    return [[ring(0.03), ring(0.02, 0.005)] if hole else [ring(0.03)]]


def test_north_is_up_east_is_right_and_a_number_stands_inside_its_shape():
    """Where a ward has a hole, its number stands beside the hole; degrees east are narrower than degrees north."""
    shapes = [
        Shape(name="South west", number="1", said="1.0", step=0, polygons=square(0.0, 52.0, hole=True)),
        Shape(name="North east", number="2", said="2.0", step=3, polygons=square(0.03, 52.03)),
    ]
    picture = str(area_map("m", "Map", "Two.", shapes, []))
    first, second = (
        [[float(at) for at in corner.split()] for corner in re.findall(r"[\d.]+ [\d.]+", path)]
        for path in re.findall(r'map-shape.*? d="(.*?)"', picture)
    )
    assert max(x for x, _ in first) == min(x for x, _ in second)
    assert min(y for _, y in first) == max(y for _, y in second)
    wide, tall = (max(at[axis] for at in first) - min(at[axis] for at in first) for axis in (0, 1))
    assert wide / tall == pytest.approx(0.615, abs=0.01), "the cosine of 52 degrees"
    numbers = re.findall(r'class="map-number" x="([\d.]+)" y="([\d.]+)"', picture)
    (x, y), hole = (float(at) for at in numbers[0]), first[4:]
    assert not (hole[0][0] <= x <= hole[1][0] and hole[2][1] <= y <= hole[0][1])
    assert min(x for x, _ in first) < x < max(x for x, _ in first)


def test_an_outline_of_no_size_is_drawn_all_the_same():
    flat: Polygons = [[[(0.1, 52.0)] * 4]]
    picture = area_map("m", "Map", "One.", [Shape(name="Dot", number="1", said="1.0", step=0, polygons=flat)], [flat])
    assert "Dot: 1.0" in picture
    assert "nan" not in picture
