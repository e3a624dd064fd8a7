"""What a declaration may say, and what it may not."""

import pickle
import re
from dataclasses import replace

import pytest

from features.catalogue import CATALOGUE, fingerprint, gather, page
from features.context import CONTEXTS
from features.feature import GROUPS, Feature
from features.measure import FORBIDDEN_CODES, NEUTRAL_CODES, Forbidden, Measure
from records.codes import SUSPENSION_OUTCOMES
from records.tables import TABLES

UNKNOWN = float("nan")
BY_NAME = {feature.name: feature for feature in CATALOGUE}


def feature(**changes):
    return replace(BY_NAME["incidents_4w"], **changes)


@pytest.mark.parametrize("table", ["characteristics", "sen_needs", "fsm_periods", "schools", "gossip"])
def test_a_measure_reads_no_protected_or_unknown_table(table):
    with pytest.raises(Forbidden, match="protected characteristics are for auditing only"):
        Measure(name="x", means="x", table=table)


@pytest.mark.parametrize("code", ["E", "Y5", "R", "T"])
def test_a_measure_picks_out_no_forbidden_attendance_code(code):
    with pytest.raises(Forbidden, match=rf"reads marks.code \['{code}'\]: E is the suspension itself"):
        Measure(name="x", means="x", table="marks", where={"code": frozenset({"O", code})})


def test_a_measure_of_marks_names_its_codes():
    with pytest.raises(Forbidden, match="counts marks of every code"):
        Measure(name="x", means="x", table="marks")


@pytest.mark.parametrize("outcome", sorted(SUSPENSION_OUTCOMES))
def test_a_measure_picks_out_no_suspension_outcome(outcome):
    with pytest.raises(Forbidden, match="these outcomes are the suspension itself"):
        Measure(name="x", means="x", table="behaviour", where={"outcome": frozenset({"Detention", outcome})})


@pytest.mark.parametrize("column", ["reason1", "reason2", "reason3"])
def test_a_measure_reads_no_reason_for_a_suspension(column):
    with pytest.raises(Forbidden, match="reason codes name protected matters"):
        Measure(name="x", means="x", table="suspensions", where={column: frozenset({"DB"})})


def test_a_measure_knows_its_columns_and_codes():
    with pytest.raises(Forbidden, match="no codes"):
        Measure(name="x", means="x", table="behaviour", where={"type": frozenset({"Daydreaming"})})
    with pytest.raises(Forbidden, match="not a whole-number column"):
        Measure(name="x", means="x", table="behaviour", weight="location")
    with pytest.raises(KeyError, match="no column 'mood'"):
        Measure(name="x", means="x", table="behaviour", weight="mood")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "Incidents 4w"}, "lower_case_words"),
        ({"kind": "guess"}, "kind 'guess' is not one of"),
        ({"kind": "rate"}, "a rate needs per"),
        ({"kind": "change"}, "a change needs before_weeks"),
        ({"before_weeks": 3}, "a count has no before_weeks"),
        ({"context": "year"}, "a count has no context"),
        ({"window_weeks": 0}, "1 school week or more"),
        ({"kind": "slope", "window_weeks": 2}, "3 school weeks or more"),
        ({"group": "Character"}, "group 'Character' is not one of"),
        ({"when_empty": 0.0}, "a count is never empty"),
        ({"phrase": ""}, "say unit, source, phrases"),
        ({"phrase": "{upn} again"}, "phrases may use"),
    ],
)
def test_a_feature_is_checked_when_it_is_made(changes, says):
    with pytest.raises(Forbidden, match=says):
        feature(**changes)


def test_a_name_stands_once_and_a_measure_for_one_thing():
    with pytest.raises(Forbidden, match="declared twice: incidents_4w"):
        gather(CATALOGUE, (feature(),))
    other = Measure(name="incidents", means="x", table="positives")
    with pytest.raises(Forbidden, match="'incidents' is declared in two ways"):
        gather(CATALOGUE, (feature(name="another", measure=other),))


def test_every_context_is_declared_and_every_declared_context_exists():
    assert {f.context for f in CATALOGUE if f.kind == "context"} == set(CONTEXTS)


