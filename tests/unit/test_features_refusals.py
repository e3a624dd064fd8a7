"""What a declaration may not say: each refusal of a measure, a feature and a form, with its remedy in words."""

from dataclasses import replace

import pytest

from features.catalogue import CATALOGUE
from features.feature import Feature
from features.forms import FORMS
from features.measure import Forbidden, Measure
from features.spans import Span

BY_NAME = {feature.name: feature for feature in CATALOGUE}
INCIDENTS, MISSED = BY_NAME["incidents_4w"].measure, BY_NAME["missed_rate_4w"].measure
POSSIBLE = BY_NAME["missed_rate_4w"].per
SUSPENSIONS = BY_NAME["suspensions_39w"].measure

# What each form needs and may have, in the words of features/forms.py; typed out again, so that a slip there is seen.
NEEDS = {
    "count": ("measure", ""),
    "rate": ("measure per", ""),
    "share": ("measure other", ""),
    "change": ("measure before_weeks", "per"),
    "contrast": ("measure per other other_per", ""),
    "slope": ("measure", "per"),
    "volatility": ("measure", "per"),
    "momentum": ("measure", "per"),
    "cusum": ("measure before_weeks", "per"),
    "departure": ("measure before_weeks", "per"),
    "weeks": ("measure", ""),
    "maximum": ("measure", ""),
    "days": ("measure", ""),
    "since": ("measure", ""),
    "gap": ("measure", ""),
    "gap_change": ("measure", ""),
    "distinct": ("measure by", ""),
    "top_share": ("measure by", ""),
    "after": ("measure other within_days", ""),
    "spells": ("measure per", ""),
    "brief": ("measure per", ""),
    "longest": ("measure per", ""),
    "run": ("measure per", ""),
    "context": ("context", ""),
}
SPANNING = {"count", "rate", "share", "maximum", "days"}
ALWAYS_THERE = {"count", "weeks", "maximum", "days", "distinct", "after", "context"}
GIVEN = {
    "measure": MISSED,
    "per": POSSIBLE,
    "other": SUSPENSIONS,
    "other_per": POSSIBLE,
    "before_weeks": 12,
    "by": "weekday",
    "within_days": 14,
    "context": "year",
}


def declared(kind, **changes):
    """Return a feature of the form with all it needs and no more, but for the changes."""
    needed = {name: GIVEN[name] for name in NEEDS[kind][0].split()} if kind in NEEDS else {}
    said = {"name": "x", "kind": kind, "window_weeks": 0 if kind == "context" else 12, "unit": "u", "source": "s"}
    said |= {"phrase": "more", "phrase_low": "none", "group": "Attendance", "changeable": True}
    return Feature(**{**said, **needed, **changes})


def test_every_form_is_here():
    assert {kind: (set(form.needs), set(form.may)) for kind, form in FORMS.items()} == {
        kind: (set(needs.split()), set(may.split())) for kind, (needs, may) in NEEDS.items()
    }
    assert {kind for kind, form in FORMS.items() if form.spans} == SPANNING
    assert {kind for kind, form in FORMS.items() if not form.unknown} == ALWAYS_THERE


@pytest.mark.parametrize("kind", sorted(NEEDS))
def test_a_form_has_what_it_needs_and_nothing_it_would_not_use(kind):
    needs, may = (set(part.split()) for part in NEEDS[kind])
    declared(kind)
    for name in needs:
        empty = None if name in ("measure", "per", "other", "other_per") else type(GIVEN[name])()
        with pytest.raises(Forbidden, match=f"feature 'x': a {kind} needs .*{name}"):
            declared(kind, **{name: empty})
    for name in may:
        declared(kind, **{name: GIVEN[name]})
    for name in set(GIVEN) - needs - may:
        with pytest.raises(Forbidden, match=f"feature 'x': a {kind} has no {name}"):
            declared(kind, **{name: GIVEN[name]})


@pytest.mark.parametrize("kind", sorted(set(NEEDS) - {"context"}))
@pytest.mark.parametrize("span", ["school_year", "term", "half_term", "first_week"])
def test_only_what_is_added_up_or_looked_through_may_have_a_span(kind, span: Span):
    if kind in SPANNING:
        assert declared(kind, window_weeks=0, span=span).span == span
        with pytest.raises(Forbidden, match="a window is 1 school week or more, or a span"):
            declared(kind, span=span)
    else:
        with pytest.raises(Forbidden, match=f"a {kind} has a window of school weeks, not a span"):
            declared(kind, window_weeks=0, span=span)


