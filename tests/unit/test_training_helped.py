"""Labels that support may have changed: whose they are, and both readings of them, by hand.

The school of `tests.factories` is open from 3 March 2025; six school weeks from Monday 10 March end before 5 May.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from learning.models.described import described
from serving.pages.hindsight import helped_part
from tests.factories import frame, history, term_calendar
from tests.flagged import WEEK1, WEEK2, ground_of, log_of
from tests.unit.test_models_described import HALF_TERMS, RULE, candidate
from training.evaluate import evaluate
from training.helped import helped_words, labels
from training.matured import Hindsight
from training.outcomes import hindsight, mature
from training.settings import Settings

AS_OF, LATER = date(2025, 3, 10), date(2025, 7, 1)


def helped_at(support, flags=(), suspensions=(), pupils=(1, 2)):
    """Return (pupil, listed) of the rows of 10 March that support may have changed."""
    past = history(
        calendars=term_calendar(),
        enrolments=[{"pupil": pupil} for pupil in pupils],
        suspensions=[{"pupil": pupil, "start_date": day} for pupil, day in suspensions],
    )
    rows = [
        {"pupil": pupil, "support_id": str(at), "type": "mentoring", "start_date": start, "end_date": end}
        for at, (pupil, start, end) in enumerate(support)
    ]
    given = [{"pupil": pupil, "as_of": day, "bundle": "b"} for pupil, day in flags]
    tables = {**past.tables, "support": frame("support", rows), "flags_given": frame("flags_given", given)}
    past = replace(past, tables=tables)
    keys = pd.DataFrame({"pupil": pupils, "school": 900001, "abstain": ""})
    keys["as_of"] = pd.Series([AS_OF] * len(pupils)).astype("datetime64[s]")
    came = mature(past, keys, settings=Settings(), observed_until=LATER)
    found = hindsight(past, keys, came, settings=Settings(), observed_until=LATER).helped
    return [(row.pupil, bool(row.listed)) for row in found.itertuples()]


@pytest.mark.parametrize(
    ("start", "end", "there"),
    [
        (date(2025, 2, 3), None, True),  # goes on
        (date(2025, 2, 3), AS_OF, True),  # its last day is the first of the weeks ahead
        (date(2025, 2, 3), date(2025, 3, 9), False),
        (date(2025, 5, 4), None, True),  # begins within them
        (date(2025, 5, 5), None, False),
    ],
)
def test_support_counts_that_was_there_in_the_weeks_ahead(start, end, there):
    assert helped_at([(1, start, end)]) == ([(1, False)] if there else [])


def test_what_happened_is_no_label_that_support_changed_and_a_list_counts_in_the_half_year_before():
    support = [(1, date(2025, 3, 3), None), (1, date(2025, 4, 1), None), (2, date(2025, 3, 3), None)]
    assert helped_at(support, suspensions=[(2, date(2025, 3, 24))]) == [(1, False)]
    assert helped_at(support, flags=[(1, date(2025, 3, 24)), (2, date(2024, 11, 4))]) == [(1, True), (2, False)]


def helped_rows(*rows):
    made = pd.DataFrame([(pupil, day, listed) for pupil, day, listed in rows], columns=["pupil", "as_of", "listed"])
    return made.assign(as_of=pd.to_datetime(made["as_of"]).astype("datetime64[s]"))


def test_whoever_was_flagged_helped_and_not_suspended_counts_and_is_left_out():
    """1 and 2 suspended, 1 found; 3 and 4 flagged without one. Help: 1, 3, and 2 in a week without a flag."""
    on = ground_of({1: date(2025, 9, 22), 2: date(2025, 9, 29)})
    helped = helped_rows((1, WEEK1, True), (3, WEEK1, True), (4, WEEK2, False))
    on = replace(on, hindsight=Hindsight(helped=helped))
    found = evaluate(log_of(on, {(1, WEEK1), (3, WEEK1), (4, WEEK1)}), on)
    assert (found.summary["all"]["precision"], found.summary["all"]["wrong"]) == (pytest.approx(1 / 3), 2)
    other = found.summary["without_helped"]
    assert (other["left_out"], other["precision"], other["false_positive_rate"]) == (1, 0.5, 0.5)
    # Nine scores of 0.1 with four outcomes; two scores of helped pupils to whom nothing happened go.
    assert found.summary["all"]["observed_over_expected"] == pytest.approx(4 / 0.9)
    assert other["observed_over_expected"] == pytest.approx(4 / 0.7)


def test_rates_of_both_readings_by_hand():
    """Two of ten came, each quiet row stands for two: 2 of 18. Without three helped rows, 2 of 12."""
    keys = pd.DataFrame({"pupil": [1, 2, 3, 4, 5, 5, 6, 7, 8, 9]})
    keys["as_of"] = pd.Series([WEEK1] * 5 + [WEEK2] + [WEEK1] * 4).astype("datetime64[s]")
    outcomes = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.int8)
    helped = helped_rows((1, WEEK1, True), (4, WEEK1, True), (5, WEEK1, False), (5, WEEK2, False), (11, WEEK1, True))
    said = labels(keys, outcomes, np.where(outcomes == 1, 1.0, 2.0), helped)
    assert (said["rows"], said["helped"], said["pupils"], said["listed"]) == (10, 3, 2, 1)
    assert (said["rate"], said["rate_without"]) == (pytest.approx(2 / 18), pytest.approx(2 / 12))


LEARNED = {"rows": 40_000.0, "helped": 900.0, "pupils": 120.0, "listed": 50.0, "rate": 0.013, "rate_without": 0.0135}


def test_cards_and_pages_say_both_readings_and_nothing_of_a_few():
    everyone = {"right": 30, "flagged": 120, "precision": 0.25}
    without = {"left_out": 20.0, "precision": 0.3}
    said = " ".join(helped_words(LEARNED, everyone, without))
    assert "900 were of 120 pupils" in said
    assert "50 of these pupils had been on a list" in said
    assert "1.30% of scores; with them left out, after 1.35%" in said
    assert "25% of flags were right; with them left" in said
    few = " ".join(helped_words(LEARNED | {"pupils": 9.0}, everyone, without | {"left_out": 9.0}))
    assert few.count("fewer than ten pupils") == 2
    assert "%" not in few
    assert helped_words({}, {}, {})[0].startswith("No support is recorded")
    made = candidate(second=60)
    for learned, left_out, told in (
        (LEARNED, 20.0, (0.25, 0.3, 120, 50)),
        (LEARNED | {"listed": 115.0}, 4.0, (None, None, 120, None)),
    ):
        made.data["helped"] = learned
        made.evaluation.summary = {"all": everyone, "without_helped": without | {"left_out": left_out}}
        page = described(made, HALF_TERMS, RULE)["helped"]
        assert tuple(page[name] for name in ("precision", "precision_without", "pupils", "listed")) == told
    part = helped_part(page)
    assert part is not None
    assert "Too few pupils to show were flagged" in part["says"]
    assert part["table"]["rows"][0][1:] == ["1.30%", "1.35%"]
