"""Charts: gaps at holidays, shapes that carry the meaning, and nothing a name could break."""

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from fairness.documents.interval_chart import Axis, Block, Interval, intervals
from serving.charts import Week, timeline

SVG = "{http://www.w3.org/2000/svg}"
MONDAY = date(2026, 4, 13)


def parse(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def week(at: int, *, possible: int = 10, missed: int = 0, incidents: int = 0, suspended: bool = False) -> Week:
    start = MONDAY + timedelta(days=7 * at)
    return Week(start=start, possible=possible, missed=missed, incidents=incidents, suspended=suspended)


def lines(drawn: ElementTree.Element) -> list[int]:
    return [len(line.attrib["points"].split()) for line in drawn.iter(f"{SVG}polyline")]


def test_the_attendance_line_breaks_at_a_week_without_school() -> None:
    weeks = [week(0), week(1, missed=2), week(2, possible=0), week(3), week(4), week(5)]
    assert lines(parse(timeline(weeks, listed=None))) == [2, 3]


def test_the_attendance_line_breaks_where_weeks_are_left_out() -> None:
    assert lines(parse(timeline([week(0), week(1), week(4), week(5)], listed=None))) == [2, 2]


def test_holidays_that_were_left_out_take_the_room_that_they_take_in_the_calendar() -> None:
    """Weeks 0, 1, 4 and 5 of six: four bands' worth of term in two bands, with two weeks' room between."""
    drawn = parse(timeline([week(0), week(1), week(4, incidents=2), week(5)], listed=None))
    step = (900 - 56 - 12) / 6
    bands = [one.attrib for one in drawn.iter(f"{SVG}rect") if one.attrib["class"] == "chart-term"]
    assert [(band["x"], band["width"]) for band in bands] == [
        ("56.0", f"{2 * step:.1f}"),
        (f"{56 + 4 * step:.1f}", f"{2 * step:.1f}"),
    ]
    (bar,) = (one.attrib for one in drawn.iter(f"{SVG}rect") if one.attrib["class"] == "chart-bar")
    assert bar["x"] == f"{56 + 4 * step + 1:.1f}"


def test_a_year_elsewhere_is_drawn_no_longer_than_a_summer() -> None:
    """One week, six weeks of gap, one week: eight places of (900 - 56 - 12) / 8 = 104."""
    drawn = parse(timeline([week(0), week(60)], listed=None))
    assert [circle.attrib["cx"] for circle in drawn.iter(f"{SVG}circle")] == ["108.0", "836.0"]


def test_a_single_week_between_holidays_is_a_dot() -> None:
    drawn = parse(timeline([week(0), week(1, possible=0), week(2), week(3)], listed=None))
    assert lines(drawn) == [2]
    assert len(list(drawn.iter(f"{SVG}circle"))) == 1


def test_attendance_is_drawn_to_scale() -> None:
    """100 % lies on the frame's top, y = 34; 50 % on its floor, y = 180; so 80 % lies at 34 + 0.4 * 146."""
    drawn = parse(timeline([week(0), week(1, missed=5), week(2, missed=2)], listed=None))
    (line,) = drawn.iter(f"{SVG}polyline")
    heights = [point.split(",")[1] for point in line.attrib["points"].split()]
    assert heights == ["34.0", "180.0", "92.4"]


def test_suspensions_are_triangles_and_the_words_say_the_same() -> None:
    drawn = parse(timeline([week(0, missed=1), week(1, incidents=3, suspended=True)], listed=None))
    assert len(list(drawn.iter(f"{SVG}path"))) == 1
    words = drawn.findtext(f"{SVG}desc") or ""
    assert "2 weeks of school from 13 April 2026: 95% of sessions attended, 3 incidents, 1 weeks" in words


def test_the_day_on_the_list_is_a_dashed_line_at_its_week() -> None:
    weeks = [week(at) for at in range(4)]
    (line,) = (
        one
        for one in parse(timeline(weeks, listed=MONDAY + timedelta(days=16))).iter(f"{SVG}line")
        if one.attrib["class"] == "chart-listed"
    )
    step = (900 - 56 - 12) / 4
    assert line.attrib["x1"] == f"{56 + 2 * step:.1f}"


def test_no_weeks_draw_nothing() -> None:
    assert timeline([], listed=None) == ""


RATIO = Axis(low=0.5, high=2.0, limit_high=1.5, same=1.0, log=True)


def row(shape: str, **changes: object) -> Interval:
    said: dict[str, object] = {
        "label": "EHC plan",
        "n": "n = 402",
        "estimate": 1.0,
        "lower": 0.8,
        "upper": 1.3,
        "word": "Not settled",
        "shape": shape,
    }
    return Interval(**{**said, **changes})  # type: ignore[arg-type]  # a test's shorthand


def rows(*given: Interval) -> list[Block]:
    return [Block(title="", rows=given)]


def test_each_verdict_has_a_shape_of_its_own() -> None:
    drawn = parse(intervals(rows(row("circle"), row("hollow"), row("square")), RATIO, name="a", title="Ratio"))
    circles = [one.attrib["class"] for one in drawn.iter(f"{SVG}circle")]
    squares = [one for one in drawn.iter(f"{SVG}rect") if one.attrib["class"] == "chart-point"]
    assert circles == ["chart-point", "chart-point chart-point--open"]
    assert len(squares) == 1


def test_what_is_shown_and_not_judged_has_an_upright_stroke() -> None:
    drawn = parse(intervals(rows(row("stroke", lower=None, upper=None)), RATIO, name="a", title="Ratio"))
    (line,) = (one for one in drawn.iter(f"{SVG}line") if one.attrib["class"] == "chart-interval")
    assert line.attrib["x1"] == line.attrib["x2"] == "542.5"
    assert not list(drawn.iter(f"{SVG}circle"))


def test_the_groups_of_every_attribute_share_one_axis_under_their_own_headings() -> None:
    """Lines lie 27 apart from 34: heading 0, rows 1 and 2, heading 3, row 4 at 34 + 4.5 x 27 = 155.5."""
    blocks = [
        Block(title="Sex", rows=[row("circle", label="Girls"), row("circle", label="Boys")]),
        Block(title="First language", rows=[row("hollow", label="English first language")]),
    ]
    drawn = parse(intervals(blocks, RATIO, name="a", title="Ratio"))
    circles = list(drawn.iter(f"{SVG}circle"))
    assert [circle.attrib["cy"] for circle in circles] == ["74.5", "101.5", "155.5"]
    assert {circle.attrib["cx"] for circle in circles} == {"542.5"}
    headings = [one.text for one in drawn.iter(f"{SVG}text") if one.attrib["class"] == "chart-strong"]
    assert headings == ["Sex", "First language"]


def test_a_ratio_is_drawn_on_a_log_scale() -> None:
    """1 is the middle of 0.5 to 2: half of the 435 between 325 and 760."""
    (circle,) = parse(intervals(rows(row("circle")), RATIO, name="a", title="Ratio")).iter(f"{SVG}circle")
    assert circle.attrib["cx"] == "542.5"


@pytest.mark.parametrize(("worth", "named"), [(5, True), (1, False)])
def test_limits_whose_numbers_would_lie_on_that_of_no_difference_are_a_band_alone(worth: float, named: bool) -> None:
    axis = Axis(low=-50, high=50, limit_low=-worth, limit_high=worth, same=0.0)
    drawn = parse(intervals(rows(row("hollow", estimate=0.0)), axis, name="a", title="Difference"))
    ticks = {one.text for one in drawn.iter(f"{SVG}text")}
    assert ({f"{-worth:g}", f"{worth:g}"} <= ticks) is named
    assert "0" in ticks
    assert any(one.attrib["class"] == "chart-limit" for one in drawn.iter(f"{SVG}rect"))


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow_inside_it() -> None:
    drawn = parse(intervals(rows(row("hollow", upper=9.0, lower=0.1)), RATIO, name="a", title="Ratio"))
    (line,) = (one for one in drawn.iter(f"{SVG}line") if one.attrib["class"] == "chart-interval")
    assert (line.attrib["x1"], line.attrib["x2"]) == ("325.0", "760.0")
    assert len(list(drawn.iter(f"{SVG}path"))) == 2


def test_a_hidden_group_shows_neither_point_nor_interval() -> None:
    hidden = row("none", estimate=None, lower=None, upper=None, n="fewer than 10", word="Too few pupils")
    drawn = parse(intervals(rows(hidden), RATIO, name="a", title="Ratio"))
    assert not list(drawn.iter(f"{SVG}circle"))
    assert "not shown" in [one.text for one in drawn.iter(f"{SVG}text")]


def test_words_cannot_become_markup() -> None:
    drawn = intervals(rows(row("circle", label="<script>x</script>")), RATIO, name="a", title="<b>T</b>")
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert parse(drawn).findtext(f"{SVG}title") == "<b>T</b>"