def test_no_measure_of_the_catalogue_counts_a_neutral_code():
    """Read from the declarations, not from their check: the law again, in other words."""
    for declared in CATALOGUE:
        for measure in declared.measures:
            assert not TABLES[measure.table].protected
            if measure.table == "marks":
                assert not measure.where["code"] & (NEUTRAL_CODES | {"Y5"}), measure.name


def test_the_fingerprint_moves_with_any_word_or_window_and_with_the_order():
    known = {fingerprint(), fingerprint(CATALOGUE[::-1])}
    known.add(fingerprint((feature(phrase="Other words"), *CATALOGUE[1:])))
    known.add(fingerprint((feature(window_weeks=5), *CATALOGUE[1:])))
    assert len(known) == 4
    assert fingerprint() == fingerprint(tuple(CATALOGUE))


def test_a_catalogue_travels_to_another_process():
    assert fingerprint(pickle.loads(pickle.dumps(CATALOGUE))) == fingerprint()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("incidents_4w", 0.0, "No incidents in the last 4 school weeks"),
        ("incidents_4w", 1.0, "1 incident in the last 4 school weeks"),
        ("incidents_1w", 3.0, "3 incidents in the last school week"),
        ("violence_12w", 2.0, "2 fights or assaults in the last 12 school weeks"),
        ("unauthorised_rate_4w", 0.126, "Missed 13% of sessions without permission in the last 4 school weeks"),
        ("unauthorised_rate_4w", 0.0, "Missed no sessions without permission in the last 4 school weeks"),
        ("late_change_4w", -0.2, "Lateness was no higher in the last 4 school weeks than in the 8 before"),
        (
            "late_change_4w",
            0.2,
            "Lateness was higher in the last 4 school weeks than in the 8 before, by 20% of sessions",
        ),
        ("days_since_incident_39w", 195.0, "No incident in the last year"),
        ("days_since_incident_39w", 1.0, "The last incident was 1 school day ago"),
        ("suspensions_39w", 2.0, "2 suspensions in the last year"),
        (
            "minutes_late_rate_12w",
            1.2,
            "1.2 minutes of lateness written down for each lesson in the last 12 school weeks",
        ),
        ("missed_rate_2w", UNKNOWN, "Not known: in the last 2 school weeks there were no possible sessions"),
        ("missed_rate_year", UNKNOWN, "Not known: this school year there were no possible sessions"),
        (
            "suspension_gap_117w",
            UNKNOWN,
            "Not known: in the last three years there were fewer than two days with suspensions",
        ),
        (
            "incidents_slope_6w",
            UNKNOWN,
            "Not known: in the last 6 school weeks there were fewer than 3 weeks with school days",
        ),
        ("year", UNKNOWN, "Not known: the calendar and the roll do not say"),
    ],
)
def test_a_value_in_words(name, value, sentence):
    assert BY_NAME[name].sentence(value) == sentence


@pytest.mark.parametrize("declared", CATALOGUE, ids=lambda declared: declared.name)
def test_every_sentence_can_stand_on_a_page(declared):
    """A capital first and no stop last; no code, no name of the program's own, no minus sign, no word twice."""
    for value in (-1.5 if declared.signed else 0.0, declared.low, 0.04, 1.0, 2.5, 37.0, UNKNOWN):
        words = declared.sentence(value)
        assert words[0].isupper() or words[0].isdigit(), words
        assert words[-1].isalnum() or words[-1] == ")", words
        assert not re.search(r"_|[{}]|nan\b|-\d|  |\b(\w+) \1\b", words), words
        assert not re.search(r"\b([B-Z]|[A-Z]{2}|[A-Z]\d)\b", words), words  # attendance marks, reasons for suspension


def test_the_page_shows_every_feature_and_every_prohibition():
    text = page()
    assert all(f"| `{declared.name}` |" in text for declared in CATALOGUE)
    assert all(declared.source in text for declared in CATALOGUE)
    assert all(declared.proxy_risk.because in text for declared in CATALOGUE if declared.proxy_risk)
    assert all(f"## {group}" in text for group in GROUPS)
    assert all(f"`{table}.{column}`" in text for table, column in FORBIDDEN_CODES)


def test_only_what_adults_and_pupils_can_change_is_called_changeable():
    fixed = {"Earlier suspensions", "Year group and time of year"}
    assert {f.group for f in CATALOGUE if isinstance(f, Feature) and f.changeable}.isdisjoint(fixed)