@pytest.mark.parametrize("kind", sorted(set(NEEDS) - {"context"}))
def test_a_window_is_at_least_as_long_as_the_form_can_use(kind):
    least = 3 if kind in ("slope", "volatility", "momentum") else 1
    declared(kind, window_weeks=least)
    with pytest.raises(Forbidden, match="3 school weeks or more" if least > 1 else "1 school week or more"):
        declared(kind, window_weeks=least - 1)


def test_a_context_has_no_window():
    with pytest.raises(Forbidden, match="a window is 1 school week or more, or a span"):
        declared("context", window_weeks=4)


@pytest.mark.parametrize("kind", sorted(ALWAYS_THERE))
def test_a_form_that_always_has_a_value_has_no_word_for_none(kind):
    with pytest.raises(Forbidden, match=f"a {kind} is never empty"):
        declared(kind, when_empty=0.0)


@pytest.mark.parametrize("kind", ["spells", "brief", "longest", "run"])
def test_a_line_of_sessions_is_of_the_register(kind):
    with pytest.raises(Forbidden, match=f"a {kind} is of sessions in the register"):
        declared(kind, measure=INCIDENTS)
    with pytest.raises(Forbidden, match=f"a {kind} is of sessions in the register"):
        declared(kind, per=INCIDENTS)


@pytest.mark.parametrize("by", ["mood", "event_id", "date", "pupil"])
def test_rows_are_told_apart_by_a_code_or_a_small_number_alone(by):
    with pytest.raises(Forbidden, match=f"there is no coded column '{by}' to tell apart by"):
        declared("distinct", measure=INCIDENTS, by=by)


@pytest.mark.parametrize("by", ["type", "period", "location", "weekday"])
def test_by_what_rows_may_be_told_apart(by):
    assert declared("top_share", measure=INCIDENTS, by=by).by == by


@pytest.mark.parametrize(("by", "table"), [("reason1", "suspensions"), ("code", "marks"), ("outcome", "behaviour")])
def test_rows_are_not_told_apart_by_what_no_measure_may_pick_out(by, table):
    """The commonest reason for a suspension, or the share of one attendance code, would be it by another door."""
    measure = {"suspensions": SUSPENSIONS, "marks": MISSED, "behaviour": INCIDENTS}[table]
    with pytest.raises(Forbidden, match=f"'{by}' holds codes that no feature may read"):
        declared("distinct", measure=measure, by=by)


@pytest.mark.parametrize("days", [{7}, {-1}, {0, 9}])
def test_a_week_has_seven_days(days):
    with pytest.raises(Forbidden, match=r"measure 'x': weekdays are 0 \(Monday\) to 6 \(Sunday\), not \["):
        Measure(name="x", means="x", table="positives", weekdays=frozenset(days))


@pytest.mark.parametrize("code", ["E", "Y5", "R", "T"])
def test_lesson_marks_are_protected_as_register_marks_are(code):
    with pytest.raises(Forbidden, match=rf"reads lesson_marks.code \['{code}'\]"):
        Measure(name="x", means="x", table="lesson_marks", where={"code": frozenset({code})})


def test_lesson_marks_name_their_codes():
    with pytest.raises(Forbidden, match="counts marks of every code"):
        Measure(name="x", means="x", table="lesson_marks")


def test_a_measure_on_other_days_is_another_measure():
    on_monday = replace(INCIDENTS, weekdays=frozenset({0}))
    assert on_monday.declaration() != INCIDENTS.declaration()
    assert on_monday.declaration()["weekdays"] == [0]


@pytest.mark.parametrize("field", ["unit", "source", "phrase", "phrase_low"])
def test_nothing_that_a_person_reads_is_left_out(field):
    with pytest.raises(Forbidden, match="say unit, source, phrases"):
        declared("count", **{field: ""})


@pytest.mark.parametrize("phrase", ["{pupil} again", "{value:.0q}", "{0} times", "{value"])
def test_a_phrase_has_no_place_for_anything_but_the_value(phrase):
    with pytest.raises(Forbidden, match="phrases may use"):
        declared("count", phrase=phrase)
